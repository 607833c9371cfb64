#pragma once

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "expm/expm.hpp"
#include "expm/lane_block.hpp"

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
  constexpr Index kMatrices = 12, kCache_bytes = 32768;
  const Index width = kernels::lane_kernels<Real<T>>().width;
  const Index bytes = kMatrices * n * n * width * static_cast<Index>(sizeof(T)) * (1 + directions_in_lanes(directions));
  return std::clamp<Index>(kCache_bytes / bytes, 1, LaneBlock<T>::kMostLanes / width);
}

template <class T>
class LaneRun {
 public:
  using R = Real<T>;

  LaneRun(const LaneItems<T>& items, std::vector<LeftItem>& left, Workspace& work)
      : items_(items),
        left_(left),
        blocks_(blocks_at_once<T>(items.n, items.directions)),
        lanes_(blocks_ * kernels::lane_kernels<R>().width),
        work_(work),
        block_(items.n, blocks_, purpose_of(items.operation), items.options, work) {}

  void run(Index first, Index count) {
    for (Index from = first; from < first + count; from += lanes_) {
      const Index m = std::min(lanes_, first + count - from);
      for (Index l = 0; l < lanes_; ++l) items_of_[at(l)] = from + std::min(l, m - 1);
      read();
      if (block_.is_uniform())
        evaluate_block(block_.key(0), m);
      else
        for (Index l = 0; l < m; ++l) mixed_.push_back({block_.key(l), from + l});
    }
    run_mixed();
  }

 private:
  using Flags = std::array<bool, static_cast<std::size_t>(LaneBlock<T>::kMostLanes)>;

  struct Mixed {
    LaneKey key;
    Index item;
  };

  static std::size_t at(Index l) { return static_cast<std::size_t>(l); }
  Index size() const { return items_.n * items_.n; }
  /// Numbers of a matrix in memory.
  Index numbers() const { return size() * (kIsComplex<T> ? 2 : 1); }

  /// Items that stand among others of different plans are put together anew, each block of one plan.
  void run_mixed() {
    if (mixed_.empty()) return;
    sort_by_key();
    for (std::size_t from = 0, to = 0; from < sorted_.size(); from = to) {
      while (to < sorted_.size() && to - from < at(lanes_) && sorted_[to].key == sorted_[from].key) ++to;
      const Index m = static_cast<Index>(to - from);
      for (Index l = 0; l < lanes_; ++l) items_of_[at(l)] = sorted_[from + at(std::min(l, m - 1))].item;
      if (!sorted_[from].key.is_left()) read();
      evaluate_block(sorted_[from].key, m);
    }
    mixed_.clear();
  }

  void sort_by_key() {
    std::array<std::size_t, LaneKey::kCount> place{};
    for (const Mixed& entry : mixed_) ++place[entry.key.index()];
    std::size_t before = 0;
    for (std::size_t& count : place) before += std::exchange(count, before);
    sorted_.resize(mixed_.size());
    for (const Mixed& entry : mixed_) sorted_[place[entry.key.index()]++] = entry;
  }

  void read() {
    std::array<const R*, LaneBlock<T>::kMostLanes> sources;
    for (Index l = 0; l < lanes_; ++l)
      sources[at(l)] = reinterpret_cast<const R*>(items_.A + items_of_[at(l)] * size());
    block_.read(sources.data());
  }

  void evaluate_block(LaneKey key, Index m) {
    if (key.is_left()) {
      for (Index l = 0; l < m; ++l) left_.push_back({items_of_[at(l)]});
      return;
    }
    const std::size_t mark = work_.used_bytes();
    const LaneEngine<T> engine(static_cast<int>(items_.n), blocks_, block_.mu());
    const Plan plan = block_.plan(key);
    const View<R> A2 = block_.scaled_square(key), X = engine.take(work_, 1);
    is_left_.fill(false);
    if (items_.directions == 0) {
      Plain<LaneEngine<T>> ring(engine, work_, A2);
      evaluate(plan, ring, block_.B(), X);
      leave_lossy(plan, ring.watched());
    }
    for (Index k = 0; k < items_.directions; k += kDirections)
      differentiate(engine, plan, A2, k, std::min<Index>(kDirections, items_.directions - k), X, m);
    store(engine, X, m, 1, 0, items_.X, is_left_);
    work_.rewind(mark);
    for (Index l = 0; l < m; ++l)
      if (is_left_[at(l)]) left_.push_back({items_of_[at(l)]});
  }

  /// Derivatives `from` to `from + count` of each item.
  void differentiate(const LaneEngine<T>& engine, const Plan& plan, View<R> A2, Index from, Index count, View<R> X,
                     Index m) {
    const std::size_t mark = work_.used_bytes();
    const View<R> E = engine.take(work_, count), dX = engine.take(work_, count), M = engine.take(work_, 1);
    const bool adjoint = items_.operation == Operation::vjp;
    std::array<Flags, static_cast<std::size_t>(kDirections)> direction_is_left{};
    for (Index k = 0; k < count; ++k) {
      const View<R> Ek = engine.block(E, k);
      load(items_.direction, items_.directions, from + k, adjoint ? M : Ek);
      if (adjoint) engine.conjugate_transpose(M, Ek);
      leave_extreme(engine, Ek, plan.squarings, direction_is_left[at(k)]);
    }
    Dual<LaneEngine<T>> ring(engine, count, work_, A2);
    evaluate(plan, ring, {block_.B(), E}, {X, dX});
    leave_lossy(plan, ring.watched());
    for (Index k = 0; k < count; ++k) {
      const View<R> Lk = engine.block(dX, k);
      if (adjoint) engine.conjugate_transpose(Lk, M);
      store(engine, adjoint ? M : Lk, m, items_.directions, from + k, items_.result, direction_is_left[at(k)]);
      for (Index l = 0; l < m; ++l)
        if (direction_is_left[at(k)][at(l)] && !is_left_[at(l)]) left_.push_back({items_of_[at(l)], from + k});
    }
    work_.rewind(mark);
  }

  void load(const T* from, Index each, Index k, View<R> lanes) {
    std::array<const R*, LaneBlock<T>::kMostLanes> sources;
    for (Index l = 0; l < lanes_; ++l)
      sources[at(l)] = reinterpret_cast<const R*>(from + (items_of_[at(l)] * each + k) * size());
    kernels::lane_kernels<R>().load(sources.data(), numbers(), lanes.data, blocks_);
  }

  /// Writes the results of m items, and flags those that are not finite: expm finds out why.
  void store(const LaneEngine<T>& engine, View<const R> lanes, Index m, Index each, Index k, T* to, Flags& is_left) {
    engine.probe(lanes, norms_[0].data());
    std::array<R*, LaneBlock<T>::kMostLanes> places;
    for (Index l = 0; l < m; ++l) {
      places[at(l)] = reinterpret_cast<R*>(to + (items_of_[at(l)] * each + k) * size());
      is_left[at(l)] = is_left[at(l)] || norms_[0][at(l)] != 0;
    }
    kernels::lane_kernels<R>().store(lanes.data, numbers(), places.data(), m);
  }

  /// Leaves items whose squarings may have lost too much.
  void leave_lossy(Plan plan, const typename LaneEngine<T>::Watched& watched) {
    for (Index l = 0; l < lanes_; ++l) {
      plan.norm = static_cast<double>(block_.norm(l));
      is_left_[at(l)] = is_left_[at(l)] || is_lossy(plan, watched[at(l)].error());
    }
  }

  /// Flags directions that range_exponent would scale, or that are not finite: they are left by themselves, since the
  /// others must not change with them.
  void leave_extreme(const LaneEngine<T>& engine, View<const R> E, int squarings, Flags& is_left) {
    using Limits = std::numeric_limits<R>;
    // The norm is at least the largest entry, and at most 8 times that.
    const int most = Limits::max_exponent - 2 * Limits::digits - squarings - 3;
    const R greatest = std::ldexp(R(1), most), least = std::ldexp(R(1), -most);
    engine.norms(E, norms_[0].data(), norms_[1].data(), norms_[2].data());
    for (Index l = 0; l < lanes_; ++l) {
      const R norm = norms_[0][at(l)];
      is_left[at(l)] = is_left[at(l)] || !(norm == 0 || (norm >= least && norm <= greatest));
    }
  }

  const LaneItems<T>& items_;
  std::vector<LeftItem>& left_;
  Index blocks_;
  Index lanes_;
  Workspace& work_;
  LaneBlock<T> block_;
  std::array<Index, LaneBlock<T>::kMostLanes> items_of_;
  Flags is_left_;
  std::array<std::array<R, LaneBlock<T>::kMostLanes>, 3> norms_;
  std::vector<Mixed> mixed_, sorted_;
};

}  // namespace detail

/// Bytes of workspace that run_lanes takes at most.
template <class T>
std::size_t lane_workspace_bytes(Index n, Index directions) {
  using R = Real<T>;
  static const auto elements = static_cast<std::size_t>(detail::most_elements<R>());
  const Index lanes = detail::blocks_at_once<T>(n, directions) * kernels::lane_kernels<R>().width;
  const Index run = (kIsComplex<T> ? 2 : 1) * lanes;
  const std::size_t value = matrix_bytes<R>(run, n * n);
  const std::size_t tangents = matrix_bytes<R>(run, n * n * detail::directions_in_lanes(directions));
  const std::size_t block = 3 * value + matrix_bytes<R>(run, 1);
  return block + 2 * value + 2 * tangents + elements * (value + tangents);
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
