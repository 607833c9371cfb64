// Faults in what is kept of a value, and in derivatives from it.

const tape = 'native/expm/tape.hpp'
const linearize = 'native/expm/linearize.hpp'
const engine = 'native/expm/engine.hpp'
const batch = 'native/batch/linearization.cpp'

const tapeTest = 'test/native/expm/tape_test.cpp'
const batchTest = 'test/native/batch/linearization_test.cpp'

/** @type {import('../mutate.mjs').Mutation[]} */
export const linearizeMutations = [
  {
    name: 'tape-with-factors-swapped',
    why: 'matrices do not commute',
    file: tape,
    from: 'tape_.add({left, is_square ? left : right});',
    to: 'tape_.add({is_square ? left : right, left});',
    tests: [tapeTest],
  },
  {
    name: 'tape-of-operands-not-copied',
    why: 'squarings overwrite what was squared, and the workspace goes',
    file: tape,
    from: 'room.left.data == nullptr ? tape_.copy_of(factors.left) : factors.left',
    to: 'factors.left',
    tests: [tapeTest],
  },
  {
    name: 'tape-without-the-known-square',
    why: 'the square that the plan was made by is a step of the recurrence',
    file: tape,
    from: '    keep_factors({A, A}, {});\n',
    to: '',
    tests: [tapeTest],
  },
  {
    name: 'tape-with-the-value-of-the-numerator',
    why: 'dX = Q^-1 (dP - dQ X), with X, not P',
    file: tape,
    from: 'engine_.multiply_subtract(engine_.block(dQ, k), X, engine_.block(dP, k));',
    to: 'engine_.multiply_subtract(engine_.block(dQ, k), LU, engine_.block(dP, k));',
    tests: [tapeTest],
  },
  {
    name: 'tangents-with-the-identity',
    why: 'a multiple of I is constant',
    file: tape,
    from: 'for (const Term<Entry>& term : S.terms()) tangents.add(term);\n    return tangents;',
    to: 'for (const Term<Entry>& term : S.terms()) tangents.add(term);\n    return S;',
    tests: [tapeTest],
  },
  {
    name: 'taped-tangents-not-shifted',
    why: 'e^mu belongs to the derivative as to the value',
    file: tape,
    from: 'void shift(Scalar mu, int k, Element dX) { engine_.shift(mu, k, dX); }',
    to: 'void shift(Scalar, int, Element) {}',
    tests: [tapeTest],
  },
  {
    name: 'stack-without-its-addend',
    why: 'd(A B + S) has dS',
    file: engine,
    from: 'multiply_add<T>(left.block(k), B2, C.block(k), team_);\n    add(S, C);',
    to: 'multiply_add<T>(left.block(k), B2, C.block(k), team_);',
    tests: [tapeTest],
  },
  {
    name: 'diagonal-scaling-not-copied',
    why: 'what is kept outlives the workspace',
    file: linearize,
    from: 'reduced_.d = d;',
    to: 'reduced_.d = reduced.d;',
    tests: [tapeTest],
  },
  {
    name: 'schur-vectors-not-copied',
    why: 'what is kept outlives the workspace',
    file: linearize,
    from: 'copy<C>(reduced.Q, reduced_.Q);',
    to: 'reduced_.Q = reduced.Q;',
    tests: [tapeTest],
  },
  {
    name: 'pullback-from-a-tape-not-transposed-back',
    why: 'L(A^H, W) = L(A, W^H)^H',
    file: linearize,
    from: 'conjugate_transpose<T>(L, G);',
    to: 'copy<T>(L, G);',
    tests: [tapeTest],
  },
  {
    name: 'condition-from-a-tape-of-the-other-matrix',
    why: 'a row-major matrix is read as its transpose, whose condition number is another',
    file: linearize,
    edits: [
      [
        'return apply(flipped_derivative<T>, Sense::push, E, Y);',
        'return apply(direct_derivative<T>, Sense::push, E, Y);',
      ],
      [
        'return apply(direct_derivative<T>, Sense::pull, W, Z);',
        'return apply(flipped_derivative<T>, Sense::pull, W, Z);',
      ],
    ],
    tests: [tapeTest],
  },
  {
    name: 'tape-kept-of-a-failure',
    why: 'a matrix that cannot be done should hold no memory',
    file: linearize,
    from: '  if (status == Status::ok) return;\n  tapes_ = {};',
    to: '  return;\n  tapes_ = {};',
    tests: [tapeTest],
  },
  {
    name: 'derivatives-of-the-first-group-alone',
    why: 'one matrix with many directions is several items',
    file: batch,
    from: 'place = k * job.directions + from;',
    to: 'place = k * job.directions;',
    tests: [batchTest],
  },
  {
    name: 'matrices-not-kept',
    why: "the caller's memory may change as soon as the call returns",
    file: batch,
    from: 'made_of_.A = A_.data();',
    to: '',
    tests: [batchTest],
  },
  {
    name: 'linearization-not-disposed-of',
    why: 'what is freed must not be asked for',
    file: 'lib/linearize.ts',
    from: '    this.#id = undefined\n',
    to: '',
    tests: ['test/linearize.test.ts'],
  },
  {
    name: 'linearization-read-before-its-direction',
    why: 'reading what a caller gives can run code that disposes',
    file: 'lib/linearize.ts',
    edits: [
      ['    this.#kept()\n    requireKnown', '    const id = this.#kept()\n    requireKnown'],
      ['    const id = this.#kept()\n    const { threads }', '    const { threads }'],
    ],
    tests: ['test/linearize.test.ts'],
  },
]
