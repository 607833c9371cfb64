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
    name: 'sums-started-from-the-addend',
    why: 'each step of a product would round at the size of the identity: small entries lose their digits',
    file: 'native/expm/engine.hpp',
    from: '    matfun::multiply<T>(factors.left, factors.right, C, team_);\n    add(S, C);',
    to: '    matfun::combine<T>(S.terms(), S.mu(), C, team_);\n    multiply_add<T>(factors.left, factors.right, C, team_);',
    tests: ['test/native/expm/rings_test.cpp'],
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
    from: 'const bool is_most = p[i] > R(kMostOfColumn);',
    to: 'const bool is_most = i == j;',
    tests: [nonnegativeTest],
  },
  {
    name: 'ways-always-one',
    why: 'an entry many steps away comes of high powers alone, which the scheme leaves out',
    file: reduction,
    from: 'Plan plan = nonnegative_plan<R>(norm, ways_for(purpose_, longest_way<R>(B, work_)));',
    to: 'Plan plan = nonnegative_plan<R>(norm, ways_for(purpose_, 1));',
    tests: [nonnegativeTest, reductionTest],
  },
  {
    name: 'weak-links-shorten-ways',
    why: 'what flows along several strong links may be more than along a weak one',
    file: nonnegative,
    from: 'if (i != j && B(i, j) > 0 && B(i, j) >= share * greatest[i])',
    to: 'if (i != j && B(i, j) > 0)',
    tests: [nonnegativeTest],
  },
  {
    name: 'squarings-guessed-alone',
    why: 'bounds that rise steeply would give up to eight squarings too many: 1800 units on frank',
    file: nonnegative,
    from: '    while (s > 1 && norm <= squared_[static_cast<std::size_t>(s) - 1]) --s;\n',
    to: '',
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
    from: 'plan.status = Status::uncertain;',
    to: 'plan.status = Status::ok;',
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
  {
    name: 'condition-of-a-pullback-for-that-of-a-generator',
    why: 'a gradient by the rates is no derivative of the transpose',
    file: 'native/expm/linearize.hpp',
    from: 'return apply(flipped_derivative<T>, Sense::push, E, Y);',
    to: 'return apply(flipped_derivative<T>, Sense::pull, E, Y);',
    tests: [nonnegativeTest],
  },
]
