#include <doctest/doctest.h>

#include "expm/compute.hpp"
#include "expm/gallery.hpp"
#include "expm/paths.hpp"
#include "team.hpp"

namespace matfun::test {
namespace {

const Method methods[] = {Method::polynomial, Method::pade};
const Operation operations[] = {Operation::jvp, Operation::vjp};

/// The directions A and I, side by side.
template <class T>
BasicMatrix<T> itself_and_identity(const BasicMatrix<T>& A) {
  const Index n = A.view().rows;
  BasicMatrix<T> directions = zeros<T>(n, 2 * n);
  for (Index j = 0; j < n; ++j) {
    for (Index i = 0; i < n; ++i) directions(i, j) = A(i, j);
    directions(j, n + j) = T(1);
  }
  return directions;
}

/// Value, tangent and cotangent against the oracle, in units of max(cond, 1) u |L|, where |L| >= |L(A, E)| / |E|.
template <class T>
void check_promise(const BasicMatrix<T>& A, const Options& options = {}) {
  const Index n = A.view().rows;
  const auto E = random_matrix<T>(n, n, 1, 82), W = random_matrix<T>(n, n, 1, 83);
  const LongMatrix a = convert<Long>(A);
  const LongMatrix tangent = oracle_derivative(a, convert<Long>(E));
  const LongMatrix cotangent = oracle_derivative(adjoint(a), convert<Long>(W));
  const Result<T> jvp = derivative(Operation::jvp, A, E, options), vjp = derivative(Operation::vjp, A, W, options);
  const double tolerance = 10 * std::max(condition(A), 1.0) * unit<T>;
  CHECK(jvp.status == Status::ok);
  CHECK(relative_error(jvp.X, oracle_exp(a)) <= tolerance);
  CHECK(relative_error(jvp.L, tangent) <= tolerance);
  CHECK(relative_error(vjp.L, cotangent) <= tolerance);
  CHECK(vjp.X == jvp.X);
}

}  // namespace

TEST_CASE_TEMPLATE("the zero matrix's derivative is exactly E", T, double, float, Complex128, Complex64) {
  const auto E = random_matrix<T>(3, 3, 1, 1);
  const Result<T> jvp = derivative(Operation::jvp, zeros<T>(3, 3), E);
  CHECK(jvp.X == identity<T>(3));
  CHECK(jvp.L == E);
  CHECK(derivative(Operation::vjp, zeros<T>(3, 3), E).L == E);
}

TEST_CASE_TEMPLATE("1 x 1 derivatives are std::exp times the direction, its conjugate for the pullback", T, double,
                   float, Complex128, Complex64) {
  for (Real<T> x : {Real<T>(-80), Real<T>(-40.25), Real<T>(0.1), Real<T>(1), Real<T>(80)}) {
    const T a = part<T>(Complex<T>(x, 2));
    const T e = part<T>(Complex<T>(Real<T>(0.75), 1));
    const Result<T> jvp = derivative(Operation::jvp, BasicMatrix<T>(1, 1, {a}), BasicMatrix<T>(1, 2, {2, e}));
    CHECK(jvp.X(0, 0) == std::exp(a));
    CHECK(std::abs(jvp.L(0, 1) - e * std::exp(a)) <= 4 * unit<T> * std::abs(e * std::exp(a)));
    const Result<T> vjp = derivative(Operation::vjp, BasicMatrix<T>(1, 1, {a}), BasicMatrix<T>(1, 1, {e}));
    const T expected = e * conjugate(std::exp(a));
    CHECK(std::abs(vjp.L(0, 0) - expected) <= 4 * unit<T> * std::abs(expected));
  }
}

TEST_CASE_TEMPLATE("L(A, A) = A exp(A) and L(A, I) = exp(A)", T, double, float, Complex128, Complex64) {
  for (Method method : methods)
    for (double scale : {1e-4, 0.01, 0.1, 0.5, 2.0}) {
      const Index n = 5;
      const auto A = random_matrix<T>(n, n, scale, 3);
      const Result<T> jvp = derivative(Operation::jvp, A, itself_and_identity(A), {.method = method});
      CAPTURE(scale);
      CHECK(relative_difference(jvp.L.block(0), multiply(A, jvp.X)) < 100 * n * unit<T>);
      CHECK(relative_difference(jvp.L.block(1), jvp.X) < 100 * n * unit<T>);
    }
}

TEST_CASE_TEMPLATE("the pullback is the adjoint: <W, L(A, E)> = <L(A^H, W), E>", T, double, float, Complex128,
                   Complex64) {
  for (Method method : methods)
    for (Index n : {2, 3, 8, 17}) {
      const auto A = random_matrix<T>(n, n, 0.5, 4), E = random_matrix<T>(n, n, 1, 5), W = random_matrix<T>(n, n, 1, 6);
      const Result<T> jvp = derivative(Operation::jvp, A, E, {.method = method});
      const Result<T> vjp = derivative(Operation::vjp, A, W, {.method = method});
      CHECK(jvp.X == vjp.X);
      const double scale = frobenius(W) * frobenius(jvp.L) + frobenius(E) * frobenius(vjp.L);
      CHECK(std::abs(inner(W, jvp.L) - inner(vjp.L, E)) <= 10 * static_cast<double>(n) * unit<T> * scale);
    }
}

TEST_CASE_TEMPLATE("A L(A, E) - L(A, E) A = exp(A) E - E exp(A)", T, double, float, Complex128, Complex64) {
  for (double scale : {0.01, 0.3, 2.0}) {
    const Index n = 6;
    const auto A = random_matrix<T>(n, n, scale, 11), E = random_matrix<T>(n, n, 1, 12);
    const Result<T> jvp = derivative(Operation::jvp, A, E);
    const auto left = subtract(multiply(A, jvp.L), multiply(jvp.L, A));
    const auto right = subtract(multiply(jvp.X, E), multiply(E, jvp.X));
    const double size = frobenius(A) * frobenius(jvp.L) + frobenius(jvp.X) * frobenius(E);
    CHECK(frobenius(subtract(left, right)) <= 40 * n * unit<T> * size);
  }
}

TEST_CASE_TEMPLATE("random matrices of every size keep the promise, by every choice", T, double, float, Complex128,
                   Complex64) {
  for (double scale : {1e-9, 1e-4, 0.02, 0.2, 1.0, 3.0}) {
    CAPTURE(scale);
    const auto A = random_matrix<T>(4, 4, scale, 80);
    check_promise(A);
    for (Choice choice : {Choice::never, Choice::always}) check_promise(A, {.shift = choice, .balance = choice});
    check_promise(shifted(A, T(12)));
    check_promise(shifted(A, T(-60)));
  }
}

TEST_CASE_TEMPLATE("triangular matrices keep the promise, upper and lower", T, double, float, Complex128, Complex64) {
  for (unsigned seed = 60; seed < 63; ++seed)
    for (double beside : {1.0, 30.0})
      for (double diagonal : {1e-6, 5.0}) {
        const auto A = random_triangle<T>(4, diagonal, beside, seed);
        CAPTURE(seed);
        CAPTURE(beside);
        CAPTURE(diagonal);
        check_promise(A);
        check_promise(transpose(A));
      }
}

TEST_CASE_TEMPLATE("what is strongly non-normal keeps the promise by its Schur form", T, double, float, Complex128,
                   Complex64) {
  const Index n = 4;
  for (unsigned seed = 84; seed < 88; ++seed) {
    const auto A = strongly_non_normal<T>(n, seed);
    CAPTURE(seed);
    for (const Options& options : {Options{}, Options{.balance = Choice::never}}) {
      check_promise(A, options);
      check_promise(transpose(A), options);
    }
    CHECK(plan(A, Purpose::derivative, {.balance = Choice::never}).form == Form::schur);
    CHECK(plan(hidden(A), Purpose::derivative).form == Form::schur);
  }
}

TEST_CASE_TEMPLATE("a derivative's plan may come from balanced norms", T, double, float, Complex128, Complex64) {
  auto A = random_matrix<T>(4, 4, 0.5, 89);
  for (Index j = 0; j < 4; ++j)
    for (Index i = 0; i < 4; ++i) A(i, j) *= std::ldexp(Real<T>(1), static_cast<int>(2 * (j - i)));
  CHECK(plan(A, Purpose::derivative, {.balance = Choice::always}).norm <
        0.6 * plan(A, Purpose::derivative, {.balance = Choice::never}).norm);
  for (Choice balance : {Choice::automatic, Choice::always, Choice::never}) check_promise(A, {.balance = balance});
}

TEST_CASE_TEMPLATE("several directions give what each gives alone, bit for bit, in every form", T, double, float,
                   Complex128, Complex64) {
  for (Operation operation : operations)
    for (Index n : {2, 5, 9, 16, 17, 31, 33})
      for (int form : {0, 1, 2, 3}) {
        auto A = random_matrix<T>(n, n, 0.3, 7);
        if (form == 1) A = random_triangle<T>(n, 3, 0.3, 7);
        if (form == 2) A = shifted(A, T(20));
        if (form == 3) A = hidden(strongly_non_normal<T>(n, 7));
        const auto E = random_matrix<T>(n, 3 * n, 1, 8);
        const Result<T> together = derivative(operation, A, E);
        CHECK(together.each == std::vector<Status>(3, Status::ok));
        for (Index k = 0; k < 3; ++k) {
          const Result<T> alone = derivative(operation, A, E.block(k));
          CHECK(alone.L == together.L.block(k));
          CHECK(alone.X == together.X);
        }
      }
}

TEST_CASE_TEMPLATE("the derivative does not depend on the direction's size: exact powers of two pass through", T,
                   double, float, Complex128, Complex64) {
  const Index n = 6;
  const int far = std::is_same_v<Real<T>, double> ? 930 : 100;
  const auto triangle = random_triangle<T>(n, 2, 2, 9);
  const auto E = random_matrix<T>(n, n, 1, 10);
  for (const auto& A : {random_matrix<T>(n, n, 1, 9), strongly_non_normal<T>(n, 9),
                        hidden(strongly_non_normal<T>(n, 9)), triangle, shifted(triangle, T(9))})
    for (Choice balance : {Choice::automatic, Choice::always})
      for (Operation operation : operations) {
        const Result<T> base = derivative(operation, A, E, {.balance = balance});
        for (int exponent : {1, far / 2, -far / 2, 3 * far / 4, -3 * far / 4}) {
          auto direction = E;
          scale_by_power(direction.view(), exponent);
          Result<T> result = derivative(operation, A, direction, {.balance = balance});
          CHECK(result.each[0] == Status::ok);
          CHECK(result.X == base.X);
          CAPTURE(exponent);
          auto expected = base.L;
          scale_by_power(expected.view(), exponent);
          if (balance == Choice::automatic) CHECK(result.L == expected);
          CHECK(relative_difference(result.L, expected) <= 4 * unit<T>);
        }
      }
}

TEST_CASE_TEMPLATE("directions near the ends of the range give the same bits through any number of squarings", T,
                   double, float, Complex128, Complex64) {
  // E / 2^s would be subnormal; exp(A) and L(A, I) = exp(A) are as large as I.
  using Limits = std::numeric_limits<Real<T>>;
  const Real<T> t = std::is_same_v<Real<T>, double> ? Real<T>(0x1p+40) : Real<T>(0x1p+14);
  const BasicMatrix<T> A(2, 2, {0, T(t), T(-t), 0});
  for (Operation operation : operations) {
    const auto L = derivative(operation, A, identity<T>(2)).L;
    for (int exponent : {Limits::min_exponent + 12, Limits::max_exponent - 12}) {
      auto E = identity<T>(2), expected = L;
      scale_by_power(E.view(), exponent);
      scale_by_power(expected.view(), exponent);
      const Result<T> result = derivative(operation, A, E);
      CHECK(result.each[0] == Status::ok);
      CHECK(result.L == expected);
    }
  }
}

TEST_CASE_TEMPLATE("directions at the ends of the range are not lost", T, double, float, Complex128, Complex64) {
  // L(A, c I) = c exp(A).
  const bool is_double = std::is_same_v<Real<T>, double>;
  auto large = random_matrix<T>(4, 4, 10, 90);  // some squarings
  for (Index i = 0; i < 4; ++i) large(i, i) -= T(20);
  for (const auto& A : {random_matrix<T>(4, 4, 0.7, 90), large})
    for (double size : is_double ? std::vector{1e-300, 1e-280, 1e280, 1e295} : std::vector{1e-36, 1e-30, 1e30, 1e34}) {
      const Real<T> c = static_cast<Real<T>>(size);
      const Result<T> result = derivative(Operation::jvp, A, scaled(identity<T>(4), c));
      CAPTURE(size);
      CHECK(result.each[0] == Status::ok);
      const LongMatrix truth = scaled(oracle_exp(convert<Long>(A)), static_cast<long double>(c));
      // The smallest entries may be subnormal.
      const double lost = 4 * static_cast<double>(std::numeric_limits<Real<T>>::denorm_min());
      CHECK(frobenius(subtract(convert<Long>(result.L), truth)) <=
            20 * std::max(condition(A), 1.0) * unit<T> * frobenius(truth) + lost);
    }
}

TEST_CASE_TEMPLATE("the derivative is linear over the complex numbers, and the pullback too", T, Complex128,
                   Complex64) {
  const auto A = random_matrix<T>(5, 5, 1, 91), E = random_matrix<T>(5, 5, 1, 92);
  const auto rotated_by_i = [](const BasicMatrix<T>& X) {
    return map<T>(X, [](T z) { return T(-z.imag(), z.real()); });
  };
  for (Operation operation : operations) {
    const auto L = derivative(operation, A, E).L, iL = derivative(operation, A, rotated_by_i(E)).L;
    CHECK(relative_difference(iL, rotated_by_i(L)) <= 200 * unit<T>);
  }
}

TEST_CASE_TEMPLATE("inputs are not modified", T, double, float, Complex128, Complex64) {
  const auto A = random_matrix<T>(6, 6, 2, 11), E = random_matrix<T>(6, 6, 1, 12);
  for (Operation operation : operations)
    for (Method method : methods)
      for (Choice choice : {Choice::never, Choice::always}) {
        auto a = A, e = E;
        derivative(operation, a, e, {method, choice, choice});
        CHECK(a == A);
        CHECK(e == E);
      }
}

TEST_CASE_TEMPLATE("a team that shares the products changes no bit of value or derivative", T, double, Complex64) {
  const Index n = 200;
  const auto A = random_matrix<T>(n, n, 0.05, 51), W = random_matrix<T>(n, n, 1, 52);
  BasicMatrix<T> X[2] = {{n, n}, {n, n}}, G[2] = {{n, n}, {n, n}};
  Alone team(3);
  for (const std::size_t shared : {0, 1}) {
    Workspace work(workspace_bytes<T>(Operation::vjp, n, 1));
    if (shared == 1) work.set_team(&team);
    Status each;
    CHECK(expm_vjp<T>(A.view(), X[shared].view(), {W.view(), G[shared].view(), &each}, {}, work) == Status::ok);
  }
  CHECK(team.most_parts() >= 2);
  CHECK(X[0] == X[1]);
  CHECK(G[0] == G[1]);
}

}  // namespace matfun::test
