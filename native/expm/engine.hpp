#pragma once

#include "linalg/blas.hpp"

namespace matfun {

/// What an algebra is computed by. An engine multiplies and solves for one scalar type; this one is OpenBLAS.
template <class T>
struct BlasEngine {
  using Scalar = T;
  using Pivot = blas::Pivot;

  /// C = A B.
  static void multiply(View<const T> A, View<const T> B, View<T> C) { blas::gemm(T(1), A, B, T(0), C); }
  /// C = C + A B.
  static void multiply_add(View<const T> A, View<const T> B, View<T> C) { blas::gemm(T(1), A, B, T(1), C); }
  /// C = C - A B.
  static void multiply_subtract(View<const T> A, View<const T> B, View<T> C) { blas::gemm(T(-1), A, B, T(1), C); }
  /// B = Q^-1 B; Q becomes its LU factors.
  static Status factor_solve(View<T> Q, Pivot* pivots, View<T> B) { return blas::lu_factor_solve(Q, pivots, B); }
  /// B = Q^-1 B again, by the factors that factor_solve left.
  static void solve(View<const T> LU, const Pivot* pivots, View<T> B) { blas::lu_solve(LU, pivots, B); }
};

}  // namespace matfun
