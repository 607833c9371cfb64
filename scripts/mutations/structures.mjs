// Faults in what is found of nonnegative matrices and generators, and in what is refused as uncertain.

const nonnegative = 'native/expm/nonnegative.hpp'
const reduction = 'native/expm/reduction.hpp'
const evaluation = 'native/expm/evaluation.hpp'
const lanes = 'native/expm/lanes_of_target.hpp'

const nonnegativeTest = 'test/native/expm/nonnegative_test.cpp'
const reductionTest = 'test/native/expm/reduction_test.cpp'
const evaluateTest = 'test/native/expm/evaluate_test.cpp'
const lanesTest = 'test/native/expm/lanes_test.cpp'

/** @type {import('../mutate.mjs').Mutation[]} */
export const structureMutations = [
  {
    name: 'sums-without-runs',
    why: 'rounding errors of equal products have one sign and grow with n: 200 units on complete graphs of order 400',
    file: 'native/kernels/matrix_products_of_target.hpp',
    from: 'constexpr Index kRun = 32;',
    to: 'constexpr Index kRun = 4096;',
    tests: ['test/native/kernels/matrix_of_target_test.cpp'],
  },
  {
    name: 'derivatives-of-balanced-plans-unguarded',
    why: 'what a balanced plan leaves out is large for directions in other units: 490 units on forsythe',
    file: reduction,
    from: 'if (purpose_ == Purpose::derivative && options_.balance == Choice::automatic) guard(B, plain, plan);',
    to: '',
    tests: [reductionTest],
  },
  {
    name: 'transition-matrices-not-conserved',
    why: 'squarings double what a sum of probabilities is off',
    file: 'native/expm/recurrence.hpp',
    from: 'if (plan.form == Form::generator) return ring.conserve(plan.constrains, Y);',
    to: 'if (plan.form == Form::generator) return;',
    tests: [evaluateTest, nonnegativeTest],
  },
  {
    name: 'cotangents-of-generators-pulled-forward',
    why: 'the long steps would come last, and cotangents of fast rates lose up to 1e9 units',
    file: evaluation,
    from: '    pull_back(plan_, ring, prepared_, L);',
    to: '    Plan forward = plan_;\n    forward.constrains = false;\n    evaluate<Tangents<MatrixEngine<T>>>(forward, ring, prepared_, L);\n    ring.take_differences(L);',
    tests: [nonnegativeTest],
  },
  {
    name: 'cotangents-without-differences-in-lanes',
    why: 'only the differences in a row matter, and they keep their digits',
    file: lanes,
    from: '      order.take_differences(to + k);\n',
    to: '',
    tests: [lanesTest],
  },
  {
    name: 'tangents-not-projected',
    why: 'sums of a tangent that should be 0 grow with every squaring',
    file: 'native/expm/algebra.hpp',
    from: 'for (Index k = 0; tangents_too && k < directions_; ++k) engine_.project(X.value, engine_.block(X.tangents, k));',
    to: '',
    tests: [nonnegativeTest],
  },
  {
    name: 'projected-onto-the-diagonal',
    why: 'what a sum is off goes to the entry that is most of the column, or it takes the digits of a small one',
    file: nonnegative,
    from: 'const Index most = std::max_element(p, p + L.rows) - p;\n    if (p[most] > R(kMostOfColumn)) {',
    to: 'const Index most = j;\n    if (p[most] > R(0)) {',
    tests: [nonnegativeTest],
  },
  {
    name: 'ways-always-one',
    why: 'an entry many steps away comes of high powers alone, which the scheme leaves out',
    file: reduction,
    from: 'return plan(longest_way<R>(B, work_));',
    to: 'return least;',
    tests: [nonnegativeTest, reductionTest],
  },
  {
    name: 'weak-links-shorten-ways',
    why: 'what flows along several strong links may be more than along a weak one',
    file: nonnegative,
    from: 'std::uint64_t(x[i] >= least[i] ? 1 : 0)',
    to: 'std::uint64_t(x[i] > 0 ? 1 : 0)',
    tests: [nonnegativeTest],
  },
  {
    name: 'negative-diagonals-not-brought-up',
    why: 'below -1 the terms of the polynomial cancel',
    file: reduction,
    from: 'while (std::ldexp(-least, -plan.squarings) > 1) ++plan.squarings;',
    to: '',
    tests: [nonnegativeTest, reductionTest],
  },
  {
    name: 'uncertain-given-as-certain',
    why: 'a result of which no digit is right must not look like one',
    file: reduction,
    from: '        plan.status = Status::uncertain;\n      }\n    }\n    settle(plan);',
    to: '      }\n    }\n    settle(plan);',
    tests: [nonnegativeTest],
  },
  {
    name: 'any-rates-for-a-generator',
    why: 'a row that does not sum to zero is a mistake, not a rounding',
    file: nonnegative,
    from: 'rates.is_generator = std::abs(A(j, j) + rest) <= tolerance * rest;',
    to: 'rates.is_generator = true;',
    tests: [nonnegativeTest],
  },
]
