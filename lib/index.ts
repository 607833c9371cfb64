export { type AsyncOptions, expmAsync, expmJVPAsync, expmVJPAsync, type Progress } from './async.ts'
export { type ExpmCondOptions, expmCond } from './cond.ts'
export type { DTypeOf, DTypeOfPair, SingleMatrix } from './dtypes.ts'
export { type ArgumentErrorCode, type Failure, type FailureCode, MatfunError } from './errors.ts'
export {
  type ExpmJVP,
  type ExpmJVPOptions,
  type ExpmOptions,
  type ExpmVJP,
  type ExpmVJPOptions,
  expm,
  expmJVP,
  expmVJP,
} from './expm.ts'
export { type Info, info } from './info.ts'
export type { ArrayLike2D, Complex, ComplexArray, MatrixInput, Nested } from './input.ts'
export {
  type ExpmLinearization,
  type ExpmLinearizeOptions,
  expmLinearize,
  type LinearizedOptions,
} from './linearize.ts'
export type { AddonSource } from './native.ts'
export type { DataOf, DType, NDArray } from './ndarray.ts'
export type { Choice, ComputeOptions, Method, Out, PlanOptions, Structure } from './options.ts'
export { type ExpmPlanOptions, expmPlan, type Plan } from './plan.ts'
