#pragma once

#include <cstddef>

namespace matfun::test {

/// What the test program's `operator new` and starting of threads do. Of all threads.
namespace allocation {

/// Which of the allocations from now on fail.
struct Failing {
  long first;      ///< 1 for the next
  bool all_after;  ///< or only that
};
void fail(Failing failing);
/// Those that are larger than this.
void fail_above(std::size_t bytes);
/// None fails any more. How many there were since the last `fail`.
long succeed();

/// Blocks that were allocated and not freed.
long live_blocks();

/// Starting of threads fails, or does so no more.
void fail_threads(bool fails);
/// Getting memory in pages fails, or does so no more; of what is linked into the test program, OpenBLAS not included.
void fail_pages(bool fails);

}  // namespace allocation
}  // namespace matfun::test
