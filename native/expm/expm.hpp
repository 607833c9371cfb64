#pragma once

#include <algorithm>

#include "expm/evaluate.hpp"

namespace matfun {

enum class Operation : std::uint8_t { expm, jvp, vjp };

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
  return most;
}

template <class T>
Status finish(Status status, View<T> X) {
  if (status == Status::ok && !all_finite<T>(X)) status = Status::overflow;
  if (status != Status::ok) fill(X, quiet_nan<T>());
  return status;
}

/// X = exp(A) and dX = L(A, E) in one run of the recurrence over dual numbers.
template <class T>
Status run_dual(const Plan& plan, View<const T> A, View<T> X, View<const T> E, View<T> L, Workspace& work) {
  Dual<BlasEngine<T>> ring(A.rows, E.blocks(), work);
  evaluate(plan, ring, {A, E}, {X, L});
  return ring.status();
}

/// Settles each derivative's status, and fills those with NaN that are not ok. One direction never touches another,
/// nor the value: each has products of its own.
template <class T>
void finish_each(Status value, const Derivative<T>& derivative) {
  for (Index k = 0; k < derivative.direction.blocks(); ++k) {
    const bool finite_direction = all_finite<T>(derivative.direction.block(k));
    const Status status = value == Status::ok && !finite_direction ? Status::not_finite : value;
    derivative.statuses[k] = finish(status, derivative.result.block(k));
  }
}

}  // namespace detail

/// Bytes of workspace that `operation` takes at most, for matrices of order n and so many directions at once
/// (0 for expm). A pure function of its arguments; expm_test.cpp holds it against real use.
template <class T>
std::size_t workspace_bytes(Operation operation, Index n, Index directions) {
  static const auto elements = static_cast<std::size_t>(detail::most_elements<Real<T>>());
  const std::size_t value = matrix_bytes<T>(n, n);
  const std::size_t tangents = operation == Operation::expm ? 0 : matrix_bytes<T>(n, n * directions);
  const std::size_t transposed = operation == Operation::vjp ? 2 * tangents : 0;
  return matrix_bytes<blas::Pivot>(n, 1) + elements * (value + tangents) + transposed;
}

/// X = exp(A).           [scaling and squaring: Higham 2005, doi 10.1137/04061101X; schemes: evaluate.hpp; docs/math.md 1]
/// A     n x n, column-major, finite or the result is Status::not_finite; not modified, must not overlap X.
/// X     n x n, overwritten; all NaN unless the result is Status::ok.
/// work  at least workspace_bytes<T>(Operation::expm, n, 0), empty; left empty.
/// error backward error at most u |A| of the scheme (2.5 u |A| with 21+'s published digits), and the rounding of the
///       squarings, which can grow with non-normality (docs/math.md).
/// cost  the plan's products + squarings products.
template <class T>
Status expm(View<const T> A, View<T> X, Method method, Workspace& work) {
  assert(!overlap(A, X));
  const Plan plan = choose_plan(A, Purpose::value, method);
  Status status = plan.status;
  if (status == Status::ok) {
    Plain<BlasEngine<T>> ring(A.rows, work);
    evaluate(plan, ring, A, X);
    status = ring.status();
  }
  work.reset();
  return detail::finish(status, X);
}

/// X = exp(A) and, for each direction, the Fréchet derivative L(A, E) = d/dt exp(A + t E) at t = 0.
///                       [the recurrence differentiated: Al-Mohy & Higham 2009, doi 10.1137/080716426; docs/math.md 2]
/// A, X  as for expm.
/// derivative  the directions E, the results L(A, E), and the status of each.
/// work  at least workspace_bytes<T>(Operation::jvp, n, K), empty; left empty.
/// Returns the value's status.
/// cost  for one direction 3 (products + squarings) products.
template <class T>
Status expm_jvp(View<const T> A, View<T> X, Derivative<T> derivative, Method method, Workspace& work) {
  const auto& [E, L, statuses] = derivative;
  assert(!overlap(A, X) && !overlap(E, L));
  const Plan plan = choose_plan(A, Purpose::derivative, method);
  Status status = plan.status;
  if (status == Status::ok) status = detail::run_dual(plan, A, X, E, L, work);
  work.reset();
  status = detail::finish(status, X);
  detail::finish_each(status, derivative);
  return status;
}

/// X = exp(A) and, for each cotangent W, its pullback G = L(A^H, W): Re tr(G^H E) = Re tr(W^H L(A, E)) for all E.
/// No adjoint code: L(A^H, W) = L(A, W^H)^H, so this is the derivative through transposition.
///                       [ChainRules.jl issue 331; Higham, Functions of Matrices, 2008; docs/math.md 3]
/// A, X, work, cost  as for expm_jvp, with Operation::vjp.
/// derivative  the cotangents W, the results L(A^H, W), and the status of each.
/// Returns the value's status.
template <class T>
Status expm_vjp(View<const T> A, View<T> X, Derivative<T> derivative, Method method, Workspace& work) {
  const auto& [W, G, statuses] = derivative;
  assert(!overlap(A, X) && !overlap(W, G));
  const Plan plan = choose_plan(A, Purpose::derivative, method);
  Status status = plan.status;
  if (status == Status::ok) {
    const View<T> WH = work.take<T>(W.rows, W.columns), L = work.take<T>(W.rows, W.columns);
    conjugate_transpose<T>(W, WH);
    status = detail::run_dual<T>(plan, A, X, WH, L, work);
    conjugate_transpose<T>(L, G);
  }
  work.reset();
  status = detail::finish(status, X);
  detail::finish_each(status, derivative);
  return status;
}

}  // namespace matfun
