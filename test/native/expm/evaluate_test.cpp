#include "expm/evaluate.hpp"

#include <doctest/doctest.h>

#include "expm/series.hpp"
#include "matrix.hpp"

namespace matfun::test {
namespace {

SeriesRing::Coefficients expand(const Plan& plan) {
  SeriesRing ring;
  const auto A = ring.x(), X = ring.take();
  evaluate(plan, ring, A, X);
  return *X.of;
}

long double factorial(int k) {
  return k < 2 ? 1 : k * factorial(k - 1);
}

/// c_k k! - 1, by how much a coefficient differs from the exponential's.
long double deviation(const SeriesRing::Coefficients& c, int k) {
  return c[static_cast<std::size_t>(k)] * factorial(k) - 1;
}

void check_agrees_to(const Plan& plan, int order) {
  const auto c = expand(plan);
  for (int k = 0; k <= order; ++k) {
    CAPTURE(plan.degree);
    CAPTURE(k);
    // The published coefficients of 15+ and 21+ have 16 digits and cancel by up to four of them.
    CHECK(std::abs(deviation(c, k)) < 1e-12);
  }
}

}  // namespace

TEST_CASE("each polynomial scheme expands to the exponential series, up to its degree and no further") {
  for (int degree : {1, 2, 4, 8, 15, 21}) {
    check_agrees_to({Scheme::polynomial, degree, 0}, degree);
    CHECK(std::abs(deviation(expand({Scheme::polynomial, degree, 0}), degree + 1)) > 1e-3);
  }
}

TEST_CASE("each Pade scheme agrees with the exponential to order 2m, and no further") {
  for (int m : {3, 5, 7, 9, 13}) {
    check_agrees_to({Scheme::pade, m, 0}, 2 * m);
    // The first term of the error is (-1)^m (m!)^2 / ((2m)! (2m+1)!)  [Higham 2008, (10.24)].
    const long double error = factorial(m) / factorial(2 * m) * factorial(m);
    CHECK(std::abs(std::abs(deviation(expand({Scheme::pade, m, 0}), 2 * m + 1)) / error - 1) < 1e-3);
  }
}

TEST_CASE("squarings undo the scaling, for even and odd numbers of them") {
  for (int s : {0, 1, 2, 3, 4, 5}) check_agrees_to({Scheme::polynomial, 8, s}, 8);
}

TEST_CASE("the recurrence counts its own products as the papers do") {
  const auto products = [](Scheme scheme, int degree, int s) { return count_cost({scheme, degree, s}).products; };
  for (int s : {0, 1, 2}) {
    CHECK(products(Scheme::scalar, 0, 0) == 0);
    CHECK(products(Scheme::polynomial, 1, s) == 0);
    CHECK(products(Scheme::polynomial, 2, s) == 1);
    CHECK(products(Scheme::polynomial, 4, s) == 2);
    CHECK(products(Scheme::polynomial, 8, s) == 3);
    CHECK(products(Scheme::polynomial, 15, s) == 4);
    CHECK(products(Scheme::polynomial, 21, s) == 5);
    CHECK(products(Scheme::pade, 3, s) == 2);
    CHECK(products(Scheme::pade, 5, s) == 3);
    CHECK(products(Scheme::pade, 7, s) == 4);
    CHECK(products(Scheme::pade, 9, s) == 5);
    CHECK(products(Scheme::pade, 13, s) == 6);
  }
  CHECK(count_cost({Scheme::pade, 13, 0}).solves == 1);
  CHECK(count_cost({Scheme::polynomial, 21, 0}).solves == 0);
}

TEST_CASE("the dual ring differentiates products and quotients") {
  const Index n = 4;
  const auto perturbed = [](const Matrix& A, const Matrix& dA, double h) {
    Matrix B = A;
    for (std::size_t k = 0; k < A.data().size(); ++k) B.view().data[k] += h * dA.data()[k];
    return B;
  };
  Matrix Q = random_matrix(n, n, 1, 1);
  for (Index i = 0; i < n; ++i) Q(i, i) += 5;
  const Matrix dQ = random_matrix(n, n, 1, 2), P = random_matrix(n, n, 1, 3), dP = random_matrix(n, n, 1, 4);

  const auto solved = [&](double h) {
    Matrix q = perturbed(Q, dQ, h), p = perturbed(P, dP, h);
    std::vector<blas::Pivot> pivots(static_cast<std::size_t>(n));
    CHECK(blas::lu_factor_solve(q.view(), pivots.data(), p.view()) == Status::ok);
    return p;
  };
  Workspace work(1 << 16);
  Dual<BlasEngine<double>> ring(n, 1, work);
  Matrix q = Q, dq = dQ, p = P, dp = dP;
  ring.solve({q.view(), dq.view()}, {p.view(), dp.view()});
  CHECK(ring.status() == Status::ok);
  CHECK(p == solved(0));

  // Central difference: error h^2 |third derivative| + u / h, about 1e-10 at h = 1e-5.
  const double h = 1e-5;
  Matrix difference = subtract(solved(h), solved(-h));
  for (std::size_t k = 0; k < difference.data().size(); ++k) difference.view().data[k] /= 2 * h;
  CHECK(relative_difference(dp, difference) < 1e-9);

  Matrix C(n, n), dC(n, n);
  ring.multiply({P.view(), dP.view()}, {Q.view(), dQ.view()}, {C.view(), dC.view()});
  Matrix expected = multiply(P, dQ);
  const Matrix dPQ = multiply(dP, Q);
  for (std::size_t k = 0; k < expected.data().size(); ++k) expected.view().data[k] += dPQ.data()[k];
  CHECK(relative_difference(dC, expected) < 4 * n * u);
}

}  // namespace matfun::test
