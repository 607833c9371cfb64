#pragma once

#include <array>
#include <cmath>
#include <initializer_list>

#include "expm/engine.hpp"
#include "expm/triangular.hpp"
#include "kernels/combine.hpp"
#include "linalg/workspace.hpp"

/// The rings that the one recurrence (evaluate.hpp) is written over. Each knows
///   take()                 a new element, not initialized
///   multiply(A, B, C)      C = A B; C must not be A or B
///   square(A)              A^2, where A is what the whole evaluation is of: the value may be known already
///   multiply_add(A, B, C)  C = C + A B
///   combine({{c, X}, ...}, mu, Y)   Y = sum c X + mu I; Y may be one of the X
///   solve(Q, P)            P = Q^-1 P; Q is lost
///   exponential(A, X)      X = exp(A) for 1 x 1 elements
///   scale(c, X)            X = c X
///   size(X)                about |X|_2, at least |X|_2 / sqrt(n), of the value
///   recompute(A, shift, k, X)   the diagonals of X ~ exp((A + shift I) / 2^k), A triangular, made exact
/// and nothing of schemes; a scheme knows nothing of what its elements are.
namespace matfun {

/// The greatest number of terms that a scheme combines.
inline constexpr std::size_t kMaxTerms = 6;

/// Matrices of order n: the recurrence gives exp(A).
template <class Engine>
class Plain {
 public:
  using Scalar = typename Engine::Scalar;
  using Element = View<Scalar>;
  using Const = View<const Scalar>;
  using Term = matfun::Term<Scalar>;

  /// A2 is the square of the matrix that the scheme will be evaluated at, or nothing where it is not known.
  Plain(Index n, Workspace& work, View<Scalar> A2 = {})
      : n_(n), work_(work), pivots_(work.take<typename Engine::Pivot>(n, 1).data), A2_(A2) {}

  Element take() { return work_.take<Scalar>(n_, n_); }
  void multiply(Const A, Const B, Element C) { Engine::multiply(A, B, C); }
  Element square(Const A) {
    if (A2_.data != nullptr) return A2_;
    const Element A2 = take();
    Engine::multiply(A, A, A2);
    return A2;
  }
  void multiply_add(Const A, Const B, Element C) { Engine::multiply_add(A, B, C); }
  void combine(std::initializer_list<Term> terms, Real<Scalar> mu, Element Y) {
    matfun::combine<Scalar>({terms.begin(), terms.size()}, mu, Y);
  }
  void solve(Element Q, Element P) { status_ = Engine::factor_solve(Q, pivots_, P); }
  void exponential(Const A, Element X) { X(0, 0) = std::exp(A(0, 0)); }
  void scale(Scalar c, Element X) { matfun::scale(c, X); }
  Real<Scalar> size(Const X) { return euclidean_size(X); }
  void recompute(Const A, Scalar shift, int k, Element X) { recompute_diagonals(A, shift, k, X); }

  Status status() const { return status_; }

 private:
  Index n_;
  Workspace& work_;
  typename Engine::Pivot* pivots_;
  Element A2_;
  Status status_ = Status::ok;
};

/// Dual numbers over matrices: a value X and the tangents dX_1 ... dX_K side by side, which are the derivatives of X in
/// K directions. Run over these, the recurrence that computes exp(A) also computes its Fréchet derivatives. Only the
/// product and the quotient have a rule of their own; whatever is linear acts on value and tangents alike.
template <class Engine>
class Dual {
 public:
  using Scalar = typename Engine::Scalar;
  struct Const {
    View<const Scalar> value;
    View<const Scalar> tangents;  // n x K n
  };
  struct Element {
    View<Scalar> value;
    View<Scalar> tangents;
    operator Const() const { return {value, tangents}; }
  };
  struct Term {
    Real<Scalar> c;
    Const X;
  };

  /// A2 as for Plain.
  Dual(Index n, Index directions, Workspace& work, View<Scalar> A2 = {})
      : n_(n), directions_(directions), work_(work), pivots_(work.take<typename Engine::Pivot>(n, 1).data), A2_(A2) {}

  Element take() { return {work_.take<Scalar>(n_, n_), work_.take<Scalar>(n_, n_ * directions_)}; }

  /// d(AB) = A dB + dA B. One product for each tangent: BLAS's edge kernels make the bits of a wide product
  /// A [dB_1 ... dB_K] depend on K (OpenBLAS 0.3.21 at n = 9, 17, 31), and a direction must give the same bits alone as
  /// among others. See docs/decisions/0004.
  void multiply(Const A, Const B, Element C) {
    Engine::multiply(A.value, B.value, C.value);
    multiply_tangents(A, B, C);
  }
  Element square(Const A) {
    if (A2_.data == nullptr) {
      const Element A2 = take();
      multiply(A, A, A2);
      return A2;
    }
    const Element A2{A2_, work_.take<Scalar>(n_, n_ * directions_)};
    multiply_tangents(A, A, A2);
    return A2;
  }
  void multiply_add(Const A, Const B, Element C) {
    Engine::multiply_add(A.value, B.value, C.value);
    for (Index k = 0; k < directions_; ++k) {
      Engine::multiply_add(A.value, B.tangents.block(k), C.tangents.block(k));
      Engine::multiply_add(A.tangents.block(k), B.value, C.tangents.block(k));
    }
  }

  void combine(std::initializer_list<Term> terms, Real<Scalar> mu, Element Y) {
    assert(terms.size() <= kMaxTerms);
    std::array<matfun::Term<Scalar>, kMaxTerms> values, tangents;
    std::size_t count = 0;
    for (const Term& term : terms) {
      values[count] = {term.c, term.X.value};
      tangents[count++] = {term.c, term.X.tangents};
    }
    matfun::combine<Scalar>({values.data(), count}, mu, Y.value);
    matfun::combine<Scalar>({tangents.data(), count}, 0, Y.tangents);
  }

  /// X = Q^-1 P, dX = Q^-1 (dP - dQ X): one factorization for all.
  void solve(Element Q, Element P) {
    status_ = Engine::factor_solve(Q.value, pivots_, P.value);
    if (status_ != Status::ok) return;
    for (Index k = 0; k < directions_; ++k) {
      Engine::multiply_subtract(Q.tangents.block(k), P.value, P.tangents.block(k));
      Engine::solve(Q.value, pivots_, P.tangents.block(k));
    }
  }

  void exponential(Const A, Element X) {
    X.value(0, 0) = std::exp(A.value(0, 0));
    for (Index k = 0; k < directions_; ++k) X.tangents(0, k) = X.value(0, 0) * A.tangents(0, k);
  }

  void scale(Scalar c, Element X) {
    matfun::scale(c, X.value);
    matfun::scale(c, X.tangents);
  }

  Real<Scalar> size(Const X) { return euclidean_size(X.value); }

  /// The tangents have no such closed form: a direction is not triangular.
  void recompute(Const A, Scalar shift, int k, Element X) { recompute_diagonals(A.value, shift, k, X.value); }

  Status status() const { return status_; }

 private:
  void multiply_tangents(Const A, Const B, Element C) {
    for (Index k = 0; k < directions_; ++k) {
      Engine::multiply(A.value, B.tangents.block(k), C.tangents.block(k));
      Engine::multiply_add(A.tangents.block(k), B.value, C.tangents.block(k));
    }
  }

  Index n_;
  Index directions_;
  Workspace& work_;
  typename Engine::Pivot* pivots_;
  View<Scalar> A2_;
  Status status_ = Status::ok;
};

/// Counts what the recurrence would do, and does nothing: the source of `Cost` and of workspace sizes, so that neither
/// can fall out of step with the schemes.
class Counting {
 public:
  using Scalar = double;
  struct Element {};
  using Const = Element;
  struct Term {
    double c;
    Const X;
  };

  constexpr Element take() {
    ++elements;
    return {};
  }
  constexpr void multiply(Const, Const, Element) { ++products; }
  constexpr Element square(Const) {
    ++products;
    return take();
  }
  constexpr void multiply_add(Const, Const, Element) { ++products; }
  constexpr void combine(std::initializer_list<Term>, double, Element) {}
  constexpr void solve(Element, Element) { ++solves; }
  constexpr void exponential(Const, Element) {}
  constexpr void scale(double, Element) {}
  constexpr double size(Const) { return 1; }
  constexpr void recompute(Const, double, int, Element) {}

  int elements = 0;
  int products = 0;
  int solves = 0;
};

}  // namespace matfun
