#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <vector>

#include "kernels/targets.hpp"

namespace matfun::test {
namespace {

/// Items of `size` numbers one after the other.
template <class R>
struct Items {
  Items(Index count, Index size_of_each, unsigned seed)
      : size(size_of_each), numbers(random_numbers<R>(static_cast<std::size_t>(count * size), seed)) {}
  const R* operator[](Index l) const { return numbers.data() + l * size; }
  const R* data() const { return numbers.data(); }
  R* data() { return numbers.data(); }
  Index size;
  std::vector<R> numbers;
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
      for (const Index gap : {0, 5})  // numbers between an item and the next
        for (Index size = 4; size <= 128; ++size) {
          const Index lanes = blocks * kernel.width, stride = size + gap;
          const Items<R> items(lanes, stride, static_cast<unsigned>(size));
          // Not in the order in which they lie.
          auto places = places_up_to(lanes);
          std::ranges::reverse(places);
          const auto item = [&](const Items<R>& all, Index l) { return all[places[static_cast<std::size_t>(l)]]; };
          Lanes<R> loaded(lanes * size);
          kernel.load(items.data(), stride, size, places.data(), loaded.data, blocks);
          bool right = true;
          for (Index l = 0; l < lanes; ++l)
            for (Index e = 0; e < size; ++e)
              right = right &&
                      loaded.data[(l / kernel.width * size + e) * kernel.width + l % kernel.width] == item(items, l)[e];
          CHECK(right);
          for (const Index count : {Index(1), kernel.width - 1, lanes}) {
            Items<R> back(lanes, stride, 1);
            const Items<R> untouched = back;
            kernel.store(loaded.data, size, back.data(), stride, places.data(), count);
            for (Index l = 0; l < lanes; ++l) {
              right = right && std::equal(item(back, l), item(back, l) + size, item(l < count ? items : untouched, l));
              right = right && std::equal(item(back, l) + size, item(back, l) + stride, item(untouched, l) + size);
            }
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
    kernels::lane_kernels<R>().load(items.data(), size, size, places_up_to(count).data(), lanes.data,
                                    count / kernels::lane_kernels<R>().width);
  }
  Items<R> items;
  Lanes<R> lanes;
};

/// The greatest distance of lanes from what `expected(l, i, j)` says.
template <class R, class Expected>
double distance(const Lanes<R>& lanes, Index count, int n, int parts, Expected expected) {
  const Index size = n * n * parts;
  Items<R> result(count, size, 4);
  kernels::lane_kernels<R>().store(lanes.data, size, result.data(), size, places_up_to(count).data(), count);
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

}  // namespace

TEST_CASE_TEMPLATE("squares in lanes agree with the definition, for every order", R, float, double) {
  const double u = std::numeric_limits<R>::epsilon() / 2;
  on_each_target([&] {
    const Index blocks = 2, count = blocks * kernels::lane_kernels<R>().width;
    for (int n = 2; n <= kernels::kMaxLaneOrder; ++n)
      for (const int parts : {1, 2}) {
        const Index size = n * n * parts;
        const LaneMatrices<R> A(count, size, 31);
        Lanes<R> C(count * size);
        order_of<R>(n, parts).square(A.lanes.data, C.data, blocks);
        const auto number = [&](Index l, int i, int j) {
          const Index e = i + j * n;
          return parts == 1 ? std::complex<double>(double(A.items[l][e])) : std::complex<double>(entry(A.items[l], e));
        };
        const double worst = distance(C, count, n, parts, [&](Index l, int i, int j) {
          std::complex<double> sum = 0;
          for (int k = 0; k < n; ++k) sum += number(l, i, k) * number(l, k, j);
          return sum;
        });
        CAPTURE(n);
        CAPTURE(parts);
        CHECK(worst <= 3 * n * u * 0.5);  // entries are at most 1/2 in each part
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
        auto places = places_up_to(blocks * W);
        places[static_cast<std::size_t>(lane)] = 0;
        Lanes<R> a(blocks * W * size), c(blocks * W * size);
        kernel.load(A.data(), size, size, places.data(), a.data, blocks);
        order_of<R>(n, 1).square(a.data, c.data, blocks);
        Items<R> result(blocks * W, size, 6);
        kernel.store(c.data, size, result.data(), size, places_up_to(blocks * W).data(), blocks * W);
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
          kernel.load(A.data(), size, size, places_up_to(lanes).data(), a.data, blocks);
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

TEST_CASE("targets have names, the last runs everywhere, and one that is not there is refused") {
  CHECK(kernels::targets().back().supported());
  CHECK_FALSE(kernels::use_target("no such target"));
  CHECK(kernels::target().supported());
}

}  // namespace matfun::test
