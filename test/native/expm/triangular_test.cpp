#include "expm/triangular.hpp"

#include <doctest/doctest.h>

#include "expm/oracle.hpp"

namespace matfun::test {
namespace {

/// (e^x - e^y) / (x - y) in long double: by the series of sinh(h)/h where the quotient would cancel.
Long divided_difference(Long x, Long y) {
  const Long h = (x - y) / 2.0L;
  if (std::abs(h) > 1) return (std::exp(x) - std::exp(y)) / (x - y);
  Long sum = 1, term = 1;
  for (int k = 1; k < 30; ++k) sum += term *= h * h / static_cast<long double>(2 * k * (2 * k + 1));
  return std::exp((x + y) / 2.0L) * sum;
}

template <class T>
void check_divided_difference(T x, T y) {
  const Long truth = divided_difference(convert<Long>(BasicMatrix<T>(1, 1, {x}))(0, 0),
                                        convert<Long>(BasicMatrix<T>(1, 1, {y}))(0, 0));
  // What rounding (x + y) / 2 alone does to its exponential, and a few more.
  const double tolerance = (8 + static_cast<double>(std::abs(x) + std::abs(y))) * unit<T>;
  for (const T computed : {exp_divided_difference(x, y), exp_divided_difference(y, x)}) {
    const Long long_computed = convert<Long>(BasicMatrix<T>(1, 1, {computed}))(0, 0);
    CAPTURE(std::real(x));
    CAPTURE(std::real(y));
    CHECK(static_cast<double>(std::abs(long_computed - truth) / std::abs(truth)) <= tolerance);
  }
}

/// An upper triangular matrix with some eigenvalues near each other and some far apart.
template <class T>
BasicMatrix<T> triangle(Index n) {
  auto A = random_matrix<T>(n, n, 2, 31);
  for (Index j = 0; j < n; ++j)
    for (Index i = j + 1; i < n; ++i) A(i, j) = 0;
  A(1, 1) = A(0, 0) + T(Real<T>(1e-5));
  A(2, 2) = A(1, 1);
  A(3, 3) = A(2, 2) - T(30);
  return A;
}

}  // namespace

TEST_CASE_TEMPLATE("the divided difference of exp is accurate for near, equal and far arguments", T, double, float,
                   Complex128, Complex64) {
  using R = Real<T>;
  for (R x : {R(0), R(1), R(-3.5), R(20), R(-60)})
    for (R gap : {R(0), R(1e-30), R(1e-7), R(1e-3), R(0.5), R(2), R(9.9), R(19.9), R(20.1), R(25), R(60)}) {
      check_divided_difference<T>(T(x), T(x + gap));
      if constexpr (kIsComplex<T>) {
        check_divided_difference<T>(T(x, 2), T(x + gap, 2));
        check_divided_difference<T>(T(x, 1), T(x + gap, 1 + gap));
        if (gap < 1) check_divided_difference<T>(T(x, 3), T(x, 3 + gap));
        check_divided_difference<T>(T(x, 0), T(x, gap / 7));
      }
    }
}

TEST_CASE("the divided difference of exp is equal to exp where its arguments are") {
  for (double x : {-745.0, -1.0, 0.0, 3.0, 709.0}) CHECK(exp_divided_difference(x, x) == std::exp(x));
  CHECK(exp_divided_difference(std::complex(1.0, 2.0), std::complex(1.0, 2.0)) == std::exp(std::complex(1.0, 2.0)));
}

TEST_CASE("the divided difference of exp does not overflow on the way") {
  check_divided_difference(700.0, -700.0);
  check_divided_difference(-2000.0, 0.0);
  check_divided_difference(709.0, 708.0);
  check_divided_difference(709.5, 690.0);
  check_divided_difference(88.0f, -88.0f);
  check_divided_difference(-400.0f, 0.0f);
  check_divided_difference(88.5f, 70.0f);
  check_divided_difference(std::complex(700.0, 1.0), std::complex(-700.0, 3.0));
  check_divided_difference(std::complex(-2000.0, 1.0), std::complex(0.0, 1e3));
  CHECK(exp_divided_difference(-2000.0, -1900.0) == 0);
}

TEST_CASE_TEMPLATE("recompute_diagonals makes the diagonal and the first superdiagonal exact and leaves the others", T,
                   double, float, Complex128, Complex64) {
  const Index n = 6;
  const auto A = triangle<T>(n);
  const T shift = part<T>(Complex<T>(Real<T>(-1.5), Real<T>(0.25)));
  for (int k : {0, 1, 3}) {
    const Real<T> power = std::ldexp(Real<T>(1), -k);
    const LongMatrix truth =
        oracle_exp(scaled(shifted(convert<Long>(A), convert<Long>(BasicMatrix<T>(1, 1, {shift}))(0, 0)),
                          static_cast<long double>(power)));
    auto X = zeros<T>(n, n);
    for (Index j = 0; j < n; ++j)
      for (Index i = 0; i <= j; ++i) X(i, j) = T(7);
    auto Y = transpose(X);
    recompute_diagonals<T>(A.view(), shift, k, X.view());
    recompute_diagonals<T>(transpose(A).view(), shift, k, Y.view());
    CHECK(Y == transpose(X));
    for (Index j = 0; j < n; ++j)
      for (Index i = 0; i < n; ++i) {
        if (i > j) CHECK(X(i, j) == T(0));
        if (i + 1 < j) CHECK(X(i, j) == T(7));
        if (i > j || i + 1 < j) continue;
        const Long x = convert<Long>(BasicMatrix<T>(1, 1, {X(i, j)}))(0, 0);
        CAPTURE(i);
        CAPTURE(j);
        // Each eigenvalue is rounded once more with the shift: its exponential loses |lambda| u of it.
        CHECK(static_cast<double>(std::abs(x - truth(i, j)) / std::abs(truth(i, j))) <= 100 * unit<T>);
      }
  }
}

}  // namespace matfun::test
