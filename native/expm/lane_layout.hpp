#pragma once

#include <bit>
#include <cmath>

#include "kernels/kernels.hpp"
#include "linalg/workspace.hpp"

namespace matfun {

/// So many matrices are in lanes together at most.
inline constexpr Index kMostLanes = 64;

/// How matrices of one small order lie, each in its own SIMD lane (kernels.hpp), in so many blocks. A matrix of lanes is a view
/// of W rows, or 2 W where T is complex, and a column for each element of each block.
template <class T>
class LaneLayout {
 public:
  using R = Real<T>;
  static constexpr int kParts = kIsComplex<T> ? 2 : 1;

  LaneLayout(Index n, Index blocks)
      : kernels_(&kernels::lane_kernels<R>()),
        order_(&(kIsComplex<T> ? kernels_->complex : kernels_->real)[static_cast<std::size_t>(n)]),
        n_(n),
        blocks_(blocks),
        width_(kernels_->width),
        width_bits_(std::countr_zero(static_cast<unsigned>(width_))) {}

  Index blocks() const { return blocks_; }
  Index lanes() const { return blocks_ * width_; }
  /// Numbers of a matrix.
  Index numbers() const { return n_ * n_ * kParts; }
  const kernels::LaneKernels<R>& kernels() const { return *kernels_; }
  const kernels::LaneOrder<R>& order() const { return *order_; }

  /// `count` matrices, not initialized.
  View<R> take(Workspace& work, Index count) const {
    const Index columns = n_ * n_ * blocks_ * count;
    return {work.take<R>(run() * columns, 1).data, run(), columns, run()};
  }
  /// Room for an element of each lane.
  R* take_element(Workspace& work) const { return work.take<R>(run() * blocks_, 1).data; }
  /// The k-th of several matrices.
  template <class U>
  View<U> matrix(View<U> stack, Index k) const {
    return {stack.column(k * n_ * n_ * blocks_), stack.rows, n_ * n_ * blocks_, stack.ld};
  }

  /// The element of lane l, of one element a lane.
  T at(const R* x, Index l) const {
    const R* const here = x + place(l);
    if constexpr (kIsComplex<T>)
      return {here[0], here[width_]};
    else
      return *here;
  }
  void put(R* x, Index l, T value) const {
    R* const here = x + place(l);
    here[0] = std::real(value);
    if constexpr (kIsComplex<T>) here[width_] = std::imag(value);
  }

 private:
  /// Numbers that an element takes in one block.
  Index run() const { return kParts * width_; }
  Index place(Index l) const { return (l >> width_bits_) * run() + (l & (width_ - 1)); }

  const kernels::LaneKernels<R>* kernels_;
  const kernels::LaneOrder<R>* order_;
  Index n_, blocks_;
  Index width_;  // a power of two
  int width_bits_;
};

}  // namespace matfun
