// The kernels of one target. Included once by each file of `targets`, inside the target's namespace and with
// kVectorBytes defined there; so no include guard, and no includes: everything that is defined here is compiled for
// the target alone.

template <class R, int bytes>
struct Register;
template <>
struct Register<float, 16> {
  typedef float type __attribute__((vector_size(16)));
  typedef int mask __attribute__((vector_size(16)));
};
template <>
struct Register<float, 32> {
  typedef float type __attribute__((vector_size(32)));
  typedef int mask __attribute__((vector_size(32)));
};
template <>
struct Register<float, 64> {
  typedef float type __attribute__((vector_size(64)));
  typedef int mask __attribute__((vector_size(64)));
};
template <>
struct Register<double, 16> {
  typedef double type __attribute__((vector_size(16)));
  typedef long long mask __attribute__((vector_size(16)));
};
template <>
struct Register<double, 32> {
  typedef double type __attribute__((vector_size(32)));
  typedef long long mask __attribute__((vector_size(32)));
};
template <>
struct Register<double, 64> {
  typedef double type __attribute__((vector_size(64)));
  typedef long long mask __attribute__((vector_size(64)));
};

template <class R>
using V = typename Register<R, kVectorBytes>::type;

/// Numbers of a register.
template <class R>
constexpr Index kWidth = kVectorBytes / static_cast<Index>(sizeof(R));

template <class R>
inline V<R> get(const R* from) {
  V<R> x;
  __builtin_memcpy(&x, from, sizeof x);
  return x;
}
template <class R>
inline void put(V<R> x, R* to) {
  __builtin_memcpy(to, &x, sizeof x);
}
template <class R>
inline V<R> modulus(V<R> x) {
  return x < 0 ? -x : x;
}
template <class R>
inline V<R> larger(V<R> x, V<R> y) {
  return x > y ? x : y;
}

template <class R, int n, bool add>
void multiply(const R* A, const R* B, R* C, Index blocks) {
  constexpr Index W = kWidth<R>;
  for (; blocks > 0; --blocks, A += n * n * W, B += n * n * W, C += n * n * W)
    for (int j = 0; j < n; ++j) {
      V<R> c[n];
      const V<R> first = get(B + j * n * W);
      for (int i = 0; i < n; ++i) {
        if constexpr (add)
          c[i] = get(C + (i + j * n) * W) + get(A + i * W) * first;
        else
          c[i] = get(A + i * W) * first;
      }
      for (int k = 1; k < n; ++k) {
        const V<R> b = get(B + (k + j * n) * W);
        for (int i = 0; i < n; ++i) c[i] += get(A + (i + k * n) * W) * b;
      }
      for (int i = 0; i < n; ++i) put(c[i], C + (i + j * n) * W);
    }
}

template <class R, int n, bool add>
void complex_multiply(const R* A, const R* B, R* C, Index blocks) {
  constexpr Index W = kWidth<R>;
  for (; blocks > 0; --blocks, A += 2 * n * n * W, B += 2 * n * n * W, C += 2 * n * n * W)
    for (int j = 0; j < n; ++j) {
      V<R> re[n], im[n];
      for (int i = 0; i < n; ++i) {
        const R* const c = C + (i + j * n) * 2 * W;
        re[i] = add ? get(c) : V<R>{};
        im[i] = add ? get(c + W) : V<R>{};
      }
      for (int k = 0; k < n; ++k) {
        const R* const b = B + (k + j * n) * 2 * W;
        const V<R> b_re = get(b), b_im = get(b + W);
        for (int i = 0; i < n; ++i) {
          const R* const a = A + (i + k * n) * 2 * W;
          const V<R> a_re = get(a), a_im = get(a + W);
          re[i] += a_re * b_re;
          im[i] += a_re * b_im;
          re[i] -= a_im * b_im;
          im[i] += a_im * b_re;
        }
      }
      for (int i = 0; i < n; ++i) {
        R* const c = C + (i + j * n) * 2 * W;
        put(re[i], c);
        put(im[i], c + W);
      }
    }
}

template <class R, int terms>
void combine_terms(const R* c, const R* const* x, R* y, Index length) {
  // In locals, since y might else be thought to overwrite them.
  R coefficients[terms];
  const R* from[terms];
  for (int t = 0; t < terms; ++t) {
    coefficients[t] = c[t];
    from[t] = x[t];
  }
  for (Index at = 0; at < length; at += kWidth<R>) {
    V<R> sum = coefficients[0] * get(from[0] + at);
    for (int t = 1; t < terms; ++t) sum += coefficients[t] * get(from[t] + at);
    put(sum, y + at);
  }
}

template <class R>
void combine(const R* c, const R* const* x, int terms, R* y, Index length) {
  switch (terms) {
    case 1:
      return combine_terms<R, 1>(c, x, y, length);
    case 2:
      return combine_terms<R, 2>(c, x, y, length);
    case 3:
      return combine_terms<R, 3>(c, x, y, length);
    case 4:
      return combine_terms<R, 4>(c, x, y, length);
    case 5:
      return combine_terms<R, 5>(c, x, y, length);
    default:
      return combine_terms<R, 6>(c, x, y, length);
  }
}

template <class R>
inline V<R> square_root(V<R> x) {
  V<R> root{};
  for (Index l = 0; l < kWidth<R>; ++l)
    root[l] = sizeof(R) == 4 ? R(__builtin_sqrtf(float(x[l]))) : R(__builtin_sqrt(x[l]));
  return root;
}

/// The norms of one block, whose elements are `step` numbers apart; size(x) is the modulus of the element at x.
template <class R, int n, class Modulus>
inline void norms_of_block(const R* A, Index step, Modulus size, R* one, R* infinity, R* smaller) {
  V<R> rows[n] = {}, greatest{}, total{};
  for (int j = 0; j < n; ++j) {
    V<R> column{};
    for (int i = 0; i < n; ++i) {
      const V<R> x = size(A + (i + j * n) * step);
      column += x;
      rows[i] += x;
    }
    greatest = column > greatest ? column : greatest;
    total += column;
  }
  V<R> greatest_row = rows[0];
  for (int i = 1; i < n; ++i) greatest_row = rows[i] > greatest_row ? rows[i] : greatest_row;
  // A maximum forgets NaN; this does not.
  const V<R> nothing = 0 * total;
  put(greatest + nothing, one);
  put(greatest_row + nothing, infinity);
  put((greatest < greatest_row ? greatest : greatest_row) + nothing, smaller);
}

template <class R, int n>
void norms(const R* A, Index blocks, R* one, R* infinity, R* smaller) {
  constexpr Index W = kWidth<R>;
  const auto size = [](const R* x) { return modulus<R>(get(x)); };
  for (Index b = 0; b < blocks; ++b)
    norms_of_block<R, n>(A + b * n * n * W, W, size, one + b * W, infinity + b * W, smaller + b * W);
}

template <class R, int n>
void complex_norms(const R* A, Index blocks, R* one, R* infinity, R* smaller) {
  constexpr Index W = kWidth<R>;
  const auto size = [](const R* x) {
    const V<R> re = get(x), im = get(x + W);
    return square_root<R>(re * re + im * im);
  };
  for (Index b = 0; b < blocks; ++b)
    norms_of_block<R, n>(A + b * 2 * n * n * W, 2 * W, size, one + b * W, infinity + b * W, smaller + b * W);
}

template <class R>
void probe(const R* X, Index elements, Index blocks, R* result) {
  constexpr Index W = kWidth<R>;
  for (; blocks > 0; --blocks, X += elements * W, result += W) {
    V<R> nothing{};
    for (Index e = 0; e < elements; ++e) nothing += 0 * get(X + e * W);
    put(nothing, result);
  }
}

template <class R, int n, class Square>
inline V<R> size_of_block(const R* X, Index step, Square square) {
  V<R> rows[n] = {}, greatest{}, total{};
  for (int j = 0; j < n; ++j) {
    V<R> column{};
    for (int i = 0; i < n; ++i) {
      const V<R> x = square(X + (i + j * n) * step);
      column += x;
      rows[i] += x;
    }
    greatest = column > greatest ? column : greatest;
    total += column;
  }
  for (int i = 0; i < n; ++i) greatest = rows[i] > greatest ? rows[i] : greatest;
  const V<R> mean = total / n;
  return square_root<R>((mean > greatest ? mean : greatest) + 0 * total);
}

template <class R, int n>
void sizes(const R* X, Index blocks, R* result) {
  constexpr Index W = kWidth<R>;
  const auto square = [](const R* x) { return get(x) * get(x); };
  for (Index b = 0; b < blocks; ++b) put(size_of_block<R, n>(X + b * n * n * W, W, square), result + b * W);
}

template <class R, int n>
void complex_sizes(const R* X, Index blocks, R* result) {
  constexpr Index W = kWidth<R>;
  const auto square = [](const R* x) { return get(x) * get(x) + get(x + W) * get(x + W); };
  for (Index b = 0; b < blocks; ++b) put(size_of_block<R, n>(X + b * 2 * n * n * W, 2 * W, square), result + b * W);
}

/// Transposes `width` registers of as many numbers: in each step those that lie `distance` apart exchange halves.
template <class R, int width, int distance = 1>
inline void transpose(typename Register<R, width* static_cast<int>(sizeof(R))>::type* rows) {
  using Mask = typename Register<R, width* static_cast<int>(sizeof(R))>::mask;
  Mask low, high;
  for (int l = 0; l < width; ++l) {
    low[l] = (l & distance) != 0 ? l - distance + width : l;
    high[l] = (l & distance) != 0 ? l + width : l + distance;
  }
  for (int r = 0; r < width; ++r) {
    if ((r & distance) != 0) continue;
    const auto upper = rows[r], lower = rows[r + distance];
    rows[r] = __builtin_shuffle(upper, lower, low);
    rows[r + distance] = __builtin_shuffle(upper, lower, high);
  }
  if constexpr (2 * distance < width) transpose<R, width, 2 * distance>(rows);
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
        for (int r = 0; r < width; ++r) __builtin_memcpy(&rows[r], items[l + r] + from, sizeof rows[r]);
        transpose<R, width>(rows);
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
        for (int r = 0; r < width; ++r) __builtin_memcpy(&rows[r], lanes + (from + r) * W + l, sizeof rows[r]);
        transpose<R, width>(rows);
        if (most == width) {
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

template <class R>
constexpr LaneKernels<R> kLaneKernels = {
    kWidth<R>,
    {nullptr, nullptr, multiply<R, 2, false>, multiply<R, 3, false>, multiply<R, 4, false>, multiply<R, 5, false>,
     multiply<R, 6, false>, multiply<R, 7, false>, multiply<R, 8, false>},
    {nullptr, nullptr, multiply<R, 2, true>, multiply<R, 3, true>, multiply<R, 4, true>, multiply<R, 5, true>,
     multiply<R, 6, true>, multiply<R, 7, true>, multiply<R, 8, true>},
    {nullptr, nullptr, complex_multiply<R, 2, false>, complex_multiply<R, 3, false>, complex_multiply<R, 4, false>,
     complex_multiply<R, 5, false>, complex_multiply<R, 6, false>, complex_multiply<R, 7, false>,
     complex_multiply<R, 8, false>},
    {nullptr, nullptr, complex_multiply<R, 2, true>, complex_multiply<R, 3, true>, complex_multiply<R, 4, true>,
     complex_multiply<R, 5, true>, complex_multiply<R, 6, true>, complex_multiply<R, 7, true>,
     complex_multiply<R, 8, true>},
    combine<R>,
    {nullptr, nullptr, norms<R, 2>, norms<R, 3>, norms<R, 4>, norms<R, 5>, norms<R, 6>, norms<R, 7>, norms<R, 8>},
    {nullptr, nullptr, complex_norms<R, 2>, complex_norms<R, 3>, complex_norms<R, 4>, complex_norms<R, 5>,
     complex_norms<R, 6>, complex_norms<R, 7>, complex_norms<R, 8>},
    probe<R>,
    {nullptr, nullptr, sizes<R, 2>, sizes<R, 3>, sizes<R, 4>, sizes<R, 5>, sizes<R, 6>, sizes<R, 7>, sizes<R, 8>},
    {nullptr, nullptr, complex_sizes<R, 2>, complex_sizes<R, 3>, complex_sizes<R, 4>, complex_sizes<R, 5>,
     complex_sizes<R, 6>, complex_sizes<R, 7>, complex_sizes<R, 8>},
    load<R>,
    store<R>,
};
