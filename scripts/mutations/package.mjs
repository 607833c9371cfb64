// Faults in the package's own files, which the tests of the package see.

/** @type {import('../mutate.mjs').Mutation[]} */
export const packageMutations = [
  {
    name: 'plan-of-the-other-purpose',
    why: 'expmPlan would show what is not done',
    file: 'lib/plan.ts',
    from: "purpose === 'value' ? operationCodes.expm : operationCodes.jvp",
    to: "purpose === 'value' ? operationCodes.jvp : operationCodes.expm",
    tests: ['test/path.test.ts'],
  },
  {
    name: 'broadcast-aligned-left',
    why: "NumPy's rule aligns leading dimensions at the right",
    file: 'lib/broadcast.ts',
    from: '[...new Array<number>(rank - shape.length).fill(1), ...shape]',
    to: '[...shape, ...new Array<number>(rank - shape.length).fill(1)]',
    tests: ['test/batch.test.ts'],
  },
  {
    name: 'column-major-read-as-row-major',
    why: 'Fortran order is the transpose of what its memory looks like',
    file: 'lib/input.ts',
    from: "if (order === 'column-major' || order === 'F') return columnMajorStrides",
    to: "if (order === 'column-major' || order === 'F') return rowMajorStrides",
    tests: ['test/inputs.test.ts'],
  },
  {
    name: 'complex-offset-in-numbers',
    why: 'offsets count elements, of which a complex one is two numbers',
    file: 'lib/ndarray.ts',
    from: 'byteOffsetOf.call(data) + offset * c * kind.BYTES_PER_ELEMENT',
    to: 'byteOffsetOf.call(data) + offset * kind.BYTES_PER_ELEMENT',
    tests: ['test/inputs.test.ts', 'test/dtypes.test.ts'],
  },
  {
    name: 'failure-index-off',
    why: 'a failure names the place of the matrix that failed',
    file: 'lib/failures.ts',
    from: 'list.push({ index, code',
    to: 'list.push({ index: list.length, code',
    tests: ['test/batch.test.ts'],
  },
]
