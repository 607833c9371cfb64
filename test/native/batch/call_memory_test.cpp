#include "batch/call_memory.hpp"

#include <doctest/doctest.h>

#include "batch/allocation.hpp"

namespace matfun::test {

TEST_CASE("a workspace of 512 MB is kept for the thread's next call, and a larger one goes with its own") {
  constexpr std::size_t kKept_bytes = std::size_t(1) << 29;
  CallMemory().provide(0);
  const long blocks = allocation::live_blocks();
  void* const kept = CallMemory().provide(kKept_bytes).memory();
  CHECK(CallMemory().provide(1).memory() == kept);
  {
    CallMemory memory;
    const Workspace& once = memory.provide(kKept_bytes + 1);
    CHECK(once.memory() != kept);
    CHECK(once.capacity_bytes() == kKept_bytes + 1);
    CHECK(allocation::live_blocks() == blocks + 1);
  }
  CHECK(allocation::live_blocks() == blocks);
}

}  // namespace matfun::test
