#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "expm/lane_layout.hpp"
#include "expm/reduction.hpp"

namespace matfun {

/// What lanes do with an item, in one small number, so that items can be grouped by it.
class LaneKey {
 public:
  /// A row of the ladder without squarings, or its last row with so many, of the matrix or of A - mu I.
  static constexpr LaneKey of(int row, int squarings, bool is_shifted) {
    return of_number((squarings == 0 ? row : kRows + squarings) * 2 + (is_shifted ? 1 : 0));
  }
  /// By the number that arrays hold: less than 2 rows, what kernels::LaneFindings calls a key.
  constexpr explicit LaneKey(std::uint8_t number) : number_(number) {}
  constexpr std::uint8_t number() const { return number_; }
  /// Not for lanes.
  static constexpr LaneKey left() { return of_number(kCount - 1); }
  /// Done already.
  static constexpr LaneKey done() { return of_number(kCount); }

  constexpr bool is_left() const { return number_ == kCount - 1; }
  constexpr bool is_shifted() const { return (number_ & 1) != 0; }
  constexpr int squarings() const { return number_ / 2 <= kRows ? 0 : number_ / 2 - kRows; }
  constexpr int row(int last) const { return squarings() > 0 ? last : number_ / 2; }
  static constexpr int kMostSquarings = 55;  // of norms up to 2^55: no ladder ends below 1
  static constexpr int kCount = 128;

 private:
  static constexpr int kRows = 7;  // more than any ladder has
  static constexpr LaneKey of_number(int number) { return LaneKey(static_cast<std::uint8_t>(number)); }
  std::uint8_t number_;
};

/// The plans of matrices in lanes: what reduction.hpp does for one matrix, as far as lanes go, by the same rules. Beyond a
/// shift they do not go: a matrix that is triangular, non-normal enough to be balanced or brought to Schur form, huge, or not
/// finite, gets LaneKey::left().
template <class T>
class LanePlanner {
 public:
  using R = Real<T>;

  /// Takes workspace for `blocks` blocks.
  LanePlanner(Index n, Index blocks, Purpose purpose, const Options& options, Workspace& work)
      : n_(static_cast<int>(n)), ladder_(ladder_of<R>(options.method)), options_(options) {
    const LaneLayout<T> layout(n_, blocks);
    shifted_ = layout.take(work, 1).data;
    square_ = layout.take(work, 1).data;
    mu_ = layout.take_element(work);
    for (const Threshold& row : ladder_.rows) bounds_[static_cast<std::size_t>(rows_++)] = bound_of<R>(row, purpose);
    purpose_ = purpose;
    const int power = detail::first_error_power(ladder_.scheme, ladder_.rows.back().degree);
    exponent_ = purpose == Purpose::value ? R(1) / R(power) : R(2) / R(power - 1);
    rule_ = {.bounds = bounds_.data(),
             .rows = rows_,
             .may_shift = options.shift != Choice::never,
             .must_shift = options.shift == Choice::always,
             .harmless = static_cast<R>(detail::kHarmlessShift),
             .greatest_shift = std::log(std::numeric_limits<R>::max())};
  }

  LanePlanner(const LanePlanner&) = delete;  // rule_ refers to bounds_
  LanePlanner& operator=(const LanePlanner&) = delete;

  /// Writes the number of the key of each lane of so many blocks. True where they are all the same and the matrices are as they
  /// stand.
  bool plan(View<const R> A, Index blocks, std::uint8_t* keys) {
    const LaneLayout<T> layout(n_, blocks);
    const kernels::LaneFindings<R> findings = {first_.one.data(), first_.infinity.data(), smaller_.data(), mu_, keys};
    const kernels::LaneRange range = layout.order().examine(A.data, blocks, rule_, findings);
    has_squarings_ = range.greatest >= 2 * rows_;
    const auto is_shifted = [](std::uint8_t key) { return LaneKey(key).is_shifted(); };
    has_shifts_ =
        range.least == range.greatest ? is_shifted(keys[0]) : std::any_of(keys, keys + layout.lanes(), is_shifted);
    if (!has_squarings_) return range.least == range.greatest && !has_shifts_;
    look_at_squares(layout, A);
    for (Index l = 0; l < layout.lanes(); ++l)
      if (!(smaller_[at(l)] <= bounds_[at(rows_ - 1)])) keys[l] = key_of(l, is_shifted(keys[l])).number();
    return false;
  }

  /// After `plan`: whether any lane has a shift, and may have squarings; each lane's mu, and the norms of A - mu I.
  bool has_shifts() const { return has_shifts_; }
  bool has_squarings() const { return has_squarings_; }
  T mu(Index l) const { return LaneLayout<T>(n_, 1).at(mu_, l); }
  const R* norms() const { return smaller_.data(); }

  Plan plan_of(LaneKey key) const {
    return {ladder_.scheme, ladder_.rows[at(key.row(rows_ - 1))].degree, key.squarings()};
  }

 private:
  using Lanes = std::array<R, kMostLanes>;
  struct NormsOfLanes {
    Lanes one, infinity;
  };

  static std::size_t at(Index l) { return static_cast<std::size_t>(l); }

  /// Norms of (A - mu I)^2, and which of them are triangular.
  void look_at_squares(const LaneLayout<T>& layout, View<const R> A) {
    const auto& kernel = layout.order();
    const Index blocks = layout.blocks();
    std::copy_n(A.data, layout.numbers() * layout.lanes(), shifted_);
    kernel.shift_diagonal(shifted_, mu_, blocks);
    kernel.square(shifted_, square_, blocks);
    kernel.norms(square_, blocks, second_.one.data(), second_.infinity.data());
    kernel.lesser_triangle(shifted_, blocks, triangle_.data());
  }

  LaneKey key_of(Index l, bool is_shifted) const {
    constexpr R kLargest = power_of_two<R>(std::min(LaneKey::kMostSquarings, detail::kSafeExponent<R>));
    if (!(smaller_[at(l)] <= kLargest) || triangle_[at(l)] == 0) return LaneKey::left();
    const R lost = static_cast<R>(n_) * std::numeric_limits<R>::min();
    const Norms<R> norms = {{first_.one[at(l)], second_.one[at(l)] + lost},
                            {first_.infinity[at(l)], second_.infinity[at(l)] + lost}};
    const PowerNorms<R>& lesser = norms.one.second <= norms.infinity.second ? norms.one : norms.infinity;
    const R a = std::sqrt(lesser.second);
    if (norms.first() > static_cast<R>(detail::kTryBalance) * a) return LaneKey::left();
    if (const int squarings = certain_squarings(a, lesser.first / a); squarings > 0)
      return LaneKey::of(rows_ - 1, squarings, is_shifted);
    const Plan plan = choose_plan(norms, purpose_, options_.method);
    int row = 0;
    while (ladder_.rows[at(row)].degree != plan.degree) ++row;
    return LaneKey::of(row, plan.squarings, is_shifted);
  }

  /// The squarings that choose_plan would find, without its powers; 0 where they are needed. The effective norm is between
  /// a and a r^e (effective_norm), and r^e <= 1 + e (r - 1) for r >= 1.
  int certain_squarings(R a, R r) const {
    const R least = a / bounds_[at(rows_ - 1)];
    const R most = least * (1 + exponent_ * std::max(r - 1, R(0)));
    if (!(least > R(1.001))) return 0;
    const int low = exponent_of(least * R(0.999)), high = exponent_of(most * R(1.001));
    return low == high ? low + 1 : 0;
  }

  /// ilogb of a normal positive number, which is a call otherwise.
  static int exponent_of(R x) {
    using Bits = std::conditional_t<sizeof(R) == 8, std::uint64_t, std::uint32_t>;
    constexpr int kDigits = std::numeric_limits<R>::digits - 1;
    return static_cast<int>(std::bit_cast<Bits>(x) >> kDigits) - (std::numeric_limits<R>::max_exponent - 1);
  }
  template <class Number>
  static constexpr Number power_of_two(int exponent) {
    Number power = 1;
    for (int k = 0; k < exponent; ++k) power *= 2;
    return power;
  }

  int n_;
  const Ladder& ladder_;
  const Options& options_;
  Purpose purpose_;
  R exponent_;
  std::array<R, 8> bounds_{};
  int rows_ = 0;
  kernels::LaneRule<R> rule_;
  R *shifted_, *square_, *mu_;
  NormsOfLanes first_, second_;  // of A - mu I and of its square
  Lanes smaller_, triangle_;
  bool has_shifts_ = false, has_squarings_ = false;
};

}  // namespace matfun
