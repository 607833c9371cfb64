#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <complex>
#include <type_traits>

#include "linalg/scalar.hpp"

namespace matfun {

/// A matrix in somebody else's memory: column-major, element (i, j) at data[i + j * ld].
/// A stack of K matrices of order n side by side, [E_1 ... E_K], is one view of n rows and K n columns.
template <class T>
struct View {
  T* data = nullptr;
  Index rows = 0;
  Index columns = 0;
  Index ld = 0;

  T& operator()(Index i, Index j) const { return data[i + j * ld]; }
  T* column(Index j) const { return data + j * ld; }

  /// The k-th square block of a stack.
  View block(Index k) const { return {column(k * rows), rows, rows, ld}; }
  Index blocks() const { return rows == 0 ? 0 : columns / rows; }

  operator View<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data, rows, columns, ld};
  }
};

template <class T>
View<T> square(T* data, Index n) {
  return {data, n, n, n};
}

/// The stack of `count` square matrices that lie one after the other, as one n x (count n) view.
template <class T>
View<T> stack(T* data, Index n, Index count) {
  return {data, n, n * count, n};
}

/// True when the two views share memory, as far as their extents tell.
template <class T, class U>
bool overlap(const View<T>& A, const View<U>& B) {
  if (A.rows == 0 || A.columns == 0 || B.rows == 0 || B.columns == 0) return false;
  const auto end = [](const auto& X) { return X.column(X.columns - 1) + X.rows; };
  return static_cast<const void*>(A.data) < static_cast<const void*>(end(B)) &&
         static_cast<const void*>(B.data) < static_cast<const void*>(end(A));
}

template <class T>
void fill(const View<T>& A, T value) {
  for (Index j = 0; j < A.columns; ++j) std::fill_n(A.column(j), A.rows, value);
}

/// B = A, where T converts to U; B must not overlap A unless it is A.
template <class T, class U>
void copy(View<const T> A, View<U> B) {
  for (Index j = 0; j < A.columns; ++j) std::copy_n(A.column(j), A.rows, B.column(j));
}

/// 2^exponent x, rounded once at most.
template <class T>
T times_power(T x, int exponent) {
  if constexpr (kIsComplex<T>)
    return {std::ldexp(x.real(), exponent), std::ldexp(x.imag(), exponent)};
  else
    return std::ldexp(x, exponent);
}

/// A = 2^exponent A, exactly where nothing under- or overflows.
template <class T>
void scale_by_power(View<T> A, int exponent) {
  const Real<T> power = std::ldexp(Real<T>(1), exponent);
  const bool representable = std::isnormal(power);
  for (Index j = 0; j < A.columns; ++j)
    for (Index i = 0; i < A.rows; ++i) A(i, j) = representable ? A(i, j) * power : times_power(A(i, j), exponent);
}

/// True where every entry below the diagonal is zero.
template <class T>
bool is_upper_triangular(View<const T> A) {
  for (Index j = 0; j < A.columns; ++j)
    for (Index i = j + 1; i < A.rows; ++i)
      if (A(i, j) != T(0)) return false;
  return true;
}

/// True where every entry above the diagonal is zero.
template <class T>
bool is_lower_triangular(View<const T> A) {
  for (Index j = 1; j < A.columns; ++j)
    for (Index i = 0; i < j; ++i)
      if (A(i, j) != T(0)) return false;
  return true;
}

inline bool finite(float x) {
  return std::isfinite(x);
}
inline bool finite(double x) {
  return std::isfinite(x);
}
template <class R>
bool finite(std::complex<R> x) {
  return std::isfinite(x.real()) && std::isfinite(x.imag());
}

template <class T>
bool all_finite(View<const T> A) {
  for (Index j = 0; j < A.columns; ++j)
    for (Index i = 0; i < A.rows; ++i)
      if (!finite(A(i, j))) return false;
  return true;
}

}  // namespace matfun
