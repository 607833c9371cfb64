#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "expm/expm.hpp"
#include "expm/lane_evaluations.hpp"
#include "expm/lane_plan.hpp"

/// Many matrices of one tiny order, evaluated in SIMD lanes by the same recurrence over the same rings. What lanes leave,
/// expm, expm_jvp and expm_vjp do. Which of them does an item follows from the item alone, so that it gets the same bits
/// alone, anywhere in any batch, and with any others in the lanes beside it.
namespace matfun {

/// The items of one job: count matrices of order n, each with its directions.
template <class T>
struct LaneItems {
  Operation operation = Operation::expm;  ///< not cond
  Options options;
  Index n = 0;
  Index directions = 0;          ///< of each matrix
  const T* A = nullptr;          ///< count n n
  T* X = nullptr;                ///< count n n, written
  const T* direction = nullptr;  ///< count directions n n
  T* result = nullptr;           ///< count directions n n, written
};

/// An item that lanes leave, or one of its directions.
struct LeftItem {
  static constexpr Index kWhole = -1;
  Index item;
  Index direction = kWhole;
};

/// True where lanes serve such jobs.
constexpr bool lanes_serve(Operation operation, const Options& options, Index n) {
  return operation != Operation::cond && n >= 2 && n <= kernels::kMaxLaneOrder && options.method != Method::pade &&
         options.balance != Choice::always;
}

namespace detail {

/// Directions of one matrix that go through the recurrence together.
inline constexpr Index kDirections = 4;
constexpr Index directions_in_lanes(Index directions) {
  return std::min(directions, kDirections);
}

/// How many blocks of lanes are worked on together: so many that the matrices of one evaluation stay in the first-level
/// cache, and more than one only where a call of a kernel would else cost as much as what it does.
template <class T>
Index blocks_at_once(Index n, Index directions) {
  constexpr Index kMatrices = 8, kCache_bytes = 32768;
  const Index width = kernels::lane_kernels<Real<T>>().width;
  const Index bytes = kMatrices * n * n * width * static_cast<Index>(sizeof(T)) * (1 + directions_in_lanes(directions));
  if (directions > 1) return 1;  // LaneWork wants a block's tangents side by side
  return std::clamp<Index>(kCache_bytes / bytes, 1, kMostLanes / width);
}

/// Items among which blocks of one plan are put together: so many that few lanes stay empty, and that what was read is
/// still near when it is read again.
template <class T>
constexpr Index items_at_once(Index n) {
  return std::clamp<Index>(65536 / (n * n * static_cast<Index>(sizeof(T))), 128, 1024);
}
inline constexpr std::size_t kMostItems = 1024;

template <class T>
class LaneRun {
 public:
  using R = Real<T>;

  LaneRun(const LaneItems<T>& items, std::vector<LeftItem>& left, Workspace& work)
      : items_(items),
        left_(left),
        most_blocks_(blocks_at_once<T>(items.n, items.directions)),
        width_(kernels::lane_kernels<R>().width),
        work_(work),
        evaluation_(lane_evaluation<R>(kIsComplex<T>)),
        planner_(items.n, most_blocks_, purpose_of(items.operation), items.options, work),
        A_(LaneLayout<T>(items.n, most_blocks_).take(work, 1)),
        mu_(LaneLayout<T>(items.n, most_blocks_).take_element(work)),
        mu_of_(work.take<T>(items_at_once<T>(items.n), 1).data) {}

  void run(Index first, Index count) {
    const Index most = items_at_once<T>(items_.n);
    for (Index from = first; from < first + count; from += most) run_some(from, std::min(most, first + count - from));
  }

 private:
  using Flags = std::array<R, kMostLanes>;

  static std::size_t at(Index l) { return static_cast<std::size_t>(l); }
  Index most_lanes() const { return most_blocks_ * width_; }
  Index size() const { return items_.n * items_.n; }
  /// Numbers of a matrix in memory.
  Index numbers() const { return size() * (kIsComplex<T> ? 2 : 1); }

  /// Blocks that happen to be of one plan are done at once; all others are put together anew, each of one plan.
  void run_some(Index from, Index count) {
    first_ = from;
    bool any_is_put_off = false;
    for (Index done = 0; done < count; done += most_lanes()) {
      const Index m = std::min(most_lanes(), count - done);
      for (Index l = 0; l < m; ++l) alike_[at(l)] = static_cast<kernels::Place>(done + l);
      choose(alike_.data(), m);
      read();
      std::uint8_t* const keys = keys_.data() + done;
      if (planner_.plan(A_, blocks_, keys)) {
        if (items_.options.structure == Structure::generator) complete_rates();
        evaluate_block(LaneKey(keys[0]), m);
        std::fill_n(keys, m, LaneKey::done().number());
        continue;
      }
      if (!any_is_put_off) present_.fill(false);
      any_is_put_off = true;
      for (Index l = 0; l < m; ++l) present_[keys[l]] = true;
      if (planner_.has_squarings()) std::copy_n(planner_.norms(), m, norm_of_.begin() + done);
      if (planner_.has_shifts())
        for (Index l = 0; l < m; ++l) mu_of_[done + l] = planner_.mu(l);
    }
    for (int key = 0; any_is_put_off && key < LaneKey::kCount; ++key)
      if (present_[at(key)]) run_alike(LaneKey(static_cast<std::uint8_t>(key)), count);
  }

  /// All items of one key. One pass for each key is faster than sorting: its count stays in a register.
  void run_alike(LaneKey key, Index count) {
    Index alike = 0;
    for (Index k = 0; k < count; ++k) {
      alike_[at(alike)] = static_cast<kernels::Place>(k);
      alike += keys_[at(k)] == key.number() ? 1 : 0;
    }
    for (Index from = 0; from < alike; from += most_lanes()) {
      const Index m = std::min(most_lanes(), alike - from);
      choose(alike_.data() + from, m);
      if (!key.is_left()) read_for(key);
      evaluate_block(key, m);
    }
  }

  /// The items of the next block, by their places in what is run now; lanes that are over repeat the last.
  void choose(kernels::Place* places, Index m) {
    blocks_ = (m + width_ - 1) / width_;
    std::fill(places + m, places + blocks_ * width_, places[m - 1]);
    places_ = places;
  }

  void read() { load(items_.A, 1, 0, A_); }

  void read_for(LaneKey key) {
    read();
    if (!key.is_shifted()) return;
    const LaneLayout<T> layout(items_.n, blocks_);
    for (Index l = 0; l < layout.lanes(); ++l) layout.put(mu_, l, mu_of_[places_[l]]);
    if (items_.options.structure == Structure::generator)
      layout.order().complete_rates(A_.data, mu_, blocks_);
    else
      layout.order().shift_diagonal(A_.data, mu_, blocks_);
  }

  /// The block that was just planned, made ready: the diagonals follow from the rates.
  void complete_rates() {
    if constexpr (!kIsComplex<T>) {
      const LaneLayout<T> layout(items_.n, blocks_);
      for (Index l = 0; l < layout.lanes(); ++l) layout.put(mu_, l, planner_.mu(l));
      layout.order().complete_rates(A_.data, mu_, blocks_);
    }
  }

  void evaluate_block(LaneKey key, Index m) {
    if (key.is_left()) {
      for (Index l = 0; l < m; ++l) left_.push_back({first_ + places_[l]});
      return;
    }
    const std::size_t mark = work_.used_bytes();
    const LaneLayout<T> layout(items_.n, blocks_);
    const Plan plan = planner_.plan_of(key);
    const View<R> X = layout.take(work_, 1);
    any_is_left_ = false;
    const bool is_dual = items_.operation != Operation::expm;
    LaneWork<R> work{.blocks = blocks_, .is_dual = is_dual, .B = A_.data, .X = X.data};
    std::array<R, kMostLanes * LaneLayout<T>::kParts> factors;
    if (key.is_shifted()) {
      const R power = std::ldexp(R(1), -plan.squarings);
      for (Index l = 0; l < layout.lanes(); ++l) layout.put(factors.data(), l, std::exp(layout.at(mu_, l) * power));
      work.factors = factors.data();
    }
    if (items_.directions == 0) evaluate(plan, work, m);
    for (Index k = 0; k < items_.directions; k += kDirections)
      differentiate(layout, plan, work, k, std::min<Index>(kDirections, items_.directions - k), m);
    leave(extreme(layout, X, 0, std::numeric_limits<R>::max()), flags_, m);
    store(X, m, 1, 0, items_.X);
    work_.rewind(mark);
    if (!any_is_left_) return;
    for (Index l = 0; l < m; ++l)
      if (is_left_[at(l)]) left_.push_back({first_ + places_[l]});
  }

  /// By what the target has; leaves items whose squarings may have lost too much.
  void evaluate(const Plan& plan, LaneWork<R>& work, Index m) {
    std::array<R, kMostLanes> errors;
    work.room = work_.take<R>(lane_elements(plan, work.directions) * numbers() * width_, 1).data;
    work.errors = errors.data();
    evaluation_(static_cast<int>(items_.n), plan, work);
    if (!is_watched(plan)) return;
    Plan own = plan;
    bool any = false;
    for (Index l = 0; l < m; ++l) {
      own.norm = static_cast<double>(norm_of_[places_[l]]);
      flags_[at(l)] = is_lossy(own, errors[at(l)]) ? R(1) : R(0);
      any = any || flags_[at(l)] != 0;
    }
    leave(any, flags_, m);
  }

  /// Derivatives `from` to `from + count` of each item.
  void differentiate(const LaneLayout<T>& layout, const Plan& plan, LaneWork<R> work, Index from, Index count,
                     Index m) {
    const std::size_t mark = work_.used_bytes();
    const View<R> E = layout.take(work_, count), dX = layout.take(work_, count), M = layout.take(work_, 1);
    const auto conjugate_transpose = layout.order().conjugate_transpose;
    const bool adjoint = items_.operation == Operation::vjp;
    std::array<Flags, static_cast<std::size_t>(kDirections)> unfit;
    std::array<bool, static_cast<std::size_t>(kDirections)> any_is_unfit{};
    // Directions that range_exponent would scale, or that are not finite, are left by themselves, since the others must
    // not change with them. The sum of moduli is at least the largest entry, and at most 128 times that.
    using Limits = std::numeric_limits<R>;
    const R greatest = std::ldexp(R(1), Limits::max_exponent - 2 * Limits::digits - plan.squarings - 7);
    for (Index k = 0; k < count; ++k) {
      const View<R> Ek = layout.matrix(E, k);
      load(items_.direction, items_.directions, from + k, adjoint ? M : Ek);
      if (adjoint) conjugate_transpose(M.data, Ek.data, blocks_);
      Flags not_finite{};
      const bool any_is_not_finite = plan.constrains && extreme(layout, Ek, 0, Limits::max());
      if (any_is_not_finite) not_finite = flags_;
      if (plan.constrains) constrain(layout, Ek, adjoint);
      any_is_unfit[at(k)] = extreme(layout, Ek, 1 / greatest, greatest) || any_is_not_finite;
      if (any_is_unfit[at(k)]) unfit[at(k)] = flags_;
      for (Index l = 0; any_is_not_finite && l < layout.lanes(); ++l)
        unfit[at(k)][at(l)] = std::max(unfit[at(k)][at(l)], not_finite[at(l)]);
    }
    work.pulls = adjoint;
    work.directions = count;
    work.E = E.data;
    work.L = dX.data;
    evaluate(plan, work, m);
    for (Index k = 0; k < count; ++k) {
      const View<R> Lk = layout.matrix(dX, k);
      if (adjoint) conjugate_transpose(Lk.data, M.data, blocks_);
      const bool any_is_extreme = extreme(layout, Lk, 0, Limits::max());
      store(adjoint ? M : Lk, m, items_.directions, from + k, items_.result);
      if (!any_is_extreme && !any_is_unfit[at(k)]) continue;
      for (Index l = 0; l < m; ++l)
        if ((any_is_extreme && flags_[at(l)] != 0) || (any_is_unfit[at(k)] && unfit[at(k)][at(l)] != 0))
          left_.push_back({first_ + places_[l], from + k});
    }
    work_.rewind(mark);
  }

  /// A direction as a generator's derivative takes it.
  void constrain(const LaneLayout<T>& layout, View<R> E, bool adjoint) {
    if (adjoint) return layout.order().take_differences(E.data, blocks_);
    Flags zero{};
    layout.order().complete_rates(E.data, zero.data(), blocks_);
  }

  /// Matrix k of each item, of `each` that an item has.
  void load(const T* from, Index each, Index k, View<R> lanes) {
    const R* const first = reinterpret_cast<const R*>(from + (first_ * each + k) * size());
    kernels::lane_kernels<R>().load(first, each * numbers(), numbers(), places_, lanes.data, blocks_);
  }
  void store(View<const R> lanes, Index m, Index each, Index k, T* to) {
    R* const first = reinterpret_cast<R*>(to + (first_ * each + k) * size());
    kernels::lane_kernels<R>().store(lanes.data, numbers(), first, each * numbers(), places_, m);
  }

  /// Flags lanes of which the sum of moduli is neither 0 nor within these bounds; whether there is any.
  bool extreme(const LaneLayout<T>& layout, View<const R> X, R least, R greatest) {
    return kernels::lane_kernels<R>().extreme(X.data, layout.numbers(), blocks_, least, greatest, flags_.data());
  }

  /// Leaves the flagged items: expm finds out what is the matter with them.
  void leave(bool any, const Flags& flags, Index m) {
    if (!any) return;
    if (!any_is_left_) is_left_.fill(false);
    any_is_left_ = true;
    for (Index l = 0; l < m; ++l) is_left_[at(l)] = is_left_[at(l)] || flags[at(l)] != 0;
  }

  const LaneItems<T>& items_;
  std::vector<LeftItem>& left_;
  Index most_blocks_, width_;
  Workspace& work_;
  LaneEvaluation<R> evaluation_;
  LanePlanner<T> planner_;
  View<R> A_;
  R* mu_;
  Index first_ = 0;                         ///< of the items that are run now
  Index blocks_ = 0;                        ///< of the block at hand
  const kernels::Place* places_ = nullptr;  ///< of the block's items among those that are run now
  Flags flags_;
  bool any_is_left_ = false;
  std::array<bool, kMostLanes> is_left_;                    ///< void unless any_is_left_
  std::array<std::uint8_t, kMostItems + kMostLanes> keys_;  ///< of each item, and of lanes that are over
  std::array<bool, 256> present_;
  std::array<kernels::Place, kMostItems + kMostLanes> alike_;
  T* mu_of_;                           ///< by item, where it has a shift
  std::array<R, kMostItems> norm_of_;  ///< by item, where there are squarings
};

}  // namespace detail

namespace detail {

/// Of run_lanes with so many directions for each item.
template <class T>
std::size_t lane_bytes(Index n, Index directions) {
  using R = Real<T>;
  const Index blocks = blocks_at_once<T>(n, directions), together = directions_in_lanes(directions);
  const Index block = n * n * (kIsComplex<T> ? 2 : 1) * kernels::lane_kernels<R>().width;
  const std::size_t value = matrix_bytes<R>(block * blocks, 1),
                    tangents = matrix_bytes<R>(block * blocks * together, 1);
  const std::size_t planned =
      3 * value + 2 * value + matrix_bytes<T>(items_at_once<T>(n), 1);  // no mu is as large as a matrix
  Plan plan{.squarings = LaneKey::kMostSquarings};
  plan.constrains = !kIsComplex<T>;
  return planned + 2 * value + 2 * tangents + matrix_bytes<R>(lane_elements(plan, together) * block, 1);
}

}  // namespace detail

/// Bytes of workspace that run_lanes takes at most, for so many directions of each item or fewer: fewer may get more lanes.
template <class T>
std::size_t lane_workspace_bytes(Index n, Index directions) {
  std::size_t most = 0;
  for (Index few = 0; few <= detail::directions_in_lanes(directions); ++few)
    most = std::max(most, detail::lane_bytes<T>(n, few));
  return most;
}

/// Does items [first, first + count) where lanes can; the others are appended to `left`, and their results are void.
/// items  lanes_serve must hold for them.
/// work   at least lane_workspace_bytes<T>(n, directions), empty; left empty.
template <class T>
void run_lanes(const LaneItems<T>& items, Index first, Index count, std::vector<LeftItem>& left, Workspace& work) {
  detail::LaneRun<T>(items, left, work).run(first, count);
  work.reset();
}

}  // namespace matfun
