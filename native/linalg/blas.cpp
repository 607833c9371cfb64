#include "linalg/blas.hpp"

#include <dlfcn.h>

#include <cassert>
#include <complex>
#include <mutex>

#include "linalg/blas_room.hpp"

// Declared here rather than by cblas.h, which Debian's trimmed packages and static builds do not always carry.
// Fortran passes the length of character arguments after the others.
extern "C" {
void sgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k, const float* alpha,
            const float* a, const int* lda, const float* b, const int* ldb, const float* beta, float* c, const int* ldc,
            std::size_t transa_length, std::size_t transb_length);
void sgesv_(const int* n, const int* nrhs, float* a, const int* lda, int* ipiv, float* b, const int* ldb, int* info);
void sgetrs_(const char* trans, const int* n, const int* nrhs, const float* a, const int* lda, const int* ipiv,
             float* b, const int* ldb, int* info, std::size_t trans_length);
void sgebal_(const char* job, const int* n, float* a, const int* lda, int* ilo, int* ihi, float* scale, int* info,
             std::size_t job_length);
void dgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k, const double* alpha,
            const double* a, const int* lda, const double* b, const int* ldb, const double* beta, double* c,
            const int* ldc, std::size_t transa_length, std::size_t transb_length);
void dgesv_(const int* n, const int* nrhs, double* a, const int* lda, int* ipiv, double* b, const int* ldb, int* info);
void dgetrs_(const char* trans, const int* n, const int* nrhs, const double* a, const int* lda, const int* ipiv,
             double* b, const int* ldb, int* info, std::size_t trans_length);
void dgebal_(const char* job, const int* n, double* a, const int* lda, int* ilo, int* ihi, double* scale, int* info,
             std::size_t job_length);
void cgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
            const std::complex<float>* alpha, const std::complex<float>* a, const int* lda,
            const std::complex<float>* b, const int* ldb, const std::complex<float>* beta, std::complex<float>* c,
            const int* ldc, std::size_t transa_length, std::size_t transb_length);
void cgesv_(const int* n, const int* nrhs, std::complex<float>* a, const int* lda, int* ipiv, std::complex<float>* b,
            const int* ldb, int* info);
void cgetrs_(const char* trans, const int* n, const int* nrhs, const std::complex<float>* a, const int* lda,
             const int* ipiv, std::complex<float>* b, const int* ldb, int* info, std::size_t trans_length);
void cgebal_(const char* job, const int* n, std::complex<float>* a, const int* lda, int* ilo, int* ihi, float* scale,
             int* info, std::size_t job_length);
void zgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
            const std::complex<double>* alpha, const std::complex<double>* a, const int* lda,
            const std::complex<double>* b, const int* ldb, const std::complex<double>* beta, std::complex<double>* c,
            const int* ldc, std::size_t transa_length, std::size_t transb_length);
void zgesv_(const int* n, const int* nrhs, std::complex<double>* a, const int* lda, int* ipiv, std::complex<double>* b,
            const int* ldb, int* info);
void zgetrs_(const char* trans, const int* n, const int* nrhs, const std::complex<double>* a, const int* lda,
             const int* ipiv, std::complex<double>* b, const int* ldb, int* info, std::size_t trans_length);
void zgebal_(const char* job, const int* n, std::complex<double>* a, const int* lda, int* ilo, int* ihi, double* scale,
             int* info, std::size_t job_length);
void cgees_(const char* jobvs, const char* sort, int (*select)(const std::complex<float>*), const int* n,
            std::complex<float>* a, const int* lda, int* sdim, std::complex<float>* w, std::complex<float>* vs,
            const int* ldvs, std::complex<float>* work, const int* lwork, float* rwork, int* bwork, int* info,
            std::size_t jobvs_length, std::size_t sort_length);
void zgees_(const char* jobvs, const char* sort, int (*select)(const std::complex<double>*), const int* n,
            std::complex<double>* a, const int* lda, int* sdim, std::complex<double>* w, std::complex<double>* vs,
            const int* ldvs, std::complex<double>* work, const int* lwork, double* rwork, int* bwork, int* info,
            std::size_t jobvs_length, std::size_t sort_length);
char* openblas_get_config(void);
char* openblas_get_corename(void);
int openblas_get_parallel(void);
int openblas_get_num_threads(void);
void openblas_set_num_threads(int threads);
}

namespace matfun::blas {
namespace {

/// The four precisions of each Fortran routine under one name, without the lengths of its character arguments.
template <class T>
struct Fortran;

template <>
struct Fortran<float> {
  static constexpr auto gemm = sgemm_;
  static constexpr auto gesv = sgesv_;
  static constexpr auto getrs = sgetrs_;
  static constexpr auto gebal = sgebal_;
};

template <>
struct Fortran<double> {
  static constexpr auto gemm = dgemm_;
  static constexpr auto gesv = dgesv_;
  static constexpr auto getrs = dgetrs_;
  static constexpr auto gebal = dgebal_;
};

template <>
struct Fortran<std::complex<float>> {
  static constexpr auto gemm = cgemm_;
  static constexpr auto gesv = cgesv_;
  static constexpr auto getrs = cgetrs_;
  static constexpr auto gebal = cgebal_;
  static constexpr auto gees = cgees_;
};

template <>
struct Fortran<std::complex<double>> {
  static constexpr auto gemm = zgemm_;
  static constexpr auto gesv = zgesv_;
  static constexpr auto getrs = zgetrs_;
  static constexpr auto gebal = zgebal_;
  static constexpr auto gees = zgees_;
};

// What only the build knows (binding.gyp): whether OpenBLAS is linked in from archives, and whether these were built with
// USE_LOCKING.
#ifndef MATFUN_OPENBLAS_STATIC
#define MATFUN_OPENBLAS_STATIC 0
#endif
#ifndef MATFUN_OPENBLAS_LOCKS
#define MATFUN_OPENBLAS_LOCKS 0
#endif

/// OpenBLAS built without threads shares one packing buffer without a lock, and two threads that call it at once get
/// wrong numbers: with Debian's serial 0.3.21 and eight threads at n = 40, 147 of 16 000 exponentials, and none with
/// this lock. A build with USE_LOCKING is safe but does not say so, so every serial build is guarded that was not linked in
/// as one.
std::mutex serial_lock;
bool serial = false;

[[nodiscard]] std::unique_lock<std::mutex> guard() {
  return serial ? std::unique_lock(serial_lock) : std::unique_lock(serial_lock, std::defer_lock);
}

/// What a call that takes one of OpenBLAS's buffers holds.
struct Call {
  const std::unique_lock<std::mutex> lock = guard();
  const Room room;
};

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

template <class T>
void gemm(T alpha, View<const T> A, View<const T> B, T beta, View<T> C) {
  assert(A.rows == C.rows && B.columns == C.columns && A.columns == B.rows);
  assert(!overlap(A, C) && !overlap(B, C));
  const int m = blas_int(C.rows), n = blas_int(C.columns), k = blas_int(A.columns);
  const int lda = leading(A.ld), ldb = leading(B.ld), ldc = leading(C.ld);
  const Call call;
  Fortran<T>::gemm("N", "N", &m, &n, &k, &alpha, A.data, &lda, B.data, &ldb, &beta, C.data, &ldc, 1, 1);
}

template <class T>
Status lu_factor_solve(View<T> Q, Pivot* pivots, View<T> B) {
  assert(Q.rows == Q.columns && Q.rows == B.rows && !overlap(Q, B));
  const int n = blas_int(Q.rows), columns = blas_int(B.columns), ldq = leading(Q.ld), ldb = leading(B.ld);
  int result = 0;
  const Call call;
  Fortran<T>::gesv(&n, &columns, Q.data, &ldq, pivots, B.data, &ldb, &result);
  assert(result >= 0);
  return result == 0 ? Status::ok : Status::singular;
}

template <class T>
void lu_solve(View<const T> LU, const Pivot* pivots, View<T> B) {
  assert(LU.rows == LU.columns && LU.rows == B.rows && !overlap(LU, B));
  const int n = blas_int(LU.rows), columns = blas_int(B.columns), lda = leading(LU.ld), ldb = leading(B.ld);
  int result = 0;
  const Call call;
  Fortran<T>::getrs("N", &n, &columns, LU.data, &lda, pivots, B.data, &ldb, &result, 1);
  assert(result == 0);
}

template <class T>
void balance(View<T> A, Real<T>* d) {
  assert(A.rows == A.columns);
  const int n = blas_int(A.rows), lda = leading(A.ld);
  int low = 0, high = 0, result = 0;
  const auto held = guard();
  Fortran<T>::gebal("S", &n, A.data, &lda, &low, &high, d, &result, 1);
  assert(result == 0);
}

template <class R>
bool schur(View<std::complex<R>> A, View<std::complex<R>> Q, std::complex<R>* values, std::complex<R>* work,
           R* real_work) {
  assert(A.rows == A.columns && Q.rows == A.rows && Q.columns == A.columns && !overlap(A, Q));
  const int n = blas_int(A.rows), lda = leading(A.ld), ldq = leading(Q.ld);
  const int elements = blas_int(schur_work_elements(A.rows));
  int sorted = 0, unused = 0, result = 0;
  const Call call;
  Fortran<std::complex<R>>::gees("V", "N", nullptr, &n, A.data, &lda, &sorted, values, Q.data, &ldq, work, &elements,
                                 real_work, &unused, &result, 1, 1);
  return result == 0;
}

template void gemm(float, View<const float>, View<const float>, float, View<float>);
template Status lu_factor_solve(View<float>, Pivot*, View<float>);
template void lu_solve(View<const float>, const Pivot*, View<float>);
template void balance(View<float>, Real<float>*);
template void gemm(double, View<const double>, View<const double>, double, View<double>);
template Status lu_factor_solve(View<double>, Pivot*, View<double>);
template void lu_solve(View<const double>, const Pivot*, View<double>);
template void balance(View<double>, Real<double>*);
template void gemm(std::complex<float>, View<const std::complex<float>>, View<const std::complex<float>>,
                   std::complex<float>, View<std::complex<float>>);
template Status lu_factor_solve(View<std::complex<float>>, Pivot*, View<std::complex<float>>);
template void lu_solve(View<const std::complex<float>>, const Pivot*, View<std::complex<float>>);
template void balance(View<std::complex<float>>, Real<std::complex<float>>*);
template void gemm(std::complex<double>, View<const std::complex<double>>, View<const std::complex<double>>,
                   std::complex<double>, View<std::complex<double>>);
template Status lu_factor_solve(View<std::complex<double>>, Pivot*, View<std::complex<double>>);
template void lu_solve(View<const std::complex<double>>, const Pivot*, View<std::complex<double>>);
template void balance(View<std::complex<double>>, Real<std::complex<double>>*);
template bool schur(View<std::complex<float>>, View<std::complex<float>>, std::complex<float>*, std::complex<float>*,
                    float*);
template bool schur(View<std::complex<double>>, View<std::complex<double>>, std::complex<double>*,
                    std::complex<double>*, double*);

void initialize() {
  static std::once_flag once;  // every worker thread loads the addon anew
  std::call_once(once, [] {
    serial = openblas_get_parallel() == kParallelSerial && !MATFUN_OPENBLAS_LOCKS;
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
  return {openblas_get_config(),
          openblas_get_corename(),
          threading,
          found ? origin.dli_fname : "",
          MATFUN_OPENBLAS_STATIC ? "static" : "dynamic",
          openblas_get_num_threads(),
          serial};
}

}  // namespace matfun::blas
