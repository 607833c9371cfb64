#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "expm/lane_layout.hpp"
#include "expm/nonnegative.hpp"
#include "expm/reduction.hpp"

namespace matfun {

/// What lanes do with an item, in one small number, so that items can be grouped by it.
class LaneKey {
 public:
  /// A row of the ladder without squarings, or its last row with so many, of the matrix or of A - mu I.
  static constexpr LaneKey of(int row, int squarings, bool is_shifted) {
    return of_number((squarings == 0 ? row : kRows + squarings) * 2 + (is_shifted ? 1 : 0));
  }
  /// A degree of Scheme::nonnegative without squarings, by its index, or the last one with so many, of A - mu I.
  static constexpr LaneKey of_nonnegative(int row, int squarings) {
    return of_number(kNonnegative + (squarings == 0 ? row : kRows + squarings));
  }
  /// By the number that arrays hold: less than 2 rows, what kernels::LaneFindings calls a key.
  constexpr explicit LaneKey(std::uint8_t number) : number_(number) {}
  constexpr std::uint8_t number() const { return number_; }
  /// Not for lanes.
  static constexpr LaneKey left() { return of_number(kNonnegative - 1); }
  /// Done already.
  static constexpr LaneKey done() { return of_number(kCount); }

  constexpr bool is_left() const { return number_ == kNonnegative - 1; }
  constexpr bool is_nonnegative() const { return number_ >= kNonnegative && number_ < kCount; }
  constexpr bool is_shifted() const { return is_nonnegative() || (number_ & 1) != 0; }
  constexpr int squarings() const { return std::max(0, step() - kRows); }
  constexpr int row(int last) const { return squarings() > 0 ? last : step(); }
  static constexpr int kMostSquarings = 55;  // of norms up to 2^53, by ladders that end above 1/4
  static constexpr int kCount = 255;

 private:
  static constexpr int kRows = 7;           // more than any ladder has
  static constexpr int kNonnegative = 128;  // keys from here on
  constexpr int step() const { return is_nonnegative() ? number_ - kNonnegative : number_ / 2; }
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
    // Entries of order 3 and 4 are up to three steps away, which T1 and T2 leave out, however small the norm is.
    if (n == 3 || n == 4)
      for (std::size_t row = 0; ladder_.rows[row].degree < 3; ++row) bounds_[row] = -1;
    takes_nonnegative_ = !kIsComplex<T> && n > kernels::kMaxGeneralOrder && options.structure == Structure::automatic &&
                         options.method != Method::pade;
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

  /// Writes the number of the key of each lane of so many blocks. True where they are all the same and the matrices can be evaluated
  /// as they stand, generators after complete_rates with each lane's mu.
  bool plan(View<const R> A, Index blocks, std::uint8_t* keys) {
    const LaneLayout<T> layout(n_, blocks);
    if (options_.structure == Structure::generator) return plan_generators(layout, A, keys);
    const kernels::LaneFindings<R> findings = {first_.one.data(), first_.infinity.data(), smaller_.data(), mu_, keys,
                                               least_.data()};
    const kernels::LaneRange range = layout.order().examine(A.data, blocks, rule_, findings);
    has_squarings_ = range.greatest >= 2 * rows_;
    const auto is_shifted = [](std::uint8_t key) { return LaneKey(key).is_shifted(); };
    has_shifts_ =
        range.least == range.greatest ? is_shifted(keys[0]) : std::any_of(keys, keys + layout.lanes(), is_shifted);
    const bool some_nonnegative = takes_nonnegative_ && range.has_nonnegative;
    if (!has_squarings_ && !some_nonnegative) return range.least == range.greatest && !has_shifts_;
    if (some_nonnegative) look_at_nonnegative(layout, A, keys);
    if (has_squarings_) look_at_squares(layout, A);
    for (Index l = 0; l < layout.lanes(); ++l) {
      if (some_nonnegative && least_[at(l)] >= 0)
        keys[l] = unless_uneven(l, LaneKey(keys[l])).number();
      else if (!(smaller_[at(l)] <= bounds_[at(rows_ - 1)]))
        keys[l] = key_of(l, is_shifted(keys[l])).number();
    }
    return false;
  }

  /// After `plan`: whether any lane has a shift, and may have squarings; each lane's mu, and the norms of A - mu I.
  bool has_shifts() const { return has_shifts_; }
  bool has_squarings() const { return has_squarings_; }
  T mu(Index l) const { return LaneLayout<T>(n_, 1).at(mu_, l); }
  const R* norms() const { return smaller_.data(); }

  Plan plan_of(LaneKey key) const {
    if (!key.is_nonnegative()) return {ladder_.scheme, ladder_.rows[at(key.row(rows_ - 1))].degree, key.squarings()};
    constexpr auto& degrees = kNonnegativeDegrees<R>;
    Plan plan{Scheme::nonnegative, degrees[at(key.row(degrees.size() - 1))], key.squarings()};
    plan.constrains = options_.structure == Structure::generator;
    if (plan.constrains) plan.form = Form::generator;
    return plan;
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

  /// Mu and the key of each lane without negative entries off the diagonal.
  void look_at_nonnegative(const LaneLayout<T>& layout, View<const R> A, std::uint8_t* keys) {
    look_at_rates(layout, A);
    for (Index l = 0; l < layout.lanes(); ++l) {
      if (!(least_[at(l)] >= 0)) continue;
      LaneKey key = nonnegative_key(l, smaller_[at(l)]);
      // Diagonals below -1 would cancel: those that no squaring brings up to it are left.
      const R lowest = std::real(mu(l)) - least_diagonal_[at(l)];
      if (!(lowest <= std::ldexp(R(1), key.squarings()))) key = LaneKey::left();
      keys[l] = key.number();
      has_shifts_ = true;  // by 0 where there is none
      has_squarings_ = has_squarings_ || key.squarings() > 0;
    }
  }

  /// Of generators: what is none is left. Where all keys are the same, A is made ready, too.
  bool plan_generators(const LaneLayout<T>& layout, View<const R> A, std::uint8_t* keys) {
    has_squarings_ = has_shifts_ = true;
    if constexpr (kIsComplex<T>) {
      std::fill_n(keys, layout.lanes(), LaneKey::left().number());
      return false;
    } else {
      look_at_rates(layout, A);
      // What is near the tolerance of 4 n u is left: the general path decides by sums of its own.
      const R tolerance = static_cast<R>(n_) * std::numeric_limits<R>::epsilon();
      bool all_alike = true;
      for (Index l = 0; l < layout.lanes(); ++l) {
        const R rest = greatest_rest_[at(l)];
        const bool is_sure = least_[at(l)] >= 0 && excess_[at(l)] <= tolerance;
        layout.put(mu_, l, -rest);
        smaller_[at(l)] = rest;
        keys[l] = (is_sure ? nonnegative_key(l, rest) : LaneKey::left()).number();
        all_alike = all_alike && keys[l] == keys[0];
      }
      return all_alike;
    }
  }

  void look_at_rates(const LaneLayout<T>& layout, View<const R> A) {
    layout.order().look_at_rates(
        A.data, layout.blocks(),
        {least_diagonal_.data(), least_.data(), greatest_entry_.data(), greatest_rest_.data(), excess_.data()});
  }

  LaneKey nonnegative_key(Index l, R norm) const {
    if (!(norm <= largest())) return LaneKey::left();
    // As longest_way finds it of a dense matrix; of others the most that there is.
    const bool is_dense = least_[at(l)] > 0 && least_[at(l)] >= greatest_entry_[at(l)] * static_cast<R>(kStrongLink);
    const int ways = ways_for(purpose_, is_dense ? 1 : n_ - 1, n_);
    NonnegativeSteps steps{};
    if (!nonnegative_bounds<R>(ways).find(norm, steps)) return LaneKey::left();
    return LaneKey::of_nonnegative(steps.row, steps.squarings);
  }

  /// Left where squarings call for what lanes have not: exact diagonals of triangular matrices, and balancing.
  LaneKey unless_uneven(Index l, LaneKey key) const {
    if (key.squarings() == 0) return key;
    const R lost = static_cast<R>(n_) * std::numeric_limits<R>::min();
    const R a = std::sqrt(std::min(second_.one[at(l)], second_.infinity[at(l)]) + lost);
    if (triangle_[at(l)] == 0 || smaller_[at(l)] > static_cast<R>(detail::kTryBalance) * a) return LaneKey::left();
    return key;
  }

  /// From this norm on generators are told apart, and soon nothing is certain.
  static constexpr R largest() {
    return power_of_two<R>(
        std::min(std::numeric_limits<R>::digits - detail::kDoubtfulBits - 1, detail::kSafeExponent<R>));
  }

  LaneKey key_of(Index l, bool is_shifted) const {
    constexpr R kLargest = largest();
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
  Lanes least_, least_diagonal_, greatest_entry_, greatest_rest_, excess_;
  bool takes_nonnegative_ = false;
  bool has_shifts_ = false, has_squarings_ = false;
};

}  // namespace matfun
