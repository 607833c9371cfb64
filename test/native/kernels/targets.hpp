#pragma once

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernels.hpp"

namespace matfun::test {

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

/// 0, 1 ... count - 1.
inline std::vector<kernels::Place> places_up_to(Index count) {
  std::vector<kernels::Place> places(static_cast<std::size_t>(count));
  std::iota(places.begin(), places.end(), kernels::Place(0));
  return places;
}

/// Numbers that end where a page begins that nobody may touch, so that a kernel that goes beyond them ends the process.
template <class R>
struct Lanes {
  explicit Lanes(Index count) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)),
               bytes = static_cast<std::size_t>(count) * sizeof(R);
    const std::size_t inside = (bytes + page - 1) / page * page;
    mapped_ = inside + page;
    void* const memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    begin_ = static_cast<std::byte*>(memory);
    REQUIRE(mprotect(begin_ + inside, page, PROT_NONE) == 0);
    data = reinterpret_cast<R*>(begin_ + inside - bytes);
    std::fill_n(data, count, std::numeric_limits<R>::quiet_NaN());
  }
  ~Lanes() { munmap(begin_, mapped_); }
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;
  R* data;

 private:
  std::byte* begin_;
  std::size_t mapped_;
};

}  // namespace matfun::test
