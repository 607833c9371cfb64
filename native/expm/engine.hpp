#pragma once

#include <cmath>

#include "expm/nonnegative.hpp"
#include "expm/sum.hpp"
#include "expm/triangular.hpp"
#include "kernels/matrix.hpp"

namespace matfun {

/// By how much squarings may have multiplied a relative error of u, to first order and by norms, so that it is far more than
/// what they did: from e = 1 on e <- (2 e + 1) |X|^2 / |X^2|.
template <class R>
class Growth {
 public:
  /// size: of what is squared first, then of each square.
  void add(R size) {
    if (begun_) error_ = (2 * error_ + 1) * (size_ / size) * size_;
    begun_ = true;
    size_ = size;
  }
  R error() const { return error_; }

 private:
  bool begun_ = false;
  R size_ = 0;
  R error_ = 1;
};

/// The factors of a product as matrices, or room for them.
template <class T>
struct Factors {
  View<T> left, right;
};

/// What an algebra is computed by. An engine knows how its matrices lie in memory, and multiplies, combines and solves for
/// one scalar type; this one is for one matrix of order n, by unpacked kernels or OpenBLAS (kernels/matrix.hpp).
template <class T>
class MatrixEngine {
 public:
  using Scalar = T;
  /// What a matrix's memory holds.
  using Entry = T;
  using Pivot = blas::Pivot;
  using Watched = Growth<Real<T>>;
  using Addends = Sum<Term<T>>;

  /// work   whose team shares the work of large matrices.
  /// units  n, or null for ones: the size of X is that of D^-1 X D with this diagonal D of powers of two.
  MatrixEngine(Index n, const Workspace& work, const Real<T>* units = nullptr)
      : n_(n), team_(work.team()), units_(units) {}

  /// A stack of `count` matrices, not initialized.
  View<T> take(Workspace& work, Index count) const { return work.take<T>(n_, n_ * count); }
  Pivot* take_pivots(Workspace& work) const { return work.take<Pivot>(n_, 1).data; }
  /// Room for the factors of one product.
  Factors<T> take_factors(Workspace& work) const { return {take(work, 1), take(work, 1)}; }
  /// The k-th matrix of a stack.
  template <class U>
  View<U> block(View<U> stack, Index k) const {
    return stack.block(k);
  }

  /// C = A B + S, where C is in neither A nor B. Returns A and B as matrices, which are operands themselves or in `room`.
  Factors<const T> multiply(const Addends& A, const Addends& B, const Addends& S, View<T> C,
                            const Factors<T>& room) const {
    const Factors<const T> factors = {settle(A, room.left), settle(B, room.right)};
    matfun::multiply<T>(factors.left, factors.right, C, team_);
    add(S, C);
    return factors;
  }
  /// C = A1 B1 + A2 B2 + S, where C is in none of the factors.
  void multiply_pair(View<const T> A1, const Addends& B1, const Addends& A2, View<const T> B2, const Addends& S,
                     View<T> C, const Factors<T>& room) const {
    matfun::multiply<T>(A1, settle(B1, room.right), C, team_);
    multiply_add<T>(settle(A2, room.left), B2, C, team_);
    add(S, C);
  }
  /// C_k = A1 B1_k + A2_k B2 + S_k for each matrix of stacks; of A1 as one wide product where that changes no bit.
  /// room  for a stack: where B1, and then A2, goes unless it is an operand.
  void multiply_pairs(View<const T> A1, const Addends& B1, const Addends& A2, View<const T> B2, const Addends& S,
                      View<T> C, View<T> room) const {
    const View<const T> right = settle(B1, room);
    if (has_independent_columns<T>(A1, C))
      matfun::multiply<T>(A1, right, C, team_);
    else
      for (Index k = 0; k < C.blocks(); ++k) matfun::multiply<T>(A1, right.block(k), C.block(k), team_);
    const View<const T> left = settle(A2, room);
    for (Index k = 0; k < C.blocks(); ++k) multiply_add<T>(left.block(k), B2, C.block(k), team_);
    add(S, C);
  }
  /// C = C - A B.
  void multiply_subtract(View<const T> A, View<const T> B, View<T> C) const {
    matfun::multiply_subtract<T>(A, B, C, team_);
  }
  /// Y = S, stacks by stacks. Y may be one of the operands.
  void combine(const Addends& S, View<T> Y) const { matfun::combine<T>(S.terms(), S.mu(), Y, team_); }
  /// X = e^(shift / 2^k) X.
  void shift(T mu, int k, View<T> X) const {
    if (mu != T(0)) scale(std::exp(mu * std::ldexp(Real<T>(1), -k)), X);
  }
  /// The diagonals of X ~ exp((A + mu I) / 2^k), A triangular, made exact.
  void recompute(View<const T> A, T mu, int k, View<T> X) const { recompute_diagonals(A, mu, k, X); }
  /// The sums of a transition matrix made 1 (nonnegative.hpp), and those of its tangents 0.
  void conserve(View<T> X) const {
    if constexpr (!kIsComplex<T>) matfun::conserve<T>(X);
  }
  void project(View<const T> X, View<T> tangent) const {
    if constexpr (!kIsComplex<T>) matfun::project<T>(X, tangent);
  }
  void watch(View<const T> X, Watched& watched) const {
    watched.add(units_ == nullptr ? size_of(X) : euclidean_size(X, units_));
  }
  /// B = Q^-1 B; Q becomes its LU factors.
  Status factor_solve(View<T> Q, Pivot* pivots, View<T> B) const { return blas::lu_factor_solve(Q, pivots, B); }
  /// B = Q^-1 B again, by the factors that factor_solve left.
  void solve(View<const T> LU, const Pivot* pivots, View<T> B) const { blas::lu_solve(LU, pivots, B); }

 private:
  View<const T> settle(const Addends& sum, View<T> room) const {
    if (sum.is_operand()) return sum.terms()[0].X;
    combine(sum, room);
    return room;
  }

  /// C = C + S. After a product, not before it: each of its n steps would else round at the size of S, which for the identity is
  /// far above that of the product; and the multiple of the identity last.  [decision 0018]
  void add(const Addends& S, View<T> C) const {
    if (!S.is_zero()) matfun::add<T>(S.terms(), S.mu(), C, team_);
  }

  Index n_;
  Team* team_;
  const Real<T>* units_;
};

}  // namespace matfun
