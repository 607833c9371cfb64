#include "expm/plan.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "matrix.hpp"

namespace matfun::test {
namespace {

const double inf = std::numeric_limits<double>::infinity();

double up(double x) {
  return std::nextafter(x, inf);
}
double down(double x) {
  return std::nextafter(x, 0.0);
}
double bound(const Threshold& row, Purpose purpose) {
  return purpose == Purpose::value ? row.theta : row.ell;
}

struct Ladder {
  Method method;
  Scheme scheme;
  std::span<const Threshold> rows;
};
const Ladder ladders[] = {{Method::polynomial, Scheme::polynomial, kPolynomialThresholds<double>},
                          {Method::automatic, Scheme::polynomial, kPolynomialThresholds<double>},
                          {Method::pade, Scheme::pade, kPadeThresholds<double>}};

void check_plan(double norm, Purpose purpose, const Ladder& ladder, int degree, int squarings) {
  const Plan plan = choose_plan(norm, purpose, ladder.method);
  CAPTURE(norm);
  CHECK(plan.scheme == ladder.scheme);
  CHECK(plan.degree == degree);
  CHECK(plan.squarings == squarings);
  CHECK(plan.norm == norm);
}

}  // namespace

TEST_CASE("at each threshold and one ulp below the cheaper scheme is taken, one ulp above the next") {
  for (const Ladder& ladder : ladders)
    for (Purpose purpose : {Purpose::value, Purpose::derivative})
      for (std::size_t k = 0; k < ladder.rows.size(); ++k) {
        const double at = bound(ladder.rows[k], purpose);
        const int degree = ladder.rows[k].degree;
        check_plan(down(at), purpose, ladder, degree, 0);
        check_plan(at, purpose, ladder, degree, 0);
        if (k + 1 < ladder.rows.size())
          check_plan(up(at), purpose, ladder, ladder.rows[k + 1].degree, 0);
        else
          check_plan(up(at), purpose, ladder, degree, 1);
      }
}

TEST_CASE("squarings are rounded up at every power of two times the last threshold") {
  for (const Ladder& ladder : ladders)
    for (Purpose purpose : {Purpose::value, Purpose::derivative}) {
      const double last = bound(ladder.rows.back(), purpose);
      const int degree = ladder.rows.back().degree;
      for (int s : {1, 2, 3, 10, 52, 53, 500, 1022}) {
        const double at = std::ldexp(last, s);
        if (!std::isfinite(at)) continue;
        check_plan(down(at), purpose, ladder, degree, s);
        check_plan(at, purpose, ladder, degree, s);
        check_plan(up(at), purpose, ladder, degree, s + 1);
      }
    }
}

TEST_CASE("norms 0, least subnormal and greatest finite have plans") {
  for (const Ladder& ladder : ladders) {
    check_plan(0, Purpose::value, ladder, ladder.rows.front().degree, 0);
    check_plan(std::numeric_limits<double>::denorm_min(), Purpose::value, ladder, ladder.rows.front().degree, 0);
    const double greatest = std::numeric_limits<double>::max();
    const Plan plan = choose_plan(greatest, Purpose::value, ladder.method);
    CHECK(std::ldexp(ladder.rows.back().theta, plan.squarings) == inf);
    CHECK(std::ldexp(greatest, -plan.squarings) <= ladder.rows.back().theta);
  }
}

TEST_CASE("no other scheme and number of squarings costs less, nor the same at a higher degree") {
  const auto products = [](std::size_t k) { return static_cast<int>(k); };  // T1, T2, T4, T8, 15+, 21+: 0 to 5
  const auto& rows = kPolynomialThresholds<double>;
  for (Purpose purpose : {Purpose::value, Purpose::derivative})
    for (double norm = 1e-20; norm < 1e6; norm *= 1.0371) {
      int best = 1 << 30, degree = 0;
      for (std::size_t k = 0; k < rows.size(); ++k) {
        int s = 0;
        while (std::ldexp(bound(rows[k], purpose), s) < norm) ++s;
        if (products(k) + s <= best) {
          best = products(k) + s;
          degree = rows[k].degree;
        }
      }
      CAPTURE(norm);
      const Plan plan = choose_plan(norm, purpose, Method::polynomial);
      int cost = plan.squarings;
      for (std::size_t k = 0; k < rows.size(); ++k)
        if (rows[k].degree == plan.degree) cost += products(k);
      CHECK(cost == best);
      CHECK((plan.degree == degree || (plan.squarings == 0 && plan.degree < degree)));
    }
}

TEST_CASE("the derivative's bounds are the stricter ones") {
  for (const Ladder& ladder : ladders)
    for (const Threshold& row : ladder.rows) CHECK(row.ell < row.theta);
}

TEST_CASE("a matrix's plan comes from its smaller norm, and its transpose has the same") {
  const Matrix A(2, 2, {0, 0, 10.7, 0.01});  // |A|_1 = 10.71, |A|_inf = 10.7
  for (const Matrix& X : {A, transpose(A)}) {
    const Plan plan = choose_plan(View<const double>(X.view()), Purpose::value, Method::automatic);
    CHECK(plan.norm == 10.7);
    CHECK(plan.degree == 21);
    CHECK(plan.squarings == 3);
  }
}

TEST_CASE("1 x 1 is scalar, an entry that is not finite is told, an overflowing sum is not") {
  const Matrix one(1, 1, {-3});
  CHECK(choose_plan(View<const double>(one.view()), Purpose::value, Method::automatic).scheme == Scheme::scalar);
  for (double bad : {inf, -inf, std::numeric_limits<double>::quiet_NaN()}) {
    const Matrix A(2, 2, {1, bad, 0, 1});
    CHECK(choose_plan(View<const double>(A.view()), Purpose::value, Method::automatic).status == Status::not_finite);
  }
  const Matrix huge(2, 2, {-1e308, 1e308, 1e308, -1e308});
  const Plan plan = choose_plan(View<const double>(huge.view()), Purpose::value, Method::automatic);
  CHECK(plan.status == Status::ok);
  CHECK(2 * std::ldexp(1e308, -plan.squarings) <= kPolynomialThresholds<double>.back().theta);
}

}  // namespace matfun::test
