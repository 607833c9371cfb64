#pragma once

#include <algorithm>
#include <cmath>

#include "linalg/view.hpp"

namespace matfun {

/// |A|_1, the greatest column sum of moduli. NaN where A holds one.
template <class T>
Real<T> one_norm(View<const T> A) {
  Real<T> norm = 0;
  for (Index j = 0; j < A.columns; ++j) {
    Real<T> sum = 0;
    for (Index i = 0; i < A.rows; ++i) sum += std::abs(A(i, j));
    if (!(sum <= norm)) norm = sum;  // written so that NaN is kept
    if (std::isnan(norm)) return norm;
  }
  return norm;
}

/// |A|_inf, the greatest row sum of moduli. NaN where A holds one.
template <class T>
Real<T> infinity_norm(View<const T> A) {
  Real<T> norm = 0;
  for (Index i = 0; i < A.rows; ++i) {
    Real<T> sum = 0;
    for (Index j = 0; j < A.columns; ++j) sum += std::abs(A(i, j));
    if (!(sum <= norm)) norm = sum;
    if (std::isnan(norm)) return norm;
  }
  return norm;
}

/// max |a_ij|. NaN where A holds one.
template <class T>
Real<T> max_abs(View<const T> A) {
  Real<T> largest = 0;
  for (Index j = 0; j < A.columns; ++j)
    for (Index i = 0; i < A.rows; ++i) {
      const Real<T> modulus = std::abs(A(i, j));
      if (!(modulus <= largest)) largest = modulus;
      if (std::isnan(largest)) return largest;
    }
  return largest;
}

/// min(|A|_1, |A|_inf): the norm that plans are made from. The backward error bounds hold in any consistent norm, so
/// the smaller of the two may be taken, and A and A^T get the same plan: it does not matter whether a caller's
/// row-major matrix is read as it stands or transposed. See docs/decisions/0002.
template <class T>
Real<T> plan_norm(View<const T> A) {
  const Real<T> one = one_norm(A);
  return std::isnan(one) ? one : std::min(one, infinity_norm(A));
}

}  // namespace matfun
