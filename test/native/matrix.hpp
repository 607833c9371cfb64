#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "linalg/view.hpp"

namespace matfun::test {

inline constexpr double u = 0x1p-53;

/// A matrix, or a stack of matrices side by side, that owns its memory; filled with NaN until written.
class Matrix {
 public:
  Matrix(Index rows, Index columns)
      : rows_(rows),
        columns_(columns),
        data_(static_cast<std::size_t>(rows * columns), std::numeric_limits<double>::quiet_NaN()) {}
  Matrix(Index rows, Index columns, std::vector<double> data)
      : rows_(rows), columns_(columns), data_(std::move(data)) {}

  View<double> view() { return {data_.data(), rows_, columns_, rows_}; }
  View<const double> view() const { return {data_.data(), rows_, columns_, rows_}; }
  double& operator()(Index i, Index j) { return view()(i, j); }
  double operator()(Index i, Index j) const { return view()(i, j); }
  bool operator==(const Matrix&) const = default;
  const std::vector<double>& data() const { return data_; }

 private:
  Index rows_;
  Index columns_;
  std::vector<double> data_;
};

/// Normal entries, scaled; the same for the same seed on every machine's standard library that has the same mt19937.
inline Matrix random_matrix(Index rows, Index columns, double scale, unsigned seed) {
  std::mt19937_64 generator(seed);
  Matrix A(rows, columns);
  for (Index j = 0; j < columns; ++j)
    for (Index i = 0; i < rows; ++i) {
      // Sum of four uniforms: near enough to normal, and exactly specified, unlike std::normal_distribution.
      double sum = -2;
      for (int k = 0; k < 4; ++k) sum += std::ldexp(static_cast<double>(generator() >> 11), -53);
      A(i, j) = scale * sum;
    }
  return A;
}

/// A B by the definition.
inline Matrix multiply(const Matrix& A, const Matrix& B) {
  const View<const double> a = A.view(), b = B.view();
  Matrix C(a.rows, b.columns);
  for (Index j = 0; j < b.columns; ++j)
    for (Index i = 0; i < a.rows; ++i) {
      double sum = 0;
      for (Index k = 0; k < a.columns; ++k) sum += a(i, k) * b(k, j);
      C(i, j) = sum;
    }
  return C;
}

inline Matrix transpose(const Matrix& A) {
  const View<const double> a = A.view();
  Matrix B(a.columns, a.rows);
  for (Index j = 0; j < a.columns; ++j)
    for (Index i = 0; i < a.rows; ++i) B(j, i) = a(i, j);
  return B;
}

inline double frobenius(const Matrix& A) {
  double sum = 0;
  for (double x : A.data()) sum += x * x;
  return std::sqrt(sum);
}

inline Matrix subtract(const Matrix& A, const Matrix& B) {
  Matrix C = A;
  for (Index j = 0; j < A.view().columns; ++j)
    for (Index i = 0; i < A.view().rows; ++i) C(i, j) -= B(i, j);
  return C;
}

/// |A - B| / |B| in the Frobenius norm.
inline double relative_difference(const Matrix& A, const Matrix& B) {
  return frobenius(subtract(A, B)) / frobenius(B);
}

/// <A, B> = tr(A^T B).
inline double inner(const Matrix& A, const Matrix& B) {
  double sum = 0;
  for (std::size_t k = 0; k < A.data().size(); ++k) sum += A.data()[k] * B.data()[k];
  return sum;
}

}  // namespace matfun::test
