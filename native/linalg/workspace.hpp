#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include "linalg/team.hpp"
#include "linalg/view.hpp"

namespace matfun {

/// Matrices begin on cache lines (64 bytes on every target), and two lines further on than the next multiple would
/// have it: at n = 32 or 64 the matrices of one evaluation would otherwise all begin at the same address modulo
/// 4096, and loads would wait for stores to the same place in another matrix.
inline constexpr std::size_t kCacheLine_bytes = 64;
inline constexpr std::size_t kStagger_bytes = 2 * kCacheLine_bytes;

/// The leading dimension of a matrix of so many rows in a Workspace: its columns begin on cache lines, and not at the same address
/// modulo 2048, where few of them would fit a cache at once.
template <class T>
constexpr Index padded_ld(Index rows) {
  constexpr auto kLine = static_cast<Index>(kCacheLine_bytes / sizeof(T));
  const Index ld = (rows + kLine - 1) / kLine * kLine;
  return ld > 0 && ld * static_cast<Index>(sizeof(T)) % 2048 == 0 ? ld + kLine : ld;
}

/// True where a matrix's columns are whole cache lines, so that kernels may work on it by whole registers.
template <class T>
bool is_padded(const View<T>& A) {
  return A.ld * static_cast<Index>(sizeof(T)) % static_cast<Index>(kCacheLine_bytes) == 0;
}

/// Zeros in A's padding, if it has any. Whatever kernels make of padded matrices then has zeros there too, where else it could be
/// slow with denormal numbers.
template <class T>
void clear_padding(View<T> A) {
  if (A.ld == A.rows) return;
  for (Index j = 0; j < A.columns; ++j)
    for (T* x = A.column(j) + A.rows; x < A.column(j) + A.ld; ++x) *x = T(0);
}

/// True where there is nothing but zeros in A's padding.
template <class T>
bool has_clear_padding(const View<T>& A) {
  for (Index j = 0; j < A.columns; ++j)
    for (const auto* x = A.column(j) + A.rows; x < A.column(j) + A.ld; ++x)
      if (*x != std::remove_const_t<T>(0)) return false;
  return true;
}

/// The room that one matrix (or stack) of rows x columns takes in a Workspace.
template <class T>
constexpr std::size_t matrix_bytes(Index rows, Index columns) {
  return static_cast<std::size_t>(padded_ld<T>(rows)) * static_cast<std::size_t>(columns) * sizeof(T) + kStagger_bytes;
}

/// What one evaluation works with: one aligned arena, for one thread, and those that help it, if any. What is taken from it lives until `reset`; nothing is ever returned singly.
/// Not initialized: whoever takes a matrix writes its rows before reading them. Kernels read and write the padding below them
/// too, whatever it is; who decides anything by whole columns has it cleared (clear_padding).
class Workspace {
 public:
  /// Throws std::bad_alloc where there is no room.
  explicit Workspace(std::size_t bytes)
      : block_(static_cast<std::byte*>(::operator new(bytes + kCacheLine_bytes))),
        begin_(aligned(block_)),
        capacity_bytes_(bytes) {}
  ~Workspace() { ::operator delete(block_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  template <class T>
  View<T> take(Index rows, Index columns) {
    const View<T> A{reinterpret_cast<T*>(begin_ + used_bytes_), rows, columns, padded_ld<T>(rows)};
    used_bytes_ += matrix_bytes<T>(rows, columns);
    assert(used_bytes_ <= capacity_bytes_);
    return A;
  }

  void reset() { used_bytes_ = 0; }
  /// Gives back all that was taken since used_bytes() was `mark`.
  void rewind(std::size_t mark) {
    assert(mark <= used_bytes_);
    used_bytes_ = mark;
  }
  std::size_t used_bytes() const { return used_bytes_; }

  void* memory() const { return begin_; }

  Team* team() const { return team_; }
  /// Until it is told otherwise.
  void set_team(Team* team) { team_ = team; }
  std::size_t capacity_bytes() const { return capacity_bytes_; }

 private:
  /// Not by aligned operator new: glibc before 2.38 hardly uses again what was freed of it, so that a loop of linearizations grew by
  /// 0.2 MB for each of 0.25 MB, though they were freed.
  static std::byte* aligned(std::byte* block) {
    const auto beyond = reinterpret_cast<std::uintptr_t>(block) % kCacheLine_bytes;
    return block + (kCacheLine_bytes - beyond) % kCacheLine_bytes;
  }

  std::byte* block_;
  std::byte* begin_;
  std::size_t capacity_bytes_;
  std::size_t used_bytes_ = 0;
  Team* team_ = nullptr;
};

}  // namespace matfun
