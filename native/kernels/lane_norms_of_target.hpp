// Norms and plans of matrices in lanes for one target. Included by lanes_of_target.hpp, and like it.

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

/// About |X|_2 of each lane: the root of the greatest sum of squares of a column or a row, or of n^-1 times all of them.
template <class R, int n, int parts>
inline V<R> size_of_block(const R* X) {
  const LaneSums<R> sums = sums_of_block<R, n>(X, parts * kWidth<R>, square_at<R, parts>);
  const V<R> most = larger<R>(sums.total / n, larger<R>(sums.column, sums.row));
  return square_root<R>(most + 0 * sums.total);
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

/// Whether matrices without negative entries off the diagonal are told apart.
template <int n, int parts>
constexpr bool kLooksAtSigns = parts == 1 && n > kMaxGeneralOrder;

/// The greatest sum of moduli of a column and of a row with and without a shift: what is off the diagonal is the same.
template <class R, int n, int parts>
struct ShiftedNorms {
  V<R> one{}, infinity{}, shifted_one{}, shifted_infinity{};
  V<R> least = V<R>{} + R(__builtin_inf());  ///< off the diagonal; of real matrices

  ShiftedNorms(const R* A, const V<R> (&mu)[parts]) {
    constexpr Index W = kWidth<R>;
    V<R> rows[n] = {}, columns[n] = {};
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        if (i == j) continue;
        const V<R> x = modulus_at<R, parts>(A + (i + j * n) * parts * W);
        rows[i] += x;
        columns[j] += x;
        if constexpr (kLooksAtSigns<n, parts>) least = smaller<R>(get(A + (i + j * n) * W), least);
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
  V<R> least = infinite, greatest{}, greatest_entry = -infinite;
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
    if constexpr (kLooksAtSigns<n, parts>) {
      put(norms.least, findings.least + b * W);
      greatest_entry = larger<R>(norms.least, greatest_entry);
    }
    const V<R> key = 2 * row + (shifted ? V<R>{} + R(1) : V<R>{});
    for (Index l = 0; l < W; ++l) findings.key[b * W + l] = static_cast<std::uint8_t>(key[l]);
    for (int p = 0; p < parts; ++p) put(shifted ? mu[p] : V<R>{}, findings.mu + (b * parts + p) * W);
    least = key < least ? key : least;
    greatest = larger<R>(key, greatest);
  }
  R low = least[0], high = greatest[0];
  bool has_nonnegative = false;
  for (Index l = 0; l < W; ++l) {
    low = least[l] < low ? least[l] : low;
    high = greatest[l] > high ? greatest[l] : high;
    has_nonnegative = has_nonnegative || greatest_entry[l] >= 0;
  }
  return {static_cast<int>(low), static_cast<int>(high), has_nonnegative};
}

/// The sum of column j without its diagonal.
template <class R, int n>
inline V<R> rest_of_column(const R* A, int j) {
  V<R> rest{};
  for (int i = 0; i < n; ++i)
    if (i != j) rest += get(A + (i + j * n) * kWidth<R>);
  return rest;
}

template <class R, int n>
void look_at_rates(const R* A, Index blocks, const LaneRates<R>& rates) {
  constexpr Index W = kWidth<R>;
  for (Index b = 0; b < blocks; ++b, A += n * n * W) {
    V<R> least = get(A);
    for (int i = 1; i < n; ++i) least = smaller<R>(get(A + (i + i * n) * W), least);
    V<R> greatest{}, rest{}, excess{}, total{}, least_entry = V<R>{} + R(__builtin_inf());
    for (int j = 0; j < n; ++j) {
      const V<R> diagonal = get(A + (j + j * n) * W), own = rest_of_column<R, n>(A, j);
      for (int i = 0; i < n; ++i)
        if (i != j) {
          greatest = larger<R>(get(A + (i + j * n) * W), greatest);
          least_entry = smaller<R>(get(A + (i + j * n) * W), least_entry);
        }
      const V<R> sum = modulus<R>(diagonal + own);
      excess = larger<R>(sum == 0 ? V<R>{} : sum / own, excess);
      rest = larger<R>(own, rest);
      total += own + modulus<R>(diagonal);
    }
    const V<R> nothing = 0 * total;  // a maximum forgets NaN; this does not
    put(least, rates.least_diagonal + b * W);
    put(least_entry, rates.least_entry + b * W);
    put(greatest, rates.greatest_entry + b * W);
    put(rest + nothing, rates.greatest_rest + b * W);
    put(excess + nothing, rates.excess + b * W);
  }
}

template <class R, int n>
void complete_rates(R* A, const R* mu, Index blocks) {
  constexpr Index W = kWidth<R>;
  for (Index b = 0; b < blocks; ++b, A += n * n * W)
    for (int j = 0; j < n; ++j) put(-get(mu + b * W) - rest_of_column<R, n>(A, j), A + (j + j * n) * W);
}

/// From each row of G its diagonal entry.
template <class R>
[[gnu::always_inline]] inline void take_differences_of(R* G, Index n) {
  constexpr Index W = kWidth<R>;
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i)
      if (i != j) put(get(G + (i + j * n) * W) - get(G + (i + i * n) * W), G + (i + j * n) * W);
  for (Index i = 0; i < n; ++i) put(V<R>{}, G + (i + i * n) * W);
}
template <class R, int n>
void take_differences(R* G, Index blocks) {
  for (Index b = 0; b < blocks; ++b) take_differences_of<R>(G + b * n * n * kWidth<R>, n);
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
