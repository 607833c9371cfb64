// The core without Node: run_batch as the addon calls it, on one thread, for the lines of the batch table.
// usage: matfun_bench [--batch=MATRICES] [options of Google Benchmark]   (8 MB of matrices where not said)
// Benchmarks are named operation/dtype/order/norm/real_time, as in value/float64/4/1/real_time.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "batch/job.hpp"

namespace {

using matfun::Index;

constexpr Index kBatchBytes = Index(1) << 23;
constexpr Index kOrders[] = {2, 3, 4, 6, 8, 12, 16, 20, 32, 64, 128};
constexpr double kNorms[] = {0.1, 1, 50};

Index matrices_wanted = 0;
std::mt19937_64::result_type seed = 0;

template <class T>
struct Type;
template <>
struct Type<double> {
  static constexpr auto kDType = matfun::DType::float64;
  static constexpr const char* kName = "float64";
};
template <>
struct Type<float> {
  static constexpr auto kDType = matfun::DType::float32;
  static constexpr const char* kName = "float32";
};
template <>
struct Type<std::complex<double>> {
  static constexpr auto kDType = matfun::DType::complex128;
  static constexpr const char* kName = "complex128";
};

template <class T>
T draw(std::mt19937_64& generator) {
  std::normal_distribution<double> normal;
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(normal(generator));
  else
    return T(normal(generator), normal(generator));
}

/// Column-major matrices from N(0, 1), scaled to the 1-norm where it is positive.
template <class T>
std::vector<T> random_stack(std::mt19937_64& generator, Index n, Index count, double norm) {
  std::vector<T> stack(static_cast<std::size_t>(n * n * count));
  for (T& entry : stack) entry = draw<T>(generator);
  if (norm <= 0) return stack;
  for (auto matrix = stack.begin(); matrix != stack.end(); matrix += n * n) {
    double largest = 0;
    for (auto column = matrix; column != matrix + n * n; column += n) {
      double sum = 0;
      for (auto entry = column; entry != column + n; ++entry) sum += std::abs(*entry);
      largest = std::max(largest, sum);
    }
    const auto scale = static_cast<T>(norm / largest);
    std::transform(matrix, matrix + n * n, matrix, [scale](T entry) { return scale * entry; });
  }
  return stack;
}

template <class T>
void run(benchmark::State& state, matfun::Operation operation, Index n, double norm) {
  const Index size = n * n * static_cast<Index>(sizeof(T));
  const Index count = matrices_wanted > 0 ? matrices_wanted : std::max<Index>(16, kBatchBytes / size);
  std::mt19937_64 generator(seed);
  const bool derivative = operation != matfun::Operation::expm;
  const std::vector<T> A = random_stack<T>(generator, n, count, norm);
  const std::vector<T> direction = random_stack<T>(generator, n, derivative ? count : 0, 0);
  std::vector<T> X(A.size());
  std::vector<T> result(direction.size());
  matfun::Job job;
  job.operation = operation;
  job.dtype = Type<T>::kDType;
  job.n = n;
  job.count = count;
  job.directions = derivative ? 1 : 0;
  job.A = A.data();
  job.X = X.data();
  job.direction = direction.data();
  job.result = result.data();
  for (auto _ : state) {
    auto statuses = matfun::run_batch(job);
    benchmark::DoNotOptimize(statuses.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * count);
}

template <class T>
void register_all() {
  const std::pair<const char*, matfun::Operation> operations[] = {
      {"value", matfun::Operation::expm}, {"jvp", matfun::Operation::jvp}, {"vjp", matfun::Operation::vjp}};
  for (const auto& [name, operation] : operations)
    for (const Index n : kOrders)
      for (const double norm : kNorms) {
        const std::string shown = norm < 1 ? "0.1" : std::to_string(static_cast<int>(norm));
        const std::string full = std::string(name) + "/" + Type<T>::kName + "/" + std::to_string(n) + "/" + shown;
        benchmark::RegisterBenchmark(full.c_str(), run<T>, operation, n, norm)
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
      }
}

}  // namespace

int main(int argc, char** argv) {
  seed = std::random_device()();
  benchmark::Initialize(&argc, argv);
  for (int k = 1; k < argc; ++k) {
    const std::string_view argument = argv[k];
    if (!argument.starts_with("--batch=")) {
      benchmark::ReportUnrecognizedArguments(argc, argv);
      return 2;
    }
    matrices_wanted = std::strtol(argument.data() + std::string_view("--batch=").size(), nullptr, 10);
  }
  benchmark::AddCustomContext("seed", std::to_string(seed));
  register_all<double>();
  register_all<float>();
  register_all<std::complex<double>>();
  benchmark::RunSpecifiedBenchmarks();
}
