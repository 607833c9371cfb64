// Matrices into lanes and back, and moves there, for one target. Included by lanes_of_target.hpp, and like it.

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

/// `width` numbers of as many items from `from` on, each item in a register of its own.
template <class R, int width>
using Chunk = typename Register<R, width* static_cast<int>(sizeof(R))>::type[width];

/// Chunks of `width` numbers of each item; the last one overlaps the one before where `size` is no multiple.
template <class R, int width>
void load_chunks(const R* items, Index stride, Index size, const Place* places, R* lanes, Index blocks) {
  constexpr Index W = kWidth<R>;
  for (; blocks > 0; --blocks, places += W, lanes += size * W)
    for (Index l = 0; l < W; l += width)
      for (Index e = 0; e < size; e += width) {
        const Index from = e + width <= size ? e : size - width;
        Chunk<R, width> rows;
#pragma GCC unroll 16
        for (int r = 0; r < width; ++r)
          __builtin_memcpy(&rows[r], items + places[l + r] * stride + from, sizeof rows[r]);
        transpose<R, width>(rows);
#pragma GCC unroll 16
        for (int r = 0; r < width; ++r) __builtin_memcpy(lanes + (from + r) * W + l, &rows[r], sizeof rows[r]);
      }
}

template <class R, int width>
void store_chunks(const R* lanes, Index size, R* items, Index stride, const Place* places, Index count) {
  constexpr Index W = kWidth<R>;
  for (Index first = 0; first < count; first += W, lanes += size * W)
    for (Index l = 0; l < W && first + l < count; l += width) {
      const Place* const to = places + first + l;
      const Index left = count - first - l, most = left < width ? left : width;
      for (Index e = 0; e < size; e += width) {
        const Index from = e + width <= size ? e : size - width;
        Chunk<R, width> rows;
#pragma GCC unroll 16
        for (int r = 0; r < width; ++r) __builtin_memcpy(&rows[r], lanes + (from + r) * W + l, sizeof rows[r]);
        transpose<R, width>(rows);
        if (most == width) {
#pragma GCC unroll 16
          for (Index r = 0; r < width; ++r) __builtin_memcpy(items + to[r] * stride + from, &rows[r], sizeof rows[r]);
        } else {
          for (Index r = 0; r < most; ++r) __builtin_memcpy(items + to[r] * stride + from, &rows[r], sizeof rows[r]);
        }
      }
    }
}

/// Runs body with the greatest width, a power of two, of which an item fills a register.
template <class R, int width = static_cast<int>(kWidth<R>), class Body>
[[gnu::always_inline]] inline void with_chunk(Index size, const Body& body) {
  if (width <= size || width * sizeof(R) == 16) return body(std::integral_constant<int, width>{});
  if constexpr (width * sizeof(R) > 16) with_chunk<R, width / 2>(size, body);
}

template <class R>
void load(const R* items, Index stride, Index size, const Place* places, R* lanes, Index blocks) {
  with_chunk<R>(size, [&](auto width) { load_chunks<R, width>(items, stride, size, places, lanes, blocks); });
}
template <class R>
void store(const R* lanes, Index size, R* items, Index stride, const Place* places, Index count) {
  with_chunk<R>(size, [&](auto width) { store_chunks<R, width>(lanes, size, items, stride, places, count); });
}
