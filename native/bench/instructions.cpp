// Fixed cases of the core whose instructions are counted under callgrind (scripts/instructions.mjs), on one thread.
// usage: matfun_instructions           tells compiler, OpenBLAS and cases as JSON
//        matfun_instructions TARGET CASE   does the case twice, the second time in matfun_counted

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "batch/job.hpp"
#include "kernels/kernels.hpp"
#include "linalg/blas.hpp"

/// What is counted. Its name is what callgrind is told, so it must stay a function by itself.
extern "C" [[gnu::noinline]] void matfun_counted(const matfun::Job& job) {
  const auto statuses = matfun::run_batch(job);
  // Nothing of the job is read afterwards, which the compiler must not notice.
  asm volatile("" : : "r"(statuses.data()) : "memory");
}

namespace {

using matfun::Index;
using matfun::Operation;

struct Case {
  const char* name;
  Operation operation;
  matfun::DType dtype;
  Index n;
  Index count;
};

constexpr Index kBatch = 240;  ///< of all norms as many, and no multiple of what lanes take

constexpr Case kCases[] = {
    {"value float64 2, batch", Operation::expm, matfun::DType::float64, 2, kBatch},
    {"value float64 4, batch", Operation::expm, matfun::DType::float64, 4, kBatch},
    {"value float64 8, batch", Operation::expm, matfun::DType::float64, 8, kBatch},
    {"vjp float64 2, batch", Operation::vjp, matfun::DType::float64, 2, kBatch},
    {"vjp float64 4, batch", Operation::vjp, matfun::DType::float64, 4, kBatch},
    {"vjp float64 8, batch", Operation::vjp, matfun::DType::float64, 8, kBatch},
    {"value float32 4, batch", Operation::expm, matfun::DType::float32, 4, kBatch},
    {"value complex128 4, batch", Operation::expm, matfun::DType::complex128, 4, kBatch},
    {"value float64 16", Operation::expm, matfun::DType::float64, 16, 1},
    {"value float64 32", Operation::expm, matfun::DType::float64, 32, 1},
    {"value float64 64", Operation::expm, matfun::DType::float64, 64, 1},
    {"value float64 128", Operation::expm, matfun::DType::float64, 128, 1},
    {"vjp float64 64", Operation::vjp, matfun::DType::float64, 64, 1},
    {"value complex128 32", Operation::expm, matfun::DType::complex128, 32, 1},
};

/// In [-1, 1), and the same numbers with every standard library.
template <class T>
T draw(std::mt19937_64& generator) {
  const auto uniform = [&] { return std::ldexp(static_cast<double>(generator() >> 11), -52) - 1; };
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(uniform());
  } else {
    const double re = uniform();
    return T(re, uniform());
  }
}

/// Scaled to sums of absolute values of 0.1, 1 and 50 a column at most in turn, a single one to 1.
template <class T>
std::vector<T> stack(std::mt19937_64& generator, Index n, Index count) {
  constexpr double kNorms[] = {1, 0.1, 50};
  std::vector<T> matrices(static_cast<std::size_t>(n * n * count));
  for (T& entry : matrices) entry = draw<T>(generator);
  for (Index k = 0; k < count; ++k) {
    const auto matrix = matrices.begin() + k * n * n;
    double largest = 0;
    for (Index column = 0; column < n; ++column) {
      double sum = 0;
      for (Index row = 0; row < n; ++row) sum += std::abs(matrix[column * n + row]);
      largest = std::max(largest, sum);
    }
    const auto scale = static_cast<T>(kNorms[k % 3] / largest);
    std::transform(matrix, matrix + n * n, matrix, [scale](T entry) { return scale * entry; });
  }
  return matrices;
}

template <class T>
void run(const Case& chosen) {
  std::mt19937_64 generator(20250101);
  const bool derivative = chosen.operation != Operation::expm;
  const std::vector<T> A = stack<T>(generator, chosen.n, chosen.count);
  const std::vector<T> direction = stack<T>(generator, chosen.n, derivative ? chosen.count : 0);
  std::vector<T> X(A.size());
  std::vector<T> result(direction.size());
  matfun::Job job;
  job.operation = chosen.operation;
  job.dtype = chosen.dtype;
  job.n = chosen.n;
  job.count = chosen.count;
  job.directions = derivative ? 1 : 0;
  job.A = A.data();
  job.X = X.data();
  job.direction = direction.data();
  job.result = result.data();
  // What happens once in a process is not the case's.
  matfun::run_batch(job);
  matfun_counted(job);
}

#if defined(__clang__)
constexpr const char* kCompiler = __VERSION__;
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif

void tell() {
  std::printf("{\"compiler\":\"%s\",\"blas\":\"%s\",\"cases\":[", kCompiler, matfun::blas::info().config.c_str());
  const char* between = "";
  for (const Case& each : kCases) {
    std::printf("%s\"%s\"", between, each.name);
    between = ",";
  }
  std::puts("]}");
}

}  // namespace

int main(int argc, char** argv) {
  matfun::blas::initialize();
  if (argc == 1) {
    tell();
    return 0;
  }
  const Case* const chosen =
      std::ranges::find_if(kCases, [&](const Case& each) { return argc == 3 && std::strcmp(each.name, argv[2]) == 0; });
  if (chosen == std::end(kCases)) {
    std::fputs("no such case\n", stderr);
    return 2;
  }
  if (!matfun::kernels::use_target(argv[1])) {
    std::fprintf(stderr, "no kernels for %s here\n", argv[1]);
    return 2;
  }
  switch (chosen->dtype) {
    case matfun::DType::float64:
      run<double>(*chosen);
      break;
    case matfun::DType::float32:
      run<float>(*chosen);
      break;
    default:
      run<std::complex<double>>(*chosen);
  }
}
