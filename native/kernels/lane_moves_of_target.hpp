// Matrices into lanes and back, and what moves or scales them there, for one target. Included by lanes_of_target.hpp, and like it.

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
