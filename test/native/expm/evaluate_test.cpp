#include "expm/evaluate.hpp"

#include <doctest/doctest.h>

#include "expm/nonnegative.hpp"
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
    // Each scheme's coefficients have 16 digits at least; the expansions of 21+ and [13/13] cancel one of them.
    CHECK(std::abs(deviation(c, k)) < 1e-14);
  }
}

}  // namespace

TEST_CASE("each polynomial scheme expands to the exponential series, up to its degree and no further") {
  for (int degree : {1, 2, 4, 8, 15, 21}) {
    check_agrees_to({Scheme::polynomial, degree, 0}, degree);
    CHECK(std::abs(deviation(expand({Scheme::polynomial, degree, 0}), degree + 1)) > 1e-3);
  }
}

TEST_CASE("schemes of nonnegative matrices are Taylor's polynomials themselves, made of nothing negative") {
  for (int degree : kNonnegativeDegrees<double>) {
    const Plan plan{Scheme::nonnegative, degree, 0};
    check_agrees_to(plan, degree);
    const auto c = expand(plan);
    for (std::size_t k = static_cast<std::size_t>(degree) + 1; k < c.size(); ++k) CHECK(c[k] == 0);
    for (int s : {0, 1, 4}) {
      SeriesRing ring;
      const auto A = ring.x(), X = ring.take();
      evaluate(Plan{Scheme::nonnegative, degree, s}, ring, A, X);
      CHECK(ring.least_factor() > 0);
    }
  }
}

TEST_CASE("what squarings of such a scheme leave out is bounded as its plan takes it to be") {
  const auto choose = [](int n, int k) { return k > n ? 0 : factorial(n) / factorial(k) / factorial(n - k); };
  for (int m : {1, 2, 4, 8, 12, 16, 20})
    for (int s : {0, 1, 2, 3, 5}) {
      const auto c = expand({Scheme::nonnegative, m, s});
      for (int k = 0; k < SeriesRing::length; ++k) {
        const long double missing = -deviation(c, k);
        CAPTURE(m);
        CAPTURE(k);
        CHECK(missing >= -1e-14L);
        CHECK(missing <= choose(k, m + 1) * std::ldexp(1.0L, -s * m) + 1e-14L);
        // At first it is that.
        if (k == m + 1) CHECK(std::abs(missing - std::ldexp(1.0L, -s * m)) < 1e-14);
      }
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

TEST_CASE("a shift multiplies by its exponential, whatever the squarings") {
  for (int s : {0, 1, 2, 3, 4}) {
    Plan plan{Scheme::polynomial, 8, s};
    plan.shift = -3;
    const auto c = expand(plan);
    for (int k = 0; k <= 8; ++k)
      CHECK(std::abs(c[static_cast<std::size_t>(k)] * factorial(k) - std::exp(-3.0L)) < 1e-13 * std::exp(-3.0));
  }
}

TEST_CASE("a full matrix is not recomputed; others are at every level from the scheme's to the last") {
  for (Form form : {Form::full, Form::triangular, Form::schur})
    for (int s : {0, 1, 4, 5}) {
      SeriesRing ring;
      Plan plan{Scheme::polynomial, 8, s};
      plan.form = form;
      plan.shift = 0.5;
      const auto A = ring.x(), X = ring.take();
      evaluate(plan, ring, A, X);
      CHECK(ring.recomputations() == (form == Form::full ? 0 : s + 1));
      for (int k = 0; k < ring.recomputations(); ++k) CHECK(ring.recomputed(k) == s - k);
      if (form != Form::full) CHECK(ring.shift() == 0.5L);
    }
}

TEST_CASE("a generator is conserved at every level, and neither recomputed nor watched") {
  for (int s : {0, 1, 4, 5}) {
    SeriesRing ring;
    Plan plan{Scheme::nonnegative, 12, s};
    plan.form = Form::generator;
    const auto A = ring.x(), X = ring.take();
    evaluate(plan, ring, A, X);
    CHECK(ring.conserved() == s + 1);
    CHECK(ring.recomputations() == 0);
    CHECK(ring.watched() == 0);
  }
}

TEST_CASE("what underflows entirely is 0") {
  const auto c = expand({Scheme::zero, 0, 0});
  for (long double coefficient : c) CHECK(coefficient == 0);
}

TEST_CASE("full matrices of three squarings and more are watched") {
  for (Form form : {Form::full, Form::triangular})
    for (int s : {0, 1, 2, 3, 5}) {
      SeriesRing ring;
      Plan plan{Scheme::polynomial, 8, s};
      plan.form = form;
      const auto A = ring.x(), X = ring.take();
      evaluate(plan, ring, A, X);
      CHECK(ring.watched() == (form == Form::full && s >= 3 ? s + 1 : 0));
    }
}

TEST_CASE("what squarings may have lost follows from the sizes of what is squared") {
  Growth<double> growth;
  growth.add(3);
  CHECK(growth.error() == 1);
  growth.add(2);  // (2 + 1) 3^2 / 2
  CHECK(growth.error() == 13.5);
  growth.add(4);  // (27 + 1) 2^2 / 4
  CHECK(growth.error() == 28);
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
    CHECK(products(Scheme::nonnegative, 8, s) == 3);
    CHECK(products(Scheme::nonnegative, 12, s) == 5);
    CHECK(products(Scheme::nonnegative, 16, s) == 6);
    CHECK(products(Scheme::nonnegative, 20, s) == 7);
  }
  CHECK(products(Scheme::zero, 0, 0) == 0);
  CHECK(count_cost({Scheme::pade, 13, 0}).solves == 1);
  CHECK(count_cost({Scheme::polynomial, 21, 0}).solves == 0);
}

}  // namespace matfun::test
