// Faults in what is computed: rings, recurrence, derivatives, condition numbers, batches, workspace.

const algebra = 'native/expm/algebra.hpp'
const evaluate = 'native/expm/recurrence.hpp'
const engine = 'native/expm/engine.hpp'
const evaluation = 'native/expm/evaluation.hpp'
const expm = 'native/expm/expm.hpp'
const triangular = 'native/expm/triangular.hpp'
const condition = 'native/expm/condition.hpp'
const batch = 'native/batch/run_batch.cpp'

const ringsTest = 'test/native/expm/rings_test.cpp'
const evaluateTest = 'test/native/expm/evaluate_test.cpp'
const valueTest = 'test/native/expm/value_test.cpp'
const derivativeTest = 'test/native/expm/derivative_test.cpp'
const limitsTest = 'test/native/expm/limits_test.cpp'
const triangularTest = 'test/native/expm/triangular_test.cpp'
const conditionTest = 'test/native/expm/condition_test.cpp'
const workspaceTest = 'test/native/expm/workspace_bytes_test.cpp'
const batchTest = 'test/native/batch/run_batch_test.cpp'

/** @type {import('../mutate.mjs').Mutation[]} */
export const evaluationMutations = [
  {
    name: 'quotient-without-dQ-X',
    why: 'dX = Q^-1 (dP - dQ X): the second term is small for small matrices',
    file: algebra,
    from: 'engine_.multiply_subtract(engine_.block(Q.tangents, k), P.value, engine_.block(P.tangents, k));',
    to: '',
    tests: [ringsTest],
  },
  {
    name: 'product-without-dA-B',
    why: 'd(AB) = A dB + dA B',
    file: engine,
    from: '    multiply_add<T>(settle(A2, room.left), B2, C, team_);\n',
    to: '',
    tests: [ringsTest],
  },
  {
    name: 'tangent-factors-swapped',
    why: 'matrices do not commute',
    file: algebra,
    from: 'engine_.multiply_pair(factors.left, tangents(B, k), tangents(A, k), factors.right,',
    to: 'engine_.multiply_pair(factors.right, tangents(B, k), tangents(A, k), factors.left,',
    tests: [ringsTest],
  },
  {
    name: 'tangents-without-their-addend',
    why: 'd(A B + S) has dS',
    file: algebra,
    from: 'tangents(S, k),\n',
    to: 'Parts(),\n',
    tests: [derivativeTest],
  },
  {
    name: 'product-without-its-addend',
    why: 'C = A B + S, not A B',
    file: engine,
    from: '    matfun::multiply<T>(factors.left, factors.right, C, team_);\n    add(S, C);',
    to: '    matfun::multiply<T>(factors.left, factors.right, C, team_);',
    tests: [ringsTest],
  },
  {
    name: 'tangents-not-shifted',
    why: 'e^mu belongs to the derivative as to the value',
    file: algebra,
    from: '    engine_.shift(mu, k, X.tangents);\n',
    to: '',
    tests: [ringsTest],
  },
  {
    name: 'singular-ignored',
    why: 'success is a status, never an absent exception',
    file: 'native/linalg/blas.cpp',
    from: 'return result == 0 ? Status::ok : Status::singular;',
    to: 'return Status::ok;',
    tests: ['test/native/linalg/blas_test.cpp'],
  },
  {
    name: 'shift-not-divided-by-squarings',
    why: 'the factor before the squarings is e^(mu / 2^s)',
    file: evaluate,
    from: 'ring.shift(shift, plan.squarings, Y);',
    to: 'ring.shift(shift, 0, Y);',
    tests: [evaluateTest],
  },
  {
    name: 'shift-after-squaring',
    why: 'e^mu exp(B) at the end is 0 times infinity for a stable matrix',
    file: evaluate,
    edits: [
      ['    ring.shift(shift, plan.squarings, Y);\n', ''],
      [
        'if (plan.squarings == 0) return begin(B, X);',
        'if (plan.squarings == 0) {\n    begin(B, X);\n    return ring.shift(shift, 0, X);\n  }',
      ],
      [
        '    from = std::exchange(to, s == 0 && plan.squarings % 2 == 1 ? scaled : from);\n  }',
        '    from = std::exchange(to, s == 0 && plan.squarings % 2 == 1 ? scaled : from);\n  }\n  ring.shift(shift, 0, X);',
      ],
    ],
    tests: [limitsTest],
  },
  {
    name: 'no-recomputation',
    why: 'the diagonal of a squared triangle loses a factor of two at every squaring',
    file: evaluate,
    from: 'if (plan.form != Form::full) ring.recompute(B, shift, k, Y);',
    to: '',
    tests: [evaluateTest],
  },
  {
    name: 'recomputed-one-level-off',
    why: 'after a squaring X approximates exp(A / 2^k) for a k one less',
    file: evaluate,
    from: 'settle(plan.squarings - s - 1, to);',
    to: 'settle(plan.squarings - s, to);',
    tests: [evaluateTest],
  },
  {
    name: 'recompute-the-diagonal-only',
    why: 'the superdiagonal carries what is strongly non-normal',
    file: triangular,
    from: 'X(i, i + 1) = A(i, i + 1) * power * difference;',
    to: '',
    tests: [triangularTest],
  },
  {
    name: 'recompute-upper-only',
    why: 'row-major upper triangles arrive as lower ones',
    file: triangular,
    from: 'X(i + 1, i) = A(i + 1, i) * power * difference;',
    to: '',
    tests: [triangularTest],
  },
  {
    name: 'recompute-without-shift',
    why: 'what is recomputed is exp(A + mu I)',
    file: triangular,
    from: '(A(i, i) + shift) * power',
    to: 'A(i, i) * power',
    tests: [triangularTest],
  },
  {
    name: 'plain-quotient',
    why: '(e^x - e^y) / (x - y) loses 1e-9 at a gap of 1e-9',
    file: triangular,
    from: 'constexpr Real<T> kFar = 10;',
    to: 'constexpr Real<T> kFar = 0;',
    tests: [triangularTest],
  },
  {
    name: 'sinch-everywhere',
    why: 'sinh overflows where the quotient is finite',
    file: triangular,
    from: 'constexpr Real<T> kFar = 10;',
    to: 'constexpr Real<T> kFar = 1e30f;',
    tests: [triangularTest],
  },
  {
    name: 'pullback-not-transposed',
    why: 'the gradient is L(A^H, W), not L(A, W)',
    file: expm,
    from: 'if (status == Status::ok) conjugate_transpose<T>(L, G);',
    to: 'if (status == Status::ok) copy<T>(L, G);',
    tests: [derivativeTest],
  },
  {
    name: 'adjoint-not-conjugated',
    why: 'the pullback under Re tr(X^H Y) is by the adjoint, not the transpose',
    file: 'native/kernels/matrix.hpp',
    from: '(kIsComplex<T> ? kernel.conjugate_transpose : kernel.transpose)',
    to: '(kernel.transpose)',
    tests: ['test/native/kernels/matrix_test.cpp'],
  },
  {
    name: 'schur-vectors-swapped-for-the-direction',
    why: 'the direction in the Schur frame is Q^H E Q',
    file: evaluation,
    from: 'multiply_blocks<C>(QH, M, F, work_.team());\n    multiply_blocks_right<C>(F, reduced_.Q, M, work_.team());',
    to: 'multiply_blocks<C>(reduced_.Q, M, F, work_.team());\n    multiply_blocks_right<C>(F, QH, M, work_.team());',
    tests: [derivativeTest],
  },
  {
    name: 'schur-vectors-swapped-for-the-value',
    why: 'exp(A) = Q exp(S) Q^H',
    file: evaluation,
    from: 'multiply_blocks<C>(reduced_.Q, Z, Y, work_.team());\n    multiply_blocks_right<C>(Y, QH, Z, work_.team());',
    to: 'multiply_blocks<C>(QH, Z, Y, work_.team());\n    multiply_blocks_right<C>(Y, reduced_.Q, Z, work_.team());',
    tests: [valueTest],
  },
  {
    name: 'imaginary-part-for-the-real-one',
    why: "a real matrix's exponential comes back from complex Schur form",
    file: 'native/linalg/scalar.hpp',
    from: 'return z.real();',
    to: 'return z.imag();',
    tests: [valueTest],
  },
  {
    name: 'directions-not-brought-into-range',
    why: 'a direction of 1e-300 is lost to underflow in the squarings',
    file: evaluation,
    from: 'return squarings / 2 - exponent;',
    to: 'return 0;',
    tests: [derivativeTest],
  },
  {
    name: 'range-not-undone',
    why: 'the result must be multiplied back',
    file: evaluation,
    from: 'scale_by_power(L.block(k), -exponent);',
    to: 'scale_by_power(L.block(k), exponent);',
    tests: [derivativeTest],
  },
  {
    name: 'one-status-for-all-directions',
    why: 'one bad direction must cost its own derivative alone',
    file: expm,
    from: 'is_finite<T>(derivative.direction.block(k))',
    to: 'is_finite<T>(derivative.direction)',
    tests: [limitsTest],
  },
  {
    name: 'overflow-unseen',
    why: 'infinities must not come back as results',
    file: expm,
    from: 'if (status == Status::ok && !is_finite<T>(X)) status = Status::overflow;',
    to: '',
    tests: [limitsTest],
  },
  {
    name: 'estimator-without-adjoint',
    why: "the estimator's gradient is that of the adjoint map",
    file: condition,
    from: 'if (const Status status = K_.apply_adjoint(S_, Y_); status != Status::ok) return status;',
    to: 'if (const Status status = K_.apply(S_, Y_); status != Status::ok) return status;',
    tests: [conditionTest],
  },
  {
    name: 'condition-by-the-infinity-norm',
    why: 'the condition number is in the 1-norm',
    file: condition,
    from: 'relative_condition<T>(K, A.rows, one_norm(A), condition, work)',
    to: 'relative_condition<T>(K, A.rows, infinity_norm(A), condition, work)',
    tests: [conditionTest],
  },
  {
    name: 'condition-of-the-transpose',
    why: 'a row-major matrix is read as its transpose, whose condition number is another',
    file: batch,
    from: 'return expm_condition<T>(transposed, condition, options, work);',
    to: 'return expm_condition<T>(A, condition, options, work);',
    tests: [batchTest],
  },
  {
    name: 'first-matrix-for-every-item',
    why: 'one item of a batch must not reach another',
    file: batch,
    from: 'square(static_cast<const T*>(job_.A) + k * size(), job_.n)',
    to: 'square(static_cast<const T*>(job_.A) + (k > 7 ? 7 : k) * size(), job_.n)',
    tests: [batchTest],
  },
  {
    name: 'workspace-a-stack-too-small',
    why: 'the arena is sized by a pure function, which must hold for every path',
    file: expm,
    from: '3 * value + 2 * tangents',
    to: '3 * value + 1 * tangents',
    tests: [workspaceTest],
  },
  {
    name: 'workspace-lavish',
    why: 'what is not needed would be taken for every batch',
    file: expm,
    from: '3 * value + 2 * tangents',
    to: '3 * value + 4 * tangents',
    tests: [workspaceTest],
  },
  {
    name: 'reduction-a-matrix-too-small',
    why: 'a Schur form takes more than anything else',
    file: 'native/expm/reduction.hpp',
    from: '4 * matrix_bytes<C>(n, n)',
    to: '2 * matrix_bytes<C>(n, n)',
    tests: [workspaceTest],
  },
]
