#pragma once

#include <cstddef>
#include <cstdint>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace matfun {

/// Advises that memory which is going to be written, most of it, be got in huge pages, if it is large: the first touch of
/// ordinary ones takes several times as long as writing them. Only whole huge pages within it are, so that it takes no more
/// memory. Advice alone: without effect on contents, and wherever the system has none or does not want to.
inline void advise_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr std::uintptr_t kPage_bytes = std::uintptr_t(1) << 21;  // of x86-64, and of arm64 with pages of 4 KB
  constexpr std::size_t kWorthwhile_bytes = std::size_t(1) << 23;
  if (bytes < kWorthwhile_bytes) return;
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = (address + kPage_bytes - 1) / kPage_bytes * kPage_bytes;
  const std::uintptr_t end = (address + bytes) / kPage_bytes * kPage_bytes;
  static_cast<void>(madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE));
#endif
}

}  // namespace matfun
