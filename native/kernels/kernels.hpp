#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "linalg/scalar.hpp"

/// Loops over plain data, compiled once for each instruction set and chosen when the library is loaded.
///
/// **Lanes.** Matrices of order n are worked on together, one in each lane of a SIMD register of W numbers, in blocks of W:
/// block by block, and in each the elements (i, j) at (i + j n) W, W numbers each, one a matrix. Where they are complex, W real
/// parts and then W imaginary parts, at (i + j n) 2 W. W is the target's (LaneKernels::width), so that all offsets in a block
/// are known when a kernel is compiled. Every kernel gives each lane the bits that it would get with any others beside it.
namespace matfun::kernels {

/// The greatest order that has lane kernels.
inline constexpr int kMaxLaneOrder = 8;
/// The greatest number of terms of a linear combination.
inline constexpr std::size_t kMaxTerms = 6;
/// The greatest W of any target.
inline constexpr int kMostWidth = 16;

/// The greatest order of MatrixKernels' norms; their sums of rows are on the stack.
inline constexpr int kMaxMatrixOrder = 2048;

/// Up to this order no entry is more than three steps away from another: general schemes from T4 on keep positive entries positive, and
/// their digits.
inline constexpr int kMaxGeneralOrder = 4;

/// Where an item is among those that are worked on together.
using Place = std::uint16_t;

/// How a shift is chosen and a row of the ladder found (expm/reduction.hpp, expm/plan.hpp).
template <class R>
struct LaneRule {
  const R* bounds;  ///< of the ladder's rows, rising
  int rows;
  bool may_shift;
  bool must_shift;   ///< whether it is of use or not
  R harmless;        ///< a shift above minus this saves nothing but squarings
  R greatest_shift;  ///< e^shift would leave the range
};

/// What LaneOrder::examine finds, one number a lane: of A - mu I.
template <class R>
struct LaneFindings {
  R *one, *infinity,
      *smaller;  ///< its 1-norm, infinity norm, and the smaller of them; NaN or infinite where A is not finite
  R* mu;         ///< 0 where there is no shift; a complex element where A is complex
  std::uint8_t*
      key;   ///< twice the first row of the ladder that covers it, or twice the number of rows; + 1 with a shift
  R* least;  ///< A's least entry off the diagonal; unspecified of complex matrices, and up to kMaxGeneralOrder
};

/// The least and the greatest key in all blocks, and whether there is a lane without negative entries off the diagonal.
struct LaneRange {
  int least, greatest;
  bool has_nonnegative;
};

/// What LaneOrder::look_at_rates finds of real matrices, one number a lane.
template <class R>
struct LaneRates {
  R* least_diagonal;
  R *least_entry, *greatest_entry;  ///< off the diagonal
  R* greatest_rest;                 ///< the greatest sum of a column without its diagonal
  R* excess;                        ///< the greatest |column sum| over the sum of its rest, 0 / 0 being 0
};

/// Kernels for one order, real or complex.
template <class R>
struct LaneOrder {
  /// C = A^2. Each element is one chain of fused multiply-adds, as far as the target has them. C must not overlap A.
  void (*square)(const R* A, R* C, Index blocks);
  LaneRange (*examine)(const R* A, Index blocks, const LaneRule<R>& rule, const LaneFindings<R>& findings);
  /// Null for complex matrices.
  void (*look_at_rates)(const R* A, Index blocks, const LaneRates<R>& rates);
  /// A's diagonal: to -mu minus the sum of the rest of each column, with a mu for each lane. Null for complex matrices.
  void (*complete_rates)(R* A, const R* mu, Index blocks);
  /// From each row of G its diagonal entry. Null for complex matrices.
  void (*take_differences)(R* G, Index blocks);
  /// |X|_1 and |X|_inf of each lane.
  void (*norms)(const R* X, Index blocks, R* one, R* infinity);
  /// 0 for each lane that is triangular, else more.
  void (*lesser_triangle)(const R* A, Index blocks, R* sum);
  /// B = A^H.
  void (*conjugate_transpose)(const R* A, R* B, Index blocks);
  /// A = A - mu I, with a mu for each lane.
  void (*shift_diagonal)(R* A, const R* mu, Index blocks);
};

/// What one target has for real numbers R.
template <class R>
struct LaneKernels {
  Index width;                                                ///< W
  std::array<LaneOrder<R>, kMaxLaneOrder + 1> real, complex;  ///< by order, from 2 on
  /// flags = 0 for each lane whose numbers' sum of moduli is 0 or between least and greatest, else 1. True where any is.
  bool (*extreme)(const R* X, Index numbers, Index blocks, R least, R greatest, R* flags);
  /// Brings one item for each lane into lanes: for lane l `size` numbers, from items + places[l] stride on.
  void (*load)(const R* items, Index stride, Index size, const Place* places, R* lanes, Index blocks);
  /// And back: the first `count` lanes.
  void (*store)(const R* lanes, Index size, R* items, Index stride, const Place* places, Index count);
};

/// A matrix in column order whose columns begin `ld` numbers R apart; complex numbers count as two, real part first.
template <class R>
struct Strided {
  R* data;
  Index ld;
};

/// C = A B, C = C + A B or C = C - A B, of n x n and n x columns; C must not overlap A or B. See MatrixKernels.
template <class R>
using MatrixProduct = void (*)(Strided<const R> A, Strided<const R> B, Strided<R> C, Index n, Index columns);

/// See MatrixKernels::norms.
template <class R>
using MatrixNorms = void (*)(const R* A, Index ld, Index n, R* one, R* infinity);

/// See MatrixKernels::square_of_size.
template <class R>
using MatrixSize = R (*)(const R* A, Index ld, Index n);

/// See MatrixKernels::transpose.
template <class R>
using MatrixTransposition = void (*)(const R* A, Index lda, R* B, Index ldb, Index n);

/// What one target has for one matrix of real or complex numbers of precision R, that need not be packed.
///
/// Whole registers of W numbers are read and written: where not said otherwise, leading dimensions are multiples of W, and the
/// numbers from the last row to the next multiple of W are padding, read and overwritten with anything. No result depends on it.
template <class R>
struct MatrixKernels {
  Index width;       ///< W
  Index most_order;  ///< up to which the products beat OpenBLAS's
  /// Each element is a sum of chains of fused multiply-adds (if the target has them), one chain for each run of 32 values of k; C's
  /// element is added last. A complex element has two such sums, of A with the real and with the imaginary parts of B. So its bits
  /// depend neither on where it stands, nor on n's remainder, nor on `columns`. Of B the rows 0 to n - 1 are read, with any ld.
  /// error |C - exact| <= (32 + n / 32) u |A| |B| elementwise, to first order (u |C| more if C is added); 2 sqrt(2) times that for
  ///       complex numbers.
  MatrixProduct<R> multiply, multiply_add, multiply_subtract;
  MatrixProduct<R> complex_multiply, complex_multiply_add, complex_multiply_subtract;
  /// |A|_1 and |A|_inf, A read once; NaN where A holds one. n <= kMaxMatrixOrder. Complex moduli by the root of the sum of
  /// squares: right only where these neither over- nor underflow.
  /// error relative, n u (n + 2 for complex numbers), to first order.
  MatrixNorms<R> norms, complex_norms;
  /// The square of euclidean_size (linalg/norms.hpp): the greatest sum of squares of a column or a row, or n^-1 times all of
  /// them; not finite where that overflows. n <= kMaxMatrixOrder.
  MatrixSize<R> square_of_size, complex_square_of_size;
  /// Y = sum c[t] x[t] over so many numbers, a multiple of W, of 1 to kMaxTerms terms; Y may be one of them.
  void (*combine)(std::size_t terms, const R* c, const R* const* x, R* Y, Index numbers);
  /// B = A^T, and B = A^H. Any leading dimensions, and nothing beside the n x n numbers is read or written; B must not overlap A.
  MatrixTransposition<R> transpose, conjugate_transpose;
};

/// An instruction set that kernels are compiled for.
struct Target {
  const char* name;  ///< "x86-64-v4" and so on
  bool (*supported)();
  const LaneKernels<float>* single_precision;
  const LaneKernels<double>* double_precision;
  const MatrixKernels<float>* single_matrix;
  const MatrixKernels<double>* double_matrix;
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

template <class R>
const MatrixKernels<R>& matrix_kernels();
template <>
inline const MatrixKernels<float>& matrix_kernels<float>() {
  return *target().single_matrix;
}
template <>
inline const MatrixKernels<double>& matrix_kernels<double>() {
  return *target().double_matrix;
}

}  // namespace matfun::kernels
