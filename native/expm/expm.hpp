#pragma once

#include <algorithm>

#include "expm/evaluate.hpp"
#include "expm/reduction.hpp"

namespace matfun {

enum class Operation : std::uint8_t { expm, jvp, vjp, cond };

/// Purpose of the plan that an operation needs.
constexpr Purpose purpose_of(Operation operation) {
  return operation == Operation::expm   ? Purpose::value
         : operation == Operation::cond ? Purpose::condition
                                        : Purpose::derivative;
}

/// K directions and the K derivatives that they give, each an n x K n stack [E_1 ... E_K].
template <class T>
struct Derivative {
  View<const T> direction;  ///< E for the JVP, W for the VJP; not modified
  View<T> result;           ///< overwritten, block k with NaN unless statuses[k] is ok; must overlap nothing else
  Status* statuses;         ///< K, overwritten: of each derivative, the value's where that is not ok
};

namespace detail {

/// The most ring elements that any plan takes.
template <class R>
int most_elements() {
  int most = 0;
  for (const Ladder& ladder : kLadders<R>)
    for (const Threshold& row : ladder.rows)
      for (int squarings = 0; squarings <= 1; ++squarings)  // an odd number takes one more than an even one
        most = std::max(most, count_cost({ladder.scheme, row.degree, squarings}).elements);
  return most;
}

template <class T>
Status finish(Status status, View<T> X) {
  if (status == Status::ok && !is_finite<T>(X)) status = Status::overflow;
  if (status != Status::ok) fill(X, quiet_nan<T>());
  return status;
}

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

/// X = exp(A), and L where there are directions, by what `reduce` makes of A; again in Schur form where that lost too much.
/// Leaves the workspace empty but for what was taken before.
template <class T>
Status run(View<const T> A, View<T> X, View<const T> E, View<T> L, Purpose purpose, const Options& options,
           Workspace& work) {
  const std::size_t mark = work.used_bytes();
  Status status = Status::ok;
  const auto attempt = [&](const Reduced<T>& reduced) {
    status = reduced.plan.status;
    bool again = false;
    if (status == Status::ok) {
      Evaluation<T> evaluation(reduced, work);
      status = purpose == Purpose::value ? evaluation.value(X) : evaluation.dual(X, E, L);
      again = evaluation.lost_too_much();
    }
    work.rewind(mark);
    return again;
  };
  if (attempt(reduce(A, purpose, options, work))) attempt(reduce_to_schur_form(A, purpose, options, work));
  return status;
}

/// Settles each derivative's status, and fills those with NaN that are not ok. One direction never touches another,
/// nor the value: each has products of its own.
template <class T>
void finish_each(Status value, const Derivative<T>& derivative) {
  for (Index k = 0; k < derivative.direction.blocks(); ++k) {
    const bool finite_direction = is_finite<T>(derivative.direction.block(k));
    const Status status = value == Status::ok && !finite_direction ? Status::not_finite : value;
    derivative.statuses[k] = finish(status, derivative.result.block(k));
  }
}

}  // namespace detail

/// Bytes of workspace that `operation` takes at most, for matrices of order n and so many directions at once
/// (0 for expm). A pure function of its arguments; workspace_bytes_test.cpp holds it against real use.
template <class T>
std::size_t workspace_bytes(Operation operation, Index n, Index directions) {
  using C = Complex<T>;
  static const auto elements = static_cast<std::size_t>(detail::most_elements<Real<T>>());
  const bool has_tangents = operation != Operation::expm;  // though there may be none of them
  const Index columns = n * directions;
  // X where it is not padded; W^H and L, or L padded; the direction, padded or balanced.
  const std::size_t prepared = matrix_bytes<T>(n, n) + (has_tangents ? 3 * matrix_bytes<T>(n, columns) : 0);
  const std::size_t value = matrix_bytes<C>(n, n);
  const std::size_t tangents = has_tangents ? matrix_bytes<C>(n, columns) : 0;
  const std::size_t schur = 3 * value + 2 * tangents;
  const std::size_t factors = (has_tangents ? 4 : 2) * value;  // what Plain and Dual hold
  return reduction_bytes<T>(n) + prepared + schur + matrix_bytes<blas::Pivot>(n, 1) + factors +
         elements * (value + tangents);
}

/// X = exp(A).           [scaling and squaring: Higham 2005, doi 10.1137/04061101X; schemes: evaluate.hpp; docs/math.md 1]
/// A     n x n, column-major, finite or the result is Status::not_finite; not modified, must not overlap X.
/// X     n x n, overwritten; all NaN unless the result is Status::ok.
/// work  at least workspace_bytes<T>(Operation::expm, n, 0), empty; left empty.
/// error relative, at most 10 max(cond(exp, A), 1) u in the Frobenius norm on all fixtures (test/accuracy.test.ts); where
///       cond u is near 1 or above, nothing can be said.
/// cost  the plan's products + squarings products, and what the reductions take (reduce).
template <class T>
Status expm(View<const T> A, View<T> X, const Options& options, Workspace& work) {
  assert(!overlap(A, X));
  const Status status = detail::run<T>(A, X, {}, {}, Purpose::value, options, work);
  work.reset();
  return detail::finish(status, X);
}

/// X = exp(A) and, for each direction, the Fréchet derivative L(A, E) = d/dt exp(A + t E) at t = 0.
///                       [the recurrence differentiated: Al-Mohy & Higham 2009, doi 10.1137/080716426; docs/math.md 2]
/// A, X, error  as for expm.
/// derivative  the directions E, the results L(A, E), and the status of each.
/// work  at least workspace_bytes<T>(Operation::jvp, n, K), empty; left empty.
/// Returns the value's status.
/// cost  for one direction 3 (products + squarings) products, and what the reductions take.
template <class T>
Status expm_jvp(View<const T> A, View<T> X, Derivative<T> derivative, const Options& options, Workspace& work) {
  const auto& [E, L, statuses] = derivative;
  assert(!overlap(A, X) && !overlap(E, L));
  Status status = detail::run<T>(A, X, E, L, Purpose::derivative, options, work);
  work.reset();
  status = detail::finish(status, X);
  detail::finish_each(status, derivative);
  return status;
}

/// X = exp(A) and, for each cotangent W, its pullback G = L(A^H, W): Re tr(G^H E) = Re tr(W^H L(A, E)) for all E.
/// No adjoint code: L(A^H, W) = L(A, W^H)^H, so this is the derivative through transposition.
///                       [ChainRules.jl issue 331; Higham, Functions of Matrices, 2008; docs/math.md 3]
/// A, X, work, error, cost  as for expm_jvp, with Operation::vjp.
/// derivative  the cotangents W, the results L(A^H, W), and the status of each.
/// Returns the value's status.
template <class T>
Status expm_vjp(View<const T> A, View<T> X, Derivative<T> derivative, const Options& options, Workspace& work) {
  const auto& [W, G, statuses] = derivative;
  assert(!overlap(A, X) && !overlap(W, G));
  const View<T> WH = work.take<T>(W.rows, W.columns), L = work.take<T>(W.rows, W.columns);
  conjugate_transpose<T>(W, WH);
  Status status = detail::run<T>(A, X, WH, L, Purpose::derivative, options, work);
  if (status == Status::ok) conjugate_transpose<T>(L, G);
  work.reset();
  status = detail::finish(status, X);
  detail::finish_each(status, derivative);
  return status;
}

}  // namespace matfun
