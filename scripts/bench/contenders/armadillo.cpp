// Armadillo's expmat, one matrix after the other, on the BLAS that it is linked with. usage: armadillo THREADS
// It has no derivatives: here they are the upper right block of exp([A E; 0 A]).

#define ARMA_WARN_LEVEL 0
#define ARMA_DONT_USE_WRAPPER
#define ARMA_DONT_USE_OPENMP
#include <armadillo>
#include <complex>

#include "serve.hpp"

extern "C" void openblas_set_num_threads(int count);

namespace {

using bench::Line;
using bench::Offer;

/// A view, without a copy. Row-major matrices are read as their transposes, which all three operations commute with.
template <class Scalar>
arma::Mat<Scalar> matrix(std::vector<char>& bytes, long n, long k) {
  const auto order = static_cast<arma::uword>(n);
  return {reinterpret_cast<Scalar*>(bytes.data()) + k * n * n, order, order, false, true};
}

template <class Scalar>
void values(Line& line, long first, long last) {
  for (long k = first; k < last; ++k) {
    arma::Mat<Scalar> X = matrix<Scalar>(line.value, line.n, k);
    X = arma::expmat(matrix<Scalar>(line.A, line.n, k));
  }
}

template <class Scalar>
void derivatives(Line& line, long first, long last) {
  const auto n = static_cast<arma::uword>(line.n);
  const bool pullback = line.operation == "vjp";
  arma::Mat<Scalar> block(2 * n, 2 * n, arma::fill::zeros);
  arma::Mat<Scalar> exponential;
  const arma::span head(0, n - 1);
  const arma::span tail(n, 2 * n - 1);
  for (long k = first; k < last; ++k) {
    const arma::Mat<Scalar> A = matrix<Scalar>(line.A, line.n, k);
    if (pullback)
      block(head, head) = A.t();
    else
      block(head, head) = A;
    block(tail, tail) = block(head, head);
    block(head, tail) = matrix<Scalar>(line.direction, line.n, k);
    exponential = arma::expmat(block);
    arma::Mat<Scalar> X = matrix<Scalar>(line.value, line.n, k);
    if (pullback)
      X = exponential(head, head).t();
    else
      X = exponential(head, head);
    arma::Mat<Scalar> L = matrix<Scalar>(line.derivative, line.n, k);
    L = exponential(head, tail);
  }
}

template <class Scalar>
Offer typed(Line& line) {
  const auto compute = line.operation == "value" ? values<Scalar> : derivatives<Scalar>;
  return {[&line, compute](long first, long last) { compute(line, first, last); }, ""};
}

Offer offer(Line& line) {
  if (bench::is_too_large_a_block(line)) return {{}, bench::kTooLargeABlock};
  openblas_set_num_threads(line.library_threads);
  if (line.dtype == "float32") return typed<float>(line);
  if (line.dtype == "complex128") return typed<std::complex<double>>(line);
  return typed<double>(line);
}

}  // namespace

int main(int, char** arguments) {
  const arma::arma_version version;
  const auto part = [](unsigned number) { return std::to_string(number); };
  return bench::serve(part(version.major) + "." + part(version.minor) + "." + part(version.patch),
                      std::stoi(arguments[1]), offer);
}
