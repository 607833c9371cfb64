#pragma once

#include <atomic>
#include <cstddef>
#include <new>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

namespace matfun::blas {

/// OpenBLAS takes a buffer of 128 MB of addresses for each call at a time, and keeps it for later ones. Where it gets none, it asks
/// for ever (0.3.21, measured) or ends the process (https://github.com/OpenMathLib/OpenBLAS/pull/5303). So who makes one call more
/// at a time than there have been asks first whether there is room for what OpenBLAS will take. Another thread of the process can take
/// that room in between: this makes the hang unlikely, not impossible.
class Room {
 public:
  /// Throws std::bad_alloc where there is none.
  Room() : callers_(calls.fetch_add(1, std::memory_order_relaxed) + 1) {
    const int had = most_calls.load(std::memory_order_relaxed);
    if (callers_ <= had || is_room(static_cast<std::size_t>(callers_ - had))) return;
    calls.fetch_sub(1, std::memory_order_relaxed);
    throw std::bad_alloc();
  }
  ~Room() {
    int had = most_calls.load(std::memory_order_relaxed);
    while (had < callers_ && !most_calls.compare_exchange_weak(had, callers_, std::memory_order_relaxed)) {
    }
    calls.fetch_sub(1, std::memory_order_relaxed);
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

 private:
  static constexpr std::size_t kBuffer_bytes = (std::size_t(1) << 27) + (std::size_t(1) << 16);

  /// Others that were let in before may not have taken theirs yet.
  static bool is_room([[maybe_unused]] std::size_t buffers) {
#ifdef MAP_ANONYMOUS
    void* const memory =
        mmap(nullptr, buffers * kBuffer_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED && munmap(memory, buffers * kBuffer_bytes) == 0;
#else
    return true;
#endif
  }

  static inline std::atomic<int> calls = 0;       ///< at this moment
  static inline std::atomic<int> most_calls = 0;  ///< that there have been at a time

  int callers_;
};

}  // namespace matfun::blas
