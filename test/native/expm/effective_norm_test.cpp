#include <doctest/doctest.h>

#include <cmath>

#include "expm/plan.hpp"
#include "matrix.hpp"

namespace matfun::test {
namespace {

const Purpose purposes[] = {Purpose::value, Purpose::derivative};
/// Where the backward error of each scheme begins: degree + 1, and 2m + 1 for Padé.
const int powers[] = {2, 3, 5, 9, 16, 22, 7, 11, 15, 19, 27};

using LongReal = BasicMatrix<long double>;

long double one_norm_of(const LongReal& A) {
  return one_norm<long double>(A.view());
}
long double infinity_norm_of(const LongReal& A) {
  return infinity_norm<long double>(A.view());
}

/// Matrices from normal to as good as nilpotent, of norms from small to large.
std::vector<LongReal> gallery() {
  std::vector<LongReal> all;
  for (unsigned seed = 0; seed < 4; ++seed)
    for (double scale : {0.1, 1.0, 30.0}) {
      const Matrix R = random_matrix(6, 6, scale, 40 + seed);
      all.push_back(convert<long double>(R));
      for (double beside : {1e-3, 1e3, 1e7}) {  // triangular, and hardly off it
        Matrix T = R;
        for (Index j = 0; j < 6; ++j)
          for (Index i = 0; i < 6; ++i) T(i, j) *= i < j ? beside : i == j ? 1 : 1e-12;
        all.push_back(convert<long double>(T));
        all.push_back(convert<long double>(transpose(T)));
      }
    }
  const double b = 1e4;
  all.push_back({2, 2, {1, 0, 1e6L, -1}});
  all.push_back({2, 2, {1 - b / 2, -b / 2, b / 2, 1 + b / 2}});
  all.push_back({2, 2, {0, 1e-8L, 1e8L, 0}});
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("the effective norm is the norm where the square tells nothing", R, double, float) {
  for (Purpose purpose : purposes)
    for (int power : powers)
      for (R norm : {R(0), std::numeric_limits<R>::denorm_min(), R(1e-12), R(0.3), R(1), R(7), R(1e15)}) {
        CHECK(effective_norm(PowerNorms<R>{norm, norm * norm}, power, purpose) == norm);
        CHECK(effective_norm(PowerNorms<R>{norm, 2 * norm * norm}, power, purpose) == norm);
      }
}

TEST_CASE("the effective norm follows its formula: a r^(1/power), for the derivative a r^(2/(power - 1))") {
  const PowerNorms<double> norms{256, 16};  // a = 4, r = 64
  CHECK(is_close(effective_norm(norms, 2, Purpose::value), 4 * 8, 1e-14));
  CHECK(is_close(effective_norm(norms, 3, Purpose::value), 4 * 4, 1e-14));
  CHECK(is_close(effective_norm(norms, 6, Purpose::value), 4 * 2, 1e-14));
  CHECK(effective_norm(norms, 2, Purpose::derivative) == 256);
  CHECK(effective_norm(norms, 3, Purpose::derivative) == 256);
  CHECK(is_close(effective_norm(norms, 4, Purpose::derivative), 4 * 16, 1e-14));
  CHECK(is_close(effective_norm(norms, 7, Purpose::derivative), 4 * 4, 1e-14));
  CHECK(is_close(effective_norm(norms, 13, Purpose::derivative), 4 * 2, 1e-14));
}

TEST_CASE("for the value no power from the scheme's error on exceeds the effective norm's") {
  for (const LongReal& A : gallery()) {
    const LongReal A2 = multiply(A, A);
    for (const auto norm : {one_norm_of, infinity_norm_of})
      for (int power : powers) {
        const long double alpha = effective_norm(PowerNorms<long double>{norm(A), norm(A2)}, power, Purpose::value);
        LongReal Ak = A;
        for (int k = 2; k <= 40; ++k) {
          Ak = multiply(Ak, A);
          if (k < power) continue;
          CAPTURE(power);
          CAPTURE(k);
          CHECK(std::pow(norm(Ak), 1.0L / k) <= alpha * (1 + 1e-12L));
        }
      }
  }
}

TEST_CASE("for the derivative no product of two powers from the scheme's error on exceeds the effective norm's") {
  for (const LongReal& A : gallery()) {
    for (const auto norm : {one_norm_of, infinity_norm_of}) {
      std::vector<long double> norms{1};
      LongReal Ak = A;
      for (int k = 1; k <= 40; ++k, Ak = multiply(Ak, A)) norms.push_back(norm(Ak));
      for (int power : powers) {
        const long double alpha =
            effective_norm(PowerNorms<long double>{norms[1], norms[2]}, power, Purpose::derivative);
        for (int k = power; k <= 40; ++k)
          for (int i = 0; i < k; ++i) {
            const long double product = norms[static_cast<std::size_t>(i)] * norms[static_cast<std::size_t>(k - 1 - i)];
            CAPTURE(power);
            CAPTURE(k);
            CHECK(std::pow(product, 1.0L / (k - 1)) <= alpha * (1 + 1e-12L));
          }
      }
    }
  }
}

TEST_CASE_TEMPLATE("the effective norm lies between |B^2|^(1/2) and |B|, rises with both, and falls with the power", R,
                   double, float) {
  for (Purpose purpose : purposes)
    for (R first : {R(0.01), R(1), R(300)})
      for (R ratio : {R(1), R(2), R(50), R(1e5)}) {
        const R a = first / ratio;
        const auto at = [&](R f, R s, int power) { return effective_norm(PowerNorms<R>{f, s}, power, purpose); };
        // pow is good to an ulp or two, and so is monotone to as much.
        const R slack = 1 + 8 * std::numeric_limits<R>::epsilon();
        for (std::size_t k = 0; k < 6; ++k) {
          const R here = at(first, a * a, powers[k]);
          CHECK(here <= first);
          CHECK(here * slack >= a);
          CHECK(here <= at(first, 4 * a * a, powers[k]) * slack);
          CHECK(here <= at(2 * first, a * a, powers[k]) * slack);
          if (k > 0) CHECK(here <= at(first, a * a, powers[k - 1]) * slack);
        }
      }
}

TEST_CASE("the smaller of the two norms counts, whichever it is") {
  const PowerNorms<double> low{3, 1}, high{5, 20};
  for (Purpose purpose : purposes) {
    const double expected = effective_norm(low, 9, purpose);
    CHECK(effective_norm(Norms<double>{low, high}, 9, purpose) == expected);
    CHECK(effective_norm(Norms<double>{high, low}, 9, purpose) == expected);
  }
}

}  // namespace matfun::test
