#pragma once

#include <algorithm>

#include "expm/reduction.hpp"
#include "expm/tape.hpp"

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
/// of_rates  E's diagonal does not matter.
template <class T>
int range_exponent(View<const T> E, const Real<T>* d, int squarings, bool of_rates) {
  using Limits = std::numeric_limits<Real<T>>;
  const int most = Limits::max_exponent - 2 * Limits::digits;
  if (d == nullptr && !of_rates && is_tame(E, std::ldexp(Real<T>(1), most - squarings - 1))) return 0;
  Real<T> largest = 0;
  if (of_rates) {
    for (Index j = 0; j < E.columns; ++j)
      for (Index i = 0; i < E.rows; ++i)
        if (i != j) largest = std::max(largest, std::abs(E(i, j)));
  } else {
    largest = max_abs(E);
  }
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

/// The tape of one evaluation of a reduced matrix: complex in Schur form, else of A's own type.
template <class T>
class Tapes {
 public:
  template <class U>
  Tape<U>& of() {
    if constexpr (std::is_same_v<U, T>)
      return own_;
    else
      return complex_;
  }
  template <class U>
  const Tape<U>& of() const {
    return const_cast<Tapes*>(this)->of<U>();
  }
  std::size_t held_bytes() const {
    if constexpr (kIsComplex<T>)
      return own_.held_bytes();
    else
      return own_.held_bytes() + complex_.held_bytes();
  }

 private:
  struct None {};
  Tape<T> own_;
  [[no_unique_address]] std::conditional_t<kIsComplex<T>, None, Tape<Complex<T>>> complex_;
};

/// What a direction is: E, or the adjoint of a cotangent W. It matters to generators alone.
enum class Sense : std::uint8_t { push, pull };

/// exp(A) and its derivatives from a reduced matrix. Directions and results are those of A.
template <class T>
class Evaluation {
 public:
  Evaluation(const Reduced<T>& reduced, Workspace& work)
      : reduced_(reduced), plan_(reduced.plan), d_(plan_.is_carried ? reduced.d : nullptr), work_(work) {}

  /// X = exp(A).
  Status value(View<T> X) {
    return value_over(
        X, [this]<class U>(MatrixEngine<U> engine, View<U> A2) { return Plain<MatrixEngine<U>>(engine, work_, A2); });
  }

  /// X = exp(A), and what `tangents` needs of it is kept. tapes: that of the plan's form is empty and has room for the plan.
  Status taped_value(View<T> X, Tapes<T>& tapes) {
    return value_over(X, [&]<class U>(MatrixEngine<U> engine, View<U> A2) {
      return Taped<MatrixEngine<U>>(engine, tapes.template of<U>(), work_, A2);
    });
  }

  /// X = exp(A), L_k = L(A, E_k).
  Status dual(View<T> value, View<const T> E, View<T> tangents, Sense sense) {
    const View<const T> directions = prepare(E, sense);
    const View<T> X = padded(value), L = padded(tangents);
    Status status = Status::ok;
    if (pulls(sense))
      status = full_pull(X, L);
    else
      status = plan_.form == Form::schur ? schur_dual(X, directions, L) : full_dual(X, directions, L);
    if (d_ != nullptr) scale_back(d_, 0, X);
    if (X.data != value.data) copy<T>(X, value);
    bring_back(E, L, tangents, sense);
    return status;
  }

  /// L_k = L(A, E_k) with the bits that `dual` gives. Of the reduced matrix only the plan, D and Q are used.
  void tangents(View<const T> E, View<T> tangents, Sense sense, const Tapes<T>& tapes) {
    const View<const T> directions = prepare(E, sense);
    const View<T> L = padded(tangents);
    if (pulls(sense))
      full_pull(L, tapes.template of<T>());
    else if (plan_.form == Form::schur)
      schur_tangents(directions, L, tapes.template of<C>());
    else
      full_tangents(directions, L, tapes.template of<T>());
    bring_back(E, L, tangents, sense);
  }

  /// True where the squarings may have lost what Schur form would keep. What was computed is then to be done again.
  bool lost_too_much() const { return lossy_; }

 private:
  using C = Complex<T>;

  /// True where a generator's cotangents go back through the tape.
  bool pulls(Sense sense) const { return plan_.constrains && sense == Sense::pull; }

  /// For B, which measures sizes in D's units where the plan does.
  MatrixEngine<T> engine(Index n) const { return {n, work_, d_ == nullptr ? reduced_.d : nullptr}; }

  /// X, or a matrix in the workspace that kernels can work on in its place.
  View<T> padded(View<T> X) { return is_padded(X) ? X : work_.take<T>(X.rows, X.columns); }

  /// The directions for the balanced matrix, brought into range: D^-1 E D. E itself where there is nothing to do.
  View<const T> prepare(View<const T> E, Sense sense) {
    const auto exponent_of = [&](Index k) {
      return range_exponent(E.block(k), d_, plan_.squarings, plan_.constrains && sense == Sense::push);
    };
    bool as_it_is = d_ == nullptr && is_padded(E) && !plan_.constrains;
    for (Index k = 0; k < E.blocks() && as_it_is; ++k) as_it_is = exponent_of(k) == 0;
    if (as_it_is) return E;
    const View<T> prepared = work_.take<T>(E.rows, E.columns);
    copy(E, prepared);
    clear_padding(prepared);
    for (Index k = 0; k < E.blocks(); ++k) {
      if (d_ != nullptr)
        scale_similarly(d_, exponent_of(k), prepared.block(k));
      else
        scale_by_power(prepared.block(k), exponent_of(k));
    }
    if constexpr (!kIsComplex<T>)
      if (plan_.constrains) sense == Sense::push ? complete_directions<T>(prepared) : take_differences<T>(prepared);
    prepared_ = prepared;
    return prepared;
  }

  /// The derivatives of A from L, those of the reduced matrix in the prepared directions E.
  void bring_back(View<const T> E, View<T> L, View<T> tangents, Sense sense) {
    for (Index k = 0; k < L.blocks(); ++k) {
      const int exponent = range_exponent(E.block(k), d_, plan_.squarings, plan_.constrains && sense == Sense::push);
      if (d_ != nullptr)
        scale_back(d_, -exponent, L.block(k));
      else if (exponent != 0)
        scale_by_power(L.block(k), -exponent);
    }
    if (L.data != tangents.data) copy<T>(L, tangents);
  }

  /// ring_of  the ring for an engine and the square of what is evaluated.
  template <class RingOf>
  Status value_over(View<T> result, const RingOf& ring_of) {
    const View<T> X = padded(result);
    const Status status = plan_.form == Form::schur ? schur_value(X, ring_of) : full_value(X, ring_of);
    if (d_ != nullptr) scale_back(d_, 0, X);
    if (X.data != result.data) copy<T>(X, result);
    return status;
  }

  template <class RingOf>
  Status full_value(View<T> X, const RingOf& ring_of) {
    auto ring = ring_of(engine(X.rows), reduced_.B2);
    evaluate(plan_, ring, reduced_.B, X);
    lossy_ = is_lossy(plan_, ring.watched().error());
    return ring.status();
  }

  Status full_dual(View<T> X, View<const T> E, View<T> L) {
    Dual<MatrixEngine<T>> ring(engine(X.rows), E.blocks(), work_, reduced_.B2);
    evaluate(plan_, ring, {reduced_.B, E}, {X, L});
    lossy_ = is_lossy(plan_, ring.watched().error());
    return ring.status();
  }

  void full_tangents(View<const T> E, View<T> L, const Tape<T>& tape) {
    Tangents<MatrixEngine<T>> ring({L.rows, work_}, tape, E.blocks(), work_);
    evaluate<Tangents<MatrixEngine<T>>>(plan_, ring, E, L);
  }

  /// X = exp(A), and from a tape of it the pullback of what was prepared.
  Status full_pull(View<T> X, View<T> L) {
    const TapeSize size = tape_size(plan_);
    Workspace memory(tape_bytes<T>(size, X.rows));
    Tape<T> tape(X.rows, size, memory);
    Taped<MatrixEngine<T>> ring(engine(X.rows), tape, work_, reduced_.B2);
    evaluate(plan_, ring, reduced_.B, X);
    full_pull(L, tape);
    return ring.status();
  }
  void full_pull(View<T> L, const Tape<T>& tape) {
    Tangents<MatrixEngine<T>> ring({L.rows, work_}, tape, L.blocks(), work_);
    pull_back(plan_, ring, prepared_, L);
  }

  /// exp(A) = Q exp(S) Q^H.
  template <class RingOf>
  Status schur_value(View<T> X, const RingOf& ring_of) {
    const View<C> QH = adjoint_of_Q(), Z = work_.take<C>(X.rows, X.rows), Y = work_.take<C>(X.rows, X.rows);
    auto ring = ring_of(MatrixEngine<C>(X.rows, work_), reduced_.S2);
    evaluate<decltype(ring)>(plan_, ring, reduced_.S, Z);
    leave(QH, Z, Y, X);
    return ring.status();
  }

  /// L(A, E) = Q L(S, Q^H E Q) Q^H.
  Status schur_dual(View<T> X, View<const T> E, View<T> L) {
    const Index n = X.rows;
    const View<C> QH = adjoint_of_Q(), Z = work_.take<C>(n, n), Y = work_.take<C>(n, n);
    const View<C> F = work_.take<C>(n, E.columns), M = work_.take<C>(n, E.columns);
    enter(QH, E, F, M);
    Dual<MatrixEngine<C>> ring({n, work_}, E.blocks(), work_, reduced_.S2);
    evaluate<Dual<MatrixEngine<C>>>(plan_, ring, {reduced_.S, M}, {Z, F});
    leave(QH, Z, Y, X);
    leave(QH, F, M, L);
    return ring.status();
  }

  void schur_tangents(View<const T> E, View<T> L, const Tape<C>& tape) {
    const Index n = L.rows;
    const View<C> QH = adjoint_of_Q(), F = work_.take<C>(n, E.columns), M = work_.take<C>(n, E.columns);
    enter(QH, E, F, M);
    Tangents<MatrixEngine<C>> ring({n, work_}, tape, E.blocks(), work_);
    evaluate<Tangents<MatrixEngine<C>>>(plan_, ring, M, F);
    leave(QH, F, M, L);
  }

  View<C> adjoint_of_Q() {
    const View<C> QH = work_.take<C>(reduced_.Q.rows, reduced_.Q.rows);
    conjugate_transpose<C>(reduced_.Q, QH);
    return QH;
  }

  /// M_k = Q^H E_k Q, through F.
  void enter(View<const C> QH, View<const T> E, View<C> F, View<C> M) {
    copy(E, M);
    clear_padding(M);
    multiply_blocks<C>(QH, M, F, work_.team());
    multiply_blocks_right<C>(F, reduced_.Q, M, work_.team());
  }

  /// X_k = Q Z_k Q^H, through Y; Z is lost.
  void leave(View<const C> QH, View<C> Z, View<C> Y, View<T> X) {
    multiply_blocks<C>(reduced_.Q, Z, Y, work_.team());
    multiply_blocks_right<C>(Y, QH, Z, work_.team());
    copy_part<T>(Z, X);
  }

  const Reduced<T>& reduced_;
  const Plan& plan_;
  const Real<T>* d_;  ///< where B is D^-1 A D
  Workspace& work_;
  View<T> prepared_;  ///< the directions, if they were copied
  bool lossy_ = false;
};

}  // namespace matfun::detail
