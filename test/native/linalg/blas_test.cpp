#include "linalg/blas.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "matrix.hpp"

namespace matfun::test {

TEST_CASE("gemm agrees with the definition for every beta, within k u |A| |B|") {
  for (Index m : {1, 2, 5, 17, 40})
    for (Index k : {1, 3, 40}) {
      const Index n = 7;
      const Matrix A = random_matrix(m, k, 1, 1), B = random_matrix(k, n, 1, 2), C0 = random_matrix(m, n, 1, 3);
      for (double beta : {0.0, 1.0, -0.5}) {
        Matrix C = beta == 0 ? Matrix(m, n) : C0;  // NaN where beta = 0: it must not be read
        blas::gemm(-2, A.view(), B.view(), beta, C.view());
        const Matrix AB = multiply(A, B);
        const double bound = 4 * static_cast<double>(k + 2) * u * (frobenius(A) * frobenius(B) + frobenius(C0));
        for (Index j = 0; j < n; ++j)
          for (Index i = 0; i < m; ++i) {
            const double expected = -2 * AB(i, j) + (beta == 0 ? 0 : beta * C0(i, j));
            CHECK(std::abs(C(i, j) - expected) <= bound);
          }
      }
    }
}

TEST_CASE("one factorization solves for the value and again for the tangents") {
  const Index n = 9;
  Matrix Q = random_matrix(n, n, 1, 4);
  for (Index i = 0; i < n; ++i) Q(i, i) += 4;
  const Matrix Q0 = Q, X = random_matrix(n, n, 1, 5), Y = random_matrix(n, 3 * n, 1, 6);
  Matrix B = multiply(Q0, X), C = multiply(Q0, Y);
  std::vector<blas::Pivot> pivots(static_cast<std::size_t>(n));
  CHECK(blas::lu_factor_solve(Q.view(), pivots.data(), B.view()) == Status::ok);
  blas::lu_solve(Q.view(), pivots.data(), C.view());
  // |Q| |Q^-1| < 10 here, and LU with partial pivoting grows by less than n.
  CHECK(relative_difference(B, X) <= 10 * n * u);
  CHECK(relative_difference(C, Y) <= 10 * n * u);
}

TEST_CASE("a singular matrix is reported, not divided by") {
  Matrix Q(2, 2, {1, 2, 2, 4}), B(2, 2, {1, 0, 0, 1});
  std::vector<blas::Pivot> pivots(2);
  CHECK(blas::lu_factor_solve(Q.view(), pivots.data(), B.view()) == Status::singular);
}

TEST_CASE("info tells what OpenBLAS says, and a serial build is guarded") {
  const blas::Info info = blas::info();
  CHECK(info.config.find("OpenBLAS") == 0);
  CHECK(info.core.size() > 0);
  CHECK(info.library.find("blas") != std::string::npos);
  CHECK(info.threads == 1);
  CHECK(info.locked == (info.threading == "serial"));
}

}  // namespace matfun::test
