import { type Failure, failureCodes } from './errors.ts'
import { allocate, gather, ndarray } from './ndarray.ts'

/**
 * The statuses that are not ok, by place in `batch`. Where n x n results were laid out by other strides than row-major
 * (see Pairing), so were the statuses, which then need `batch` and those strides.
 */
export function failuresOf(
  statuses: ArrayLike<number>,
  batch?: readonly number[],
  strides?: readonly number[],
): Failure[] {
  let ordered = statuses
  if (batch && strides) {
    const size = strides[batch.length] ** 2 // n * n elements a result, one status
    const laidOut = allocate('float64', statuses.length)
    laidOut.set(statuses)
    ordered = gather({
      ...ndarray('float64', batch, laidOut),
      strides: batch.map((_, k) => strides[k] / size),
    })
  }
  const list: Failure[] = []
  for (let index = 0; index < ordered.length; index++)
    if (ordered[index] !== 0) list.push({ index, code: failureCodes[ordered[index] - 1] })
  return list
}
