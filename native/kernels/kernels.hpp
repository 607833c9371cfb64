#pragma once

#include <array>
#include <span>

#include "linalg/scalar.hpp"

/// Loops over plain data, compiled once for each instruction set and chosen when the library is loaded.
///
/// **Lanes.** Matrices of order n are worked on together, one in each lane of a SIMD register of W numbers, in blocks of W:
/// block by block, and in each the elements (i, j) at (i + j n) W, W numbers each, one a matrix. Where they are complex, W real
/// parts and then W imaginary parts, at (i + j n) 2 W. W is the target's (LaneKernels::width), so that all offsets in a block
/// are known when a kernel is compiled.
namespace matfun::kernels {

/// The greatest order that has lane kernels, and the greatest number of terms of a linear combination.
inline constexpr int kMaxLaneOrder = 8;
inline constexpr int kMaxTerms = 6;

/// C = A B, or C = C + A B, for each lane; C must not be A or B. Each element is one chain of fused multiply-adds, k rising, as far
/// as the target has them: the same bits in every lane.
template <class R>
using LaneProduct = void (*)(const R* A, const R* B, R* C, Index blocks);

/// See LaneKernels::norms.
template <class R>
using LaneNorms = void (*)(const R* A, Index blocks, R* one, R* infinity, R* smaller);

/// See LaneKernels::sizes.
template <class R>
using LaneSizes = void (*)(const R* X, Index blocks, R* sizes);

/// What one target has for real numbers R.
template <class R>
struct LaneKernels {
  Index width;                                                                           ///< W
  std::array<LaneProduct<R>, kMaxLaneOrder + 1> multiply, multiply_add;                  ///< by order, real
  std::array<LaneProduct<R>, kMaxLaneOrder + 1> complex_multiply, complex_multiply_add;  ///< by order, complex
  /// y = sum c[t] x[t] over `length` numbers, a multiple of W; y may be one of the x.
  void (*combine)(const R* c, const R* const* x, int terms, R* y, Index length);
  /// |A|_1 and |A|_inf of each lane, and the smaller of them, one number each, by order. NaN where a lane's entries, or all
  /// their sums together, are not finite.
  std::array<LaneNorms<R>, kMaxLaneOrder + 1> norms, complex_norms;
  /// probe = 0 for each lane whose `elements` numbers (of one run of W after the other) are all finite, else NaN.
  void (*probe)(const R* X, Index elements, Index blocks, R* probe);
  /// About |X|_2 of each lane: the root of the greatest sum of squares of a column or a row, or of n^-1 times all of them.
  std::array<LaneSizes<R>, kMaxLaneOrder + 1> sizes, complex_sizes;
  /// Brings one item for each lane, `size` numbers from items[l] on, into lanes.
  void (*load)(const R* const* items, Index size, R* lanes, Index blocks);
  /// And back: the first `count` lanes.
  void (*store)(const R* lanes, Index size, R* const* items, Index count);
};

/// An instruction set that kernels are compiled for.
struct Target {
  const char* name;  ///< "x86-64-v4" and so on
  bool (*supported)();
  const LaneKernels<float>* single_precision;
  const LaneKernels<double>* double_precision;
};

/// All targets of this build, from the widest to the narrowest; the last one runs everywhere.
std::span<const Target> targets();

/// The target in use: the widest that this processor has, or the one that `use_target` chose.
const Target& target();

/// Chooses a target that this processor has, by its name; false where there is none of this name. For tests and
/// measurements; not while anything is computed.
bool use_target(const char* name);

template <class R>
const LaneKernels<R>& lane_kernels();
template <>
inline const LaneKernels<float>& lane_kernels<float>() {
  return *target().single_precision;
}
template <>
inline const LaneKernels<double>& lane_kernels<double>() {
  return *target().double_precision;
}

}  // namespace matfun::kernels
