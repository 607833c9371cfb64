// Faults in matrices in lanes, in unpacked kernels, and in what chooses them.

const kernels = 'native/kernels/lane_products_of_target.hpp'
const matrix = 'native/kernels/matrix.hpp'
const plan = 'native/expm/lane_plan.hpp'
const lanes = 'native/expm/lanes.hpp'

const kernelsTest = 'test/native/kernels/lanes_test.cpp'
const matrixTest = 'test/native/kernels/matrix_test.cpp'
const lanesTest = 'test/native/expm/lanes_test.cpp'
const batchTest = 'test/native/batch/batch_work_test.cpp'

/** @type {import('../mutate.mjs').Mutation[]} */
export const laneMutations = [
  {
    name: 'lanes-with-a-term-too-few',
    why: 'the schemes with so many terms would lose the last',
    file: kernels,
    from: 'product.template run<FixedSum<R, 3>, FixedSum<R, 5>>(B, S);',
    to: 'product.template run<FixedSum<R, 3>, FixedSum<R, 4>>(B, S);',
    tests: [kernelsTest],
  },
  {
    name: 'lanes-shifted-without-need',
    why: 'a shift that does not halve the norm costs accuracy',
    file: kernels,
    from: ' & (after <= before / 2);',
    to: ';',
    tests: [lanesTest],
  },
  {
    name: 'lanes-square-too-seldom',
    why: 'two libraries round the squarings down',
    file: plan,
    from: 'return low == high ? low + 1 : 0;',
    to: 'return low == high ? low : 0;',
    tests: [lanesTest],
  },
  {
    name: 'lanes-take-triangles',
    why: 'triangular matrices are for the path that recomputes their diagonals',
    file: plan,
    from: ' || triangle_[at(l)] == 0) return LaneKey::left();',
    to: ') return LaneKey::left();',
    tests: [lanesTest],
  },
  {
    name: 'lanes-of-another-plan',
    why: 'each item is evaluated by its own plan',
    file: lanes,
    from: 'alike += keys_[at(k)] == key ? 1 : 0;',
    to: 'alike += keys_[at(k)] == LaneKey::done() ? 0 : 1;',
    tests: [lanesTest],
  },
  {
    name: 'lanes-keep-what-overflows',
    why: 'infinities must not come back as results',
    file: lanes,
    from: '    leave(extreme(engine, X, 0, std::numeric_limits<R>::max()), flags_, m);\n',
    to: '',
    tests: [lanesTest],
  },
  {
    name: 'sums-that-overflow-are-not-finite',
    why: 'finite entries may have a sum that is not',
    file: matrix,
    from: 'return all_finite(X);',
    to: 'return false;',
    tests: [matrixTest],
  },
  {
    name: 'panels-overlap',
    why: 'each column is one thread’s',
    file: matrix,
    from: 'body(k * width, std::min(width, count - k * width));',
    to: 'body(k * width, width);',
    tests: [batchTest],
  },
]
