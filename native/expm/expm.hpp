#pragma once

#include <algorithm>

#include "expm/evaluation.hpp"

namespace matfun {

enum class Operation : std::uint8_t { expm, jvp, vjp, cond };

/// Purpose of the plan that an operation needs.
constexpr Purpose purpose_of(Operation operation) {
  return operation == Operation::expm ? Purpose::value : Purpose::derivative;
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
  for (const int degree : kNonnegativeDegrees<R>)
    for (int squarings = 0; squarings <= 1; ++squarings)
      most = std::max(most, count_cost({Scheme::nonnegative, degree, squarings}).elements);
  return most;
}

template <class T>
Status finish(Status status, View<T> X) {
  if (status == Status::ok && !is_finite<T>(X)) status = Status::overflow;
  if (status != Status::ok) fill(X, quiet_nan<T>());
  return status;
}

/// What `by` evaluates of what `reduce` makes of A; again in Schur form where that lost too much. Leaves the workspace empty but
/// for what was taken before.
/// by  a Status of a const Reduced<T>& and its Evaluation<T>&.
template <class T, class By>
Status run(View<const T> A, Purpose purpose, const Options& options, Workspace& work, const By& by) {
  const std::size_t mark = work.used_bytes();
  Status status = Status::ok;
  const auto attempt = [&](const Reduced<T>& reduced) {
    status = reduced.plan.status;
    bool again = false;
    if (status == Status::ok) {
      Evaluation<T> evaluation(reduced, work);
      status = by(reduced, evaluation);
      again = evaluation.lost_too_much();
    }
    work.rewind(mark);
    return again;
  };
  if (attempt(reduce(A, purpose, options, work))) attempt(reduce_to_schur_form(A, purpose, options, work));
  return status;
}

/// X = exp(A), L_k = L(A, E_k).
template <class T>
Status run_dual(View<const T> A, View<T> X, View<const T> E, View<T> L, Sense sense, const Options& options,
                Workspace& work) {
  return run<T>(A, Purpose::derivative, options, work,
                [&](const Reduced<T>&, Evaluation<T>& evaluation) { return evaluation.dual(X, E, L, sense); });
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
  const Status status =
      detail::run<T>(A, Purpose::value, options, work,
                     [X](const Reduced<T>&, detail::Evaluation<T>& evaluation) { return evaluation.value(X); });
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
  Status status = detail::run_dual<T>(A, X, E, L, detail::Sense::push, options, work);
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
  Status status = detail::run_dual<T>(A, X, WH, L, detail::Sense::pull, options, work);
  if (status == Status::ok) conjugate_transpose<T>(L, G);
  work.reset();
  status = detail::finish(status, X);
  detail::finish_each(status, derivative);
  return status;
}

}  // namespace matfun
