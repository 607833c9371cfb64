// GSL's gsl_linalg_exponential_ss, one matrix after the other, on the BLAS that it is linked with. usage: gsl THREADS
// It has no derivatives: here they are the upper right block of exp([A E; 0 A]).

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_version.h>

#include <memory>

#include "serve.hpp"

extern "C" void openblas_set_num_threads(int count);

namespace {

using bench::Line;
using bench::Offer;

gsl_matrix_view matrix(std::vector<char>& bytes, long n, long k) {
  return gsl_matrix_view_array(reinterpret_cast<double*>(bytes.data()) + k * n * n, n, n);
}

void values(Line& line, long first, long last) {
  for (long k = first; k < last; ++k) {
    gsl_matrix_view A = matrix(line.A, line.n, k);
    gsl_matrix_view X = matrix(line.value, line.n, k);
    gsl_linalg_exponential_ss(&A.matrix, &X.matrix, GSL_PREC_DOUBLE);
  }
}

void copy(gsl_matrix& to, const gsl_matrix& from, bool transposed) {
  if (transposed)
    gsl_matrix_transpose_memcpy(&to, &from);
  else
    gsl_matrix_memcpy(&to, &from);
}

void derivatives(Line& line, long first, long last) {
  const long n = line.n;
  const bool pullback = line.operation == "vjp";
  using Owned = std::unique_ptr<gsl_matrix, decltype(&gsl_matrix_free)>;
  const Owned block(gsl_matrix_calloc(2 * n, 2 * n), gsl_matrix_free);
  const Owned exponential(gsl_matrix_calloc(2 * n, 2 * n), gsl_matrix_free);
  gsl_matrix_view corner = gsl_matrix_submatrix(block.get(), 0, 0, n, n);
  gsl_matrix_view opposite = gsl_matrix_submatrix(block.get(), n, n, n, n);
  gsl_matrix_view beside = gsl_matrix_submatrix(block.get(), 0, n, n, n);
  gsl_matrix_view value = gsl_matrix_submatrix(exponential.get(), 0, 0, n, n);
  gsl_matrix_view derivative = gsl_matrix_submatrix(exponential.get(), 0, n, n, n);
  for (long k = first; k < last; ++k) {
    gsl_matrix_view A = matrix(line.A, n, k);
    copy(corner.matrix, A.matrix, pullback);
    gsl_matrix_memcpy(&opposite.matrix, &corner.matrix);
    gsl_matrix_view E = matrix(line.direction, n, k);
    gsl_matrix_memcpy(&beside.matrix, &E.matrix);
    gsl_linalg_exponential_ss(block.get(), exponential.get(), GSL_PREC_DOUBLE);
    gsl_matrix_view X = matrix(line.value, n, k);
    copy(X.matrix, value.matrix, pullback);
    gsl_matrix_view L = matrix(line.derivative, n, k);
    gsl_matrix_memcpy(&L.matrix, &derivative.matrix);
  }
}

Offer offer(Line& line) {
  if (line.dtype != "float64") return {{}, "it has float64 alone"};
  if (bench::is_too_large_a_block(line)) return {{}, bench::kTooLargeABlock};
  openblas_set_num_threads(line.library_threads);
  const auto compute = line.operation == "value" ? values : derivatives;
  return {[&line, compute](long first, long last) { compute(line, first, last); }, ""};
}

}  // namespace

int main(int, char** arguments) {
  gsl_set_error_handler_off();
  return bench::serve(gsl_version, std::stoi(arguments[1]), offer);
}
