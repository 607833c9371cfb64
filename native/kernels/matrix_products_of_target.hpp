// The products of one matrix for one target. Included by matrix_of_target.hpp, and like it.

enum class Start { zero, plus, minus };

/// 24 accumulators of AVX-512's 32 registers, 12 of 16 elsewhere. On Zen 5 with AVX-512, 4 x 6, 2 x 12 and 1 x 12 brought nothing,
/// 1 x 16 cost a fifth; with AVX2, 2 x 6 brought a tenth over 2 x 4 at n = 16.
constexpr int kTileRegisters = 3;
constexpr int tile_columns(int registers) {
  return kVectorBytes == 64 ? 8 : (registers == kTileRegisters ? 4 : 6);
}

/// Products are summed along k in runs of this length, then the runs are added. In one long sum of equal products all rounding
/// errors have the same sign and grow with n. Complete graphs of order 3 to 420 reach 3.9 units with runs of 32 and 8.1 with runs of
/// 64; runs of 32 cost 1 to 2 % at n = 128 to 512 (Zen 5).
constexpr Index kRun = 32;

/// What becomes a tile of C: of complex numbers, first A times the real parts of B, then A times their imaginary parts.
template <class R, int parts, int registers, int columns>
using Accumulators = V<R>[parts][columns][registers];

/// body(p, j, i) for each register of a tile's accumulators.
template <int parts, int registers, int columns, class Body>
[[gnu::always_inline]] inline void for_tile(const Body& body) {
#pragma GCC unroll 2
  for (int p = 0; p < parts; ++p)
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j)
#pragma GCC unroll 4
      for (int i = 0; i < registers; ++i) body(p, j, i);
}

/// c = A B over one run of k.
template <class R, int parts, int registers, int columns>
[[gnu::always_inline]] inline void sum_run(const R* A, Index lda, const R* B, Index ldb, Index length,
                                           Accumulators<R, parts, registers, columns>& c) {
  for_tile<parts, registers, columns>([&](int p, int j, int i) __attribute__((always_inline)) { c[p][j][i] = V<R>{}; });
  for (Index k = 0; k < length; ++k) {
    V<R> a[registers];
#pragma GCC unroll 4
    for (int i = 0; i < registers; ++i) a[i] = get(A + k * lda + i * kWidth<R>);
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j)
#pragma GCC unroll 2
      for (int p = 0; p < parts; ++p) {
        const R b = B[j * ldb + k * parts + p];
#pragma GCC unroll 4
        for (int i = 0; i < registers; ++i) c[p][j][i] += a[i] * b;
      }
  }
}

/// C = c, C + c or C - c.
template <class R, int parts, int registers, int columns>
[[gnu::always_inline]] inline void end_tile(const Accumulators<R, parts, registers, columns>& c, R* C, Index ldc,
                                            Start start) {
  typename Register<R, kVectorBytes>::mask swapped;
  V<R> sign;
  for (int l = 0; l < kWidth<R>; ++l) {
    swapped[l] = l ^ 1;
    sign[l] = l % 2 == 0 ? R(-1) : R(1);
  }
  for_tile<1, registers, columns>([&](int, int j, int i) __attribute__((always_inline)) {
    R* const at = C + j * ldc + i * kWidth<R>;
    V<R> x = c[0][j][i];
    if constexpr (parts == 2) x += sign * __builtin_shuffle(c[1][j][i], swapped);
    if (start == Start::plus) x = get(at) + x;
    if (start == Start::minus) x = get(at) - x;
    put(x, at);
  });
}

/// A tile of C, `registers` high; all three starts in one function.
template <class R, int parts, int registers, int columns>
[[gnu::always_inline]] inline void tile(const R* A, Index lda, const R* B, Index ldb, R* C, Index ldc, Index n,
                                        Start start) {
  Accumulators<R, parts, registers, columns> c;
  sum_run<R, parts, registers, columns>(A, lda, B, ldb, n < kRun ? n : kRun, c);
  if (n > kRun) {
    Accumulators<R, parts, registers, columns> total;  // in memory: the registers are c's
    for (Index k = kRun;; k += kRun) {
      for_tile<parts, registers, columns>([&](int p, int j, int i) __attribute__((always_inline)) {
        total[p][j][i] = k == kRun ? c[p][j][i] : total[p][j][i] + c[p][j][i];
      });
      if (k >= n) break;
      sum_run<R, parts, registers, columns>(A + k * lda, lda, B + k * parts, ldb, n - k < kRun ? n - k : kRun, c);
    }
    for_tile<parts, registers, columns>([&](int p, int j, int i)
                                            __attribute__((always_inline)) { c[p][j][i] = total[p][j][i]; });
  }
  end_tile<R, parts, registers, columns>(c, C, ldc, start);
}

template <class R>
struct Product {
  const R* A;
  Index lda;
  const R* B;
  Index ldb;
  R* C;
  Index ldc;
  Index n;
  Start start;
};

/// One function for each size of a tile, since what calls it needs the registers for itself.
template <class R, int parts, int registers, int columns>
[[gnu::noinline]] void tile_alone(const R* A, Index lda, const R* B, Index ldb, R* C, Index ldc, Index n, Start start) {
  tile<R, parts, registers, columns>(A, lda, B, ldb, C, ldc, n, start);
}

/// The rows of C from i on that fill `registers`, in tiles from column j to column `end`.
template <class R, int parts, int registers, int columns>
void tiles(const Product<R>& p, Index i, Index j, Index end) {
  for (; j < end; j += columns)
    tile_alone<R, parts, registers, columns>(p.A + i, p.lda, p.B + j * p.ldb, p.ldb, p.C + i + j * p.ldc, p.ldc, p.n,
                                             p.start);
}

template <class R>
using Tiles = void (*)(const Product<R>& p, Index i, Index j, Index end);

/// By registers and columns, from 1 on.
template <class R, int parts>
struct TileTable {
  Tiles<R> at[kTileRegisters + 1][tile_columns(1) / parts + 1] = {};

  constexpr TileTable() { fill<kTileRegisters, tile_columns(kTileRegisters) / parts>(); }

 private:
  template <int registers, int columns>
  constexpr void fill() {
    at[registers][columns] = tiles<R, parts, registers, columns>;
    if constexpr (columns > 1)
      fill<registers, columns - 1>();
    else if constexpr (registers > 1)
      fill<registers - 1, tile_columns(registers - 1) / parts>();
  }
};
template <class R, int parts>
constexpr TileTable<R, parts> kTiles;

/// The rows of C from i on that fill a tile's registers, `most` columns a tile. What is left of whole tiles is shared with the last
/// one of them: two tiles of 5 and 4 columns keep the arithmetic busier than 8 and 1.
template <class R, Index most>
inline void product_rows(const Product<R>& p, const Tiles<R>* tiles, Index i, Index columns) {
  const Index rest = columns % most, whole = columns - rest - (rest != 0 && columns > most ? most : 0);
  const Index last = columns - whole, half = last > most ? (last + 1) / 2 : last;
  if (whole > 0) tiles[most](p, i, 0, whole);
  if (half > 0) tiles[half](p, i, whole, whole + half);
  if (half < last) tiles[last - half](p, i, whole + half, columns);
}

/// C = A B and so on for any order. Tiles of rows outermost: all columns then meet the same rows of A in the nearest cache.
template <class R, int parts, Start start>
void product(Strided<const R> A, Strided<const R> B, Strided<R> C, Index n, Index columns) {
  constexpr Index W = kWidth<R>;
  const Product<R> p{A.data, A.ld, B.data, B.ld, C.data, C.ld, n, start};
  for (Index i = 0, left = (n * parts + W - 1) / W; left > 0;) {
    // 2 and 2 rather than 3 and 1, for the same reason.
    const Index registers = left == 4 ? 2 : (left < kTileRegisters ? left : kTileRegisters);
    const Tiles<R>* const row = kTiles<R, parts>.at[registers];
    if (registers == kTileRegisters)
      product_rows<R, tile_columns(kTileRegisters) / parts>(p, row, i, columns);
    else
      product_rows<R, tile_columns(1) / parts>(p, row, i, columns);
    i += registers * W;
    left -= registers;
  }
}

/// C's rows from register `first` on, in as many tiles as `product` would take: all sizes known when it is compiled.
template <class R, int parts, int n, int first = 0>
[[gnu::always_inline]] inline void product_from(const Product<R>& p) {
  constexpr int left = (n * parts + static_cast<int>(kWidth<R>) - 1) / static_cast<int>(kWidth<R>) - first;
  constexpr int registers = left == 4 ? 2 : (left < kTileRegisters ? left : kTileRegisters);
  constexpr int most = (registers == 1 ? 2 * tile_columns(kTileRegisters) : tile_columns(registers)) / parts;
  constexpr int count = (n + most - 1) / most, columns = n / count, wider = n % count;
  const R* const A = p.A + first * kWidth<R>;
  const R* B = p.B;
  R* C = p.C + first * kWidth<R>;
  for (int t = 0; t < wider; ++t, B += (columns + 1) * p.ldb, C += (columns + 1) * p.ldc)
    tile<R, parts, registers, columns + 1>(A, p.lda, B, p.ldb, C, p.ldc, n, p.start);
  for (int t = wider; t < count; ++t, B += columns * p.ldb, C += columns * p.ldc)
    tile<R, parts, registers, columns>(A, p.lda, B, p.ldb, C, p.ldc, n, p.start);
  if constexpr (registers < left) product_from<R, parts, n, first + registers>(p);
}

/// C = A B and so on for square B, or several side by side.
template <class R, int parts, int n, Start start>
void square_product(Strided<const R> A, Strided<const R> B, Strided<R> C, Index columns) {
  for (; columns > 0; columns -= n, B.data += n * B.ld, C.data += n * C.ld)
    product_from<R, parts, n>(Product<R>{A.data, A.ld, B.data, B.ld, C.data, C.ld, n, start});
}

/// Known orders only where that brings more than a tenth on Zen 5: at n = 8 a quarter to a half, at 12 a seventh to a third of
/// real products, at 16 nothing.
template <class R, int parts, Start start>
void any_product(Strided<const R> A, Strided<const R> B, Strided<R> C, Index n, Index columns) {
  if (n == 8 && columns % 8 == 0) return square_product<R, parts, 8, start>(A, B, C, columns);
  if (n == 12 && columns % 12 == 0) return square_product<R, parts, 12, start>(A, B, C, columns);
  product<R, parts, start>(A, B, C, n, columns);
}
