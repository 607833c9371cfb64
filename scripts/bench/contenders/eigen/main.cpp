// Eigen as a contender. usage: eigen fixed|dynamic THREADS

#include <Eigen/Core>
#include <complex>

#include "../serve.hpp"

namespace eigen {

// In the file of each scalar.
template <class Scalar>
bench::Offer offer_of(bench::Line& line, bool is_fixed);

}  // namespace eigen

namespace {

bool is_fixed = false;

bench::Offer offer(bench::Line& line) {
  Eigen::setNbThreads(line.library_threads);
  if (line.dtype == "float32") return eigen::offer_of<float>(line, is_fixed);
  if (line.dtype == "complex128") return eigen::offer_of<std::complex<double>>(line, is_fixed);
  return eigen::offer_of<double>(line, is_fixed);
}

}  // namespace

int main(int, char** arguments) {
  is_fixed = std::string(arguments[1]) == "fixed";
  const auto part = [](int number) { return std::to_string(number); };
  const std::string version =
      part(EIGEN_WORLD_VERSION) + "." + part(EIGEN_MAJOR_VERSION) + "." + part(EIGEN_MINOR_VERSION);
  return bench::serve(version, std::stoi(arguments[2]), offer);
}
