// Eigen's MatrixBase::exp, one matrix after the other, for the files that instantiate it for a scalar.
// It has no derivatives: here they are the upper right block of exp([A E; 0 A]).
#pragma once

#include <Eigen/Core>
#include <complex>
#include <unsupported/Eigen/MatrixFunctions>
#include <utility>

#include "../serve.hpp"

namespace eigen {

using bench::Line;
using bench::Offer;

template <class Scalar, int N>
using Square = Eigen::Matrix<Scalar, N, N>;

/// Row-major matrices are read as their transposes, which all three operations commute with.
template <class Scalar, int N>
auto matrix(const std::vector<char>& bytes, long n, long k) {
  return Eigen::Map<const Square<Scalar, N>>(reinterpret_cast<const Scalar*>(bytes.data()) + k * n * n, n, n);
}

template <class Scalar, int N>
auto matrix(std::vector<char>& bytes, long n, long k) {
  return Eigen::Map<Square<Scalar, N>>(reinterpret_cast<Scalar*>(bytes.data()) + k * n * n, n, n);
}

template <class Scalar, int N>
void values(Line& line, long first, long last) {
  for (long k = first; k < last; ++k) {
    const Square<Scalar, N> A = matrix<Scalar, N>(std::as_const(line.A), line.n, k);
    matrix<Scalar, N>(line.value, line.n, k) = A.exp();
  }
}

template <class Scalar, int N>
void derivatives(Line& line, long first, long last) {
  constexpr int kOrder = N == Eigen::Dynamic ? N : 2 * N;
  const long n = line.n;
  const bool pullback = line.operation == "vjp";
  Square<Scalar, kOrder> block = Square<Scalar, kOrder>::Zero(2 * n, 2 * n);
  Square<Scalar, kOrder> exponential(2 * n, 2 * n);
  for (long k = first; k < last; ++k) {
    const auto A = matrix<Scalar, N>(std::as_const(line.A), n, k);
    if (pullback)
      block.topLeftCorner(n, n) = A.adjoint();
    else
      block.topLeftCorner(n, n) = A;
    block.bottomRightCorner(n, n) = block.topLeftCorner(n, n);
    block.topRightCorner(n, n) = matrix<Scalar, N>(std::as_const(line.direction), n, k);
    exponential = block.exp();
    auto value = matrix<Scalar, N>(line.value, n, k);
    if (pullback)
      value = exponential.topLeftCorner(n, n).adjoint();
    else
      value = exponential.topLeftCorner(n, n);
    matrix<Scalar, N>(line.derivative, n, k) = exponential.topRightCorner(n, n);
  }
}

/// Larger fixed sizes gain little, and compile for minutes.
template <class Scalar>
constexpr int kLargestFixed = Eigen::NumTraits<Scalar>::IsComplex ? 8 : 16;

template <class Scalar, int N>
Offer sized(Line& line) {
  if (bench::is_too_large_a_block(line)) return {{}, bench::kTooLargeABlock};
  if (line.operation == "value") return {[&](long first, long last) { values<Scalar, N>(line, first, last); }, ""};
  if constexpr (N == Eigen::Dynamic || 2 * N <= kLargestFixed<Scalar>)
    return {[&](long first, long last) { derivatives<Scalar, N>(line, first, last); }, ""};
  return {{}, "derivatives of fixed size are not compiled for this order"};
}

template <class Scalar, int... Orders>
Offer fixed(Line& line) {
  Offer offer{{}, "fixed sizes are not compiled for this order"};
  const auto take = [&]<int N>() {
    if constexpr (N <= kLargestFixed<Scalar>)
      if (line.n == N) offer = sized<Scalar, N>(line);
  };
  (take.template operator()<Orders>(), ...);
  return offer;
}

/// What Eigen offers for a line of this scalar. Each scalar is instantiated in a file of its own: all in one compile for minutes.
template <class Scalar>
bench::Offer offer_of(bench::Line& line, bool is_fixed) {
  return is_fixed ? fixed<Scalar, 2, 3, 4, 6, 8, 12, 16>(line) : sized<Scalar, Eigen::Dynamic>(line);
}

}  // namespace eigen
