#pragma once

#include <vector>

#include "expm/algebra.hpp"
#include "expm/evaluate.hpp"

/// The two rings by which derivatives are computed again and again without the value. `Taped` computes exp(A) and keeps what
/// the rules of Dual need of it; `Tangents` is the recurrence once more, with elements that are tangents alone, and takes the
/// values' part from the tape. Nothing but matrices is kept, in the order in which the recurrence comes to them: no list of
/// operations, because the recurrence is that list.
namespace matfun {

/// What tangents need of one step of a value: of C = A B + S the factors; of X = Q^-1 P the LU factors of Q with their pivots, and
/// X; of the exponential of a 1 x 1 matrix that itself; of a transition matrix that was conserved that.
template <class T>
struct Step {
  View<const T> left;
  View<const T> right;
  const blas::Pivot* pivots = nullptr;
};

/// What a tape holds.
struct TapeSize {
  std::size_t steps = 0;
  std::size_t matrices = 0;
  std::size_t pivots = 0;  ///< lists of them
};

/// The steps of one evaluation, in memory that outlives it.
template <class T>
class Tape {
 public:
  Tape() = default;
  /// An empty tape for matrices of order n, in what it takes from `memory`. Throws std::bad_alloc.
  Tape(Index n, const TapeSize& size, Workspace& memory) : n_(n), memory_(&memory) { steps_.reserve(size.steps); }

  View<T> take() const { return memory_->take<T>(n_, n_); }
  blas::Pivot* take_pivots() const { return memory_->take<blas::Pivot>(n_, 1).data; }
  /// There must be room for it: nothing is allocated while a value is computed.
  void add(const Step<T>& step) {
    assert(steps_.size() < steps_.capacity());
    steps_.push_back(step);
  }
  /// A copy that lives as long as the tape.
  View<const T> copy_of(View<const T> X) const {
    const View<T> kept = take();
    copy(X, kept);
    clear_padding(kept);
    return kept;
  }

  const std::vector<Step<T>>& steps() const { return steps_; }
  /// Of the list of steps, besides `memory`.
  std::size_t held_bytes() const { return steps_.capacity() * sizeof(Step<T>); }

 private:
  Index n_ = 0;
  Workspace* memory_ = nullptr;
  std::vector<Step<T>> steps_;
};

/// Matrices, of which a tape is made: the recurrence gives exp(A), with the bits that Dual's value has.
template <class Engine>
class Taped {
 public:
  using Scalar = typename Engine::Scalar;
  using Entry = typename Engine::Entry;
  using Element = View<Entry>;
  using Const = View<const Entry>;
  using Addends = Sum<Term<Entry>>;

  /// tape  empty, with room for the plan's steps.
  /// A2    as for Plain.
  Taped(Engine engine, Tape<Entry>& tape, Workspace& work, Element A2)
      : engine_(engine), tape_(tape), work_(work), A2_(A2) {}

  Element take() { return engine_.take(work_, 1); }

  /// A sum is made where it is kept; an operand has to be copied, because it may be overwritten later on.
  void multiply(const Addends& A, const Addends& B, const Addends& S, Element C) {
    const Factors<Entry> room = {A.is_operand() ? Element{} : tape_.take(), B.is_operand() ? Element{} : tape_.take()};
    keep_factors(engine_.multiply(A, B, S, C, room), room);
  }
  void multiply(const Addends& A, const Addends& B, Element C) { multiply(A, B, {}, C); }
  Element square(Const A) {
    if (A2_.data == nullptr) {
      const Element A2 = take();
      multiply(A, A, A2);
      return A2;
    }
    keep_factors({A, A}, {});
    return A2_;
  }
  void combine(const Addends& S, Element Y) { engine_.combine(S, Y); }
  void solve(Element Q, Element P) {
    blas::Pivot* const pivots = tape_.take_pivots();
    status_ = engine_.factor_solve(Q, pivots, P);
    if (status_ == Status::ok) tape_.add({tape_.copy_of(Q), tape_.copy_of(P), pivots});
  }
  void exponential(Const A, Element X) {
    X(0, 0) = std::exp(A(0, 0));
    tape_.add({tape_.copy_of(X), {}});
  }
  void shift(Scalar mu, int k, Element X) { engine_.shift(mu, k, X); }
  void recompute(Const A, Scalar mu, int k, Element X) { engine_.recompute(A, mu, k, X); }
  void conserve(bool, Element X) {
    engine_.conserve(X);
    tape_.add({tape_.copy_of(X), {}});
  }
  void watch(Const X) { engine_.watch(X, watched_); }

  Status status() const { return status_; }
  /// What was watched (Growth).
  const typename Engine::Watched& watched() const { return watched_; }

 private:
  void keep_factors(const Factors<const Entry>& factors, const Factors<Entry>& room) {
    const Const left = room.left.data == nullptr ? tape_.copy_of(factors.left) : factors.left;
    const bool is_square = room.right.data == nullptr && factors.left.data == factors.right.data;
    const Const right = is_square || room.right.data != nullptr ? factors.right : tape_.copy_of(factors.right);
    tape_.add({left, is_square ? left : right});
  }

  Engine engine_;
  Tape<Entry>& tape_;
  Workspace& work_;
  Element A2_;
  typename Engine::Watched watched_;
  Status status_ = Status::ok;
};

/// Tangents alone, K side by side, the derivatives of a value that was taped: the recurrence gives L(A, E_1) ... L(A, E_K), with
/// the bits that Dual gives them. Two products for each of the value's and each direction.
template <class Engine>
class Tangents {
 public:
  using Scalar = typename Engine::Scalar;
  using Entry = typename Engine::Entry;
  using Element = View<Entry>;
  using Const = View<const Entry>;
  using Addends = Sum<Term<Entry>>;

  /// tape  of the same plan.
  Tangents(Engine engine, const Tape<Entry>& tape, Index directions, Workspace& work)
      : engine_(engine), tape_(tape), directions_(directions), work_(work), room_(take()) {}

  Element take() { return engine_.take(work_, directions_); }

  /// d(A B + S) = A dB + dA B + dS.
  void multiply(const Addends& dA, const Addends& dB, const Addends& dS, Element dC) {
    const auto& [A, B, pivots] = next();
    engine_.multiply_pairs(A, without_identity(dB), without_identity(dA), B, without_identity(dS), dC, room_);
  }
  void multiply(const Addends& dA, const Addends& dB, Element dC) { multiply(dA, dB, {}, dC); }
  Element square(Const dA) {
    const Element dA2 = take();
    multiply(dA, dA, dA2);
    return dA2;
  }
  void combine(const Addends& dS, Element dY) { engine_.combine(without_identity(dS), dY); }

  /// dX = Q^-1 (dP - dQ X).
  void solve(Element dQ, Element dP) {
    const auto& [LU, X, pivots] = next();
    for (Index k = 0; k < directions_; ++k) {
      engine_.multiply_subtract(engine_.block(dQ, k), X, engine_.block(dP, k));
      engine_.solve(LU, pivots, engine_.block(dP, k));
    }
  }
  void exponential(Const dA, Element dX) {
    const Scalar X = next().left(0, 0);
    for (Index k = 0; k < directions_; ++k) dX(0, k) = X * dA(0, k);
  }
  void shift(Scalar mu, int k, Element dX) { engine_.shift(mu, k, dX); }
  /// As for Dual, a direction is not triangular; and what the value's squarings lose is known.
  void recompute(Const, Scalar, int, Element) {}
  void watch(Const) {}
  void conserve(bool tangents_too, Element dX) {
    const Const X = next().left;
    for (Index k = 0; tangents_too && k < directions_; ++k) engine_.project(X, engine_.block(dX, k));
  }

  /// What the tape has next is its first step, or the one so far from its end.
  void seek_start() { at_ = 0; }
  void seek_back(int steps) { at_ = tape_.steps().size() - static_cast<std::size_t>(steps); }
  void take_differences(Element G) const {
    if constexpr (!kIsComplex<Entry>) matfun::take_differences<Entry>(G);
  }

 private:
  const Step<Entry>& next() {
    assert(at_ < tape_.steps().size());
    return tape_.steps()[at_++];
  }

  /// A multiple of I is constant.
  static Addends without_identity(const Addends& S) {
    Addends tangents;
    for (const Term<Entry>& term : S.terms()) tangents.add(term);
    return tangents;
  }

  Engine engine_;
  const Tape<Entry>& tape_;
  Index directions_;
  Workspace& work_;
  Element room_;  ///< for a factor of one product
  std::size_t at_ = 0;
};

/// Counts what Taped would keep, so that the tape's size cannot fall out of step with the schemes.
class CountingTape {
 public:
  using Scalar = double;
  struct Element {
    int number = 0;
  };
  using Const = Element;
  struct Numbered {
    double c;
    Const X;
  };
  using Addends = Sum<Numbered>;

  constexpr Element take() { return {++elements_}; }
  constexpr void multiply(const Addends& A, const Addends& B, const Addends&, Element) { add(is_square(A, B) ? 1 : 2); }
  constexpr void multiply(const Addends& A, const Addends& B, Element C) { multiply(A, B, {}, C); }
  constexpr Element square(Const A) {
    multiply(A, A, {});
    return take();
  }
  constexpr void combine(const Addends&, Element) {}
  constexpr void solve(Element, Element) {
    add(2);
    ++size_.pivots;
  }
  constexpr void exponential(Const, Element) { add(1); }
  constexpr void shift(double, int, Element) {}
  constexpr void recompute(Const, double, int, Element) {}
  constexpr void conserve(bool, Element) { add(1); }
  constexpr void watch(Const) {}

  constexpr const TapeSize& size() const { return size_; }

 private:
  static constexpr bool is_square(const Addends& A, const Addends& B) {
    return A.is_operand() && B.is_operand() && A.terms()[0].X.number == B.terms()[0].X.number;
  }
  constexpr void add(std::size_t matrices) {
    ++size_.steps;
    size_.matrices += matrices;
  }

  int elements_ = 0;
  TapeSize size_;
};

/// What the tape of a plan holds.
inline TapeSize tape_size(const Plan& plan) {
  CountingTape ring;
  const CountingTape::Element B = ring.take(), X = ring.take();
  evaluate(plan, ring, B, X);
  return ring.size();
}

/// Bytes that a tape takes of the memory it is given.
template <class T>
std::size_t tape_bytes(const TapeSize& size, Index n) {
  return size.matrices * matrix_bytes<T>(n, n) + size.pivots * matrix_bytes<blas::Pivot>(n, 1);
}

}  // namespace matfun
