// The kernels of one target for a matrix in each lane. Included once by each file of `targets`, before matrix_of_target.hpp, and
// like register_of_target.hpp.

#include "kernels/register_of_target.hpp"

/// body(0), body(1) ... body(count - 1) with constants, so that arrays of registers that they index stay in registers.
template <class Body, int... k>
[[gnu::always_inline]] inline void unroll(const Body& body, std::integer_sequence<int, k...>) {
  (body(std::integral_constant<int, k>{}), ...);
}
template <int count, class Body>
[[gnu::always_inline]] inline void unroll(const Body& body) {
  unroll(body, std::make_integer_sequence<int, count>{});
}

/// A sum whose number of terms is known when it is compiled, kept in registers; `terms` 0 is one operand as it stands.
template <class R, int terms>
struct FixedSum {
  static constexpr int kTerms = terms;
  R c[terms == 0 ? 1 : terms];
  const R* x[terms == 0 ? 1 : terms];
  R mu;

  [[gnu::always_inline]] explicit FixedSum(const LaneSum<R>& S) : mu(S.mu) {
    unroll<terms == 0 ? 1 : terms>([&](auto t) __attribute__((always_inline)) {
      c[t] = S.c[t];
      x[t] = S.x[t];
    });
  }

  /// Number e of the block at `at`, without the multiple of I.
  [[gnu::always_inline]] V<R> at(Index at) const {
    if constexpr (terms == 0) return get(x[0] + at);
    V<R> sum = c[0] * get(x[0] + at);
    unroll<terms == 0 ? 0 : terms - 1>([&](auto t)
                                           __attribute__((always_inline)) { sum += c[t + 1] * get(x[t + 1] + at); });
    return sum;
  }
};
/// 0.
template <class R>
struct NoSum {
  static constexpr R mu = 0;
  [[gnu::always_inline]] explicit NoSum(const LaneSum<R>&) {}
  [[gnu::always_inline]] V<R> at(Index) const { return V<R>{}; }
};

/// Columns j and on of a sum.
template <class R, int n, int parts, int columns, class Addends>
[[gnu::always_inline]] inline void columns_of(const Addends& S, Index at, int j, V<R> (*x)[n * parts]) {
  unroll<columns>([&](auto q) __attribute__((always_inline)) {
    unroll<n * parts>(
        [&](auto e) __attribute__((always_inline)) { x[q][e] = S.at(at + ((j + q) * n * parts + e) * kWidth<R>); });
    if (S.mu != 0)
      unroll<n>([&](auto i) __attribute__((always_inline)) {
        if (i == j + q) x[q][i * parts] += S.mu;
      });
  });
}

/// y = S at so many numbers from `at` on, a multiple of W, without its multiple of I.
template <class R, int terms>
void add_up_terms(const LaneSum<R>& S, Index at, Index numbers, R* y) {
  R c[terms];
  const R* x[terms];
  unroll<terms>([&](auto t) __attribute__((always_inline)) {
    c[t] = S.c[t];
    x[t] = S.x[t] + at;
  });
#pragma GCC unroll 4
  for (Index e = 0; e < numbers; e += kWidth<R>) {
    V<R> sum = c[0] * get(x[0] + e);
    unroll<terms - 1>([&](auto t) __attribute__((always_inline)) { sum += c[t + 1] * get(x[t + 1] + e); });
    put(sum, y + e);
  }
}
template <class R>
void add_up_all(const LaneSum<R>& S, Index at, Index numbers, R* y) {
  switch (S.terms) {
    case 1:
      return add_up_terms<R, 1>(S, at, numbers, y);
    case 2:
      return add_up_terms<R, 2>(S, at, numbers, y);
    case 3:
      return add_up_terms<R, 3>(S, at, numbers, y);
    case 4:
      return add_up_terms<R, 4>(S, at, numbers, y);
    case 5:
      return add_up_terms<R, 5>(S, at, numbers, y);
    default:
      return add_up_terms<R, 6>(S, at, numbers, y);
  }
}

/// Y = S in the block at `at` of matrices of order n.
template <class R>
void combine_block(const LaneSum<R>& S, Index at, int n, int parts, R* y) {
  add_up_all(S, at, n * n * parts * kWidth<R>, y);
  if (S.mu == 0) return;
  for (int i = 0; i < n; ++i) {
    R* const diagonal = y + Index(i + i * n) * parts * kWidth<R>;
    put(get(diagonal) + S.mu, diagonal);
  }
}

/// The matrix that a sum is in the block at `at`: itself, or in `room`.
template <class R, int n, int parts>
inline const R* settle(const LaneSum<R>& S, Index at, R* room) {
  if (S.is_operand) return S.x[0] + at;
  combine_block(S, at, n, parts, room);
  return room;
}

/// Up to this order sums are made column by column as a product needs them, and stay in registers; above, where they are
/// less beside the product, all at once, which branches less.
constexpr int kFusedOrder = 4;

/// c[q] += a b[q](k), a column and its factors, for `columns` columns of `numbers` numbers each.
template <class R, int n, int parts, int columns, int numbers>
[[gnu::always_inline]] inline void add_outer(const R* a, int k, const V<R> (*b)[numbers], V<R> (*c)[n * parts]) {
  constexpr Index W = kWidth<R>;
  unroll<n>([&](auto i) __attribute__((always_inline)) {
    const V<R> re = get(a + i * parts * W);
    unroll<columns>([&](auto q) __attribute__((always_inline)) {
      if constexpr (parts == 1) {
        c[q][i] += re * b[q][k];
      } else {
        const V<R> im = get(a + (i * parts + 1) * W);
        c[q][2 * i] += re * b[q][2 * k];
        c[q][2 * i + 1] += re * b[q][2 * k + 1];
        c[q][2 * i] -= im * b[q][2 * k + 1];
        c[q][2 * i + 1] += im * b[q][2 * k];
      }
    });
  });
}

/// c[q] += A b[q].
template <class R, int n, int parts, int columns>
[[gnu::always_inline]] inline void multiply_columns(const R* A, const V<R> (*b)[n * parts], V<R> (*c)[n * parts]) {
  unroll<n>([&](auto k) __attribute__((always_inline)) {
    add_outer<R, n, parts, columns, n * parts>(A + k * n * parts * kWidth<R>, k, b, c);
  });
}

/// Columns of a product at a time: A is read once for all of them, while their sums stay in registers.
template <class R, int n, int parts>
constexpr int kColumns = n * parts * 2 <= (kVectorBytes == 64 ? 16 : 8) ? 2 : 1;

/// The registers of `columns` columns of one block, to and from memory.
template <class R, int numbers, int columns>
[[gnu::always_inline]] inline void put_columns(const V<R> (*x)[numbers], R* to) {
  unroll<columns>([&](auto q) __attribute__((always_inline)) {
    unroll<numbers>([&](auto e) __attribute__((always_inline)) { put(x[q][e], to + (q * numbers + e) * kWidth<R>); });
  });
}
template <class R, int numbers, int columns>
[[gnu::always_inline]] inline void get_columns(const R* from, V<R> (*x)[numbers]) {
  unroll<columns>([&](auto q) __attribute__((always_inline)) {
    unroll<numbers>([&](auto e)
                        __attribute__((always_inline)) { x[q][e] = get(from + (q * numbers + e) * kWidth<R>); });
  });
}
/// C = A B, or C + A B, in one block, where nothing is to be added up.
template <class R, int n, int parts, bool adds>
void multiply_settled(const R* A, const R* B, R* __restrict C) {
  constexpr Index W = kWidth<R>, kColumn = n * parts * W;
#pragma GCC unroll 1
  for (int j = 0; j < n; ++j, B += kColumn, C += kColumn) {
    V<R> c[1][n * parts];
    if constexpr (adds)
      get_columns<R, n * parts, 1>(C, c);
    else
      unroll<n * parts>([&](auto e) __attribute__((always_inline)) { c[0][e] = V<R>{}; });
#pragma GCC unroll 1
    for (int k = 0; k < n; ++k) {
      V<R> b[1][parts];
      get_columns<R, parts, 1>(B + k * parts * W, b);
      add_outer<R, n, parts, 1, parts>(A + k * kColumn, 0, b, c);
    }
    put_columns<R, n * parts, 1>(c, C);
  }
}
/// C = a b + S in the block at `at`.
template <class R, int n, int parts>
void multiply_with_addend(const R* a, const R* b, const LaneSum<R>& S, Index at, R* C) {
  if (S.terms == 0) return multiply_settled<R, n, parts, false>(a, b, C);
  combine_block(S, at, n, parts, C);
  multiply_settled<R, n, parts, true>(a, b, C);
}

/// Columns j and on of a b + S in the block at `at`.
template <class R, int n, int parts, int columns, class B, class S>
[[gnu::always_inline]] inline void product_columns(const R* a, const B& b_of, const S& s_of, Index at, int j, R* C,
                                                   R* right) {
  const Index column = at + j * n * parts * kWidth<R>;
  V<R> b[columns][n * parts], c[columns][n * parts];
  columns_of<R, n, parts, columns>(b_of, at, j, b);
  if constexpr (B::kTerms > 0) put_columns<R, n * parts, columns>(b, right + column);
  columns_of<R, n, parts, columns>(s_of, at, j, c);
  multiply_columns<R, n, parts, columns>(a, b, c);
  put_columns<R, n * parts, columns>(c, C + column);
}

/// A product whose sums are made column by column as it needs them, and stay in registers.
template <class R, int n, int parts>
struct FusedProduct {
  const LaneSum<R>& A;
  R *C, *left, *right;
  Index blocks;

  template <class B, class S>
  void run(const LaneSum<R>& B_, const LaneSum<R>& S_) const {
    constexpr Index kSize = n * n * parts * kWidth<R>;
    constexpr int kMost = kColumns<R, n, parts>, kRest = n % kMost;
    const B b(B_);
    const S s(S_);
    for (Index at = 0; at < blocks * kSize; at += kSize) {
      const R* const a = settle<R, n, parts>(A, at, left + at);
#pragma GCC unroll 1
      for (int j = 0; j + kMost <= n; j += kMost) product_columns<R, n, parts, kMost>(a, b, s, at, j, C, right);
      if constexpr (kRest > 0) product_columns<R, n, parts, kRest>(a, b, s, at, n - kRest, C, right);
    }
  }
};

template <class R, int n, int parts, int columns, class B, class S>
[[gnu::always_inline]] inline void pair_columns(const R* a1, const B& b_of, const R* a2, const R* B2, const S& s_of,
                                                Index at, int j, R* C) {
  const Index column = at + j * n * parts * kWidth<R>;
  V<R> b[columns][n * parts], c[columns][n * parts];
  columns_of<R, n, parts, columns>(b_of, at, j, b);
  columns_of<R, n, parts, columns>(s_of, at, j, c);
  multiply_columns<R, n, parts, columns>(a1, b, c);
  get_columns<R, n * parts, columns>(B2 + column, b);
  multiply_columns<R, n, parts, columns>(a2, b, c);
  put_columns<R, n * parts, columns>(c, C + column);
}

/// The same for a sum of two products.
template <class R, int n, int parts>
struct FusedPair {
  const R* A1;
  const LaneSum<R>& A2;
  const R* B2;
  R* C;
  Index blocks;

  template <class B, class S>
  void run(const LaneSum<R>& B1, const LaneSum<R>& S_) const {
    constexpr Index kSize = n * n * parts * kWidth<R>;
    constexpr int kMost = kColumns<R, n, parts>, kRest = n % kMost;
    const B b(B1);
    const S s(S_);
    alignas(kVectorBytes) R room[kSize];
    for (Index at = 0; at < blocks * kSize; at += kSize) {
      const R* const a2 = settle<R, n, parts>(A2, at, room);
#pragma GCC unroll 1
      for (int j = 0; j + kMost <= n; j += kMost) pair_columns<R, n, parts, kMost>(A1 + at, b, a2, B2, s, at, j, C);
      if constexpr (kRest > 0) pair_columns<R, n, parts, kRest>(A1 + at, b, a2, B2, s, at, n - kRest, C);
    }
  }
};

/// Runs it with the numbers of terms that the schemes have, known when it is compiled. False for others.
template <class R, class Product>
[[gnu::always_inline]] inline bool with_terms(const Product& product, const LaneSum<R>& B, const LaneSum<R>& S) {
  const int right = B.is_operand ? 0 : B.terms;
  switch (8 * right + S.terms) {
    case 0:  // squarings and powers
      product.template run<FixedSum<R, 0>, NoSum<R>>(B, S);
      return true;
    case 8 * 2 + 1:  // T4
      product.template run<FixedSum<R, 2>, FixedSum<R, 1>>(B, S);
      return true;
    case 8 * 2:  // T8 and 15+
      product.template run<FixedSum<R, 2>, NoSum<R>>(B, S);
      return true;
    case 8 * 3 + 2:  // T8
      product.template run<FixedSum<R, 3>, FixedSum<R, 2>>(B, S);
      return true;
    case 8 * 2 + 2:  // 15+
      product.template run<FixedSum<R, 2>, FixedSum<R, 2>>(B, S);
      return true;
    case 8 * 3 + 4:
      product.template run<FixedSum<R, 3>, FixedSum<R, 4>>(B, S);
      return true;
    case 8 * 3:  // 21+
      product.template run<FixedSum<R, 3>, NoSum<R>>(B, S);
      return true;
    case 8 * 3 + 3:
      product.template run<FixedSum<R, 3>, FixedSum<R, 3>>(B, S);
      return true;
    case 8 * 3 + 5:
      product.template run<FixedSum<R, 3>, FixedSum<R, 5>>(B, S);
      return true;
    default:
      return false;
  }
}

template <class R, int n, int parts>
void product(const LaneSum<R>& A, const LaneSum<R>& B, const LaneSum<R>& S, R* __restrict C, R* __restrict left,
             R* __restrict right, Index blocks) {
  constexpr Index kSize = n * n * parts * kWidth<R>;
  if constexpr (n <= kFusedOrder)
    if (with_terms(FusedProduct<R, n, parts>{A, C, left, right, blocks}, B, S)) return;
  for (Index at = 0; at < blocks * kSize; at += kSize)
    multiply_with_addend<R, n, parts>(settle<R, n, parts>(A, at, left + at), settle<R, n, parts>(B, at, right + at), S,
                                      at, C + at);
}

template <class R, int n, int parts>
void product_pair(const R* A1, const LaneSum<R>& B1, const LaneSum<R>& A2, const R* B2, const LaneSum<R>& S,
                  R* __restrict C, Index blocks) {
  constexpr Index kSize = n * n * parts * kWidth<R>;
  if constexpr (n <= kFusedOrder)
    if (with_terms(FusedPair<R, n, parts>{A1, A2, B2, C, blocks}, B1, S)) return;
  alignas(kVectorBytes) R room[kSize];
  for (Index at = 0; at < blocks * kSize; at += kSize) {
    multiply_with_addend<R, n, parts>(A1 + at, settle<R, n, parts>(B1, at, room), S, at, C + at);
    multiply_settled<R, n, parts, true>(settle<R, n, parts>(A2, at, room), B2 + at, C + at);
  }
}

template <class R>
void combine(const LaneSum<R>& S, R* Y, Index numbers) {
  add_up_all(S, 0, numbers, Y);
}

/// The modulus of the element at x, or its square.
template <class R, int parts>
inline V<R> square_at(const R* x) {
  if constexpr (parts == 1) return get(x) * get(x);
  return get(x) * get(x) + get(x + kWidth<R>) * get(x + kWidth<R>);
}
template <class R, int parts>
inline V<R> modulus_at(const R* x) {
  if constexpr (parts == 1) return modulus<R>(get(x));
  return square_root<R>(square_at<R, parts>(x));
}

/// The greatest sum of a column and of a row, and the sum of all; a maximum forgets NaN, the sum does not.
template <class R>
struct LaneSums {
  V<R> column, row, total;
};
template <class R, int n, class Size>
inline LaneSums<R> sums_of_block(const R* X, Index step, Size size) {
  V<R> rows[n] = {};
  LaneSums<R> sums = {};
  for (int j = 0; j < n; ++j) {
    V<R> column{};
    for (int i = 0; i < n; ++i) {
      const V<R> x = size(X + (i + j * n) * step);
      column += x;
      rows[i] += x;
    }
    sums.column = larger<R>(column, sums.column);
    sums.total += column;
  }
  sums.row = rows[0];
  for (int i = 1; i < n; ++i) sums.row = larger<R>(rows[i], sums.row);
  return sums;
}

template <class R, int n, int parts>
void norms(const R* X, Index blocks, R* one, R* infinity) {
  constexpr Index W = kWidth<R>;
  for (Index b = 0; b < blocks; ++b) {
    const LaneSums<R> sums = sums_of_block<R, n>(X + b * n * n * parts * W, parts * W, modulus_at<R, parts>);
    put(sums.column + 0 * sums.total, one + b * W);
    put(sums.row + 0 * sums.total, infinity + b * W);
  }
}

template <class R, int n, int parts>
void sizes(const R* X, Index blocks, R* result) {
  constexpr Index W = kWidth<R>;
  for (Index b = 0; b < blocks; ++b) {
    const LaneSums<R> sums = sums_of_block<R, n>(X + b * n * n * parts * W, parts * W, square_at<R, parts>);
    const V<R> most = larger<R>(sums.total / n, larger<R>(sums.column, sums.row));
    put(square_root<R>(most + 0 * sums.total), result + b * W);
  }
}

template <class R, int n, int parts>
void lesser_triangle(const R* A, Index blocks, R* result) {
  constexpr Index W = kWidth<R>;
  for (Index b = 0; b < blocks; ++b, A += n * n * parts * W) {
    V<R> below{}, above{};
    const auto all = [](const R* x) {
      return parts == 1 ? modulus<R>(get(x)) : modulus<R>(get(x)) + modulus<R>(get(x + W));
    };
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < j; ++i) {
        above += all(A + (i + j * n) * parts * W);
        below += all(A + (j + i * n) * parts * W);
      }
    put(below < above ? below : above, result + b * W);
  }
}

/// The greatest sum of moduli of a column and of a row with and without a shift: what is off the diagonal is the same.
template <class R, int n, int parts>
struct ShiftedNorms {
  V<R> one{}, infinity{}, shifted_one{}, shifted_infinity{};

  ShiftedNorms(const R* A, const V<R> (&mu)[parts]) {
    constexpr Index W = kWidth<R>;
    V<R> rows[n] = {}, columns[n] = {};
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        if (i == j) continue;
        const V<R> x = modulus_at<R, parts>(A + (i + j * n) * parts * W);
        rows[i] += x;
        columns[j] += x;
      }
    V<R> total{};
    for (int i = 0; i < n; ++i) {
      const R* const d = A + (i + i * n) * parts * W;
      const V<R> plain = modulus_at<R, parts>(d);
      V<R> shifted;
      if constexpr (parts == 1) {
        shifted = modulus<R>(get(d) - mu[0]);
      } else {
        const V<R> re = get(d) - mu[0], im = get(d + W) - mu[1];
        shifted = square_root<R>(re * re + im * im);
      }
      one = larger<R>(columns[i] + plain, one);
      infinity = larger<R>(rows[i] + plain, infinity);
      shifted_one = larger<R>(columns[i] + shifted, shifted_one);
      shifted_infinity = larger<R>(rows[i] + shifted, shifted_infinity);
      total += columns[i] + plain;
    }
    const V<R> nothing = 0 * total;  // a maximum forgets NaN; this does not
    one += nothing;
    infinity += nothing;
    shifted_one += nothing;
    shifted_infinity += nothing;
  }
};

template <class R, int n, int parts>
LaneRange examine(const R* A, Index blocks, const LaneRule<R>& rule, const LaneFindings<R>& findings) {
  constexpr Index W = kWidth<R>;
  const V<R> infinite = V<R>{} + R(__builtin_inf());
  V<R> least = infinite, greatest{};
  for (Index b = 0; b < blocks; ++b, A += n * n * parts * W) {
    V<R> mu[parts] = {};
    for (int i = 0; i < n; ++i)
      for (int p = 0; p < parts; ++p) mu[p] += get(A + ((i + i * n) * parts + p) * W) / n;
    const ShiftedNorms<R, n, parts> norms(A, mu);
    const V<R> before = norms.infinity < norms.one ? norms.infinity : norms.one;
    const V<R> after = norms.shifted_infinity < norms.shifted_one ? norms.shifted_infinity : norms.shifted_one;
    V<R> size = modulus<R>(mu[0]);
    if constexpr (parts == 2) size = square_root<R>(mu[0] * mu[0] + mu[1] * mu[1]);
    Mask<R> shifted = after < infinite;
    if (!rule.must_shift) {
      const Mask<R> useful = ~(before <= rule.bounds[rule.rows - 1]) | (mu[0] < -rule.harmless);
      shifted &= useful & (size >= before / 2) & (modulus<R>(mu[0]) <= rule.greatest_shift) & (after <= before / 2);
    }
    if (!rule.may_shift) shifted = Mask<R>{};
    const V<R> norm = shifted ? after : before;
    V<R> row{};
    for (int r = 0; r < rule.rows; ++r) row += ~(norm <= rule.bounds[r]) ? V<R>{} + R(1) : V<R>{};
    put(shifted ? norms.shifted_one : norms.one, findings.one + b * W);
    put(shifted ? norms.shifted_infinity : norms.infinity, findings.infinity + b * W);
    put(norm, findings.smaller + b * W);
    const V<R> key = 2 * row + (shifted ? V<R>{} + R(1) : V<R>{});
    put(key, findings.key + b * W);
    for (int p = 0; p < parts; ++p) put(shifted ? mu[p] : V<R>{}, findings.mu + (b * parts + p) * W);
    least = key < least ? key : least;
    greatest = larger<R>(key, greatest);
  }
  R low = least[0], high = greatest[0];
  for (Index l = 1; l < W; ++l) {
    low = least[l] < low ? least[l] : low;
    high = greatest[l] > high ? greatest[l] : high;
  }
  return {static_cast<int>(low), static_cast<int>(high)};
}

template <class R, int n, int parts>
void transpose_lanes(const R* A, R* B, Index blocks) {
  constexpr Index W = kWidth<R>;
  for (; blocks > 0; --blocks, A += n * n * parts * W, B += n * n * parts * W)
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        const R* const from = A + (i + j * n) * parts * W;
        R* const to = B + (j + i * n) * parts * W;
        put(get(from), to);
        if constexpr (parts == 2) put(-get(from + W), to + W);
      }
}

template <class R, int n, int parts>
void shift_diagonal(R* A, const R* mu, Index blocks) {
  constexpr Index W = kWidth<R>;
  for (; blocks > 0; --blocks, A += n * n * parts * W, mu += parts * W)
    for (int i = 0; i < n; ++i)
      for (int p = 0; p < parts; ++p) {
        R* const x = A + ((i + i * n) * parts + p) * W;
        put(get(x) - get(mu + p * W), x);
      }
}

template <class R, int n, int parts>
void scale(R* X, const R* f, Index blocks) {
  constexpr Index W = kWidth<R>;
  for (; blocks > 0; --blocks, f += parts * W)
    for (int e = 0; e < n * n; ++e, X += parts * W) {
      const V<R> re = get(X);
      if constexpr (parts == 1) {
        put(re * get(f), X);
      } else {
        const V<R> im = get(X + W);
        put(re * get(f) - im * get(f + W), X);
        put(re * get(f + W) + im * get(f), X + W);
      }
    }
}

template <class R>
bool extreme(const R* X, Index numbers, Index blocks, R least, R greatest, R* flags) {
  constexpr Index W = kWidth<R>;
  V<R> any{};
  for (; blocks > 0; --blocks, X += numbers * W, flags += W) {
    V<R> sum{};
    for (Index e = 0; e < numbers; ++e) sum += modulus<R>(get(X + e * W));
    const Mask<R> inside = (sum == 0) | ((sum >= least) & (sum <= greatest));
    const V<R> flag = inside ? V<R>{} : V<R>{} + R(1);
    put(flag, flags);
    any += flag;
  }
  R total = 0;
  for (Index l = 0; l < W; ++l) total += any[l];
  return total != 0;
}

/// Chunks of `width` numbers of each item; the last one overlaps the one before where `size` is no multiple.
template <class R, int width>
void load_chunks(const R* const* items, Index size, R* lanes, Index blocks) {
  constexpr Index W = kWidth<R>;
  for (; blocks > 0; --blocks, items += W, lanes += size * W)
    for (Index l = 0; l < W; l += width)
      for (Index e = 0; e < size; e += width) {
        const Index from = e + width <= size ? e : size - width;
        typename Register<R, width* static_cast<int>(sizeof(R))>::type rows[width];
#pragma GCC unroll 16
        for (int r = 0; r < width; ++r) __builtin_memcpy(&rows[r], items[l + r] + from, sizeof rows[r]);
        transpose<R, width>(rows);
#pragma GCC unroll 16
        for (int r = 0; r < width; ++r) __builtin_memcpy(lanes + (from + r) * W + l, &rows[r], sizeof rows[r]);
      }
}

template <class R, int width>
void store_chunks(const R* lanes, Index size, R* const* items, Index count) {
  constexpr Index W = kWidth<R>;
  for (Index first = 0; first < count; first += W, lanes += size * W)
    for (Index l = 0; l < W && first + l < count; l += width) {
      const Index left = count - first - l, most = left < width ? left : width;
      for (Index e = 0; e < size; e += width) {
        const Index from = e + width <= size ? e : size - width;
        typename Register<R, width* static_cast<int>(sizeof(R))>::type rows[width];
#pragma GCC unroll 16
        for (int r = 0; r < width; ++r) __builtin_memcpy(&rows[r], lanes + (from + r) * W + l, sizeof rows[r]);
        transpose<R, width>(rows);
        if (most == width) {
#pragma GCC unroll 16
          for (int r = 0; r < width; ++r) __builtin_memcpy(items[first + l + r] + from, &rows[r], sizeof rows[r]);
        } else {
          for (Index r = 0; r < most; ++r) __builtin_memcpy(items[first + l + r] + from, &rows[r], sizeof rows[r]);
        }
      }
    }
}

/// The widest register that an item fills.
template <class R>
int chunk(Index size) {
  int width = static_cast<int>(kWidth<R>);
  while (width > size) width /= 2;
  return width;
}

template <class R>
void load(const R* const* items, Index size, R* lanes, Index blocks) {
  switch (chunk<R>(size)) {
    case 2:
      if constexpr (sizeof(R) == 8) return load_chunks<R, 2>(items, size, lanes, blocks);
      break;
    case 4:
      if constexpr (kWidth<R> >= 4) return load_chunks<R, 4>(items, size, lanes, blocks);
      break;
    case 8:
      if constexpr (kWidth<R> >= 8) return load_chunks<R, 8>(items, size, lanes, blocks);
      break;
    case 16:
      if constexpr (kWidth<R> >= 16) return load_chunks<R, 16>(items, size, lanes, blocks);
      break;
  }
}

template <class R>
void store(const R* lanes, Index size, R* const* items, Index count) {
  switch (chunk<R>(size)) {
    case 2:
      if constexpr (sizeof(R) == 8) return store_chunks<R, 2>(lanes, size, items, count);
      break;
    case 4:
      if constexpr (kWidth<R> >= 4) return store_chunks<R, 4>(lanes, size, items, count);
      break;
    case 8:
      if constexpr (kWidth<R> >= 8) return store_chunks<R, 8>(lanes, size, items, count);
      break;
    case 16:
      if constexpr (kWidth<R> >= 16) return store_chunks<R, 16>(lanes, size, items, count);
      break;
  }
}

template <class R, int n, int parts>
constexpr LaneOrder<R> kLaneOrder = {
    product<R, n, parts>,         product_pair<R, n, parts>,    examine<R, n, parts>,
    norms<R, n, parts>,           lesser_triangle<R, n, parts>, sizes<R, n, parts>,
    transpose_lanes<R, n, parts>, shift_diagonal<R, n, parts>,  scale<R, n, parts>,
};

template <class R>
constexpr LaneKernels<R> kLaneKernels = {
    kWidth<R>,
    {{{},
      {},
      kLaneOrder<R, 2, 1>,
      kLaneOrder<R, 3, 1>,
      kLaneOrder<R, 4, 1>,
      kLaneOrder<R, 5, 1>,
      kLaneOrder<R, 6, 1>,
      kLaneOrder<R, 7, 1>,
      kLaneOrder<R, 8, 1>}},
    {{{},
      {},
      kLaneOrder<R, 2, 2>,
      kLaneOrder<R, 3, 2>,
      kLaneOrder<R, 4, 2>,
      kLaneOrder<R, 5, 2>,
      kLaneOrder<R, 6, 2>,
      kLaneOrder<R, 7, 2>,
      kLaneOrder<R, 8, 2>}},
    combine<R>,
    extreme<R>,
    load<R>,
    store<R>,
};
