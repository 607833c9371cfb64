#include "linalg/workspace.hpp"

#include <doctest/doctest.h>

#include <cstdint>

#include "linalg/blas.hpp"

namespace matfun::test {

TEST_CASE("matrices begin on cache lines and do not overlap") {
  Workspace work(3 * matrix_bytes<double>(5, 5));
  const auto A = work.take<double>(5, 5), B = work.take<double>(5, 5), C = work.take<double>(5, 5);
  for (const auto& X : {A, B, C}) CHECK(reinterpret_cast<std::uintptr_t>(X.data) % kCacheLine_bytes == 0);
  CHECK(!overlap(A, B));
  CHECK(!overlap(B, C));
  CHECK(overlap(A, A));
  CHECK(work.used_bytes() == work.capacity_bytes());
}

TEST_CASE("matrices of a page's size do not begin at the same place in their pages") {
  Workspace work(8 * matrix_bytes<double>(64, 64));
  const auto page = [](View<double> X) { return reinterpret_cast<std::uintptr_t>(X.data) % 4096; };
  const auto first = page(work.take<double>(64, 64));
  for (int k = 1; k < 8; ++k) {
    const auto next = page(work.take<double>(64, 64));
    CHECK((next + 4096 - first) % 4096 >= kCacheLine_bytes);
  }
}

TEST_CASE("reset gives the same memory again") {
  Workspace work(matrix_bytes<double>(3, 3));
  double* first = work.take<double>(3, 3).data;
  work.reset();
  CHECK(work.take<double>(3, 3).data == first);
}

}  // namespace matfun::test
