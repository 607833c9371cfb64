#pragma once

#include <string>

#include "linalg/scalar.hpp"
#include "linalg/view.hpp"

/// The one façade over OpenBLAS. No other file sees a BLAS or LAPACK declaration.
namespace matfun::blas {

/// LAPACK's integer for pivots, the 32-bit one of every OpenBLAS that distributions ship.
using Pivot = int;

/// The largest order whose n * n still fits OpenBLAS's 32-bit integers: 46341^2 > 2^31 - 1.
inline constexpr Index kMaxOrder = 46340;

/// C = alpha A B + beta C.
/// A     m x k, column-major.
/// B     k x n.
/// C     m x n; not read where beta = 0, so it may be uninitialized. Must not overlap A or B.
/// error |C - exact| <= k u |A| |B| elementwise, to first order.
/// cost  2 m n k flops. Only the untransposed product is offered: transposed operands cost 1.3 to 2.6 times as much at
///       n = 8 to 64 (OpenBLAS 0.3.21, Zen 4).
void gemm(double alpha, View<const double> A, View<const double> B, double beta, View<double> C);

/// Factors Q = P L U in place and overwrites B with Q^-1 B (dgesv).
/// Q      n x n, overwritten by its factors.
/// pivots n integers, written.
/// B      n x any number of columns, overwritten.
/// Status::singular where a pivot is exactly zero; B is then not a solution.
/// cost   2/3 n^3 + 2 n^2 columns flops.
[[nodiscard]] Status lu_factor_solve(View<double> Q, Pivot* pivots, View<double> B);

/// Overwrites B with Q^-1 B, from the factors and pivots that lu_factor_solve left (dgetrs).
void lu_solve(View<const double> LU, const Pivot* pivots, View<double> B);

/// What OpenBLAS says of itself.
struct Info {
  std::string config;     ///< openblas_get_config(): version, build options
  std::string core;       ///< openblas_get_corename(): the kernels chosen for this CPU
  std::string threading;  ///< "serial", "pthread" or "openmp"
  std::string library;    ///< the file that the calls go to
  int threads = 1;        ///< that it may use; matfun sets it to 1 at load
  bool locked = false;    ///< calls are taken one at a time, because this build is not safe otherwise
};

/// Reads what OpenBLAS says of itself, chooses the guard that this build needs, and sets it to one thread. Called once
/// at load, before any other call here.
void initialize();

Info info();

}  // namespace matfun::blas
