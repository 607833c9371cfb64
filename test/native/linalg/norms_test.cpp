#include "linalg/norms.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "matrix.hpp"

namespace matfun::test {

namespace {

template <class T>
View<const T> constant(const BasicMatrix<T>& A) {
  return A.view();
}

/// The norms in long double, where nothing over- or underflows.
template <class T>
long double column_sum(const BasicMatrix<T>& A) {
  long double norm = 0;
  for (Index j = 0; j < A.view().columns; ++j) {
    long double sum = 0;
    for (Index i = 0; i < A.view().rows; ++i)
      sum += std::hypot(static_cast<long double>(std::real(A(i, j))), static_cast<long double>(std::imag(A(i, j))));
    norm = std::max(norm, sum);
  }
  return norm;
}

}  // namespace

TEST_CASE_TEMPLATE("the 1-norm sums columns and the infinity norm sums rows", T, double, float, Complex128, Complex64) {
  const BasicMatrix<T> A(2, 2, {1, -2, 3, 4});  // [1 3; -2 4]
  CHECK(one_norm(constant(A)) == 7);
  CHECK(infinity_norm(constant(A)) == 6);
  CHECK(max_abs(constant(A)) == 4);
}

TEST_CASE_TEMPLATE("complex entries count by their moduli", T, Complex128, Complex64) {
  const BasicMatrix<T> A(2, 2, {T(3, 4), T(0, -2), T(5, 12), T(-8, 15)});
  CHECK(one_norm(constant(A)) == 13 + 17);
  CHECK(infinity_norm(constant(A)) == 2 + 17);
  CHECK(max_abs(constant(A)) == 15);  // of parts, which cannot overflow
}

TEST_CASE_TEMPLATE("every row and column is summed, beyond one band of rows too", T, double, float, Complex128,
                   Complex64) {
  for (Index n : {1, 63, 64, 65, 130})
    for (Index at : {Index(0), n / 2, n - 1}) {
      auto A = zeros<T>(n, n);
      for (Index k = 0; k < n; ++k) A(at, k) = T(2);
      CHECK(one_norm(constant(A)) == 2);
      CHECK(infinity_norm(constant(A)) == static_cast<Real<T>>(2 * n));
      CHECK(one_norm(constant(transpose(A))) == static_cast<Real<T>>(2 * n));
      CHECK(infinity_norm(constant(transpose(A))) == 2);
    }
}

TEST_CASE_TEMPLATE("norms are right to the ends of the range", T, double, float, Complex128, Complex64) {
  using Limits = std::numeric_limits<Real<T>>;
  for (int exponent = Limits::min_exponent; exponent <= Limits::max_exponent - 8; exponent += 3) {
    auto A = random_matrix<T>(4, 4, 1, 11);
    scale_by_power(A.view(), exponent);
    const double tolerance =
        8 * unit<T> * static_cast<double>(column_sum(A)) + 16 * static_cast<double>(Limits::denorm_min());
    CAPTURE(exponent);
    CHECK(std::abs(one_norm(constant(A)) - static_cast<double>(column_sum(A))) <= tolerance);
    CHECK(std::abs(infinity_norm(constant(A)) - static_cast<double>(column_sum(transpose(A)))) <= tolerance);
  }
}

TEST_CASE_TEMPLATE("an entry that is tiny beside others, or the only one, is not lost", T, double, float, Complex128,
                   Complex64) {
  const Real<T> least = std::numeric_limits<Real<T>>::denorm_min(), greatest = std::numeric_limits<Real<T>>::max();
  const BasicMatrix<T> A(2, 2, {T(least), 0, 0, 0}), B(2, 2, {T(greatest), 0, 0, T(least)});
  CHECK(one_norm(constant(A)) == least);
  CHECK(infinity_norm(constant(A)) == least);
  CHECK(one_norm(constant(B)) == greatest);
  CHECK(max_abs(constant(B)) == greatest);
}

TEST_CASE_TEMPLATE("a NaN anywhere makes every norm NaN", T, double, float, Complex128, Complex64) {
  for (Index at = 0; at < 4; ++at) {
    BasicMatrix<T> A(2, 2, {1, 2, 3, 4});
    A.view().data[at] = quiet_nan<T>();
    CHECK(std::isnan(one_norm(constant(A))));
    CHECK(std::isnan(infinity_norm(constant(A))));
    CHECK(std::isnan(max_abs(constant(A))));
    A.view().data[at ^ 1] = T(std::numeric_limits<Real<T>>::infinity());
    CHECK(!std::isfinite(max_abs(constant(A))));
  }
}

TEST_CASE_TEMPLATE("an infinite entry makes every norm infinite", T, double, float, Complex128, Complex64) {
  const Real<T> inf = std::numeric_limits<Real<T>>::infinity();
  const BasicMatrix<T> A(2, 2, {1, 2, T(-inf), 3});
  CHECK(one_norm(constant(A)) == inf);
  CHECK(infinity_norm(constant(A)) == inf);
  CHECK(max_abs(constant(A)) == inf);
}

TEST_CASE("the empty matrix has norm 0") {
  CHECK(one_norm(constant(Matrix(0, 0))) == 0);
  CHECK(infinity_norm(constant(Matrix(0, 0))) == 0);
}

}  // namespace matfun::test
