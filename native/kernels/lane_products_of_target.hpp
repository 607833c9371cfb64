// Products of matrices in lanes for one target. Included by lanes_of_target.hpp, and like it.

/// body(0), body(1) ... body(count - 1) with constants, so that arrays of registers that they index stay in registers.
template <class Body, int... k>
[[gnu::always_inline]] inline void unroll(const Body& body, std::integer_sequence<int, k...>) {
  (body(std::integral_constant<int, k>{}), ...);
}
template <int count, class Body>
[[gnu::always_inline]] inline void unroll(const Body& body) {
  unroll(body, std::make_integer_sequence<int, count>{});
}

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

/// C = A B, or C + A B, in one block.
template <class R, int n, int parts, bool adds>
[[gnu::noinline]] void multiply_block(const R* A, const R* B, R* __restrict C) {
  constexpr Index W = kWidth<R>, kColumn = n * parts * W;
#pragma GCC unroll 1
  for (int j = 0; j < n; ++j, B += kColumn, C += kColumn) {
    V<R> c[1][n * parts] = {};
#pragma GCC unroll 1
    for (int k = 0; k < n; ++k) {
      V<R> b[1][parts];
      get_columns<R, parts, 1>(B + k * parts * W, b);
      add_outer<R, n, parts, 1, parts>(A + k * kColumn, 0, b, c);
    }
    if constexpr (adds)
      unroll<n * parts>([&](auto e) __attribute__((always_inline)) { c[0][e] = get(C + e * W) + c[0][e]; });
    put_columns<R, n * parts, 1>(c, C);
  }
}

template <class R, int n, int parts>
void square(const R* A, R* C, Index blocks) {
  constexpr Index kSize = n * n * parts * kWidth<R>;
  for (Index at = 0; at < blocks * kSize; at += kSize) multiply_block<R, n, parts, false>(A + at, A + at, C + at);
}
