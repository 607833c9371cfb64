export { expm, expmJVP, expmVJP, type ReferenceDType, type ReferenceJVP, type ReferenceVJP } from './expm.ts'
