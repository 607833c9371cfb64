// What this machine allows: multiply-adds in registers, and products by OpenBLAS. usage: bounds peak|gemm THREADS
// Of peak, a unit is 10^6 floating-point operations; of gemm, one product of the line's order and dtype.

#include <cblas.h>

#include <complex>

#include "serve.hpp"

namespace {

using bench::Line;
using bench::Offer;

#if defined(__AVX512F__)
constexpr int kRegisterBytes = 64;
#elif defined(__AVX__)
constexpr int kRegisterBytes = 32;
#else
constexpr int kRegisterBytes = 16;
#endif

/// More than latency times units of any processor that is known; with two operands they fit in 16 registers.
constexpr int kChains = 12;

/// Its result is kept, so that the compiler does too.
volatile double kept;

template <class Scalar>
void multiply_add(long units) {
  typedef Scalar Register __attribute__((vector_size(kRegisterBytes)));
  constexpr long kOperations = 2L * kChains * (kRegisterBytes / sizeof(Scalar));
  Register sums[kChains] = {};
  Register factor = Register{} + Scalar(0.5);
  Register term = Register{} + Scalar(1);
  // Opaque, so that nothing is computed beforehand.
  asm volatile("" : "+m"(factor), "+m"(term));
  const Register f = factor;
  const Register t = term;
  for (long k = units * 1000000 / kOperations; k > 0; --k)
    for (Register& sum : sums) sum = sum * f + t;
  Register all = {};
  for (const Register& sum : sums) all += sum;
  kept = all[0];
}

void multiply(CBLAS_TRANSPOSE none, int n, const float* A, float* C) {
  cblas_sgemm(CblasColMajor, none, none, n, n, n, 1, A, n, A, n, 0, C, n);
}

void multiply(CBLAS_TRANSPOSE none, int n, const double* A, double* C) {
  cblas_dgemm(CblasColMajor, none, none, n, n, n, 1, A, n, A, n, 0, C, n);
}

void multiply(CBLAS_TRANSPOSE none, int n, const std::complex<double>* A, std::complex<double>* C) {
  const double one[2] = {1, 0};
  const double zero[2] = {0, 0};
  cblas_zgemm(CblasColMajor, none, none, n, n, n, one, A, n, A, n, zero, C, n);
}

template <class Scalar>
Offer products(Line& line) {
  return {[&line](long first, long last) {
            const long size = line.n * line.n;
            const auto* A = reinterpret_cast<const Scalar*>(line.A.data());
            auto* C = reinterpret_cast<Scalar*>(line.value.data());
            for (long k = first; k < last; ++k)
              multiply(CblasNoTrans, static_cast<int>(line.n), A + k * size, C + k * size);
          },
          ""};
}

bool is_peak = false;

Offer offer(Line& line) {
  openblas_set_num_threads(line.library_threads);
  if (is_peak) {
    const auto loop = line.dtype == "float32" ? multiply_add<float> : multiply_add<double>;
    return {[loop](long first, long last) { loop(last - first); }, "", 200};
  }
  if (line.dtype == "float32") return products<float>(line);
  if (line.dtype == "complex128") return products<std::complex<double>>(line);
  return products<double>(line);
}

}  // namespace

int main(int, char** arguments) {
  is_peak = std::string(arguments[1]) == "peak";
  return bench::serve("", std::stoi(arguments[2]), offer);
}
