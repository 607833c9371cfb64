// Faults in matrices in lanes, in unpacked kernels, and in what chooses them.

const norms = 'native/kernels/lane_norms_of_target.hpp'
const orders = 'native/expm/lane_orders_of_target.hpp'
const rings = 'native/expm/lane_rings_of_target.hpp'
const matrix = 'native/kernels/matrix.hpp'
const plan = 'native/expm/lane_plan.hpp'
const lanes = 'native/expm/lanes.hpp'

const evaluationsTest = 'test/native/expm/lane_evaluations_test.cpp'
const matrixTest = 'test/native/kernels/matrix_test.cpp'
const lanesTest = 'test/native/expm/lanes_test.cpp'
const batchTest = 'test/native/batch/batch_work_test.cpp'

/** @type {import('../mutate.mjs').Mutation[]} */
export const laneMutations = [
  {
    name: 'lanes-with-a-term-too-few',
    why: 'the schemes with so many terms would lose the last',
    file: orders,
    from: 'for (std::size_t t = 1; t < count_; ++t) sum',
    to: 'for (std::size_t t = 1; t < (count_ == 6 ? 5 : count_); ++t) sum',
    tests: [evaluationsTest],
  },
  {
    name: 'lanes-without-the-identity',
    why: 'the schemes add multiples of I to sums that stay in registers',
    file: orders,
    from: 'if (S.mu() != 0 && i == j + q) x[q][i] += S.mu();',
    to: '',
    tests: [evaluationsTest],
  },
  {
    name: 'lanes-with-the-wrong-half-of-the-product-rule',
    why: 'd(A B) = dA B + A dB, in either order of the factors',
    file: rings,
    from: 'this->settle(tangents(A, k), d_left_), right,',
    to: 'this->settle(tangents(B, k), d_left_), right,',
    tests: [evaluationsTest],
  },
  {
    name: 'lanes-without-factors-of-the-shift',
    why: 'what was taken off the diagonal has to come back, into tangents too',
    file: rings,
    from: 'for (Index k = 0; k < directions_; ++k) this->shift_value(tangent(X.tangents, k));',
    to: '',
    tests: [evaluationsTest],
  },
  {
    name: 'lanes-shifted-without-need',
    why: 'a shift that does not halve the norm costs accuracy',
    file: norms,
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
    from: 'alike += keys_[at(k)] == key.number() ? 1 : 0;',
    to: 'alike += keys_[at(k)] == LaneKey::done().number() ? 0 : 1;',
    tests: [lanesTest],
  },
  {
    name: 'lanes-keep-what-overflows',
    why: 'infinities must not come back as results',
    file: lanes,
    from: '    leave(extreme(layout, X, 0, std::numeric_limits<R>::max()), flags_, m);\n',
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
