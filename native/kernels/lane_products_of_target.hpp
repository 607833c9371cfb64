// Sums and products of matrices in lanes for one target. Included by lanes_of_target.hpp, and like it.

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
