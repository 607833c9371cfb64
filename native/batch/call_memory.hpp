#pragma once

#include "batch/thread_pool.hpp"

namespace matfun {

/// What a call works in that its own thread does alone.
class CallMemory {
 public:
  /// An empty workspace of at least so many bytes, good until the thread's next call. Throws std::bad_alloc.
  Workspace& provide(std::size_t bytes) {
    thread_local ThreadMemory kept;
    return (bytes <= kKept_bytes ? kept : once_).provide(bytes);
  }

 private:
  /// Workspaces up to this are kept for the thread's next call: for a tiny matrix, getting one takes longer than all else, and for a
  /// larger one the first touch of its pages may take several times as long as its products (order 512: 48 ms beside 13; beside other
  /// processes, a value and its JVP took 80 ms instead of 30). Less than half of them is touched as a rule. Orders up to 512
  /// with one direction take 153 MB, values up to 1024 363 MB.
  static constexpr std::size_t kKept_bytes = std::size_t(1) << 29;

  ThreadMemory once_;
};

}  // namespace matfun
