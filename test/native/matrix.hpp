#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "linalg/view.hpp"

namespace matfun::test {

/// The unit roundoff of T's precision.
template <class T>
inline constexpr double unit = std::numeric_limits<Real<T>>::epsilon() / 2;
inline constexpr double u = unit<double>;

using Complex64 = std::complex<float>;
using Complex128 = std::complex<double>;

/// True where `computed` differs by at most `relative` times the truth. (doctest's Approx is absolute below 1.)
inline bool is_close(double computed, double truth, double relative) {
  return std::abs(computed - truth) <= relative * std::abs(truth);
}

/// A matrix, or a stack of matrices side by side, that owns its memory; filled with NaN until written.
template <class T>
class BasicMatrix {
 public:
  BasicMatrix(Index rows, Index columns)
      : rows_(rows), columns_(columns), data_(static_cast<std::size_t>(rows * columns), quiet_nan<T>()) {}
  BasicMatrix(Index rows, Index columns, std::vector<T> data)
      : rows_(rows), columns_(columns), data_(std::move(data)) {}

  View<T> view() { return {data_.data(), rows_, columns_, rows_}; }
  View<const T> view() const { return {data_.data(), rows_, columns_, rows_}; }
  T& operator()(Index i, Index j) { return view()(i, j); }
  T operator()(Index i, Index j) const { return view()(i, j); }
  bool operator==(const BasicMatrix&) const = default;
  const std::vector<T>& data() const { return data_; }
  std::vector<T>& data() { return data_; }

  /// The k-th block of a stack, as a matrix of its own.
  BasicMatrix block(Index k) const {
    const auto from = data_.begin() + k * rows_ * rows_;
    return {rows_, rows_, {from, from + rows_ * rows_}};
  }

 private:
  Index rows_;
  Index columns_;
  std::vector<T> data_;
};

using Matrix = BasicMatrix<double>;

/// Each entry of A through `f`.
template <class U, class T, class F>
BasicMatrix<U> map(const BasicMatrix<T>& A, F f) {
  std::vector<U> data;
  for (const T& x : A.data()) data.push_back(f(x));
  return {A.view().rows, A.view().columns, std::move(data)};
}

/// A in another precision, or as complex numbers.
template <class U, class T>
BasicMatrix<U> convert(const BasicMatrix<T>& A) {
  return map<U>(A, [](T x) {
    if constexpr (kIsComplex<U>)
      return U(static_cast<Real<U>>(std::real(x)), static_cast<Real<U>>(std::imag(x)));
    else
      return static_cast<U>(x);
  });
}

/// Normal entries, scaled; the same for the same seed on every machine's standard library that has the same mt19937.
template <class T = double>
BasicMatrix<T> random_matrix(Index rows, Index columns, double scale, unsigned seed) {
  std::mt19937_64 generator(seed);
  // Sum of four uniforms: near enough to normal, and exactly specified, unlike std::normal_distribution.
  const auto next = [&] {
    double sum = -2;
    for (int k = 0; k < 4; ++k) sum += std::ldexp(static_cast<double>(generator() >> 11), -53);
    return static_cast<Real<T>>(scale * sum);
  };
  BasicMatrix<T> A(rows, columns);
  for (T& x : A.data()) {
    if constexpr (kIsComplex<T>) {
      const Real<T> re = next();
      x = T(re, next());
    } else {
      x = next();
    }
  }
  return A;
}

template <class T = double>
BasicMatrix<T> identity(Index n) {
  BasicMatrix<T> I(n, n, std::vector<T>(static_cast<std::size_t>(n * n), T(0)));
  for (Index i = 0; i < n; ++i) I(i, i) = T(1);
  return I;
}

template <class T = double>
BasicMatrix<T> zeros(Index rows, Index columns) {
  return {rows, columns, std::vector<T>(static_cast<std::size_t>(rows * columns), T(0))};
}

/// a b by the formula, without the care for infinities that operator* takes and that makes it slow.
template <class T>
T product(T a, T b) {
  if constexpr (kIsComplex<T>)
    return T(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
  else
    return a * b;
}

/// A B by the definition.
template <class T>
BasicMatrix<T> multiply(const BasicMatrix<T>& A, const BasicMatrix<T>& B) {
  const View<const T> a = A.view(), b = B.view();
  BasicMatrix<T> C = zeros<T>(a.rows, b.columns);
  for (Index j = 0; j < b.columns; ++j)
    for (Index k = 0; k < a.columns; ++k)
      for (Index i = 0; i < a.rows; ++i) C(i, j) += product(a(i, k), b(k, j));
  return C;
}

template <class T>
BasicMatrix<T> transpose(const BasicMatrix<T>& A) {
  const View<const T> a = A.view();
  BasicMatrix<T> B(a.columns, a.rows);
  for (Index j = 0; j < a.columns; ++j)
    for (Index i = 0; i < a.rows; ++i) B(j, i) = a(i, j);
  return B;
}

template <class T>
BasicMatrix<T> adjoint(const BasicMatrix<T>& A) {
  return map<T>(transpose(A), [](T x) { return conjugate(x); });
}

/// A + c B.
template <class T>
BasicMatrix<T> add(const BasicMatrix<T>& A, const BasicMatrix<T>& B, Real<T> c = 1) {
  BasicMatrix<T> C = A;
  for (std::size_t k = 0; k < C.data().size(); ++k) C.data()[k] += c * B.data()[k];
  return C;
}

template <class T>
BasicMatrix<T> subtract(const BasicMatrix<T>& A, const BasicMatrix<T>& B) {
  return add(A, B, -1);
}

template <class T>
BasicMatrix<T> scaled(const BasicMatrix<T>& A, Real<T> c) {
  return map<T>(A, [c](T x) { return c * x; });
}

/// A + c I.
template <class T>
BasicMatrix<T> shifted(const BasicMatrix<T>& A, T c) {
  BasicMatrix<T> B = A;
  for (Index i = 0; i < A.view().rows; ++i) B(i, i) += c;
  return B;
}

template <class T>
double frobenius(const BasicMatrix<T>& A) {
  long double sum = 0;  // whose range lets no double's square over- or underflow
  for (const T& x : A.data()) {
    const auto re = static_cast<long double>(std::real(x)), im = static_cast<long double>(std::imag(x));
    sum += re * re + im * im;
  }
  return static_cast<double>(std::sqrt(sum));
}

/// |A - B| / |B| in the Frobenius norm.
template <class T>
double relative_difference(const BasicMatrix<T>& A, const BasicMatrix<T>& B) {
  return frobenius(subtract(A, B)) / frobenius(B);
}

/// <A, B> = Re tr(A^H B).
template <class T>
double inner(const BasicMatrix<T>& A, const BasicMatrix<T>& B) {
  double sum = 0;
  for (std::size_t k = 0; k < A.data().size(); ++k)
    sum += static_cast<double>(std::real(conjugate(A.data()[k]) * B.data()[k]));
  return sum;
}

template <class T>
bool all_nan(const BasicMatrix<T>& A) {
  return std::all_of(A.data().begin(), A.data().end(), [](T x) { return std::isnan(std::real(x)); });
}

}  // namespace matfun::test
