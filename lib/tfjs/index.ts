/** The matrix exponential as an operation of TensorFlow.js, with its gradient. */
export { expm, type TensorExpmOptions } from './expm.ts'
