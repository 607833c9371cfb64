#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "expm/lane_engine.hpp"
#include "expm/reduction.hpp"

namespace matfun {

/// What lanes do with an item, in one number, so that items can be grouped by it.
class LaneKey {
 public:
  constexpr LaneKey() = default;
  /// The row of the ladder without squarings, or its last row with so many.
  static constexpr LaneKey of(int row, int squarings) { return LaneKey(squarings == 0 ? row : kRows + squarings); }
  /// Not for lanes.
  static constexpr LaneKey left() { return LaneKey(-1); }

  constexpr bool is_left() const { return number_ < 0; }
  constexpr int squarings() const { return number_ < kRows ? 0 : number_ - kRows; }
  constexpr int row(int last) const { return number_ < kRows ? number_ : last; }
  constexpr bool operator==(const LaneKey&) const = default;
  /// 0 for what is left, else from 1 on; less than kCount.
  constexpr std::size_t index() const { return static_cast<std::size_t>(number_ + 1); }
  static constexpr std::size_t kCount = 512;  // norms are at most 2^204

 private:
  static constexpr int kRows = 8;  // more than any ladder has
  constexpr explicit LaneKey(int number) : number_(number) {}
  int number_ = -1;
};

/// A block of L matrices in lanes, reduced and planned: what reduction.hpp does for one matrix, as far as lanes go, by the
/// same rules. Beyond a shift they do not go: a matrix that is triangular, non-normal enough to be balanced or brought to
/// Schur form, huge, or not finite, gets LaneKey::left().
template <class T>
class LaneBlock {
 public:
  using R = Real<T>;
  static constexpr Index kMostLanes = 64;

  LaneBlock(Index n, Index blocks, Purpose purpose, const Options& options, Workspace& work)
      : n_(static_cast<int>(n)),
        blocks_(blocks),
        purpose_(purpose),
        options_(options),
        ladder_(ladder_of<R>(options.method)),
        engine_(n_, blocks, nullptr),
        lanes_(engine_.lanes()),
        A_(engine_.take(work, 1)),
        shifted_(engine_.take(work, 1)),
        B2_(engine_.take(work, 1)),
        mu_(engine_.take_elements(work, 1)) {}

  /// Reads the matrices that L pointers tell, and plans them.
  void read(const R* const* items) {
    kernels::lane_kernels<R>().load(items, n_ * n_ * (kIsComplex<T> ? 2 : 1), A_.data, blocks_);
    B_ = A_;
    is_shifted_ = has_square_ = false;
    take_norms(A_, norms_.first);
    take_range();
    // Where no norm is above a harmless shift, no mean of a diagonal is.
    if (options_.shift == Choice::always ||
        (options_.shift == Choice::automatic && !(greatest_ <= static_cast<R>(detail::kHarmlessShift))))
      shift();
    uniform_ = !any_takes_squarings() && row_of(least_) == row_of(greatest_);
    if (uniform_) {
      keys_.fill(LaneKey::of(row_of(least_), 0));
      return;
    }
    if (any_takes_squarings()) square();
    for (Index l = 0; l < lanes_; ++l) keys_[at(l)] = key_of(l);
    uniform_ = std::all_of(keys_.begin(), keys_.begin() + lanes_, [&](LaneKey key) { return key == keys_[0]; });
  }

  /// True where all lanes have the same key.
  bool is_uniform() const { return uniform_; }
  LaneKey key(Index l) const { return keys_[at(l)]; }
  /// min(|B|_1, |B|_inf) of a lane.
  R norm(Index l) const { return norms_.first.smaller[at(l)]; }
  View<const R> B() const { return B_; }
  /// The lanes' shifts, or null where there is none.
  const R* mu() const { return is_shifted_ ? mu_ : nullptr; }
  /// (B / 2^squarings)^2 for blocks of one key; no data where it was not needed. Overwritten: ask once.
  View<R> scaled_square(LaneKey key) {
    if (!has_square_ || key.squarings() == 0) return {};
    engine_.combine(std::array{Term<R>{std::ldexp(R(1), -2 * key.squarings()), B2_}}, 0, B2_);
    return B2_;
  }
  Plan plan(LaneKey key) const {
    const int last = static_cast<int>(ladder_.rows.size()) - 1;
    return {ladder_.scheme, ladder_.rows[static_cast<std::size_t>(key.row(last))].degree, key.squarings()};
  }

 private:
  template <class X>
  using Lanes = std::array<X, static_cast<std::size_t>(kMostLanes)>;
  struct NormsOfLanes {
    Lanes<R> one, infinity, smaller;
  };

  static std::size_t at(Index l) { return static_cast<std::size_t>(l); }
  R last_bound() const { return bound_of<R>(ladder_.rows.back(), purpose_); }
  int row_of(R norm) const {
    int row = 0;
    while (norm > bound_of<R>(ladder_.rows[static_cast<std::size_t>(row)], purpose_)) ++row;
    return row;
  }

  void take_norms(View<const R> B, NormsOfLanes& norms) const {
    engine_.norms(B, norms.one.data(), norms.infinity.data(), norms.smaller.data());
  }

  /// The least and the greatest norm; a NaN is the greatest.
  void take_range() {
    least_ = greatest_ = norm(0);
    for (Index l = 1; l < lanes_; ++l) {
      const R x = norm(l);
      least_ = x < least_ ? x : least_;
      greatest_ = x <= greatest_ || std::isnan(greatest_) ? greatest_ : x;
    }
  }

  bool any_takes_squarings() const { return !(greatest_ <= last_bound()); }

  /// Reduction::shift, lane by lane.
  void shift() {
    const bool forced = options_.shift == Choice::always;
    const NormsOfLanes before = norms_.first;
    bool any = false;
    for (Index l = 0; l < lanes_; ++l) {
      const T mu = mean_of_diagonal(l);
      const bool useful = !(norm(l) <= last_bound()) || std::real(mu) < -static_cast<R>(detail::kHarmlessShift);
      const bool promising =
          std::abs(mu) >= norm(l) / 2 && useful && std::abs(std::real(mu)) <= std::log(std::numeric_limits<R>::max());
      engine_.put(mu_, 1, 0, l, forced || promising ? mu : T(0));
      any = any || forced || promising;
    }
    if (!any) return;
    std::copy_n(A_.data, A_.rows * A_.columns, shifted_.data);
    for (Index l = 0; l < lanes_; ++l) subtract_from_diagonal(l, engine_.at(mu_, 1, 0, l));
    take_norms(shifted_, norms_.first);
    for (Index l = 0; l < lanes_; ++l) {
      if (std::isfinite(norm(l)) && (forced || norm(l) <= before.smaller[at(l)] / 2)) continue;
      engine_.put(mu_, 1, 0, l, T(0));
      subtract_from_diagonal(l, T(0));
      norms_.first.one[at(l)] = before.one[at(l)];
      norms_.first.infinity[at(l)] = before.infinity[at(l)];
      norms_.first.smaller[at(l)] = before.smaller[at(l)];
    }
    take_range();
    B_ = shifted_;
    is_shifted_ = true;
  }

  T mean_of_diagonal(Index l) const {
    T mean = 0;
    for (int i = 0; i < n_; ++i) mean += engine_.at(A_, i, i, l) / static_cast<R>(n_);
    return mean;
  }

  /// The diagonal of lane l of A - mu I.
  void subtract_from_diagonal(Index l, T mu) {
    for (int i = 0; i < n_; ++i) engine_.put(shifted_, i, i, l, engine_.at(A_, i, i, l) - mu);
  }

  void square() {
    engine_.multiply(B_, B_, B2_);
    take_norms(B2_, norms_.second);
    has_square_ = true;
  }

  LaneKey key_of(Index l) const {
    if (!(norm(l) <= std::ldexp(R(1), kSafeExponent))) return LaneKey::left();
    if (norm(l) <= last_bound()) return LaneKey::of(row_of(norm(l)), 0);
    if (is_triangular(l)) return LaneKey::left();
    const R lost = static_cast<R>(n_) * std::numeric_limits<R>::min();
    const Norms<R> norms = {{norms_.first.one[at(l)], norms_.second.one[at(l)] + lost},
                            {norms_.first.infinity[at(l)], norms_.second.infinity[at(l)] + lost}};
    if (detail::non_normality(norms) > static_cast<R>(detail::kTryBalance)) return LaneKey::left();
    if (const int squarings = certain_squarings(norms); squarings > 0)
      return LaneKey::of(static_cast<int>(ladder_.rows.size()) - 1, squarings);
    const Plan plan = choose_plan(norms, purpose_, options_.method);
    int row = 0;
    while (ladder_.rows[static_cast<std::size_t>(row)].degree != plan.degree) ++row;
    return LaneKey::of(row, plan.squarings);
  }

  /// The squarings that choose_plan would find, without its powers; 0 where they are needed. The effective norm is between
  /// a and a r^e, e being at most 2/15 in the last row of any ladder, and r at most kTryBalance here.
  int certain_squarings(const Norms<R>& norms) const {
    const R least = std::sqrt(std::min(norms.one.second, norms.infinity.second)) / last_bound();
    const R most = least * most_correction_;
    if (!(least > R(1.001))) return 0;
    const int low = std::ilogb(least * R(0.999)), high = std::ilogb(most);
    return low == high ? low + 1 : 0;
  }

  bool is_triangular(Index l) const {
    const auto any = [&](bool below) {
      for (int j = 0; j < n_; ++j)
        for (int i = 0; i < j; ++i)
          if (engine_.at(B_, below ? j : i, below ? i : j, l) != T(0)) return true;
      return false;
    };
    return !any(true) || !any(false);
  }

  static constexpr int kSafeExponent = detail::kSafeExponent<R>;

  int n_;
  Index blocks_;
  Purpose purpose_;
  const Options& options_;
  const Ladder& ladder_;
  LaneEngine<T> engine_;
  Index lanes_;
  View<R> A_, shifted_, B2_;
  View<const R> B_;
  R* mu_;
  R most_correction_ = static_cast<R>(1.001 * std::pow(detail::kTryBalance, 2.0 / 15));
  bool is_shifted_ = false, has_square_ = false;
  struct {
    NormsOfLanes first, second;  // of B and of B^2
  } norms_;
  R least_ = 0, greatest_ = 0;
  Lanes<LaneKey> keys_;
  bool uniform_ = false;
};

}  // namespace matfun
