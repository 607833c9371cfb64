#include "expm/plan.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "matrix.hpp"

namespace matfun::test {
namespace {

template <class R>
R up(R x) {
  return std::nextafter(x, std::numeric_limits<R>::infinity());
}
template <class R>
R down(R x) {
  return std::nextafter(x, R(0));
}
template <class R>
R bound(const Threshold& row, Purpose purpose) {
  return static_cast<R>(purpose == Purpose::value ? row.theta : row.ell);
}

const Purpose purposes[] = {Purpose::value, Purpose::derivative};

struct TestedLadder {
  Method method;
  Scheme scheme;
  std::span<const Threshold> rows;
};

/// Written out by degree, not taken from plan.hpp: single precision has no 21+ and ends at Padé 7.
template <class R>
std::vector<TestedLadder> ladders() {
  const std::span<const Threshold> pade = kPadeThresholds<R>;
  const std::size_t rungs = std::is_same_v<R, float> ? 3 : 5;
  return {{Method::polynomial, Scheme::polynomial, kPolynomialThresholds<R>},
          {Method::automatic, Scheme::polynomial, kPolynomialThresholds<R>},
          {Method::pade, Scheme::pade, pade.first(rungs)}};
}

template <class R>
void check_plan(R norm, Purpose purpose, const TestedLadder& ladder, int degree, int squarings) {
  const Plan plan = choose_plan(without_square(norm), purpose, ladder.method);
  CAPTURE(norm);
  CHECK(plan.scheme == ladder.scheme);
  CHECK(plan.degree == degree);
  CHECK(plan.squarings == squarings);
  CHECK(plan.norm == static_cast<double>(norm));
  CHECK(is_close(plan.alpha, static_cast<double>(norm), 1e-6));
  CHECK(plan.form == Form::full);
  CHECK(plan.status == Status::ok);
}

}  // namespace

TEST_CASE_TEMPLATE("at each threshold and one ulp below the cheaper scheme is taken, one ulp above the next", R, double,
                   float) {
  for (const TestedLadder& ladder : ladders<R>())
    for (Purpose purpose : purposes)
      for (std::size_t k = 0; k < ladder.rows.size(); ++k) {
        const R at = bound<R>(ladder.rows[k], purpose);
        const int degree = ladder.rows[k].degree;
        check_plan(down(at), purpose, ladder, degree, 0);
        check_plan(at, purpose, ladder, degree, 0);
        if (k + 1 < ladder.rows.size())
          check_plan(up(at), purpose, ladder, ladder.rows[k + 1].degree, 0);
        else
          check_plan(up(at), purpose, ladder, degree, 1);
      }
}

TEST_CASE("each precision has its own thresholds, and its own last scheme") {
  const auto degree = [](auto norm, Method method) {
    return choose_plan(without_square(norm), Purpose::value, method).degree;
  };
  CHECK(degree(1.0, Method::automatic) == 21);
  CHECK(degree(1.0f, Method::automatic) == 15);
  CHECK(degree(0.01, Method::automatic) == 8);
  CHECK(degree(0.01f, Method::automatic) == 4);
  CHECK(degree(1.0, Method::pade) == 9);
  CHECK(degree(1.0f, Method::pade) == 5);
  CHECK(degree(100.0, Method::pade) == 13);
  CHECK(degree(100.0f, Method::pade) == 7);
}

TEST_CASE_TEMPLATE("squarings are rounded up at every power of two times the last threshold", R, double, float) {
  for (const TestedLadder& ladder : ladders<R>())
    for (Purpose purpose : purposes) {
      const R last = bound<R>(ladder.rows.back(), purpose);
      const int degree = ladder.rows.back().degree;
      for (int s : {1, 2, 3, 10, 52, 53, 120, 500, 1022}) {
        const R at = std::ldexp(last, s);
        if (!std::isfinite(at)) continue;
        check_plan(down(at), purpose, ladder, degree, s);
        check_plan(at, purpose, ladder, degree, s);
        check_plan(up(at), purpose, ladder, degree, s + 1);
      }
    }
}

TEST_CASE_TEMPLATE("norms 0, least subnormal and greatest finite have plans", R, double, float) {
  using Limits = std::numeric_limits<R>;
  for (const TestedLadder& ladder : ladders<R>()) {
    check_plan(R(0), Purpose::value, ladder, ladder.rows.front().degree, 0);
    check_plan(Limits::denorm_min(), Purpose::value, ladder, ladder.rows.front().degree, 0);
    const R last = bound<R>(ladder.rows.back(), Purpose::value);
    const Plan plan = choose_plan(without_square(Limits::max()), Purpose::value, ladder.method);
    CHECK(plan.alpha == static_cast<double>(Limits::max()));
    CHECK(std::isinf(std::ldexp(last, plan.squarings)));
    CHECK(std::ldexp(Limits::max(), -plan.squarings) <= last);
  }
}

TEST_CASE_TEMPLATE("no other scheme and number of squarings costs less, nor the same at a higher degree", R, double,
                   float) {
  // T1, T2, T4, T8, 15+, 21+ take 0 to 5 products.
  const auto& rows = kPolynomialThresholds<R>;
  for (Purpose purpose : purposes)
    for (R norm = R(1e-20); norm < R(1e6); norm *= R(1.0371)) {
      int best = 1 << 30, degree = 0;
      for (std::size_t k = 0; k < rows.size(); ++k) {
        int s = 0;
        while (std::ldexp(bound<R>(rows[k], purpose), s) < norm) ++s;
        if (static_cast<int>(k) + s <= best) {
          best = static_cast<int>(k) + s;
          degree = rows[k].degree;
        }
      }
      CAPTURE(norm);
      const Plan plan = choose_plan(without_square(norm), purpose, Method::polynomial);
      int cost = plan.squarings;
      for (std::size_t k = 0; k < rows.size(); ++k)
        if (rows[k].degree == plan.degree) cost += static_cast<int>(k);
      CHECK(cost == best);
      CHECK((plan.degree == degree || (plan.squarings == 0 && plan.degree < degree)));
    }
}

TEST_CASE_TEMPLATE("the derivative's bounds are the stricter ones", R, double, float) {
  for (const TestedLadder& ladder : ladders<R>())
    for (const Threshold& row : ladder.rows) CHECK(row.ell < row.theta);
}

TEST_CASE_TEMPLATE("a plan takes whichever norm asks for less", R, double, float) {
  const R big = 40, small = R(0.5);
  const PowerNorms<R> loose{big, big * big}, tight{small, small * small};
  for (const Norms<R>& norms : {Norms<R>{loose, tight}, Norms<R>{tight, loose}}) {
    const Plan plan = choose_plan(norms, Purpose::value, Method::automatic);
    CHECK(plan.norm == small);
    CHECK(plan.squarings == 0);
    CHECK(is_close(plan.alpha, static_cast<double>(small), 1e-6));
  }
}

TEST_CASE_TEMPLATE("the square's norm lowers alpha, scheme and squarings, and not the norm", R, double, float) {
  const R first = 1000, second = R(0.04);
  const Norms<R> norms{{first, second}, {first, second}};
  for (Purpose purpose : purposes)
    for (const TestedLadder& ladder : ladders<R>()) {
      const Plan plan = choose_plan(norms, purpose, ladder.method);
      CHECK(plan.norm == first);
      CHECK(plan.alpha < first / 100);
      CHECK(plan.alpha >= std::sqrt(second));
      CHECK(plan.squarings < choose_plan(without_square(first), purpose, ladder.method).squarings);
    }
}

TEST_CASE_TEMPLATE("alpha is the effective norm at the power where the scheme's error begins", R, double, float) {
  // |B| = 256 a and |B^2| = a^2, for an a that makes each row of the ladder the one that is taken.
  for (Purpose purpose : purposes)
    for (const TestedLadder& ladder : ladders<R>())
      for (const Threshold& row : ladder.rows) {
        const int power = ladder.scheme == Scheme::pade ? 2 * row.degree + 1 : row.degree + 1;
        const double exponent = purpose == Purpose::value ? 1.0 / power : std::min(1.0, 2.0 / (power - 1));
        const double factor = std::pow(256.0, exponent);
        const R a = static_cast<R>(0.99 * bound<R>(row, purpose) / factor);
        const Norms<R> norms{{256 * a, a * a}, {256 * a, a * a}};
        const Plan plan = choose_plan(norms, purpose, ladder.method);
        CAPTURE(row.degree);
        CHECK(plan.squarings == 0);
        CHECK(plan.degree <= row.degree);
        if (plan.degree == row.degree)
          CHECK(is_close(plan.alpha, factor * static_cast<double>(a), 16 * std::numeric_limits<R>::epsilon()));
        // The last row of each is always taken, and so is every one whose neighbour below is far off.
        if (row.degree == ladder.rows.back().degree) CHECK(plan.degree == row.degree);
      }
}

}  // namespace matfun::test
