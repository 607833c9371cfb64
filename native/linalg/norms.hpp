#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "linalg/view.hpp"

namespace matfun {

namespace detail {

/// |z| by the definition, which a compiler can vectorize, unlike hypot: right where the squares neither over- nor
/// underflow.
struct PlainModulus {
  template <class R>
  R operator()(R x) const {
    return std::abs(x);
  }
  template <class R>
  R operator()(std::complex<R> z) const {
    return std::sqrt(z.real() * z.real() + z.imag() * z.imag());
  }
};

struct SafeModulus {
  template <class T>
  Real<T> operator()(T z) const {
    return std::abs(z);
  }
};

template <class T, class Modulus>
Real<T> greatest_column_sum(View<const T> A, Modulus modulus) {
  Real<T> norm = 0;
  for (Index j = 0; j < A.columns; ++j) {
    Real<T> sum = 0;
    for (Index i = 0; i < A.rows; ++i) sum += modulus(A(i, j));
    if (!(sum <= norm)) norm = sum;  // written so that NaN is kept
    if (std::isnan(norm)) return norm;
  }
  return norm;
}

/// In bands of rows whose sums stay in registers and cache, so that A is read along its columns.
template <class T, class Modulus>
Real<T> greatest_row_sum(View<const T> A, Modulus modulus) {
  constexpr Index kBand = 64;
  Real<T> norm = 0;
  for (Index first = 0; first < A.rows; first += kBand) {
    const Index rows = std::min(kBand, A.rows - first);
    std::array<Real<T>, kBand> sums{};
    for (Index j = 0; j < A.columns; ++j)
      for (Index i = 0; i < rows; ++i) sums[static_cast<std::size_t>(i)] += modulus(A(first + i, j));
    for (Index i = 0; i < rows; ++i) {
      const Real<T> sum = sums[static_cast<std::size_t>(i)];
      if (!(sum <= norm)) norm = sum;
      if (std::isnan(norm)) return norm;
    }
  }
  return norm;
}

/// A norm by plain moduli where it lies so far from the ends of the range that what under- or overflowed on the way
/// cannot matter, else by safe ones.
template <class T, class Norm>
Real<T> norm_of(View<const T> A, Norm norm) {
  if constexpr (kIsComplex<T>) {
    using Limits = std::numeric_limits<Real<T>>;
    const Real<T> plain = norm(A, PlainModulus{});
    if (plain > std::ldexp(Real<T>(1), Limits::min_exponent / 4) &&
        plain < std::ldexp(Real<T>(1), Limits::max_exponent / 4))
      return plain;
  }
  return norm(A, SafeModulus{});
}

}  // namespace detail

/// |A|_1, the greatest column sum of moduli. NaN where A holds one.
template <class T>
Real<T> one_norm(View<const T> A) {
  return detail::norm_of(A, [](auto X, auto modulus) { return detail::greatest_column_sum(X, modulus); });
}

/// |A|_inf, the greatest row sum of moduli. NaN where A holds one.
template <class T>
Real<T> infinity_norm(View<const T> A) {
  return detail::norm_of(A, [](auto X, auto modulus) { return detail::greatest_row_sum(X, modulus); });
}

/// max |a_ij| over real and imaginary parts, so that it is finite where A is: the modulus of a complex number can
/// overflow. NaN where A holds one.
template <class T>
Real<T> max_abs(View<const T> A) {
  Real<T> largest = 0;
  const auto consider = [&largest](Real<T> x) {
    const Real<T> modulus = std::abs(x);
    if (!(modulus <= largest) && !std::isnan(largest)) largest = modulus;
  };
  for (Index j = 0; j < A.columns; ++j)
    for (Index i = 0; i < A.rows; ++i) {
      consider(std::real(A(i, j)));
      if constexpr (kIsComplex<T>) consider(std::imag(A(i, j)));
    }
  return largest;
}

namespace detail {

/// The square of euclidean_size of A / unit.
template <class T>
Real<T> square_of_size(View<const T> A, Real<T> unit) {
  using R = Real<T>;
  constexpr Index kBand = 64;
  const R inverse = 1 / unit;
  const auto square = [inverse](T x) {
    const R re = std::real(x) * inverse, im = std::imag(x) * inverse;
    return re * re + im * im;
  };
  R greatest = 0, total = 0;
  for (Index j = 0; j < A.columns; ++j) {
    R sum = 0;
    for (Index i = 0; i < A.rows; ++i) sum += square(A(i, j));
    greatest = std::max(greatest, sum);
    total += sum;
  }
  for (Index first = 0; first < A.rows; first += kBand) {
    const Index rows = std::min(kBand, A.rows - first);
    std::array<R, kBand> sums{};
    for (Index j = 0; j < A.columns; ++j)
      for (Index i = 0; i < rows; ++i) sums[static_cast<std::size_t>(i)] += square(A(first + i, j));
    for (Index i = 0; i < rows; ++i) greatest = std::max(greatest, sums[static_cast<std::size_t>(i)]);
  }
  // A maximum forgets NaN, a sum does not.
  return std::isfinite(total) ? std::max(greatest, total / static_cast<R>(A.rows)) : total;
}

}  // namespace detail

/// The greatest Euclidean length of a column or a row, or |A|_F / sqrt(n) if that is more: between |A|_2 / sqrt(n) and |A|_2.
/// Of a multiple of a unitary matrix it is |A|_2.
template <class T>
Real<T> euclidean_size(View<const T> A) {
  using R = Real<T>;
  const R plain = detail::square_of_size(A, R(1));
  if (plain > std::ldexp(R(1), std::numeric_limits<R>::min_exponent / 2) && std::isfinite(plain))
    return std::sqrt(plain);
  const R unit = max_abs(A);
  // Only where it is too large or too small to be squared: divided by the largest entry, nothing that matters is lost.
  if (!std::isfinite(unit) || !std::isfinite(1 / unit)) return unit;
  return unit * std::sqrt(detail::square_of_size(A, unit));
}

/// The same of D^-1 A D, D diagonal with these entries, powers of two.
template <class T>
Real<T> euclidean_size(View<const T> A, const Real<T>* d) {
  using R = Real<T>;
  R greatest = 0, total = 0;
  // Rows and columns in one loop: both sums of index k, of entries that are read twice.
  for (Index k = 0; k < A.rows; ++k) {
    R row = 0, column = 0;
    for (Index j = 0; j < A.rows; ++j) {
      row += std::norm(A(k, j) * (d[j] / d[k]));
      column += std::norm(A(j, k) * (d[k] / d[j]));
    }
    greatest = std::max({greatest, row, column});
    total += column;
  }
  return std::sqrt(std::isfinite(total) ? std::max(greatest, total / static_cast<R>(A.rows)) : total);
}

}  // namespace matfun
