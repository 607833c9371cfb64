#include "linalg/blas.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "matrix.hpp"

namespace matfun::test {

TEST_CASE_TEMPLATE("gemm agrees with the definition for every beta, within k u |A| |B|", T, double, float, Complex128,
                   Complex64) {
  for (Index m : {1, 2, 5, 17, 40})
    for (Index k : {1, 3, 40}) {
      const Index n = 7;
      const auto A = random_matrix<T>(m, k, 1, 1), B = random_matrix<T>(k, n, 1, 2), C0 = random_matrix<T>(m, n, 1, 3);
      for (double beta : {0.0, 1.0, -0.5}) {
        BasicMatrix<T> C = beta == 0 ? BasicMatrix<T>(m, n) : C0;  // NaN where beta = 0: it must not be read
        blas::gemm<T>(T(-2), A.view(), B.view(), T(static_cast<Real<T>>(beta)), C.view());
        const auto AB = multiply(A, B);
        const double bound = 4 * static_cast<double>(k + 2) * unit<T> * (frobenius(A) * frobenius(B) + frobenius(C0));
        for (Index j = 0; j < n; ++j)
          for (Index i = 0; i < m; ++i) {
            const T kept = beta == 0 ? T(0) : static_cast<Real<T>>(beta) * C0(i, j);
            CHECK(std::abs(C(i, j) - (T(-2) * AB(i, j) + kept)) <= bound);
          }
      }
    }
}

TEST_CASE_TEMPLATE("one factorization solves for the value and again for the tangents", T, double, float, Complex128,
                   Complex64) {
  const Index n = 9;
  const auto Q0 = shifted(random_matrix<T>(n, n, 1, 4), T(4));
  const auto X = random_matrix<T>(n, n, 1, 5), Y = random_matrix<T>(n, 3 * n, 1, 6);
  auto Q = Q0, B = multiply(Q0, X), C = multiply(Q0, Y);
  std::vector<blas::Pivot> pivots(static_cast<std::size_t>(n));
  CHECK(blas::lu_factor_solve<T>(Q.view(), pivots.data(), B.view()) == Status::ok);
  blas::lu_solve<T>(Q.view(), pivots.data(), C.view());
  // |Q| |Q^-1| < 10 here, and LU with partial pivoting grows by less than n.
  CHECK(relative_difference(B, X) <= 10 * n * unit<T>);
  CHECK(relative_difference(C, Y) <= 10 * n * unit<T>);
}

TEST_CASE_TEMPLATE("a singular matrix is reported, not divided by", T, double, float, Complex128, Complex64) {
  BasicMatrix<T> Q(2, 2, {1, 2, 2, 4}), B(2, 2, {1, 0, 0, 1});
  std::vector<blas::Pivot> pivots(2);
  CHECK(blas::lu_factor_solve<T>(Q.view(), pivots.data(), B.view()) == Status::singular);
}

TEST_CASE_TEMPLATE("balance is an exact similarity by powers of two, and brings rows and columns together", T, double,
                   float, Complex128, Complex64) {
  const Index n = 5;
  const auto even = random_matrix<T>(n, n, 1, 7);
  auto A = even;
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) A(i, j) *= std::ldexp(Real<T>(1), static_cast<int>(6 * (j - i)));
  auto B = A;
  std::vector<Real<T>> d(static_cast<std::size_t>(n));
  blas::balance<T>(B.view(), d.data());
  const auto at = [&](Index i) { return d[static_cast<std::size_t>(i)]; };
  for (Index j = 0; j < n; ++j) {
    CHECK(std::ldexp(Real<T>(1), std::ilogb(at(j))) == at(j));
    for (Index i = 0; i < n; ++i) CHECK(B(i, j) == A(i, j) / at(i) * at(j));
  }
  CHECK(frobenius(B) < 4 * frobenius(even));
  CHECK(frobenius(A) > 1e5 * frobenius(even));
}

TEST_CASE_TEMPLATE("schur gives Q S Q^H = A with Q unitary and S upper triangular", C, Complex128, Complex64) {
  for (Index n : {1, 2, 3, 8, 21})
    for (bool real : {false, true}) {
      auto A = random_matrix<C>(n, n, 1, 8);
      if (real) A = map<C>(A, [](C z) { return C(z.real()); });
      auto S = A;
      BasicMatrix<C> Q(n, n);
      std::vector<C> values(static_cast<std::size_t>(n)), work(static_cast<std::size_t>(blas::schur_work_elements(n)));
      std::vector<Real<C>> real_work(static_cast<std::size_t>(n));
      CHECK(blas::schur(S.view(), Q.view(), values.data(), work.data(), real_work.data()));
      CHECK(is_upper_triangular<C>(S.view()));
      const double tolerance = 10 * static_cast<double>(n) * unit<C>;
      CHECK(relative_difference(multiply(multiply(Q, S), adjoint(Q)), A) <= tolerance);
      CHECK(relative_difference(multiply(adjoint(Q), Q), identity<C>(n)) <= tolerance);
      for (Index i = 0; i < n; ++i) CHECK(S(i, i) == values[static_cast<std::size_t>(i)]);
    }
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
