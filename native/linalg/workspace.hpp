#pragma once

#include <cassert>
#include <cstddef>
#include <new>

#include "linalg/view.hpp"

namespace matfun {

/// Matrices begin on cache lines (64 bytes on every target), and two lines further on than the next multiple would
/// have it: at n = 32 or 64 the matrices of one evaluation would otherwise all begin at the same address modulo
/// 4096, and loads would wait for stores to the same place in another matrix.
inline constexpr std::size_t kCacheLine_bytes = 64;
inline constexpr std::size_t kStagger_bytes = 2 * kCacheLine_bytes;

/// The room that one matrix (or stack) of rows x columns takes in a Workspace.
template <class T>
constexpr std::size_t matrix_bytes(Index rows, Index columns) {
  const auto bytes = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) * sizeof(T);
  return (bytes + kCacheLine_bytes - 1) / kCacheLine_bytes * kCacheLine_bytes + kStagger_bytes;
}

/// One aligned arena, for one thread. What is taken from it lives until `reset`; nothing is ever returned singly.
/// Not initialized: whoever takes a matrix writes it before reading it.
class Workspace {
 public:
  /// Throws std::bad_alloc where there is no room.
  explicit Workspace(std::size_t bytes)
      : begin_(static_cast<std::byte*>(::operator new(bytes, std::align_val_t{kCacheLine_bytes}))),
        capacity_bytes_(bytes) {}
  ~Workspace() { ::operator delete(begin_, std::align_val_t{kCacheLine_bytes}); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  template <class T>
  View<T> take(Index rows, Index columns) {
    T* data = reinterpret_cast<T*>(begin_ + used_bytes_);
    used_bytes_ += matrix_bytes<T>(rows, columns);
    assert(used_bytes_ <= capacity_bytes_);
    return {data, rows, columns, rows};
  }

  void reset() { used_bytes_ = 0; }
  /// Gives back all that was taken since used_bytes() was `mark`.
  void rewind(std::size_t mark) {
    assert(mark <= used_bytes_);
    used_bytes_ = mark;
  }
  std::size_t used_bytes() const { return used_bytes_; }
  std::size_t capacity_bytes() const { return capacity_bytes_; }

 private:
  std::byte* begin_;
  std::size_t capacity_bytes_;
  std::size_t used_bytes_ = 0;
};

}  // namespace matfun
