#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <memory>
#include <vector>

#include "kernels/targets.hpp"

namespace matfun::test {
namespace {

/// Items of `size` numbers one after the other, and pointers to each.
template <class R>
struct Items {
  Items(Index count, Index size_of_each, unsigned seed)
      : size(size_of_each), numbers(random_numbers<R>(static_cast<std::size_t>(count * size), seed)) {
    for (Index l = 0; l < count; ++l) pointers.push_back(numbers.data() + l * size);
  }
  const R* operator[](Index l) const { return numbers.data() + l * size; }
  const R* const* data() const { return const_cast<const R* const*>(pointers.data()); }
  Index size;
  std::vector<R> numbers;
  std::vector<R*> pointers;
};

template <class R>
std::complex<R> entry(const R* item, Index e) {
  return {item[2 * e], item[2 * e + 1]};
}

}  // namespace

TEST_CASE_TEMPLATE("what is loaded into lanes is stored back, for every size and count, and nothing beside it", R,
                   float, double) {
  on_each_target([] {
    const auto& kernel = kernels::lane_kernels<R>();
    for (const Index blocks : {1, 3})
      for (Index size = 4; size <= 128; ++size) {
        const Index lanes = blocks * kernel.width;
        const Items<R> items(lanes, size, static_cast<unsigned>(size));
        Lanes<R> loaded(lanes * size);
        kernel.load(items.data(), size, loaded.data, blocks);
        bool right = true;
        for (Index l = 0; l < lanes; ++l)
          for (Index e = 0; e < size; ++e)
            right =
                right && loaded.data[(l / kernel.width * size + e) * kernel.width + l % kernel.width] == items[l][e];
        CHECK(right);
        for (const Index count : {Index(1), kernel.width - 1, lanes}) {
          Items<R> back(lanes, size, 1);
          const Items<R> untouched = back;
          std::vector<R*> places;
          for (Index l = 0; l < lanes; ++l) places.push_back(back.numbers.data() + l * size);
          kernel.store(loaded.data, size, places.data(), count);
          for (Index l = 0; l < lanes; ++l)
            right = right && std::equal(back[l], back[l] + size, l < count ? items[l] : untouched[l]);
        }
        CHECK(right);
      }
  });
}

namespace {

template <class R>
const kernels::LaneOrder<R>& order_of(int n, int parts) {
  const auto& kernel = kernels::lane_kernels<R>();
  return (parts == 1 ? kernel.real : kernel.complex)[static_cast<std::size_t>(n)];
}

/// Matrices in lanes, with what they were loaded from.
template <class R>
struct LaneMatrices {
  LaneMatrices(Index count, Index size, unsigned seed) : items(count, size, seed), lanes(count * size) {
    kernels::lane_kernels<R>().load(items.data(), size, lanes.data, count / kernels::lane_kernels<R>().width);
  }
  Items<R> items;
  Lanes<R> lanes;
};

/// So many terms with coefficients 1/2, -3/4, 5/8 ...; one operand as it stands where there are none but `is_operand`.
template <class R>
struct Combination {
  Combination(int terms, R mu, bool is_operand, Index count, Index size, unsigned seed) {
    sum.terms = is_operand ? 1 : terms;
    sum.mu = mu;
    sum.is_operand = is_operand;
    for (int t = 0; t < sum.terms; ++t) {
      operands.push_back(std::make_unique<LaneMatrices<R>>(count, size, seed + static_cast<unsigned>(t)));
      sum.c[static_cast<std::size_t>(t)] =
          is_operand ? R(1) : std::ldexp(R(t % 2 == 0 ? 2 * t + 1 : -2 * t - 1), -1 - t);
      sum.x[static_cast<std::size_t>(t)] = operands.back()->lanes.data;
    }
  }
  /// Element (i, j) of lane l.
  std::complex<double> at(Index l, int i, int j, int n, int parts) const {
    std::complex<double> total = i == j ? double(sum.mu) : 0;
    for (int t = 0; t < sum.terms; ++t) {
      const R* const x = operands[static_cast<std::size_t>(t)]->items[l];
      const Index e = i + j * n;
      const auto number = parts == 1 ? std::complex<double>(double(x[e])) : std::complex<double>(entry(x, e));
      total += double(sum.c[static_cast<std::size_t>(t)]) * number;
    }
    return total;
  }
  kernels::LaneSum<R> sum;
  std::vector<std::unique_ptr<LaneMatrices<R>>> operands;
};

/// The greatest distance of lanes from what `expected(l, i, j)` says.
template <class R, class Expected>
double distance(const Lanes<R>& lanes, Index count, int n, int parts, Expected expected) {
  const Index size = n * n * parts;
  Items<R> result(count, size, 4);
  kernels::lane_kernels<R>().store(lanes.data, size, result.pointers.data(), count);
  double worst = 0;
  for (Index l = 0; l < count; ++l)
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        const Index e = i + j * n;
        const auto number =
            parts == 1 ? std::complex<double>(double(result[l][e])) : std::complex<double>(entry(result[l], e));
        worst = std::max(worst, std::abs(number - expected(l, i, j)));
      }
  return worst;
}

struct Terms {
  int left, right, addends;  // 0: an operand as it stands, or no addend
};
/// All that the schemes have, and one that they do not.
constexpr Terms kTerms[] = {{0, 0, 0}, {0, 2, 1}, {0, 2, 0}, {2, 3, 2}, {3, 2, 2},
                            {3, 3, 4}, {0, 3, 0}, {4, 3, 3}, {4, 3, 5}, {6, 4, 6}};

}  // namespace

TEST_CASE_TEMPLATE("products of sums in lanes agree with the definition, for every order and all terms there are", R,
                   float, double) {
  const double u = std::numeric_limits<R>::epsilon() / 2;
  on_each_target([&] {
    const Index blocks = 2, count = blocks * kernels::lane_kernels<R>().width;
    for (int n = 2; n <= kernels::kMaxLaneOrder; ++n)
      for (const int parts : {1, 2})
        for (const auto& [left, right, addends] : kTerms)
          for (const bool is_pair : {false, true}) {
            const Index size = n * n * parts;
            const R mu = R(0.375);
            const Combination<R> A(left, left > 0 ? mu : 0, left == 0, count, size, 1);
            const Combination<R> B(right, right > 0 ? mu : 0, right == 0, count, size, 11);
            const Combination<R> S(addends, addends > 0 ? mu : 0, false, count, size, 21);
            const LaneMatrices<R> A1(count, size, 31), B2(count, size, 32);
            Lanes<R> C(count * size), A_room(count * size), B_room(count * size);
            if (is_pair)
              order_of<R>(n, parts).product_pair(A1.lanes.data, B.sum, A.sum, B2.lanes.data, S.sum, C.data, blocks);
            else
              order_of<R>(n, parts).product(A.sum, B.sum, S.sum, C.data, A_room.data, B_room.data, blocks);
            const auto number = [&](const LaneMatrices<R>& X, Index l, int i, int j) {
              const Index e = i + j * n;
              return parts == 1 ? std::complex<double>(double(X.items[l][e]))
                                : std::complex<double>(entry(X.items[l], e));
            };
            const double worst = distance(C, count, n, parts, [&](Index l, int i, int j) {
              std::complex<double> sum = S.at(l, i, j, n, parts);
              for (int k = 0; k < n; ++k) {
                if (is_pair)
                  sum += number(A1, l, i, k) * B.at(l, k, j, n, parts) + A.at(l, i, k, n, parts) * number(B2, l, k, j);
                else
                  sum += A.at(l, i, k, n, parts) * B.at(l, k, j, n, parts);
              }
              return sum;
            });
            CAPTURE(n);
            CAPTURE(parts);
            CAPTURE(right);
            CAPTURE(addends);
            CAPTURE(is_pair);
            // Sums are at most 6, elements of the products at most 3; three roundings a term and product.
            CHECK(worst <= 60 * (n + 6) * u);
            if (is_pair) continue;
            const auto as = [&](const Combination<R>& X) {
              return [&, n, parts](Index l, int i, int j) { return X.at(l, i, j, n, parts); };
            };
            if (left > 0) CHECK(distance(A_room, count, n, parts, as(A)) <= 20 * u);
            if (right > 0) CHECK(distance(B_room, count, n, parts, as(B)) <= 20 * u);
          }
  });
}

TEST_CASE_TEMPLATE("a lane's bits do not depend on the lanes beside it, nor on the number of blocks", R, float,
                   double) {
  on_each_target([] {
    const auto& kernel = kernels::lane_kernels<R>();
    const Index W = kernel.width;
    for (int n = 2; n <= kernels::kMaxLaneOrder; ++n) {
      const Index size = n * n;
      const Items<R> A(4 * W, size, 5);
      const auto square_of_first = [&](Index blocks, Index lane) {
        std::vector<const R*> pointers;
        for (Index l = 0; l < blocks * W; ++l) pointers.push_back(l == lane ? A[0] : A[l]);
        Lanes<R> a(blocks * W * size), c(blocks * W * size), b(blocks * W * size);
        kernel.load(pointers.data(), size, a.data, blocks);
        kernels::LaneSum<R> operand, sum;
        operand.terms = 1;
        operand.is_operand = true;
        operand.c[0] = 1;
        operand.x[0] = a.data;
        sum = operand;
        sum.terms = 2;
        sum.is_operand = false;
        sum.c[1] = R(0.3);
        sum.x[1] = a.data;
        order_of<R>(n, 1).product(operand, sum, sum, c.data, nullptr, b.data, blocks);
        Items<R> result(blocks * W, size, 6);
        kernel.store(c.data, size, result.pointers.data(), blocks * W);
        return std::vector<R>(result[lane], result[lane] + size);
      };
      const auto alone = square_of_first(1, 0);
      CHECK(square_of_first(1, W - 1) == alone);
      CHECK(square_of_first(4, 2 * W + 1) == alone);
    }
  });
}

TEST_CASE_TEMPLATE("norms of lanes are the sums of moduli, and not finite where an entry is not", R, float, double) {
  const double u = std::numeric_limits<R>::epsilon() / 2;
  on_each_target([&] {
    const auto& kernel = kernels::lane_kernels<R>();
    const Index blocks = 2, lanes = blocks * kernel.width;
    for (int n = 2; n <= kernels::kMaxLaneOrder; ++n)
      for (const int parts : {1, 2})
        for (const R bad : {R(0), std::numeric_limits<R>::quiet_NaN(), std::numeric_limits<R>::infinity()}) {
          const Index size = n * n * parts;
          Items<R> A(lanes, size, 7);
          const Index bad_lane = lanes - 2;
          if (bad != 0) A.numbers[static_cast<std::size_t>(bad_lane * size + size / 2)] = bad;
          Lanes<R> a(lanes * size);
          kernel.load(A.data(), size, a.data, blocks);
          Lanes<R> one(lanes), infinity(lanes), flags(lanes);
          order_of<R>(n, parts).norms(a.data, blocks, one.data, infinity.data);
          const bool any = kernel.extreme(a.data, size, blocks, 0, std::numeric_limits<R>::max(), flags.data);
          CHECK(any == (bad != 0));
          bool right = true;
          for (Index l = 0; l < lanes; ++l) {
            if (bad != 0 && l == bad_lane) {
              right = right && std::isnan(one.data[l]) && std::isnan(infinity.data[l]) && flags.data[l] == 1;
              continue;
            }
            double columns = 0, rows = 0;
            for (int j = 0; j < n; ++j) {
              double column = 0, row = 0;
              for (int i = 0; i < n; ++i) {
                const auto modulus = [&](Index e) {
                  return parts == 1 ? std::abs(double(A[l][e])) : std::abs(std::complex<double>(entry(A[l], e)));
                };
                column += modulus(i + j * n);
                row += modulus(j + i * n);
              }
              columns = std::max(columns, column);
              rows = std::max(rows, row);
            }
            right = right && std::abs(one.data[l] - columns) <= 2 * n * u * columns &&
                    std::abs(infinity.data[l] - rows) <= 2 * n * u * rows && flags.data[l] == 0;
          }
          CHECK(right);
        }
  });
}

TEST_CASE_TEMPLATE("a lane is extreme where its sum of moduli lies outside, unless it is 0", R, float, double) {
  on_each_target([] {
    const auto& kernel = kernels::lane_kernels<R>();
    const Index W = kernel.width, size = 4;
    Lanes<R> x(W * size), flags(W);
    for (Index l = 0; l < W; ++l)
      for (Index e = 0; e < size; ++e) x.data[e * W + l] = l == 0 ? R(0) : R(-1);
    CHECK_FALSE(kernel.extreme(x.data, size, 1, R(4), R(4), flags.data));
    x.data[W + 1] = R(-0.5);
    CHECK(kernel.extreme(x.data, size, 1, R(4), R(4), flags.data));
    CHECK(flags.data[0] == 0);
    CHECK(flags.data[1] == 1);
    x.data[W + 1] = R(-1.5);
    CHECK(kernel.extreme(x.data, size, 1, R(4), R(4), flags.data));
    CHECK(flags.data[1] == 1);
  });
}

TEST_CASE_TEMPLATE("the lesser triangle is 0 for triangular lanes alone", R, float, double) {
  on_each_target([] {
    const Index W = kernels::lane_kernels<R>().width;
    for (const int n : {2, 3, 8})
      for (const int parts : {1, 2}) {
        LaneMatrices<R> A(W, n * n * parts, 3);
        const auto clear = [&](Index l, bool below) {
          for (int j = 0; j < n; ++j)
            for (int i = 0; i < j; ++i)
              for (int p = 0; p < parts; ++p) A.lanes.data[((below ? j + i * n : i + j * n) * parts + p) * W + l] = 0;
        };
        clear(0, true);
        clear(1, false);
        Lanes<R> sums(W);
        order_of<R>(n, parts).lesser_triangle(A.lanes.data, 1, sums.data);
        for (Index l = 0; l < W; ++l) CHECK((sums.data[l] == 0) == (l < 2));
      }
  });
}

TEST_CASE_TEMPLATE("linear combinations of one to six terms", R, float, double) {
  const double u = std::numeric_limits<R>::epsilon() / 2;
  on_each_target([&] {
    const auto& kernel = kernels::lane_kernels<R>();
    const Index blocks = 3, count = blocks * kernel.width;
    for (const int n : {2, 5})
      for (const int parts : {1, 2})
        for (int terms = 1; terms <= 6; ++terms) {
          const Index size = n * n * parts;
          const Combination<R> S(terms, 0, false, count, size, 40);
          Lanes<R> Y(count * size);
          kernel.combine(S.sum, Y.data, count * size);
          CHECK(distance(Y, count, n, parts, [&](Index l, int i, int j) { return S.at(l, i, j, n, parts); }) <=
                4 * terms * u);
        }
  });
}

TEST_CASE("targets have names, the last runs everywhere, and one that is not there is refused") {
  CHECK(kernels::targets().back().supported());
  CHECK_FALSE(kernels::use_target("no such target"));
  CHECK(kernels::target().supported());
}

}  // namespace matfun::test
