#pragma once

#include <algorithm>

#include "expm/evaluate.hpp"
#include "expm/reduction.hpp"

namespace matfun::detail {

/// C = A B for each block of a stack B.
template <class T>
void multiply_blocks(View<const T> A, View<const T> B, View<T> C, Team* team) {
  for (Index k = 0; k < B.blocks(); ++k) multiply<T>(A, B.block(k), C.block(k), team);
}
template <class T>
void multiply_blocks_right(View<const T> B, View<const T> A, View<T> C, Team* team) {
  for (Index k = 0; k < B.blocks(); ++k) multiply<T>(B.block(k), A, C.block(k), team);
}

/// X = Re X where T is real.
template <class T>
void copy_part(View<const Complex<T>> Z, View<T> X) {
  for (Index j = 0; j < Z.columns; ++j)
    for (Index i = 0; i < Z.rows; ++i) X(i, j) = part<T>(Z(i, j));
}

/// The power of two that a direction is multiplied by so that its tangents stay in range: at first they are |D^-1 E D| / 2^s,
/// at last about |D^-1 E D|. 0 unless the direction or the squarings are extreme; else, too, the results are in the same bits.
/// d  n, the diagonal of D, or null for I.
template <class T>
int range_exponent(View<const T> E, const Real<T>* d, int squarings) {
  using Limits = std::numeric_limits<Real<T>>;
  const int most = Limits::max_exponent - 2 * Limits::digits;
  if (d == nullptr && is_tame(E, std::ldexp(Real<T>(1), most - squarings - 1))) return 0;
  const Real<T> largest = max_abs(E);
  if (!std::isfinite(largest) || largest == 0) return 0;
  int exponent = std::ilogb(largest);
  if (d != nullptr) {
    exponent = std::numeric_limits<int>::min();
    for (Index j = 0; j < E.columns; ++j)
      for (Index i = 0; i < E.rows; ++i)
        if (E(i, j) != T(0))
          exponent = std::max(exponent, std::ilogb(std::abs(E(i, j))) + std::ilogb(d[j]) - std::ilogb(d[i]));
  }
  if (std::abs(exponent) + squarings <= most) return 0;
  return squarings / 2 - exponent;
}

/// exp(A) and its derivatives from a reduced matrix. Directions and results are those of A.
template <class T>
class Evaluation {
 public:
  Evaluation(const Reduced<T>& reduced, Workspace& work) : reduced_(reduced), plan_(reduced.plan), work_(work) {}

  /// X = exp(A).
  Status value(View<T> result) {
    const View<T> X = padded(result);
    const Status status = plan_.form == Form::schur ? schur_value(X) : full_value(X);
    if (plan_.balanced) scale_back(reduced_.d, 0, X);
    if (X.data != result.data) copy<T>(X, result);
    return status;
  }

  /// X = exp(A), L_k = L(A, E_k).
  Status dual(View<T> value, View<const T> E, View<T> tangents) {
    const View<const T> directions = prepare(E);
    const View<T> X = padded(value), L = padded(tangents);
    const Status status = plan_.form == Form::schur ? schur_dual(X, directions, L) : full_dual(X, directions, L);
    if (plan_.balanced) scale_back(reduced_.d, 0, X);
    for (Index k = 0; k < L.blocks(); ++k) {
      const int exponent = range_exponent(E.block(k), reduced_.d, plan_.squarings);
      if (plan_.balanced)
        scale_back(reduced_.d, -exponent, L.block(k));
      else if (exponent != 0)
        scale_by_power(L.block(k), -exponent);
    }
    if (X.data != value.data) copy<T>(X, value);
    if (L.data != tangents.data) copy<T>(L, tangents);
    return status;
  }

  /// True where the squarings may have lost what Schur form would keep. What was computed is then to be done again.
  bool lost_too_much() const { return lossy_; }

 private:
  using C = Complex<T>;

  /// X, or a matrix in the workspace that kernels can work on in its place.
  View<T> padded(View<T> X) { return is_padded(X) ? X : work_.take<T>(X.rows, X.columns); }

  /// The directions for the balanced matrix, brought into range: D^-1 E D. E itself where there is nothing to do.
  View<const T> prepare(View<const T> E) {
    const auto exponent_of = [&](Index k) { return range_exponent(E.block(k), reduced_.d, plan_.squarings); };
    bool as_it_is = !plan_.balanced && is_padded(E);
    for (Index k = 0; k < E.blocks() && as_it_is; ++k) as_it_is = exponent_of(k) == 0;
    if (as_it_is) return E;
    const View<T> prepared = work_.take<T>(E.rows, E.columns);
    copy(E, prepared);
    clear_padding(prepared);
    for (Index k = 0; k < E.blocks(); ++k) {
      if (plan_.balanced)
        scale_similarly(reduced_.d, exponent_of(k), prepared.block(k));
      else
        scale_by_power(prepared.block(k), exponent_of(k));
    }
    return prepared;
  }

  Status full_value(View<T> X) {
    Plain<MatrixEngine<T>> ring({X.rows, work_}, work_, reduced_.B2);
    evaluate(plan_, ring, reduced_.B, X);
    lossy_ = is_lossy(plan_, ring.watched().error());
    return ring.status();
  }

  Status full_dual(View<T> X, View<const T> E, View<T> L) {
    Dual<MatrixEngine<T>> ring({X.rows, work_}, E.blocks(), work_, reduced_.B2);
    evaluate(plan_, ring, {reduced_.B, E}, {X, L});
    lossy_ = is_lossy(plan_, ring.watched().error());
    return ring.status();
  }

  /// exp(A) = Q exp(S) Q^H.
  Status schur_value(View<T> X) {
    const View<C> QH = adjoint_of_Q(), Z = work_.take<C>(X.rows, X.rows), Y = work_.take<C>(X.rows, X.rows);
    Plain<MatrixEngine<C>> ring({X.rows, work_}, work_, reduced_.S2);
    evaluate<Plain<MatrixEngine<C>>>(plan_, ring, reduced_.S, Z);
    leave(QH, Z, Y, X);
    return ring.status();
  }

  /// L(A, E) = Q L(S, Q^H E Q) Q^H.
  Status schur_dual(View<T> X, View<const T> E, View<T> L) {
    const Index n = X.rows;
    const View<C> QH = adjoint_of_Q(), Z = work_.take<C>(n, n), Y = work_.take<C>(n, n);
    const View<C> F = work_.take<C>(n, E.columns), M = work_.take<C>(n, E.columns);
    copy(E, M);
    clear_padding(M);
    multiply_blocks<C>(QH, M, F, work_.team());
    multiply_blocks_right<C>(F, reduced_.Q, M, work_.team());
    Dual<MatrixEngine<C>> ring({n, work_}, E.blocks(), work_, reduced_.S2);
    evaluate<Dual<MatrixEngine<C>>>(plan_, ring, {reduced_.S, M}, {Z, F});
    leave(QH, Z, Y, X);
    leave(QH, F, M, L);
    return ring.status();
  }

  View<C> adjoint_of_Q() {
    const View<C> QH = work_.take<C>(reduced_.Q.rows, reduced_.Q.rows);
    conjugate_transpose<C>(reduced_.Q, QH);
    return QH;
  }

  /// X_k = Q Z_k Q^H, through Y; Z is lost.
  void leave(View<const C> QH, View<C> Z, View<C> Y, View<T> X) {
    multiply_blocks<C>(reduced_.Q, Z, Y, work_.team());
    multiply_blocks_right<C>(Y, QH, Z, work_.team());
    copy_part<T>(Z, X);
  }

  const Reduced<T>& reduced_;
  const Plan& plan_;
  Workspace& work_;
  bool lossy_ = false;
};

}  // namespace matfun::detail
