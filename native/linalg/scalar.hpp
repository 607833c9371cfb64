#pragma once

#include <complex>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace matfun {

/// Orders, counts and leading dimensions.
using Index = std::int64_t;

/// What became of one matrix. Anything but `ok` leaves its results filled with NaN.
enum class Status : std::uint8_t {
  ok = 0,
  not_finite = 1,  ///< an entry of an input is NaN or infinite
  overflow = 2,    ///< the inputs are finite, a result is not
  singular = 3,    ///< the denominator of the Padé method has an exactly zero pivot
  uncertain = 4,   ///< rounding the input alone may change every digit of the result
  structure = 5,   ///< the input does not have the structure that was asked for
};

template <class T>
struct ScalarTraits {
  using Real = T;
};
template <class R>
struct ScalarTraits<std::complex<R>> {
  using Real = R;
};

/// The real type of T's precision.
template <class T>
using Real = typename ScalarTraits<T>::Real;

/// The complex type of T's precision.
template <class T>
using Complex = std::complex<Real<T>>;

template <class T>
inline constexpr bool kIsComplex = !std::is_same_v<T, Real<T>>;

/// A complex number as a T: itself, or its real part.
template <class T>
constexpr T part(Complex<T> z) {
  if constexpr (kIsComplex<T>)
    return z;
  else
    return z.real();
}

template <class T>
constexpr T conjugate(T x) {
  return x;
}
template <class R>
constexpr std::complex<R> conjugate(std::complex<R> x) {
  return std::conj(x);
}

/// NaN, in both parts of a complex number.
template <class T>
constexpr T quiet_nan() {
  constexpr Real<T> nan = std::numeric_limits<Real<T>>::quiet_NaN();
  if constexpr (kIsComplex<T>)
    return {nan, nan};
  else
    return nan;
}

}  // namespace matfun
