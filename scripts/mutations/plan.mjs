// Faults in what is planned: norms, powers, bounds, reductions, coefficients.

const plan = 'native/expm/plan.hpp'
const reduction = 'native/expm/reduction.hpp'
const norms = 'native/linalg/norms.hpp'
const coefficients = 'native/expm/coefficients.hpp'

const planTest = 'test/native/expm/plan_test.cpp'
const effectiveNormTest = 'test/native/expm/effective_norm_test.cpp'
const reductionTest = 'test/native/expm/reduction_test.cpp'
const normsTest = 'test/native/linalg/norms_test.cpp'
const evaluateTest = 'test/native/expm/evaluate_test.cpp'
const valueTest = 'test/native/expm/value_test.cpp'
const pathTest = 'test/native/expm/path_test.cpp'

/** @type {import('../mutate.mjs').Mutation[]} */
export const planMutations = [
  {
    name: 'squarings-floor',
    why: 'two libraries round the number of squarings down: 1e-7 instead of 1e-15 at norm 10.7',
    file: plan,
    from: 'while (std::ldexp(bound, s) < alpha) ++s;',
    to: 'while (std::ldexp(bound, s + 1) < alpha) ++s;',
    tests: [planTest],
  },
  {
    name: 'bound-exclusive',
    why: 'at a threshold itself the cheaper scheme is good',
    file: plan,
    from: 'if (alpha <= bound) return {ladder.scheme',
    to: 'if (alpha < bound) return {ladder.scheme',
    tests: [planTest],
  },
  {
    name: 'value-bound-for-derivative',
    why: 'the derivative is less accurate than the value at the same norm',
    file: plan,
    from: 'static_cast<R>(purpose == Purpose::value ? row.theta : row.ell)',
    to: 'static_cast<R>(row.theta)',
    tests: [planTest],
  },
  {
    name: 'larger-of-two-norms',
    why: 'A and its transpose would have different plans, and more squarings than they need',
    file: plan,
    from: 'return std::min(effective_norm(norms.one, power, purpose)',
    to: 'return std::max(effective_norm(norms.one, power, purpose)',
    tests: [effectiveNormTest],
  },
  {
    name: 'second-norm-unused',
    why: 'the norm alone overscales non-normal matrices',
    file: plan,
    from: 'if (!(a < norm.first)) return norm.first;',
    to: 'if (a >= 0) return norm.first;',
    tests: [planTest],
  },
  {
    name: 'effective-norm-exponent',
    why: 'an exponent too small underscales: |B^k| may exceed what it promises',
    file: plan,
    from: 'R(1) / R(power)',
    to: 'R(1) / R(power + 1)',
    tests: [effectiveNormTest],
  },
  {
    name: 'derivative-exponent-of-the-value',
    why: 'both powers of a product in the derivative may be odd',
    file: plan,
    from: 'R(2) / R(power - 1)',
    to: 'R(1) / R(power)',
    tests: [effectiveNormTest],
  },
  {
    name: 'pade-error-power-halved',
    why: "Padé's backward error begins at 2m + 1",
    file: plan,
    from: 'Scheme::pade ? 2 * degree + 1 : degree + 1',
    to: 'Scheme::pade ? degree + 1 : degree + 1',
    tests: [pathTest, planTest],
  },
  {
    name: 'double-thresholds-for-float',
    why: 'single precision would take more products than it needs and its own last scheme never',
    file: coefficients,
    from: '{15, 2.3462069, 1.9785087}',
    to: '{15, 0.67642174, 0.56477645}',
    tests: [planTest],
  },
  {
    name: 'float-pade-beyond-7',
    why: 'rounded to single precision the coefficients of [13/13] are off by 250 u',
    file: plan,
    from: 'std::span(kPadeThresholds<float>).first(3)',
    to: 'std::span(kPadeThresholds<float>).first(5)',
    tests: [planTest],
  },
  coefficient(
    'T8',
    '0.1611255733954175928280',
    '0.1611255733964175928280',
    'PyTorch had one wrong for six years',
  ),
  coefficient('15+', '5.768988513026145e0', '5.768988513926145e0', 'one digit of one coefficient'),
  coefficient('21+', '9.418613214806352e-1', '9.418613224806352e-1', 'one digit of one coefficient'),
  coefficient('[3/3]', '{120, 60, 12, 1}', '{120, 60, 13, 1}', 'one coefficient of Padé'),
  coefficient('[7/7]', '1995840, 277200, 25200', '1995840, 277210, 25200', 'one digit of one coefficient'),
  coefficient('[13/13]', '1187353796428800', '1187353796428900', 'one digit of one coefficient'),
  {
    name: 'last-digit-of-a-coefficient',
    why: 'what no error shows is still not what the paper has',
    file: coefficients,
    from: '9.418613214806352e-1',
    to: '9.418613214806353e-1',
    tests: ['test/tables.test.ts'],
  },
  {
    name: 'last-digit-of-a-threshold',
    why: 'thresholds are rederived, not believed',
    file: coefficients,
    from: '{21, 1.6827156, 1.4628494}',
    to: '{21, 1.6827157, 1.4628494}',
    tests: ['test/tables.test.ts'],
  },
  {
    name: 'one-norm-by-rows',
    why: 'the wrong orientation of a norm passes every test with symmetric matrices',
    file: norms,
    from: 'return detail::norm_of(A, [](auto X, auto modulus) { return detail::greatest_column_sum(X, modulus); });',
    to: 'return detail::norm_of(A, [](auto X, auto modulus) { return detail::greatest_row_sum(X, modulus); });',
    tests: [normsTest],
  },
  {
    name: 'nan-lost-in-norm',
    why: 'a comparison written the other way round forgets NaN',
    file: norms,
    from: 'if (!(sum <= norm)) norm = sum;  // written so that NaN is kept',
    to: 'if (sum > norm) norm = sum;',
    tests: [normsTest],
  },
  {
    name: 'plain-modulus-everywhere',
    why: 'the squares of complex entries over- and underflow long before the entries do',
    file: norms,
    from: 'if (plain > std::ldexp(Real<T>(1), Limits::min_exponent / 4) &&',
    to: 'if (plain >= 0 ||',
    tests: [normsTest],
  },
  {
    name: 'shift-by-trace',
    why: 'the mean of the diagonal is tr(A) / n',
    file: reduction,
    from: 'mean += A(i, i) / static_cast<Real<T>>(A.rows)',
    to: 'mean += A(i, i)',
    tests: [reductionTest],
  },
  {
    name: 'shift-for-any-gain',
    why: 'a shift that gains little costs more in rounding than it brings',
    file: reduction,
    from: '(forced || shifted_norm <= norm / 2)) return norm;',
    to: '(forced || shifted_norm <= norm)) return norm;',
    tests: [reductionTest],
  },
  {
    name: 'shift-beyond-the-range',
    why: 'e^mu would be 0 or infinite, and lose what eigenvalues far from mu give',
    file: reduction,
    from: 'if (!forced && std::abs(std::real(mu)) > std::log(std::numeric_limits<R>::max())) return norm;',
    to: '',
    tests: [reductionTest, 'test/native/expm/limits_test.cpp'],
  },
  {
    name: 'balance-for-any-gain',
    why: 'a similarity that does not halve the norm is not worth its rounding',
    file: reduction,
    from: '!(balanced_norm <= norm / 2) ? nullptr : d;',
    to: '!(balanced_norm <= norm) ? nullptr : d;',
    tests: [reductionTest],
  },
  {
    name: 'square-not-rescaled',
    why: 'the square of B is not that of B / 2^s',
    file: reduction,
    from: '      scale_by_power(reduced_.B2, -2 * (plan.squarings - squared.p));',
    to: '      (void)0;',
    tests: [reductionTest],
  },
  {
    name: 'square-rescaled-once',
    why: 'the square scales by 4^-s, not 2^-s',
    file: reduction,
    from: 'scale_by_power(reduced_.B2, -2 * (plan.squarings - squared.p));',
    to: 'scale_by_power(reduced_.B2, -(plan.squarings - squared.p));',
    tests: [reductionTest],
  },
  {
    name: 'squarings-not-watched',
    why: 'a non-normal block beside a larger eigenvalue shows in nothing but what the squarings lose',
    file: reduction,
    from: 'return plan.form == Form::full && meaningful &&',
    to: 'return false && meaningful &&',
    tests: ['test/native/expm/value_test.cpp'],
  },
  {
    name: 'negative-shift-only-with-squarings',
    why: 'terms of e^2 that cancel down to e^-2 lose up to 29 units without any squaring',
    file: reduction,
    from: ' || std::real(mu) < -kHarmlessShift)',
    to: ')',
    tests: ['test/native/expm/value_test.cpp'],
  },
  {
    name: 'schur-never',
    why: 'A^2 of a strongly non-normal matrix loses |A|^2 u',
    file: reduction,
    from: 'return squared.non_normality() > static_cast<R>(kStronglyNonNormal) && plan.norm > kLargeNorm;',
    to: 'return false;',
    tests: [reductionTest],
  },
  {
    name: 'lower-triangle-unseen',
    why: 'a lower triangular matrix takes the same path as an upper one',
    file: reduction,
    from: 'return is_upper_triangular(reduced_.B) || is_lower_triangular(reduced_.B);',
    to: 'return is_upper_triangular(reduced_.B);',
    tests: [reductionTest],
  },
  {
    name: 'huge-norms-squared',
    why: 'the square of a matrix of norm 1e200 overflows',
    file: reduction,
    from: 'const int p = std::max(0, exponent - kSafeExponent<R>);',
    to: 'const int p = 0;',
    tests: [reductionTest],
  },
  {
    name: 'balance-inverted-on-the-result',
    why: 'X = D exp(B) D^-1',
    file: reduction,
    from: 'std::ilogb(d[i]) - std::ilogb(d[j % X.rows]) + exponent',
    to: 'std::ilogb(d[j % X.rows]) - std::ilogb(d[i]) + exponent',
    tests: [valueTest],
  },
  {
    name: 'balance-inverted-on-the-direction',
    why: 'the direction goes into the balanced frame as D^-1 E D',
    file: 'native/expm/evaluation.hpp',
    from: 'scale_similarly(d_, exponent_of(k), prepared.block(k));',
    to: 'scale_back(d_, exponent_of(k), prepared.block(k));',
    tests: [reductionTest],
  },
]

/**
 * @param {string} table
 * @param {string} from
 * @param {string} to
 * @param {string} why
 * @returns {import('../mutate.mjs').Mutation}
 */
function coefficient(table, from, to, why) {
  return { name: `coefficient-of-${table}`, why, file: coefficients, from, to, tests: [evaluateTest] }
}
