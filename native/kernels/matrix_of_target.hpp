// The kernels of one target for one matrix. Included once by each file of `targets`, after lanes_of_target.hpp, and like
// register_of_target.hpp.

#include "kernels/matrix_norms_of_target.hpp"
#include "kernels/matrix_products_of_target.hpp"

/// B's square of one register's elements from (j, i) on, from A's from (i, j) on.
template <class R, int parts, int width>
inline void transpose_square(const R* A, Index lda, R* B, Index ldb) {
  using Row = typename Register<R, width* static_cast<int>(sizeof(R))>::type;
  constexpr Index m = width / parts;
  Row conjugate;
  for (int l = 0; l < width; ++l) conjugate[l] = l % 2 == 0 ? R(1) : R(-1);
  Row rows[m];
#pragma GCC unroll 16
  for (Index r = 0; r < m; ++r) __builtin_memcpy(&rows[r], A + r * lda, sizeof rows[r]);
  transpose<R, width, parts>(rows);
#pragma GCC unroll 16
  for (Index r = 0; r < m; ++r) {
    if constexpr (parts == 2) rows[r] *= conjugate;
    __builtin_memcpy(B + r * ldb, &rows[r], sizeof rows[r]);
  }
}

/// B = A^H in squares; the last ones overlap those before where n is no multiple. Whole cache lines of B are written before
/// others, which may take their place in the cache where columns begin a multiple of 1 KB apart.
template <class R, int parts, int width>
void transpose_squares(const R* A, Index lda, R* B, Index ldb, Index n) {
  constexpr Index m = width / parts;
  constexpr Index line = 64 / static_cast<Index>(parts * sizeof(R));
  for (Index panel = 0; panel < n; panel += line)
    for (Index below = 0; below < n; below += m) {
      const Index i = below + m <= n ? below : n - m;
      for (Index at = panel; at < n && at < panel + line; at += m) {
        const Index j = at + m <= n ? at : n - m;
        transpose_square<R, parts, width>(A + i * parts + j * lda, lda, B + j * parts + i * ldb, ldb);
      }
    }
}

template <class R, int parts, int width = static_cast<int>(kWidth<R>)>
void conjugate_transpose(const R* A, Index lda, R* B, Index ldb, Index n) {
  if (n * parts >= width) return transpose_squares<R, parts, width>(A, lda, B, ldb, n);
  if constexpr (width * sizeof(R) > 16) {
    conjugate_transpose<R, parts, width / 2>(A, lda, B, ldb, n);
  } else {
    for (Index j = 0; j < n; ++j)
      for (Index i = 0; i < n; ++i) {
        B[j * parts + i * ldb] = A[i * parts + j * lda];
        if constexpr (parts == 2) B[j * parts + 1 + i * ldb] = -A[i * parts + 1 + j * lda];
      }
  }
}

template <class R, std::size_t terms>
[[gnu::always_inline]] inline void combine_terms(const R (&c)[terms], const R* const (&x)[terms], R* Y, Index numbers) {
#pragma GCC unroll 4
  for (Index e = 0; e < numbers; e += kWidth<R>) {
    V<R> sum = c[0] * get(x[0] + e);
#pragma GCC unroll 6
    for (std::size_t t = 1; t < terms; ++t) sum += c[t] * get(x[t] + e);
    put(sum, Y + e);
  }
}
template <class R, std::size_t most = kMaxTerms>
void combine(std::size_t terms, const R* c, const R* const* x, R* Y, Index numbers) {
  if constexpr (most > 1)
    if (terms < most) return combine<R, most - 1>(terms, c, x, Y, numbers);
  // Copied, so that the compiler knows that Y's numbers are none of these.
  R own_c[most];
  const R* own_x[most];
  for (std::size_t t = 0; t < most; ++t) {
    own_c[t] = c[t];
    own_x[t] = x[t];
  }
  combine_terms<R, most>(own_c, own_x, Y, numbers);
}

template <class R>
constexpr MatrixKernels<R> kMatrixKernels = {
    kWidth<R>,
    kMostOrder,
    any_product<R, 1, Start::zero>,
    any_product<R, 1, Start::plus>,
    any_product<R, 1, Start::minus>,
    any_product<R, 2, Start::zero>,
    any_product<R, 2, Start::plus>,
    any_product<R, 2, Start::minus>,
    matrix_norms<R, OfModulus, 1>,
    matrix_norms<R, OfComplexModulus, 2>,
    matrix_square_of_size<R, 1>,
    matrix_square_of_size<R, 2>,
    combine<R>,
    conjugate_transpose<R, 1>,
    conjugate_transpose<R, 2>,
};
