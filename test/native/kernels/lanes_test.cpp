#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernels.hpp"

namespace matfun::test {
namespace {

/// Every target that this machine has, in use while `body` runs.
template <class Body>
void on_each_target(Body body) {
  const std::string before = kernels::target().name;
  for (const kernels::Target& target : kernels::targets())
    if (kernels::use_target(target.name)) {
      INFO("target ", target.name);
      body();
    }
  kernels::use_target(before.c_str());
}

template <class R>
std::vector<R> random_numbers(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<R> numbers(count);
  for (R& x : numbers) x = static_cast<R>(static_cast<double>(generator()) / 4294967296.0 - 0.5);
  return numbers;
}

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

/// Registers want aligned memory.
template <class R>
struct Lanes {
  explicit Lanes(Index count)
      : data(static_cast<R*>(::operator new(static_cast<std::size_t>(count) * sizeof(R), std::align_val_t{64}))) {
    std::fill_n(data, count, std::numeric_limits<R>::quiet_NaN());
  }
  ~Lanes() { ::operator delete(data, std::align_val_t{64}); }
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;
  R* data;
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

TEST_CASE_TEMPLATE("products in lanes agree with the definition, real and complex, for every order", R, float, double) {
  const double u = std::numeric_limits<R>::epsilon() / 2;
  on_each_target([&] {
    const auto& kernel = kernels::lane_kernels<R>();
    const Index blocks = 2, lanes = blocks * kernel.width;
    for (int n = 2; n <= kernels::kMaxLaneOrder; ++n)
      for (const int parts : {1, 2})
        for (const bool add : {false, true}) {
          const Index size = n * n * parts;
          const Items<R> A(lanes, size, 1), B(lanes, size, 2), C(lanes, size, 3);
          Lanes<R> a(lanes * size), b(lanes * size), c(lanes * size);
          kernel.load(A.data(), size, a.data, blocks);
          kernel.load(B.data(), size, b.data, blocks);
          if (add) kernel.load(C.data(), size, c.data, blocks);
          const auto order = static_cast<std::size_t>(n);
          const auto& products = parts == 1 ? (add ? kernel.multiply_add : kernel.multiply)
                                            : (add ? kernel.complex_multiply_add : kernel.complex_multiply);
          products[order](a.data, b.data, c.data, blocks);
          Items<R> result(lanes, size, 4);
          kernel.store(c.data, size, result.pointers.data(), lanes);
          double worst = 0;
          for (Index l = 0; l < lanes; ++l)
            for (int j = 0; j < n; ++j)
              for (int i = 0; i < n; ++i) {
                const auto number = [&](const Items<R>& X, int e) -> std::complex<double> {
                  return parts == 1 ? std::complex<double>(X[l][e]) : std::complex<double>(entry(X[l], e));
                };
                std::complex<double> sum = add ? number(C, i + j * n) : 0;
                for (int k = 0; k < n; ++k) sum += number(A, i + k * n) * number(B, k + j * n);
                worst = std::max(worst, std::abs(number(result, i + j * n) - sum));
              }
          CAPTURE(n);
          CAPTURE(parts);
          // |A| |B| is at most n / 2 elementwise.
          CHECK(worst <= 4 * (n + 2) * u * n / 2 + 4 * u);
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
        Lanes<R> a(blocks * W * size), c(blocks * W * size);
        kernel.load(pointers.data(), size, a.data, blocks);
        kernel.multiply[static_cast<std::size_t>(n)](a.data, a.data, c.data, blocks);
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
          Lanes<R> one(lanes), infinity(lanes), norm(lanes);
          (parts == 1 ? kernel.norms : kernel.complex_norms)[static_cast<std::size_t>(n)](a.data, blocks, one.data,
                                                                                          infinity.data, norm.data);
          Lanes<R> probe(lanes);
          kernel.probe(a.data, size, blocks, probe.data);
          bool right = true;
          for (Index l = 0; l < lanes; ++l) {
            if (bad != 0 && l == bad_lane) {
              right = right && std::isnan(one.data[l]) && std::isnan(infinity.data[l]) && std::isnan(norm.data[l]) &&
                      std::isnan(probe.data[l]);
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
                    std::abs(infinity.data[l] - rows) <= 2 * n * u * rows &&
                    norm.data[l] == std::min(one.data[l], infinity.data[l]) && probe.data[l] == 0;
          }
          CHECK(right);
        }
  });
}

TEST_CASE_TEMPLATE("linear combinations of one to six terms, in place too", R, float, double) {
  const double u = std::numeric_limits<R>::epsilon() / 2;
  on_each_target([&] {
    const auto& kernel = kernels::lane_kernels<R>();
    const Index length = 5 * kernel.width;
    const auto c = random_numbers<R>(6, 8);
    const auto numbers = random_numbers<R>(static_cast<std::size_t>(6 * length), 9);
    for (int terms = 1; terms <= 6; ++terms) {
      Lanes<R> x(6 * length);
      std::copy(numbers.begin(), numbers.end(), x.data);
      std::vector<const R*> from;
      for (int t = 0; t < terms; ++t) from.push_back(x.data + t * length);
      kernel.combine(c.data(), from.data(), terms, x.data, length);
      double worst = 0;
      for (Index k = 0; k < length; ++k) {
        double sum = 0;
        for (int t = 0; t < terms; ++t)
          sum += double(c[static_cast<std::size_t>(t)]) * double(numbers[static_cast<std::size_t>(t * length + k)]);
        worst = std::max(worst, std::abs(sum - double(x.data[k])));
      }
      CHECK(worst <= 4 * terms * u);
    }
  });
}

TEST_CASE("targets have names, the last runs everywhere, and one that is not there is refused") {
  CHECK(kernels::targets().back().supported());
  CHECK_FALSE(kernels::use_target("no such target"));
  CHECK(kernels::target().supported());
}

}  // namespace matfun::test
