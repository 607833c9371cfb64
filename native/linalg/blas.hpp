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

// T below is float, double, std::complex<float> or std::complex<double>. What is cubic throws std::bad_alloc where OpenBLAS has no room to
// work in.

/// C = alpha A B + beta C.
/// A     m x k, column-major.
/// B     k x n.
/// C     m x n; not read where beta = 0, so it may be uninitialized. Must not overlap A or B.
/// error |C - exact| <= k u |A| |B| elementwise, to first order; 2 sqrt(2) times that for complex T.
/// cost  2 m n k flops, 8 m n k for complex T. Only the untransposed product is offered: transposed operands cost 1.3 to
///       2.6 times as much at n = 8 to 64 (OpenBLAS 0.3.21, Zen 4).
template <class T>
void gemm(T alpha, View<const T> A, View<const T> B, T beta, View<T> C);

/// Factors Q = P L U in place and overwrites B with Q^-1 B (?gesv).
/// Q      n x n, overwritten by its factors.
/// pivots n integers, written.
/// B      n x any number of columns, overwritten.
/// Status::singular where a pivot is exactly zero; B is then not a solution.
/// cost   2/3 n^3 + 2 n^2 columns flops, four times that for complex T.
template <class T>
[[nodiscard]] Status lu_factor_solve(View<T> Q, Pivot* pivots, View<T> B);

/// Overwrites B with Q^-1 B, from the factors and pivots that lu_factor_solve left (?getrs).
template <class T>
void lu_solve(View<const T> LU, const Pivot* pivots, View<T> B);

/// Overwrites A with D^-1 A D, where D is diagonal, its entries powers of two, chosen to bring the norms of each row and
/// column of A together (?gebal, scaling only: nothing is permuted).       [Parlett & Reinsch 1969; James, Langou & Lowery 2014]
/// A  n x n.
/// d  n, written: the diagonal of D.
/// cost  O(n^2).
template <class T>
void balance(View<T> A, Real<T>* d);

/// Elements that schur takes as work.
constexpr Index schur_work_elements(Index n) {
  // gees asks for 2 n and is faster with a block of columns to work in.
  return 33 * n;
}

/// A = Q S Q^H with S upper triangular and Q unitary (?gees).
/// A     n x n, complex, overwritten by S, zeros below its diagonal included.
/// Q     n x n, written.
/// work  schur_work_elements(n) elements; values n elements; real_work n reals.
/// False where the QR iteration does not converge; A and Q are then void.
/// error backward error of a modest multiple of u |A|.
/// cost  about 25 n^3 complex multiplications.
template <class R>
[[nodiscard]] bool schur(View<std::complex<R>> A, View<std::complex<R>> Q, std::complex<R>* values,
                         std::complex<R>* work, R* real_work);

/// What OpenBLAS says of itself.
struct Info {
  std::string config;     ///< openblas_get_config(): version, build options
  std::string core;       ///< openblas_get_corename(): the kernels chosen for this CPU
  std::string threading;  ///< "serial", "pthread" or "openmp"
  std::string library;    ///< the file that the calls go to
  std::string linkage;    ///< "static" where it is a part of that which calls, "dynamic" where the process chose it
  int threads = 1;        ///< that it may use; matfun sets it to 1 at load
  bool locked = false;    ///< calls are taken one at a time, because this build is not safe otherwise
};

/// Reads what OpenBLAS says of itself, chooses the guard that this build needs, and sets it to one thread. Called once
/// at load, before any other call here.
void initialize();

Info info();

}  // namespace matfun::blas
