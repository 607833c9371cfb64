// The norms of one matrix for one target. Included by matrix_of_target.hpp, and like it.

/// What is summed over columns and rows. `pairs` where it is made of two columns of complex numbers at once, those of the one
/// column then in the even numbers of the result, and those of the other in the odd ones.
struct OfModulus {
  static constexpr bool pairs = false;
  template <class R>
  static V<R> of(V<R> x, V<R>) {
    return modulus<R>(x);
  }
};
struct OfSquare {
  static constexpr bool pairs = false;
  template <class R>
  static V<R> of(V<R> x, V<R>) {
    return x * x;
  }
};
struct OfComplexModulus {
  static constexpr bool pairs = true;
  template <class R>
  static V<R> of(V<R> x, V<R> y) {
    exchange<R, static_cast<int>(kWidth<R>), 1>(x, y);
    return square_root<R>(x * x + y * y);
  }
};

/// All numbers of a register, by `of`.
template <class R, class Operation, int distance = static_cast<int>(kWidth<R>) / 2>
inline R across(V<R> x, Operation of) {
  if constexpr (distance == 0) {
    return x[0];
  } else {
    typename Register<R, kVectorBytes>::mask other;
    for (int l = 0; l < static_cast<int>(kWidth<R>); ++l) other[l] = l ^ distance;
    return across<R, Operation, distance / 2>(of(x, __builtin_shuffle(x, other)), of);
  }
}

/// The sum of each of W / distance registers, whose numbers l with the same l % distance belong together: in one register.
template <class R, int distance>
inline V<R> sums_across(V<R>* sums) {
  constexpr int W = static_cast<int>(kWidth<R>);
  if constexpr (distance < W) {
    for (int r = 0; r < W / distance; r += 2) {
      exchange<R, W, distance>(sums[r], sums[r + 1]);
      sums[r / 2] = sums[r] + sums[r + 1];
    }
    return sums_across<R, 2 * distance>(sums);
  }
  return sums[0];
}

/// One register of rows in each of W columns, or in `some` of them: added to the sums of both. Numbers from `rows` on do not count.
template <class R, class Measure, bool all, bool last>
inline void add_register(const R* A, Index ld, Index rows, Index some, V<R>& row_sums, V<R>* column_sums) {
  constexpr Index W = kWidth<R>;
  constexpr Index step = Measure::pairs ? 2 : 1;
  typename Register<R, kVectorBytes>::mask row;
  for (int l = 0; l < W; ++l) row[l] = l;
  const auto counts = row < static_cast<decltype(row[0] + 0)>(rows);
  const auto column = [&](Index j) { return last ? (counts ? get(A + j * ld) : V<R>{}) : get(A + j * ld); };
  const Index columns = all ? W : some;
  for (Index j = 0; j < columns; j += step) {
    const V<R> x = column(j);
    const V<R> y = step == 2 && (all || j + 1 < columns) ? column(j + 1) : V<R>{};
    const V<R> size = Measure::template of<R>(x, y);
    row_sums += size;
    column_sums[j / step] += size;
  }
}

/// The sums of W columns (or of `some`), while they are added to those of the rows.
template <class R, class Measure, bool all>
inline V<R> sums_of_columns(const R* A, Index ld, Index rows, Index some, V<R>* row_sums) {
  constexpr Index W = kWidth<R>;
  constexpr int apart = Measure::pairs ? 2 : 1;
  V<R> sums[W / apart] = {};
  for (; rows >= W; rows -= W, A += W, ++row_sums)
    add_register<R, Measure, all, false>(A, ld, rows, some, *row_sums, sums);
  if (rows > 0) add_register<R, Measure, all, true>(A, ld, rows, some, *row_sums, sums);
  return sums_across<R, apart>(sums);
}

template <class R>
struct Sums {
  R greatest_column, greatest_row, total;
};

/// A is read once, in panels of W columns whose sums stay in registers.
template <class R, class Measure, int parts>
inline Sums<R> sums_of(const R* A, Index ld, Index n) {
  constexpr Index W = kWidth<R>;
  V<R> row_sums[kMaxMatrixOrder * parts / W];
  const Index rows = n * parts, registers = (rows + W - 1) / W;
  for (Index r = 0; r < registers; ++r) row_sums[r] = V<R>{};
  V<R> greatest_column{}, total{};
  Index j = 0;
  for (; j + W <= n; j += W) {
    const V<R> sums = sums_of_columns<R, Measure, true>(A + j * ld, ld, rows, W, row_sums);
    greatest_column = larger<R>(greatest_column, sums);
    total += sums;
  }
  if (j < n) {
    const V<R> sums = sums_of_columns<R, Measure, false>(A + j * ld, ld, rows, n - j, row_sums);
    greatest_column = larger<R>(greatest_column, sums);
    total += sums;
  }
  V<R> greatest_row{};
  for (Index r = 0; r < registers; ++r) {
    V<R> sums = row_sums[r];
    if constexpr (parts == 2) {
      typename Register<R, kVectorBytes>::mask other;
      for (int l = 0; l < W; ++l) other[l] = l ^ 1;
      sums += __builtin_shuffle(sums, other);
    }
    greatest_row = larger<R>(greatest_row, sums);
  }
  const auto greater = [](V<R> x, V<R> y) { return larger<R>(x, y); };
  const auto plus = [](V<R> x, V<R> y) { return x + y; };
  return {across<R>(greatest_column, greater), across<R>(greatest_row, greater), across<R>(total, plus)};
}

template <class R, class Measure, int parts>
void matrix_norms(const R* A, Index ld, Index n, R* one, R* infinity) {
  const Sums<R> sums = sums_of<R, Measure, parts>(A, ld, n);
  // A maximum forgets NaN, a sum does not.
  const bool nan = sums.total != sums.total;
  *one = nan ? sums.total : sums.greatest_column;
  *infinity = nan ? sums.total : sums.greatest_row;
}

template <class R, int parts>
R matrix_square_of_size(const R* A, Index ld, Index n) {
  const Sums<R> sums = sums_of<R, OfSquare, parts>(A, ld, n);
  if (!(sums.total - sums.total == 0)) return sums.total;
  const R greatest = sums.greatest_column > sums.greatest_row ? sums.greatest_column : sums.greatest_row;
  const R mean = sums.total / static_cast<R>(n);
  return mean > greatest ? mean : greatest;
}
