#pragma once

#include <array>

#include "expm/oracle.hpp"

/// Matrices on which methods for the exponential are known to fail, and exponentials in closed form.
namespace matfun::test {

/// a b + c d with the error of one rounding.
inline long double sum_of_products(long double a, long double b, long double c, long double d) {
  const long double ab = a * b, cd = c * d;
  return (ab + cd) + (std::fma(a, b, -ab) + std::fma(c, d, -cd));
}

/// exp of a real 2 x 2 matrix: e^m (cosh t I + sinh(t)/t (A - m I)) with m = tr(A)/2 and t^2 = -det(A - m I).
template <class T>
LongMatrix exp_of_order_2(const BasicMatrix<T>& A) {
  const auto at = [&](Index i, Index j) { return static_cast<long double>(std::real(A(i, j))); };
  const long double m = (at(0, 0) + at(1, 1)) / 2, h = (at(0, 0) - at(1, 1)) / 2;
  const long double square = sum_of_products(h, h, at(0, 1), at(1, 0));
  const Long t = std::sqrt(Long(square));
  const Long sinch = std::abs(t) < 1e-5L ? Long(1 + square / 6) : std::sinh(t) / t, cosh = std::cosh(t);
  const Long factor = std::exp(Long(m));
  return {
      2,
      2,
      {factor * (cosh + sinch * h), factor * sinch * at(1, 0), factor * sinch * at(0, 1), factor * (cosh - sinch * h)}};
}

/// R A R^T with R the rotation by 0.7, so that what was triangular or badly balanced no longer looks so.
inline Matrix rotated(const Matrix& A) {
  const double c = std::cos(0.7), s = std::sin(0.7);
  const Matrix R(2, 2, {c, s, -s, c});
  return multiply(multiply(R, A), transpose(R));
}

/// Strongly non-normal matrices of order 2, which every method that squares by the norm overscales.   [trap 2 of NUMERICS]
inline std::vector<Matrix> overscaled() {
  std::vector<Matrix> all;
  for (double b : {1e2, 1e4, 1e6}) {
    all.push_back({2, 2, {1, 0, b, -1}});
    all.push_back({2, 2, {1 - b / 2, -b / 2, b / 2, 1 + b / 2}});
    all.push_back(rotated({2, 2, {1, 0, b, -1}}));
  }
  const double b = 1e2;
  all.push_back({2, 2, {1 - b / 2, -b * b * b * b / 2, b / 2, 1 + b / 2}});
  return all;
}

/// Needs balancing: without it the error is 8e16.
inline Matrix badly_balanced() {
  const double a = 2e10, b = 4e8 / 6, c = 200.0 / 3, d = 3, e = 1e-8;
  return {3, 3, {0, -(a + b), c, e, -d, 0, 0, a, -c}};
}

/// Superdiagonal ones, and `corner` in the lower left.
inline Matrix forsythe(Index n, double corner) {
  Matrix A = zeros(n, n);
  for (Index i = 0; i + 1 < n; ++i) A(i, i + 1) = 1;
  A(n - 1, 0) = corner;
  return A;
}

/// Upper triangular, with entries above the diagonal that grow away from it.
template <class T = double>
BasicMatrix<T> random_triangle(Index n, double diagonal, double beside, unsigned seed) {
  auto A = random_matrix<T>(n, n, 1, seed);
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) A(i, j) *= static_cast<Real<T>>(i < j ? beside : i == j ? diagonal : 0);
  return A;
}

/// [D N; e D] with |D| = 1e-3 and |N| = 100: its square is about 1e5 times smaller than |A|^2.
template <class T = double>
BasicMatrix<T> strongly_non_normal(Index n, unsigned seed) {
  auto A = random_matrix<T>(n, n, 1, seed);
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) {
      const bool top = i < n / 2, left = j < n / 2;
      A(i, j) *= static_cast<Real<T>>(top == left ? 1e-3 : top ? 1000 : 1e-6);
    }
  return A;
}

}  // namespace matfun::test
