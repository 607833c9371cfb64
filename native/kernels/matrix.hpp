#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <span>

#include "kernels/combine.hpp"
#include "kernels/kernels.hpp"
#include "linalg/blas.hpp"
#include "linalg/norms.hpp"
#include "linalg/workspace.hpp"

/// What is done to one matrix or stack: by the target's kernels where these are faster and its memory lies as they need it,
/// else by OpenBLAS and plain loops. Which of them follows from orders and leading dimensions alone.
namespace matfun {

namespace detail {

template <class T>
kernels::Strided<Real<T>> strided(View<T> A) {
  return {reinterpret_cast<Real<T>*>(A.data), A.ld * (kIsComplex<T> ? 2 : 1)};
}
template <class T>
kernels::Strided<const Real<T>> strided(View<const T> A) {
  return {reinterpret_cast<const Real<T>*>(A.data), A.ld * (kIsComplex<T> ? 2 : 1)};
}

/// The numbers of a padded matrix or stack, padding included.
template <class T>
Index numbers(View<const T> A) {
  return A.ld * A.columns * (kIsComplex<T> ? 2 : 1);
}

template <class T>
const kernels::MatrixKernels<Real<T>>& matrix_kernels() {
  return kernels::matrix_kernels<Real<T>>();
}

template <class T>
bool has_kernel(View<const T> A, View<const T> C) {
  return A.rows <= matrix_kernels<T>().most_order && is_padded(A) && is_padded(C);
}

/// Columns `from` to `from + count` of A.
template <class T>
View<T> columns(View<T> A, Index from, Index count) {
  return {A.column(from), A.rows, count, A.ld};
}

/// What a team does at once is at least so long: waking a thread takes some 50 us.
inline constexpr double kPart_flops = 2e6;

/// body(A's and C's columns ...) for panels of so many columns that each of the team has some, or for all at once.
/// flops  for each column.
template <class Body>
void in_panels(Index count, double flops, Team* team, const Body& body) {
  const Index most = team == nullptr ? 1 : static_cast<Index>(static_cast<double>(count) * flops / kPart_flops);
  if (most < 2) return body(0, count);
  // Whole tiles of columns, and twice as many panels as threads, so that a thread that comes late finds some.
  constexpr Index kTile = 8;
  const Index panels = std::min({most, 2 * team->size(), (count + kTile - 1) / kTile});
  const Index width = (count / panels + kTile - 1) / kTile * kTile;
  team->run((count + width - 1) / width, [&](Index k) { body(k * width, std::min(width, count - k * width)); });
}

/// C = start C + A B, where start is 0 or 1, or C - A B.
enum class Start { zero, plus, minus };

template <Start start, class T>
void multiply_panel(View<const T> A, View<const T> B, View<T> C) {
  if (!has_kernel<T>(A, C))
    return blas::gemm(T(start == Start::minus ? -1 : 1), A, B, T(start == Start::zero ? 0 : 1), C);
  const auto& kernel = matrix_kernels<T>();
  const auto product = [&] {
    if constexpr (start == Start::zero) return kIsComplex<T> ? kernel.complex_multiply : kernel.multiply;
    if constexpr (start == Start::plus) return kIsComplex<T> ? kernel.complex_multiply_add : kernel.multiply_add;
    if constexpr (start == Start::minus)
      return kIsComplex<T> ? kernel.complex_multiply_subtract : kernel.multiply_subtract;
  }();
  product(strided(A), strided(B), strided(C), A.rows, B.columns);
}

/// Beyond the kernels' orders OpenBLAS gets panels of so many columns, whoever does them: its bits may depend on the width.
inline constexpr Index kBlasPanel = 1024;

template <Start start, class T>
void multiply_in_panels(View<const T> A, View<const T> B, View<T> C, Team* team) {
  assert(!overlap(A, C) && !overlap(B, C));
  const auto panel = [&](Index from, Index count) {
    multiply_panel<start, T>(A, columns(B, from, count), columns(C, from, count));
  };
  const double n = static_cast<double>(A.rows), flops = (kIsComplex<T> ? 8 : 2) * n * n;
  if (has_kernel<T>(A, C)) return in_panels(B.columns, flops, team, panel);
  if (B.columns <= kBlasPanel) return panel(0, B.columns);
  const auto blas_panel = [&](Index k) { panel(k * kBlasPanel, std::min(kBlasPanel, B.columns - k * kBlasPanel)); };
  const Index panels = (B.columns + kBlasPanel - 1) / kBlasPanel;
  if (team != nullptr) return team->run(panels, blas_panel);
  for (Index k = 0; k < panels; ++k) blas_panel(k);
}

}  // namespace detail

/// True where each column of A B has bits that follow from A and that column of B alone, so that products of one A may be made
/// as one wide product.
template <class T>
bool has_independent_columns(View<const T> A, View<const T> C) {
  return detail::has_kernel<T>(A, C);
}

/// C = A B.
/// A     n x n.
/// B     n x any number of columns; each column of C has bits that follow from A and B's alone where has_independent_columns(A, C).
/// C     as B. Must not overlap A or B.
/// team  who shares the work where it is large, or null; the bits are the same.
/// error |C - exact| <= n u |A| |B| elementwise, to first order; 2 sqrt(2) times that for complex T.
/// cost  2 n^2 columns flops, 8 n^2 columns for complex T. Kernels beat OpenBLAS 0.3.21 up to MatrixKernels::most_order.
template <class T>
void multiply(View<const T> A, View<const T> B, View<T> C, Team* team = nullptr) {
  detail::multiply_in_panels<detail::Start::zero>(A, B, C, team);
}
/// C = C + A B.
template <class T>
void multiply_add(View<const T> A, View<const T> B, View<T> C, Team* team = nullptr) {
  detail::multiply_in_panels<detail::Start::plus>(A, B, C, team);
}
/// C = C - A B.
template <class T>
void multiply_subtract(View<const T> A, View<const T> B, View<T> C, Team* team = nullptr) {
  detail::multiply_in_panels<detail::Start::minus>(A, B, C, team);
}

namespace detail {

/// Y = sum c_t X_t, and Y before where `onto`, by the target's kernel.
template <class T>
void combine_padded(std::span<const Term<T>> terms, View<T> Y, bool onto, Team* team) {
  // Some 8 flops' time an element that lies beyond the caches.
  in_panels(Y.columns, 8.0 * static_cast<double>(Y.rows), team, [&](Index from, Index count) {
    std::array<Real<T>, kernels::kMaxTerms> c;
    std::array<const Real<T>*, kernels::kMaxTerms> x;
    std::size_t t = 0;
    for (const Term<T>& term : terms) {
      c[t] = term.c;
      x[t++] = strided(columns(term.X, from, count)).data;
    }
    const View<T> y = columns(Y, from, count);
    if (onto) {
      c[t] = 1;
      x[t++] = strided(y).data;
    }
    matrix_kernels<T>().combine(t, c.data(), x.data(), strided(y).data, numbers<T>(y));
  });
}

template <class T>
void combine(std::span<const Term<T>> terms, Real<T> mu, View<T> Y, bool onto, Team* team) {
  const auto is_alike = [&](const Term<T>& term) { return term.X.ld == Y.ld; };
  if (terms.empty()) {
    if (!onto) fill(Y, T(0));
  } else if (is_padded<T>(Y) && terms.size() + (onto ? 1 : 0) <= kernels::kMaxTerms &&
             std::ranges::all_of(terms, is_alike)) {
    combine_padded(terms, Y, onto, team);
  } else {
    combine_by_columns(terms, Y, onto);
  }
  if (mu != 0)
    for (Index k = 0; k < Y.blocks(); ++k)
      for (Index i = 0; i < Y.rows; ++i) Y.block(k)(i, i) += mu;
}

}  // namespace detail

/// Y = sum c_t X_t + mu I on each square block.
/// terms 0 to 6, each X_t of Y's shape.
/// Y     may be one of the X_t: each element is read before it is written.
/// cost  2 flops and one load a term and element.
template <class T>
void combine(std::span<const Term<T>> terms, Real<T> mu, View<T> Y, Team* team = nullptr) {
  detail::combine(terms, mu, Y, false, team);
}
/// Y = Y + sum c_t X_t + mu I: the sum is made first, and the multiple of the identity added last.
template <class T>
void add(std::span<const Term<T>> terms, Real<T> mu, View<T> Y, Team* team = nullptr) {
  detail::combine(terms, mu, Y, true, team);
}

/// |A|_1 and |A|_inf.
template <class R>
struct OneAndInfinity {
  R one, infinity;
  R smaller() const { return infinity < one ? infinity : one; }
};

/// Both norms of a square matrix. NaN where A holds one; infinite where A or a sum is. Up to kMaxLaneOrder those of A and A^T are
/// the same to the last bit, as in lanes; above, kernels read A once and sum columns and rows in different orders.
template <class T>
OneAndInfinity<Real<T>> norms(View<const T> A) {
  using R = Real<T>;
  using Limits = std::numeric_limits<R>;
  if (is_padded(A) && A.rows > kernels::kMaxLaneOrder && A.rows <= kernels::kMaxMatrixOrder) {
    const auto& kernel = detail::matrix_kernels<T>();
    OneAndInfinity<R> result;
    const auto [data, ld] = detail::strided(A);
    (kIsComplex<T> ? kernel.complex_norms : kernel.norms)(data, ld, A.rows, &result.one, &result.infinity);
    // As in norm_of: moduli by squares are right far from the ends of the range.
    const auto is_safe = [](R norm) {
      return norm > std::ldexp(R(1), Limits::min_exponent / 4) && norm < std::ldexp(R(1), Limits::max_exponent / 4);
    };
    if (!kIsComplex<T> || (is_safe(result.one) && is_safe(result.infinity))) return result;
  }
  return {one_norm(A), infinity_norm(A)};
}

/// As euclidean_size.
template <class T>
Real<T> size_of(View<const T> X) {
  using R = Real<T>;
  if (is_padded(X) && X.rows <= kernels::kMaxMatrixOrder) {
    const auto& kernel = detail::matrix_kernels<T>();
    const auto [data, ld] = detail::strided(X);
    const R square = (kIsComplex<T> ? kernel.complex_square_of_size : kernel.square_of_size)(data, ld, X.rows);
    if (square > std::ldexp(R(1), std::numeric_limits<R>::min_exponent / 2) && std::isfinite(square))
      return std::sqrt(square);
  }
  return euclidean_size(X);
}

/// True only where no entry's real or imaginary part is above `most`, and the largest not below 1 / most, unless all are 0. May be
/// false by a small factor sooner. X's padding must be zeros (clear_padding).
template <class T>
bool is_tame(View<const T> X, Real<T> most) {
  using R = Real<T>;
  if (!is_padded(X)) {
    const R largest = max_abs(X);
    return largest == 0 || (largest >= 1 / most && largest <= most);
  }
  assert(has_clear_padding(X));
  // The whole matrix as one block of lanes, of which the largest sum of moduli is at least the largest modulus.
  const auto& kernel = kernels::lane_kernels<R>();
  std::array<R, kernels::kMostWidth> flags;
  const Index numbers = detail::numbers(X) / kernel.width;
  const R share = most / static_cast<R>(numbers);
  return !kernel.extreme(detail::strided(X).data, numbers, 1, 1 / share, share, flags.data());
}

/// True where X has neither NaN nor infinity.
template <class T>
bool is_finite(View<const T> X) {
  using R = Real<T>;
  if (is_padded(X)) {
    const auto& kernel = kernels::lane_kernels<R>();
    std::array<R, kernels::kMostWidth> flags;
    if (!kernel.extreme(detail::strided(X).data, detail::numbers(X) / kernel.width, 1, 0, std::numeric_limits<R>::max(),
                        flags.data()))
      return true;
  }
  return all_finite(X);  // which a sum that overflows does not tell
}

/// B_k = A_k^H for each square block of a stack, and zeros in B's padding. B must not overlap A.
template <class T>
void conjugate_transpose(View<const T> A, View<T> B) {
  assert(!overlap(A, B));
  const auto& kernel = detail::matrix_kernels<T>();
  for (Index k = 0; k < A.blocks(); ++k) {
    const auto from = detail::strided(A.block(k));
    const auto to = detail::strided(B.block(k));
    (kIsComplex<T> ? kernel.conjugate_transpose : kernel.transpose)(from.data, from.ld, to.data, to.ld, A.rows);
  }
  clear_padding(B);
}

}  // namespace matfun
