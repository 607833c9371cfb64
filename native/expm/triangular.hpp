#pragma once

#include <cmath>
#include <complex>

#include "linalg/view.hpp"

/// What is known in closed form of the exponential of a triangular matrix.
namespace matfun {

/// The divided difference (e^x - e^y) / (x - y), and e^x where x = y: to a few max(|x|, |y|, 1) u relative to itself for real
/// arguments; for complex ones relative to e^max(Re x, Re y), since it vanishes where x - y is a multiple of 2 pi i.
template <class T>
T exp_divided_difference(T x, T y) {
  const T half = (x - y) / Real<T>(2);
  // e^((x+y)/2) sinh(h) / h with h = (x-y)/2 loses nothing however close x and y are, but sinh overflows where they are
  // far apart. There the plain quotient is good: one exponential is less than e^-20 of the other.
  constexpr Real<T> kFar = 10;
  if (std::abs(std::real(half)) > kFar) return (std::exp(x) - std::exp(y)) / (x - y);
  const T sinch = half == T(0) ? T(1) : std::sinh(half) / half;
  return std::exp(y + half) * sinch;
}

/// Overwrites the diagonal and the first off-diagonal of X, which approximates exp((A + shift I) / 2^k), A triangular,
/// with what they are exactly, up to rounding. Squared as they are, they would lose a factor of up to 2 in accuracy
/// at every squaring, and with strongly non-normal A all of it.              [Al-Mohy & Higham 2009, section 4, code fragment 2.1]
/// A, X  n x n, both upper or both lower triangular.
/// cost  2 n exponentials and n hyperbolic sines.
template <class T>
void recompute_diagonals(View<const T> A, T shift, int k, View<T> X) {
  const Real<T> power = std::ldexp(Real<T>(1), -k);
  const auto eigenvalue = [&](Index i) { return (A(i, i) + shift) * power; };
  for (Index i = 0; i < A.rows; ++i) X(i, i) = std::exp(eigenvalue(i));
  for (Index i = 0; i + 1 < A.rows; ++i) {
    const T difference = exp_divided_difference(eigenvalue(i), eigenvalue(i + 1));
    X(i, i + 1) = A(i, i + 1) * power * difference;
    X(i + 1, i) = A(i + 1, i) * power * difference;
  }
}

}  // namespace matfun
