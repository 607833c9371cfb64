#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>

#include "expm/plan.hpp"
#include "linalg/workspace.hpp"

/// Plans for matrices without negative entries off the diagonal. In a Taylor polynomial with positive coefficients nothing but the
/// diagonal can be negative, and if that is at least -1, little cancels. Squarings of what is not negative cancel nothing. So every entry
/// keeps its own relative accuracy. See docs/decisions/0019.
namespace matfun {

/// The degrees of Scheme::nonnegative, rising; only the last one squares.
template <class R>
inline constexpr std::array<int, 7> kNonnegativeDegrees = {1, 2, 4, 8, 12, 16, 20};
/// In single precision 20 would spare less than the squaring that it costs.
template <>
inline constexpr std::array<int, 7> kNonnegativeDegrees<float> = {1, 2, 4, 8, 12, 16, 16};

namespace detail {

/// log2 of how much (T_m(B / 2^s))^(2^s) leaves out of an entry, relative to the entry and times 2^(s m): a bound for a state that is
/// `ways` steps away.
///
/// T_m(B / 2^s)^(2^s) has the coefficient of B^k, relative to 1 / k!, that k balls in 2^s boxes leave no box with more than m. It lacks at
/// most C(k, m + 1) 2^(-s m). An entry `ways` steps away gets its value from k = ways + j with j about Poisson-distributed, mean a = |B|,
/// and the mean of C(ways + j, m + 1) is the sum over i of C(ways, m + 1 - i) a^i / i!.
inline double log2_left_out(int m, double a, double ways) {
  if (a == 0) return -std::numeric_limits<double>::infinity();
  // The terms from i = m + 1 down, as multiples of the first, which may leave the range.
  double first = 0, sum = 1, term = 1;
  for (int i = m + 1; i > 1; --i) first -= std::log2(static_cast<double>(i));
  if (a < 1) {  // so that no multiple leaves the range: the last one, C(ways, m + 1), is the first
    double last = 1, total = 0;
    for (int i = 0; i <= m; ++i) last *= std::max(ways - i, 0.0) / (i + 1);
    total = last;
    double power = 1;
    for (int i = 1; i <= m + 1; ++i) {
      // C(ways, m + 1 - i) a^i / i!
      power *= a / i;
      double chosen = 1;
      for (int k = 0; k < m + 1 - i; ++k) chosen *= std::max(ways - k, 0.0) / (k + 1);
      total += chosen * power;
    }
    return std::log2(total);
  }
  for (int i = m + 1; i > 0; --i) {
    const double chosen = m + 2 - i;
    term *= i / a * std::max(ways - chosen + 1, 0.0) / chosen;
    sum += term;
  }
  return first + (m + 1) * std::log2(a) + std::log2(sum);
}

/// What may be left out of an entry: 2 u of it.
template <class R>
inline constexpr double kLog2Tolerance = 1 - std::numeric_limits<R>::digits;

}  // namespace detail

/// Steps to an entry of the value, or of a derivative in any direction: to where the direction is, one along it, and on, no state of n
/// twice. What goes round belongs to what log2_left_out adds.
constexpr int ways_for(Purpose purpose, Index longest_way, Index n) {
  return static_cast<int>(purpose == Purpose::value ? longest_way : std::min(2 * longest_way + 1, n));
}

/// A degree of Scheme::nonnegative and squarings.
struct NonnegativeSteps {
  int row;  ///< among kNonnegativeDegrees; the last one where there are squarings
  int squarings;
};

namespace detail {

/// The least steps that leave out no more than 2 u of any entry.
/// a  |B| in a consistent norm, finite, >= 0.
template <class R>
NonnegativeSteps nonnegative_steps(double a, double ways) {
  constexpr auto& degrees = kNonnegativeDegrees<R>;
  double left_out = 0;
  for (std::size_t row = 0; row < degrees.size(); ++row) {
    left_out = log2_left_out(degrees[row], a, ways);
    if (left_out <= kLog2Tolerance<R>) return {static_cast<int>(row), 0};
  }
  const int squarings = static_cast<int>(std::ceil((left_out - kLog2Tolerance<R>) / degrees.back()));
  return {static_cast<int>(degrees.size()) - 1, squarings};
}

}  // namespace detail

/// The same by the greatest norms that each step covers, for one number of ways: looking them up takes nanoseconds.
template <class R>
class NonnegativeBounds {
 public:
  static constexpr int kMostSquarings = 55;  // of norms up to 2^53

  explicit NonnegativeBounds(double ways) {
    const int last = static_cast<int>(rows_.size()) - 1;
    for (int row = 0; row <= last; ++row) rows_[static_cast<std::size_t>(row)] = bound(ways, row, 0);
    for (int k = 1; k <= kMostSquarings; ++k) squared_[static_cast<std::size_t>(k)] = bound(ways, last, k);
  }

  /// False where it takes more squarings.
  bool find(R norm, NonnegativeSteps& steps) const {
    for (std::size_t row = 0; row < rows_.size(); ++row)
      if (norm <= rows_[row]) {
        steps = {static_cast<int>(row), 0};
        return true;
      }
    const auto squared = std::lower_bound(squared_.begin() + 1, squared_.end(), norm);
    const int s = static_cast<int>(squared - squared_.begin());
    steps = {static_cast<int>(rows_.size()) - 1, s};
    return s <= kMostSquarings;
  }

 private:
  /// 0 where it covers none.
  static R bound(double ways, int row, int squarings) {
    const int degree = kNonnegativeDegrees<R>[static_cast<std::size_t>(row)];
    const double most = detail::kLog2Tolerance<R> + squarings * degree;
    const auto is_covered = [&](double a) { return detail::log2_left_out(degree, a, ways) <= most; };
    double low = 0x1p-120, high = 0x1p70;
    if (!is_covered(low)) return 0;
    for (int step = 0; step < 32; ++step) {
      const double middle = std::sqrt(low * high);
      (is_covered(middle) ? low : high) = middle;
    }
    return static_cast<R>(low);
  }

  std::array<R, kNonnegativeDegrees<R>.size()> rows_;
  std::array<R, kMostSquarings + 1> squared_;
};

/// Those of so many ways, up to kMostTabulatedWays: made when they are first asked for, and kept.
inline constexpr int kMostTabulatedWays = 63;
template <class R>
const NonnegativeBounds<R>& nonnegative_bounds(int ways) {
  static std::array<std::atomic<const NonnegativeBounds<R>*>, kMostTabulatedWays + 1> all{};
  auto& kept = all[static_cast<std::size_t>(ways)];
  if (const auto* bounds = kept.load(std::memory_order_acquire)) return *bounds;
  auto made = std::make_unique<const NonnegativeBounds<R>>(ways);
  const NonnegativeBounds<R>* none = nullptr;
  return kept.compare_exchange_strong(none, made.get(), std::memory_order_acq_rel) ? *made.release() : *none;
}

/// Degree and squarings for a nonnegative B, the least that leave out no more than 2 u of any entry.
/// norm  |B| in a consistent norm, finite, >= 0.
template <class R>
Plan nonnegative_plan(R norm, int ways) {
  const double a = static_cast<double>(norm);
  NonnegativeSteps steps{};
  if (ways > kMostTabulatedWays || !nonnegative_bounds<R>(ways).find(norm, steps))
    steps = detail::nonnegative_steps<R>(a, ways);
  const int degree = kNonnegativeDegrees<R>[static_cast<std::size_t>(steps.row)];
  return {.scheme = Scheme::nonnegative, .degree = degree, .squarings = steps.squarings, .norm = a, .alpha = a};
}

/// True where no entry off the diagonal is negative; never of complex matrices.
template <class T>
bool is_essentially_nonnegative(View<const T> A) {
  if constexpr (kIsComplex<T>) return false;
  for (Index j = 0; j < A.columns; ++j)
    for (Index i = 0; i < A.rows; ++i)
      if (i != j && !(std::real(A(i, j)) >= 0)) return false;
  return true;
}

namespace detail {

/// Links between states, as sets of 64 states a word.
class Graph {
 public:
  Graph(Index n, Workspace& work)
      : n_(n),
        words_((n + 63) / 64),
        links_(work.take<std::uint64_t>(words_, n)),
        reached_(work.take<std::uint64_t>(words_, 1).data),
        last_(work.take<std::uint64_t>(words_, 1).data),
        next_(work.take<std::uint64_t>(words_, 1).data) {}

  /// The links from j to i with B(i, j) > 0 and B(i, j) >= share times the greatest into i.
  /// least  n, overwritten.
  template <class R>
  void connect(View<const R> B, R share, R* least) {
    std::fill_n(least, n_, R(0));
    for (Index j = 0; j < n_; ++j) {
      const R* const x = B.column(j);
      for (Index i = 0; i < j; ++i) least[i] = std::max(least[i], x[i]);
      for (Index i = j + 1; i < n_; ++i) least[i] = std::max(least[i], x[i]);
    }
    for (Index i = 0; i < n_; ++i) least[i] = std::max(share * least[i], std::numeric_limits<R>::denorm_min());
    for (Index j = 0; j < n_; ++j) {
      const R* const x = B.column(j);
      for (Index v = 0; v < words_; ++v) {
        std::uint64_t word = 0;
        for (Index i = v * 64; i < std::min(n_, v * 64 + 64); ++i)
          word |= std::uint64_t(x[i] >= least[i] ? 1 : 0) << (i % 64);
        links_(v, j) = word;
      }
      links_(j / 64, j) &= ~bit(j);
    }
  }

  /// The greatest number of steps from one state to another, over those that can be reached.
  int longest_way() {
    int longest = 0;
    pairs_ = 0;
    for (Index j = 0; j < n_; ++j)
      longest = std::max(longest, words_ == 1 ? longest_way_of_few(j) : longest_way_from(j));
    return longest;
  }
  /// After longest_way: the pairs of states of which one can be reached from the other.
  Index pairs() const { return pairs_; }

 private:
  static std::uint64_t bit(Index i) { return std::uint64_t(1) << (i % 64); }

  /// Of up to 64 states, in registers.
  int longest_way_of_few(Index j) {
    const std::uint64_t all = n_ == 64 ? ~std::uint64_t(0) : bit(n_) - 1;
    std::uint64_t reached = bit(j), last = reached;
    int steps = 0;
    for (; last != 0 && reached != all; ++steps) {
      std::uint64_t next = 0;
      for (; last != 0 && (next | reached) != all; last &= last - 1) next |= *links_.column(std::countr_zero(last));
      last = next & ~reached;
      reached |= last;
    }
    pairs_ += std::popcount(reached);
    return reached == all ? steps : steps - 1;  // the last one found nothing
  }

  int longest_way_from(Index j) {
    std::fill_n(reached_, words_, std::uint64_t(0));
    std::fill_n(last_, words_, std::uint64_t(0));
    reached_[j / 64] = last_[j / 64] = bit(j);
    Index count = 1;
    int steps = 0;
    for (Index found = 1; found > 0 && count < n_; ++steps) {
      std::fill_n(next_, words_, std::uint64_t(0));
      for (Index w = 0; w < words_; ++w)
        for (std::uint64_t left = last_[w]; left != 0; left &= left - 1) {
          const std::uint64_t* const to = links_.column(w * 64 + std::countr_zero(left));
          for (Index v = 0; v < words_; ++v) next_[v] |= to[v];
        }
      found = 0;
      for (Index v = 0; v < words_; ++v) {
        last_[v] = next_[v] & ~reached_[v];
        reached_[v] |= last_[v];
        found += std::popcount(last_[v]);
      }
      count += found;
    }
    pairs_ += count;
    return count < n_ ? steps - 1 : steps;  // the last one found nothing
  }

  Index n_, words_;
  View<std::uint64_t> links_;
  std::uint64_t *reached_, *last_, *next_;
  Index pairs_ = 0;
};

}  // namespace detail

/// A link counts as strong from this share of the strongest into the same state on.
inline constexpr double kStrongLink = 1.0 / 16;

/// Steps from one state to another along strong links if they are one or two everywhere, else n - 1. Along longer ways links of little
/// less weight add up: where shortcuts have 1/16 of the weight of two links each, what flows along 20 links is still seen beside
/// what flows along 16.
/// B     n x n, not negative off its diagonal, which does not matter.
/// work  of which n^2 bits and some vectors are free; left as it was.
/// cost  n^3 / 64 operations on words at most; n^2 / 64 for a dense B.
template <class R>
int longest_way(View<const R> B, Workspace& work) {
  const std::size_t mark = work.used_bytes();
  R* const least = work.take<R>(B.rows, 1).data;
  detail::Graph graph(B.rows, work);
  graph.connect(B, static_cast<R>(kStrongLink), least);
  const int longest = graph.longest_way();
  work.rewind(mark);
  const Index n = B.rows;
  return longest <= 2 && graph.pairs() == n * n ? longest : static_cast<int>(n - 1);
}

/// The sum of so many numbers, by eight sums that a compiler can keep in registers.
template <class Sum, class R>
Sum sum_of(const R* x, Index count) {
  std::array<Sum, 8> sums{};
  Index i = 0;
  for (; i + 8 <= count; i += 8)
    for (std::size_t l = 0; l < 8; ++l) sums[l] += static_cast<Sum>(x[i + static_cast<Index>(l)]);
  for (std::size_t l = 0; i < count; ++i, ++l) sums[l] += static_cast<Sum>(x[i]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// The sum of column j without its diagonal.
template <class Sum, class R>
Sum rest_of_column(View<const R> A, Index j) {
  return sum_of<Sum>(A.column(j), j) + sum_of<Sum>(A.column(j) + j + 1, A.rows - j - 1);
}

/// What a matrix's columns say of it as a generator that stands transposed, as row-major data does in the core: the columns of the
/// transposed matrix are the rows that sum to 0.
template <class R>
struct GeneratorRates {
  R* rests = nullptr;        ///< the sum of each column without its diagonal
  R greatest = 0;            ///< of these
  bool is_generator = true;  ///< each is minus the diagonal to 4 n u, and no entry off the diagonal is negative
};

/// work  of which a vector is taken.
template <class R>
GeneratorRates<R> generator_rates(View<const R> A, Workspace& work) {
  GeneratorRates<R> rates{.rests = work.take<R>(A.rows, 1).data, .is_generator = is_essentially_nonnegative(A)};
  const R tolerance = 2 * static_cast<R>(A.rows) * std::numeric_limits<R>::epsilon();  // 4 n u
  for (Index j = 0; j < A.columns && rates.is_generator; ++j) {
    // In double: a diagonal that was made by any sum of the rest is then within the tolerance.
    const R rest = rates.rests[j] = static_cast<R>(rest_of_column<double>(A, j));
    rates.is_generator = std::abs(A(j, j) + rest) <= tolerance * rest;
    rates.greatest = std::max(rates.greatest, rest);
  }
  return rates;
}

/// X's columns, not negative, made to sum to 1. What is off the diagonal is summed first: a small rest keeps its digits beside it.
///                                                                        [after Xue & Ye 2013, doi 10.1090/S0025-5718-2013-02677-4]
template <class R>
void conserve(View<R> X) {
  for (Index j = 0; j < X.columns; ++j) {
    R* const x = X.column(j);
    // 1 over the sum, which is 1 but for rounding and for what the scheme leaves out.
    const R factor = 2 - (rest_of_column<R>(View<const R>(X), j) + x[j]);
    for (Index i = 0; i < X.rows; ++i) x[i] *= factor;
  }
}

/// The tangent of that: L's columns made to sum to 0. What is too much goes to the entry that is most of P's column, if there is one, and
/// beside which a small rest of L would keep no digits; else along P's column.
template <class R>
void project(View<const R> P, View<R> L) {
  for (Index j = 0; j < L.columns; ++j) {
    const R* const p = P.column(j);
    R* const x = L.column(j);
    const Index most = std::max_element(p, p + L.rows) - p;
    if (p[most] > R(kMostOfColumn)) {
      x[most] = 0;
      x[most] = -sum_of<R>(x, L.rows);
    } else {
      const R sum = sum_of<R>(x, L.rows);
      for (Index i = 0; i < L.rows; ++i) x[i] -= sum * p[i];
    }
  }
}

/// Minus the sum of the rest on E's diagonals: what is there does not matter to a generator's derivative.
template <class R>
void complete_directions(View<R> E) {
  for (Index k = 0; k < E.blocks(); ++k)
    for (Index j = 0; j < E.rows; ++j) E.block(k)(j, j) = -rest_of_column<R>(View<const R>(E.block(k)), j);
}

/// From each row of each block its diagonal entry: of cotangents only the differences in a row matter, and they keep their digits.
template <class R>
void take_differences(View<R> G) {
  for (Index k = 0; k < G.blocks(); ++k) {
    const View<R> block = G.block(k);
    for (Index j = 0; j < block.columns; ++j)
      for (Index i = 0; i < block.rows; ++i)
        if (i != j) block(i, j) -= block(i, i);
    for (Index i = 0; i < block.rows; ++i) block(i, i) = 0;
  }
}

}  // namespace matfun
