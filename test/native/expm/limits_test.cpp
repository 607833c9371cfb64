#include <doctest/doctest.h>

#include "expm/compute.hpp"
#include "expm/gallery.hpp"
#include "expm/paths.hpp"

namespace matfun::test {
namespace {

const Method methods[] = {Method::polynomial, Method::pade};
const Operation operations[] = {Operation::jvp, Operation::vjp};

/// A number that is 1e308 in double and as near to the end of the range in single precision.
template <class T>
Real<T> nearly_greatest() {
  return std::numeric_limits<Real<T>>::max() / 2;
}

}  // namespace

TEST_CASE_TEMPLATE("exp(c I + ones) is finite where its entries are, and overflows where they are not", T, double,
                   float, Complex128, Complex64) {
  const bool is_double = std::is_same_v<Real<T>, double>;
  const Real<T> c = is_double ? 500 : 60;
  for (Choice shift : {Choice::automatic, Choice::always}) {
    const Result<T> result = value(BasicMatrix<T>(2, 2, {T(c + 1), 1, 1, T(c + 1)}), {.shift = shift});
    CHECK(result.status == Status::ok);
    const LongMatrix truth = exp_of_order_2(BasicMatrix<T>(2, 2, {T(c + 1), 1, 1, T(c + 1)}));
    CHECK(relative_error(result.X, truth) < 10 * static_cast<double>(c) * unit<T>);
  }
  const Real<T> beyond = is_double ? 710 : 89;
  const Result<T> overflow = value(BasicMatrix<T>(2, 2, {T(beyond), 0, 0, T(beyond)}));
  CHECK(overflow.status == Status::overflow);
  CHECK(all_nan(overflow.X));
}

TEST_CASE_TEMPLATE("derivatives of exp(c I + ones) are finite too", T, double, float, Complex128, Complex64) {
  const Real<T> c = std::is_same_v<Real<T>, double> ? 500 : 60;
  const BasicMatrix<T> A(2, 2, {T(c + 1), 1, 1, T(c + 1)}), E = identity<T>(2);
  for (Operation operation : operations) {
    const Result<T> result = derivative(operation, A, E);
    CHECK(result.each[0] == Status::ok);
    CHECK(relative_error(result.L, exp_of_order_2(A)) < 20 * static_cast<double>(c) * unit<T>);
  }
}

TEST_CASE_TEMPLATE("a stable matrix's exponential underflows to 0, not to NaN", T, double, float, Complex128,
                   Complex64) {
  for (Real<T> c : {Real<T>(-1000), Real<T>(-1e5), Real<T>(-1e30)})
    for (Choice shift : {Choice::automatic, Choice::never, Choice::always})
      for (Method method : methods) {
        const BasicMatrix<T> A(2, 2, {T(c), T(Real<T>(0.25)), T(Real<T>(-0.5)), T(c)});
        const Result<T> result = value(A, {.method = method, .shift = shift});
        CAPTURE(c);
        // Padé's denominator at a matrix that large and not shifted is well-conditioned: it is e^(-B/2) with B < 0.
        CHECK(result.status == Status::ok);
        CHECK(result.X == zeros<T>(2, 2));
        const Result<T> jvp = derivative(Operation::jvp, A, identity<T>(2), {.method = method, .shift = shift});
        CHECK(jvp.each[0] == Status::ok);
        CHECK(jvp.L == zeros<T>(2, 2));
      }
}

TEST_CASE_TEMPLATE("eigenvalues far apart: one side underflows, the other is exact", T, double, float, Complex128,
                   Complex64) {
  // tr(A)/2 = -1000: e^mu is 0, and multiplied at the end it would be 0 times infinity.
  const BasicMatrix<T> A(2, 2, {T(-2000), 0, T(3), 0});
  for (Choice shift : {Choice::automatic, Choice::always, Choice::never}) {
    const Result<T> result = value(A, {.shift = shift});
    CHECK(result.status == Status::ok);
    CHECK(result.X(0, 0) == T(0));
    CHECK(std::abs(result.X(1, 1) - T(1)) <= 4000 * unit<T>);
    CHECK(std::abs(result.X(0, 1) - T(Real<T>(3.0 / 2000))) <= 4000 * unit<T> * 3.0 / 2000);
  }
}

TEST_CASE_TEMPLATE("norms at the ends of the range: small ones give I + A, nilpotent ones I + A exactly", T, double,
                   float, Complex128, Complex64) {
  using Limits = std::numeric_limits<Real<T>>;
  for (Method method : methods) {
    for (Real<T> tiny : {Limits::denorm_min(), Limits::min(), 1000 * Limits::min()}) {
      const BasicMatrix<T> A(2, 2, {T(tiny), T(tiny), T(-tiny), 0});
      const Result<T> result = value(A, {.method = method});
      CHECK(result.status == Status::ok);
      // Padé's quotient rounds what is subnormal.
      const Real<T> off = method == Method::pade ? 4 * Limits::denorm_min() + 4 * Limits::epsilon() * tiny : 0;
      CHECK(std::abs(result.X(1, 0) - T(tiny)) <= off);
      CHECK(std::abs(result.X(0, 1) + T(tiny)) <= off);
      CHECK(result.X(0, 0) == T(1));
    }
    for (Real<T> huge : {Real<T>(1e5), Real<T>(1e30), nearly_greatest<T>()})
      for (bool lower : {false, true}) {
        BasicMatrix<T> N(2, 2, {0, 0, T(huge), 0});
        if (lower) N = transpose(N);
        const Result<T> result = value(N, {.method = method});
        CHECK(result.status == Status::ok);
        CHECK(std::abs(result.X(0, lower ? 0 : 1) - (lower ? T(1) : T(huge))) <=
              4 * unit<T> * static_cast<double>(huge));
        CHECK(std::abs(result.X(lower ? 1 : 0, 0) - (lower ? T(huge) : T(1))) <=
              4 * unit<T> * static_cast<double>(huge));
        CHECK(result.X(0, 0) == T(1));
        CHECK(result.X(1, 1) == T(1));
      }
  }
}

TEST_CASE_TEMPLATE("huge matrices that are stable give 0, others overflow or are uncertain, none hangs", T, double,
                   float, Complex128, Complex64) {
  const Real<T> huge = nearly_greatest<T>();
  for (Method method : methods)
    for (Choice choice : {Choice::automatic, Choice::never, Choice::always}) {
      const Options options{method, choice, choice};
      CHECK(value(scaled(identity<T>(3), -huge), options).X == zeros<T>(3, 3));
      // A shift that is asked for may round the diagonal by more than the logarithm of the range.
      const Status status = value(scaled(identity<T>(3), huge), options).status;
      CHECK((status == Status::overflow || (choice == Choice::always && status == Status::uncertain)));
      const BasicMatrix<T> all(2, 2, {T(huge), T(huge), T(huge), T(huge)});
      CHECK(value(all, options).status == Status::uncertain);
      CHECK(derivative(Operation::jvp, all, all, options).status == Status::uncertain);
    }
}

TEST_CASE("derivatives of huge nilpotent matrices are right where they are representable") {
  // L(N, E) = E + (N E + E N) / 2 + N E N / 6 for N^2 = 0.
  for (double b : {1e20, 1e120, 1e300, -1e300}) {
    const double e = std::abs(b) > 1e200 ? 1 / b : 1e-130;
    const Matrix N(2, 2, {0, 0, b, 0}), E(2, 2, {1, e, 2, 3});
    const Matrix expected(2, 2, {1 + b * e / 2, e, 2 + 2 * b + b * e * b / 6, 3 + b * e / 2});
    const Result<double> result = derivative(Operation::jvp, N, E);
    CHECK(result.each[0] == Status::ok);
    CHECK(relative_difference(result.L, expected) < 100 * u);
    const Result<double> pullback = derivative(Operation::vjp, transpose(N), E);
    CHECK(relative_difference(pullback.L, expected) < 100 * u);
  }
}

TEST_CASE_TEMPLATE("an entry of A that is not finite fills every result with NaN", T, double, float, Complex128,
                   Complex64) {
  const auto E = random_matrix<T>(3, 6, 1, 14);
  auto A = random_matrix<T>(3, 3, 1, 13);
  A(2, 1) = T(std::numeric_limits<Real<T>>::infinity());
  for (Operation operation : operations) {
    const Result<T> result = derivative(operation, A, E);
    CHECK(result.status == Status::not_finite);
    CHECK(result.each == std::vector<Status>(2, Status::not_finite));
    CHECK(all_nan(result.X));
    CHECK(all_nan(result.L));
  }
  CHECK(value(A).status == Status::not_finite);
  CHECK(all_nan(value(A).X));
}

TEST_CASE_TEMPLATE("a direction that is not finite, or whose derivative overflows, costs its own derivative alone", T,
                   double, float, Complex128, Complex64) {
  using Limits = std::numeric_limits<Real<T>>;
  const Index n = 3;
  for (const auto& A : {shifted(random_matrix<T>(n, n, 1, 13), T(2)), hidden(strongly_non_normal<T>(n, 13)),
                        random_triangle<T>(n, 4, 4, 13)}) {
    const auto good = random_matrix<T>(n, 4 * n, 1, 14);
    auto mixed = good;
    mixed(0, n + 2) = quiet_nan<T>();
    for (Index j = 0; j < n; ++j)
      for (Index i = 0; i < n; ++i) mixed(i, 2 * n + j) = T(Limits::max());
    for (Method method : methods)
      for (Operation operation : operations) {
        const Result<T> expected = derivative(operation, A, good, {.method = method});
        const Result<T> result = derivative(operation, A, mixed, {.method = method});
        CHECK(result.status == Status::ok);
        CHECK(result.X == expected.X);
        CHECK(result.each == std::vector{Status::ok, Status::not_finite, Status::overflow, Status::ok});
        for (Index k : {0, 3}) CHECK(result.L.block(k) == expected.L.block(k));
        for (Index k : {1, 2}) CHECK(all_nan(result.L.block(k)));
      }
  }
}

TEST_CASE("large directions overflow only where their derivative does: Pade is not limited by its coefficients") {
  // L(A, c I) = c exp(A).
  const Matrix A(2, 2, {0, 3, 3, 0}), E(2, 2, {1e295, 0, 0, 1e295});
  for (Method method : methods) {
    const Result<double> result = derivative(Operation::jvp, A, E, {.method = method});
    CHECK(result.each[0] == Status::ok);
    CHECK(std::abs(result.L(0, 0) / 1e295 - std::cosh(3.0)) < 100 * std::cosh(3.0) * u);
  }
}

}  // namespace matfun::test
