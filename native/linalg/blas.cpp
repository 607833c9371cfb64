#include "linalg/blas.hpp"

#include <dlfcn.h>

#include <cassert>
#include <mutex>

// Declared here rather than by cblas.h, which Debian's trimmed packages and static builds do not always carry.
// Fortran passes the length of character arguments after the others.
extern "C" {
void dgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k, const double* alpha,
            const double* a, const int* lda, const double* b, const int* ldb, const double* beta, double* c,
            const int* ldc, std::size_t transa_length, std::size_t transb_length);
void dgesv_(const int* n, const int* nrhs, double* a, const int* lda, int* ipiv, double* b, const int* ldb, int* info);
void dgetrs_(const char* trans, const int* n, const int* nrhs, const double* a, const int* lda, const int* ipiv,
             double* b, const int* ldb, int* info, std::size_t trans_length);
char* openblas_get_config(void);
char* openblas_get_corename(void);
int openblas_get_parallel(void);
int openblas_get_num_threads(void);
void openblas_set_num_threads(int threads);
}

namespace matfun::blas {
namespace {

/// OpenBLAS built without threads shares one packing buffer without a lock, and two threads that call it at once get
/// wrong numbers: with Debian's serial 0.3.21 and eight threads at n = 40, 147 of 16 000 exponentials, and none with
/// this lock. A build with USE_LOCKING would be safe but does not say so, so every serial build is guarded.
std::mutex serial_lock;
bool serial = false;

[[nodiscard]] std::unique_lock<std::mutex> guard() {
  return serial ? std::unique_lock(serial_lock) : std::unique_lock(serial_lock, std::defer_lock);
}

int blas_int(Index value) {
  assert(value >= 0 && value <= kMaxOrder * kMaxOrder);
  return static_cast<int>(value);
}

/// LAPACK wants ld >= 1 even of empty matrices.
int leading(Index ld) {
  return blas_int(ld < 1 ? 1 : ld);
}

constexpr int kParallelSerial = 0;
constexpr int kParallelPthread = 1;

}  // namespace

void gemm(double alpha, View<const double> A, View<const double> B, double beta, View<double> C) {
  assert(A.rows == C.rows && B.columns == C.columns && A.columns == B.rows);
  assert(!overlap(A, C) && !overlap(B, C));
  const int m = blas_int(C.rows), n = blas_int(C.columns), k = blas_int(A.columns);
  const int lda = leading(A.ld), ldb = leading(B.ld), ldc = leading(C.ld);
  const auto held = guard();
  dgemm_("N", "N", &m, &n, &k, &alpha, A.data, &lda, B.data, &ldb, &beta, C.data, &ldc, 1, 1);
}

Status lu_factor_solve(View<double> Q, Pivot* pivots, View<double> B) {
  assert(Q.rows == Q.columns && Q.rows == B.rows && !overlap(Q, B));
  const int n = blas_int(Q.rows), columns = blas_int(B.columns), ldq = leading(Q.ld), ldb = leading(B.ld);
  int result = 0;
  const auto held = guard();
  dgesv_(&n, &columns, Q.data, &ldq, pivots, B.data, &ldb, &result);
  assert(result >= 0);
  return result == 0 ? Status::ok : Status::singular;
}

void lu_solve(View<const double> LU, const Pivot* pivots, View<double> B) {
  assert(LU.rows == LU.columns && LU.rows == B.rows && !overlap(LU, B));
  const int n = blas_int(LU.rows), columns = blas_int(B.columns), lda = leading(LU.ld), ldb = leading(B.ld);
  int result = 0;
  const auto held = guard();
  dgetrs_("N", &n, &columns, LU.data, &lda, pivots, B.data, &ldb, &result, 1);
  assert(result == 0);
}

void initialize() {
  static std::once_flag once;  // every worker thread loads the addon anew
  std::call_once(once, [] {
    serial = openblas_get_parallel() == kParallelSerial;
    // One thread: with two, dgetrf at n = 128 takes 7.5 ms instead of 0.09 ms (OpenBLAS 0.3.21, Zen 4), and the last
    // bits would depend on their number.
    openblas_set_num_threads(1);
  });
}

Info info() {
  const int parallel = openblas_get_parallel();
  const char* threading = parallel == kParallelSerial ? "serial" : parallel == kParallelPthread ? "pthread" : "openmp";
  Dl_info origin{};
  const bool found = dladdr(reinterpret_cast<const void*>(&openblas_get_config), &origin) != 0;
  return {openblas_get_config(),         openblas_get_corename(),    threading,
          found ? origin.dli_fname : "", openblas_get_num_threads(), serial};
}

}  // namespace matfun::blas
