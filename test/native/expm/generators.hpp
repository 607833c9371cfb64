#pragma once

#include "matrix.hpp"

/// Generators of Markov chains as they stand in the core: transposed, so that columns sum to 0.
namespace matfun::test {

/// Minus the sum of the rest of its column on the diagonal.
template <class R>
BasicMatrix<R> balanced_columns(BasicMatrix<R> A) {
  for (Index j = 0; j < A.view().columns; ++j) {
    double rest = 0;
    for (Index i = 0; i < A.view().rows; ++i)
      if (i != j) rest += static_cast<double>(A(i, j));
    A(j, j) = static_cast<R>(-rest);
  }
  return A;
}

/// Links between all states, whose rates spread over `decades` powers of ten up and down.
template <class R>
BasicMatrix<R> generator(Index n, double rate, double decades, unsigned seed) {
  const auto exponents = random_matrix(n, n, decades, seed + 100);
  auto A = random_matrix<R>(n, n, rate / static_cast<double>(n), seed);
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i)
      A(i, j) = std::abs(A(i, j)) * static_cast<R>(std::pow(10.0, std::clamp(exponents(i, j), -decades, decades)));
  return balanced_columns(A);
}

/// From each state to the next and back.
template <class R>
BasicMatrix<R> birth_and_death(Index n, double rate) {
  BasicMatrix<R> A = zeros<R>(n, n);
  for (Index i = 0; i + 1 < n; ++i) {
    A(i + 1, i) = static_cast<R>(rate);
    A(i, i + 1) = static_cast<R>(rate / 3);
  }
  return balanced_columns(A);
}

/// From each state to the next, never back, with an end.
template <class R>
BasicMatrix<R> one_way(Index n, double rate) {
  BasicMatrix<R> A = zeros<R>(n, n);
  for (Index i = 0; i + 1 < n; ++i) A(i + 1, i) = static_cast<R>(rate * static_cast<double>(1 + i % 3));
  return balanced_columns(A);
}

/// Two states, transposed as all is in the core, and a cotangent, whose pullback has a closed form.
struct TwoStates {
  /// rate  the sum of both.
  explicit TwoStates(double rate)
      : s(rate), a(0.7 * rate), b(0.3 * rate), A(2, 2, {-a, a, b, -b}), W(2, 2, {1, 0.3, -0.4, 0.9}) {}

  /// By how much a change of a rate by a part of itself is wrong, in u for each rounding: C is the pullback of W.
  /// Infinite unless its diagonal is 0.
  double error(const Matrix& C) const {
    if (C(0, 0) != 0 || C(1, 1) != 0) return std::numeric_limits<double>::infinity();
    // P12 = a m and P21 = b m with m = (1 - e^-s) / s.
    const double e = std::exp(-s), m = -std::expm1(-s) / s, slope = (e - m) / s;
    const double first = W(1, 0) - W(0, 0), second = W(0, 1) - W(1, 1);
    const double of_a = first * (b * m + a * e) / s + second * b * slope;
    const double of_b = first * a * slope + second * (a * m + b * e) / s;
    const double roundings = 1 + std::log2(1 + s);  // one a squaring
    return std::max(std::abs(C(1, 0) - of_a) * a, std::abs(C(0, 1) - of_b) * b) / (roundings * u);
  }

  double s, a, b;
  Matrix A, W;
};

}  // namespace matfun::test
