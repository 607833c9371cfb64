#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <new>
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

}  // namespace matfun::test
