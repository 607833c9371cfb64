#pragma once

#include <cmath>

#include "expm/engine.hpp"

/// The rings that the one recurrence (evaluate.hpp) is written over. Each knows
///   take()                 a new element, not initialized
///   multiply(A, B, S, C)   C = A B + S, or A B where there is no S. The factors and S are linear combinations {{c, X}, ...},
///                          with a multiple of the identity {{{c, X}, ...}, mu}, or single elements; C is in no factor
///   square(A)              A^2, where A is what the whole evaluation is of: the value may be known already
///   combine(S, Y)          Y = S; Y may be one of its elements
///   solve(Q, P)            P = Q^-1 P; Q is lost
///   exponential(A, X)      X = exp(A) for 1 x 1 elements
///   shift(mu, k, X)        X = e^(mu / 2^k) X
///   recompute(A, mu, k, X) the diagonals of X ~ exp((A + mu I) / 2^k), A triangular, made exact
///   conserve(c, X)         the sums of a transition matrix X made 1; those of its tangents made 0 where c
///   watch(X)               takes the size of a value that is squared next, or has been last
/// and nothing of schemes; a scheme knows nothing of what its elements are.
namespace matfun {

/// Matrices: the recurrence gives exp(A).
template <class Engine>
class Plain {
 public:
  using Scalar = typename Engine::Scalar;
  using Entry = typename Engine::Entry;
  using Element = View<Entry>;
  using Const = View<const Entry>;
  using Addends = Sum<Term<Entry>>;

  /// A2 is the square of the matrix that the scheme will be evaluated at, or nothing where it is not known.
  Plain(Engine engine, Workspace& work, Element A2 = {})
      : engine_(engine), work_(work), A2_(A2), room_(engine.take_factors(work)) {}

  Element take() { return engine_.take(work_, 1); }
  void multiply(const Addends& A, const Addends& B, const Addends& S, Element C) {
    engine_.multiply(A, B, S, C, room_);
  }
  void multiply(const Addends& A, const Addends& B, Element C) { multiply(A, B, {}, C); }
  Element square(Const A) {
    if (A2_.data != nullptr) return A2_;
    const Element A2 = take();
    multiply(A, A, A2);
    return A2;
  }
  void combine(const Addends& S, Element Y) { engine_.combine(S, Y); }
  void solve(Element Q, Element P) { status_ = engine_.factor_solve(Q, engine_.take_pivots(work_), P); }
  void exponential(Const A, Element X) { X(0, 0) = std::exp(A(0, 0)); }
  void shift(Scalar mu, int k, Element X) { engine_.shift(mu, k, X); }
  void recompute(Const A, Scalar mu, int k, Element X) { engine_.recompute(A, mu, k, X); }
  void conserve(bool, Element X) { engine_.conserve(X); }
  void watch(Const X) { engine_.watch(X, watched_); }

  Status status() const { return status_; }
  /// What was watched (Growth).
  const typename Engine::Watched& watched() const { return watched_; }

 private:
  Engine engine_;
  Workspace& work_;
  Element A2_;
  Factors<Entry> room_;
  typename Engine::Watched watched_;
  Status status_ = Status::ok;
};

/// Dual numbers over matrices: a value X and the tangents dX_1 ... dX_K side by side, which are the derivatives of X in
/// K directions. Run over these, the recurrence that computes exp(A) also computes its Fréchet derivatives. Only the
/// product and the quotient have a rule of their own; whatever is linear acts on value and tangents alike.
template <class Engine>
class Dual {
 public:
  using Scalar = typename Engine::Scalar;
  using Entry = typename Engine::Entry;
  struct Const {
    View<const Entry> value;
    View<const Entry> tangents;  // a stack of K
  };
  struct Element {
    View<Entry> value;
    View<Entry> tangents;
    operator Const() const { return {value, tangents}; }
  };
  struct DualTerm {
    Real<Scalar> c;
    Const X;
  };
  using Addends = Sum<DualTerm>;

  /// A2 as for Plain.
  Dual(Engine engine, Index directions, Workspace& work, View<Entry> A2 = {})
      : engine_(engine),
        directions_(directions),
        work_(work),
        A2_(A2),
        room_(engine.take_factors(work)),
        tangent_room_(engine.take_factors(work)) {}

  Element take() { return {engine_.take(work_, 1), engine_.take(work_, directions_)}; }

  /// d(A B + S) = A dB + dA B + dS. One product for each tangent: BLAS's edge kernels make the bits of a wide product
  /// A [dB_1 ... dB_K] depend on K (OpenBLAS 0.3.21 at n = 9, 17, 31), and a direction must give the same bits alone as
  /// among others. See docs/decisions/0004.
  void multiply(const Addends& A, const Addends& B, const Addends& S, Element C) {
    const auto factors = engine_.multiply(values(A), values(B), values(S), C.value, room_);
    for (Index k = 0; k < directions_; ++k)
      engine_.multiply_pair(factors.left, tangents(B, k), tangents(A, k), factors.right, tangents(S, k),
                            engine_.block(C.tangents, k), tangent_room_);
  }
  void multiply(const Addends& A, const Addends& B, Element C) { multiply(A, B, {}, C); }
  Element square(Const A) {
    if (A2_.data == nullptr) {
      const Element A2 = take();
      multiply(A, A, A2);
      return A2;
    }
    const Element A2{A2_, engine_.take(work_, directions_)};
    for (Index k = 0; k < directions_; ++k) {
      const View<const Entry> dA = engine_.block(A.tangents, k);
      engine_.multiply_pair(A.value, dA, dA, A.value, {}, engine_.block(A2.tangents, k), tangent_room_);
    }
    return A2;
  }

  void combine(const Addends& S, Element Y) {
    engine_.combine(values(S), Y.value);
    engine_.combine(sum_of(S, 0, [](const Const& X) { return X.tangents; }), Y.tangents);
  }

  /// X = Q^-1 P, dX = Q^-1 (dP - dQ X): one factorization for all.
  void solve(Element Q, Element P) {
    const auto pivots = engine_.take_pivots(work_);
    status_ = engine_.factor_solve(Q.value, pivots, P.value);
    if (status_ != Status::ok) return;
    for (Index k = 0; k < directions_; ++k) {
      engine_.multiply_subtract(engine_.block(Q.tangents, k), P.value, engine_.block(P.tangents, k));
      engine_.solve(Q.value, pivots, engine_.block(P.tangents, k));
    }
  }

  void exponential(Const A, Element X) {
    X.value(0, 0) = std::exp(A.value(0, 0));
    for (Index k = 0; k < directions_; ++k) X.tangents(0, k) = X.value(0, 0) * A.tangents(0, k);
  }

  void shift(Scalar mu, int k, Element X) {
    engine_.shift(mu, k, X.value);
    engine_.shift(mu, k, X.tangents);
  }

  /// The tangents have no such closed form: a direction is not triangular.
  void recompute(Const A, Scalar mu, int k, Element X) { engine_.recompute(A.value, mu, k, X.value); }
  void conserve(bool tangents_too, Element X) {
    engine_.conserve(X.value);
    for (Index k = 0; tangents_too && k < directions_; ++k) engine_.project(X.value, engine_.block(X.tangents, k));
  }
  void watch(Const X) { engine_.watch(X.value, watched_); }

  Status status() const { return status_; }
  /// What was watched (Growth).
  const typename Engine::Watched& watched() const { return watched_; }

 private:
  using Parts = Sum<Term<Entry>>;

  template <class Part>
  static Parts sum_of(const Addends& S, Real<Scalar> mu, Part part) {
    Parts parts({}, mu);
    for (const DualTerm& term : S.terms()) parts.add({term.c, part(term.X)});
    return parts;
  }
  static Parts values(const Addends& S) {
    return sum_of(S, S.mu(), [](const Const& X) { return X.value; });
  }
  Parts tangents(const Addends& S, Index k) const {
    return sum_of(S, 0, [&](const Const& X) { return engine_.block(X.tangents, k); });
  }

  Engine engine_;
  Index directions_;
  Workspace& work_;
  View<Entry> A2_;
  Factors<Entry> room_, tangent_room_;
  typename Engine::Watched watched_;
  Status status_ = Status::ok;
};

/// Counts what the recurrence would do, and does nothing: the source of `Cost` and of workspace sizes, so that neither
/// can fall out of step with the schemes.
class Counting {
 public:
  using Scalar = double;
  struct Element {};
  using Const = Element;
  struct Nothing {
    double c;
    Const X;
  };
  using Addends = Sum<Nothing>;

  constexpr Element take() {
    ++elements;
    return {};
  }
  constexpr void multiply(const Addends&, const Addends&, const Addends&, Element) { ++products; }
  constexpr void multiply(const Addends&, const Addends&, Element) { ++products; }
  constexpr Element square(Const) {
    ++products;
    return take();
  }
  constexpr void combine(const Addends&, Element) {}
  constexpr void solve(Element, Element) { ++solves; }
  constexpr void exponential(Const, Element) {}
  constexpr void shift(double, int, Element) {}
  constexpr void conserve(bool, Element) {}
  constexpr void watch(Const) {}
  constexpr void recompute(Const, double, int, Element) {}

  int elements = 0;
  int products = 0;
  int solves = 0;
};

}  // namespace matfun
