#pragma once

#include <optional>

#include "expm/condition.hpp"

namespace matfun {

/// What derivatives of exp at one matrix need, kept from the evaluation of the value: its tape, the plan, and what brings
/// directions to where the tape was made (D, Q). Made by expm_linearize. Reading it, by any number of threads at once, changes nothing.
template <class T>
class Linearized {
 public:
  /// Void: as of a matrix that could not be done.
  Linearized() = default;
  Linearized(const Linearized&) = delete;
  Linearized& operator=(const Linearized&) = delete;

  Status status() const { return status_; }
  const Plan& plan() const { return reduced_.plan; }
  /// Bytes of memory that it holds besides itself.
  std::size_t held_bytes() const { return (memory_ ? memory_->capacity_bytes() : 0) + tapes_.held_bytes(); }

  /// Bytes of linearized_bytes that were taken.
  std::size_t used_bytes() const { return memory_ ? memory_->used_bytes() : 0; }

  /// A place for the plan's tape, and copies of what else of `reduced` derivatives need, in place of all that it held. Throws std::bad_alloc.
  detail::Tapes<T>& begin(const Reduced<T>& reduced, Index n);
  /// The value is done: with this status, and where that is ok with these infinity norms.
  void end(Status status, Real<T> norm_of_A, Real<T> norm_of_value);

  const Reduced<T>& reduced() const { return reduced_; }
  const detail::Tapes<T>& tapes() const { return tapes_; }
  Real<T> norm_of_A() const { return norm_of_A_; }
  Real<T> norm_of_value() const { return norm_of_value_; }

 private:
  Status status_ = Status::not_finite;
  Reduced<T> reduced_;  ///< the plan, D and Q alone
  detail::Tapes<T> tapes_;
  std::optional<Workspace> memory_;
  Real<T> norm_of_A_ = 0, norm_of_value_ = 0;
};

/// Bytes of memory that a Linearized takes for its matrices by this plan: 2 (products + squarings) of order n at most. A pure
/// function of its arguments; tape_test.cpp holds it against real use.
template <class T>
std::size_t linearized_bytes(const Plan& plan, Index n) {
  using C = Complex<T>;
  const TapeSize size = tape_size(plan);
  const std::size_t tape = plan.form == Form::schur ? tape_bytes<C>(size, n) : tape_bytes<T>(size, n);
  return tape + (plan.is_carried ? matrix_bytes<Real<T>>(n, 1) : 0) +
         (plan.form == Form::schur ? matrix_bytes<C>(n, n) : 0);
}

template <class T>
detail::Tapes<T>& Linearized<T>::begin(const Reduced<T>& reduced, Index n) {
  using C = Complex<T>;
  end(Status::not_finite, 0, 0);
  reduced_ = {};
  reduced_.plan = reduced.plan;
  memory_.emplace(linearized_bytes<T>(reduced.plan, n));
  if (reduced.plan.is_carried) {
    Real<T>* const d = memory_->take<Real<T>>(n, 1).data;
    std::copy_n(reduced.d, n, d);
    reduced_.d = d;
  }
  const TapeSize size = tape_size(reduced.plan);
  if (reduced.plan.form == Form::schur) {
    reduced_.Q = memory_->take<C>(n, n);
    copy<C>(reduced.Q, reduced_.Q);
    clear_padding(reduced_.Q);
    tapes_.template of<C>() = Tape<C>(n, size, *memory_);
  } else {
    tapes_.template of<T>() = Tape<T>(n, size, *memory_);
  }
  return tapes_;
}

template <class T>
void Linearized<T>::end(Status status, Real<T> norm_of_A, Real<T> norm_of_value) {
  status_ = status;
  norm_of_A_ = norm_of_A;
  norm_of_value_ = norm_of_value;
  if (status == Status::ok) return;
  tapes_ = {};
  memory_.reset();
}

/// Bytes of workspace that the derivatives of a Linearized take at most, for matrices of order n and so many directions at once.
template <class T>
std::size_t linearized_workspace_bytes(Index n, Index directions) {
  using C = Complex<T>;
  static const auto elements = static_cast<std::size_t>(detail::most_elements<Real<T>>());
  const Index columns = n * directions;
  // W^H and L, or L padded; the direction, padded or balanced. Q^H, F and M. The ring's elements and its room.
  return 3 * matrix_bytes<T>(n, columns) + matrix_bytes<C>(n, n) + 2 * matrix_bytes<C>(n, columns) +
         (elements + 1) * matrix_bytes<C>(n, columns);
}

/// X = exp(A), with the bits that expm_jvp gives it, and what the derivatives at A need is kept.
///                              [the recurrence differentiated: Al-Mohy & Higham 2009, doi 10.1137/080716426; docs/math.md 7]
/// A, X, error  as for expm_jvp. Nothing of them is referred to afterwards.
/// kept  overwritten; takes linearized_bytes<T>(plan, n), or no memory where the result is not Status::ok.
/// work  at least workspace_bytes<T>(Operation::expm, n, 0), empty; left empty.
/// Throws std::bad_alloc.
/// cost  that of the value, and copies of at most as many matrices as it takes products.
template <class T>
Status expm_linearize(View<const T> A, View<T> X, const Options& options, Linearized<T>& kept, Workspace& work) {
  assert(!overlap(A, X));
  const auto by = [&](const Reduced<T>& reduced, detail::Evaluation<T>& evaluation) {
    return evaluation.taped_value(X, kept.begin(reduced, A.rows));
  };
  const Status status = detail::finish(detail::run<T>(A, Purpose::derivative, options, work, by), X);
  work.reset();
  kept.end(status, infinity_norm(A), infinity_norm<T>(X));
  return status;
}

/// L(A, E) for each direction, with the bits that expm_jvp gives.
/// derivative  as for expm_jvp.
/// work   at least linearized_workspace_bytes<T>(n, K) free; left as it was.
/// cost   for each direction 2 (products + squarings) products and as many solves as the plan has; the products by what was kept
///        from the left are one wide product for all, where that changes no bit. In Schur form four more.
template <class T>
void linearized_jvp(const Linearized<T>& kept, Derivative<T> derivative, Workspace& work) {
  const auto& [E, L, statuses] = derivative;
  assert(!overlap(E, L));
  const std::size_t mark = work.used_bytes();
  if (kept.status() == Status::ok)
    detail::Evaluation<T>(kept.reduced(), work).tangents(E, L, detail::Sense::push, kept.tapes());
  work.rewind(mark);
  detail::finish_each(kept.status(), derivative);
}

/// L(A^H, W) = L(A, W^H)^H for each cotangent, with the bits that expm_vjp gives.
/// derivative, work, cost  as for linearized_jvp.
template <class T>
void linearized_vjp(const Linearized<T>& kept, Derivative<T> derivative, Workspace& work) {
  const auto& [W, G, statuses] = derivative;
  assert(!overlap(W, G));
  const std::size_t mark = work.used_bytes();
  if (kept.status() == Status::ok) {
    const View<T> WH = work.take<T>(W.rows, W.columns), L = work.take<T>(W.rows, W.columns);
    conjugate_transpose<T>(W, WH);
    detail::Evaluation<T>(kept.reduced(), work).tangents(WH, L, detail::Sense::pull, kept.tapes());
    conjugate_transpose<T>(L, G);
  }
  work.rewind(mark);
  detail::finish_each(kept.status(), derivative);
}

namespace detail {

/// The derivative at A^H as a linear map, for relative_condition: L(A^H, .) is the pullback at A, and its adjoint L(A, .). A generator's
/// pullback is not L(A^H, .), so there it is L(A, .), whose sums of moduli are those of the transposed.
template <class T>
class AdjointForm {
 public:
  AdjointForm(const Linearized<T>& kept, Workspace& work) : kept_(kept), work_(work) {}

  Status apply(View<const T> E, View<T> Y) { return apply(is_direct() ? linearized_jvp<T> : linearized_vjp<T>, E, Y); }
  Status apply_adjoint(View<const T> W, View<T> Z) {
    return apply(is_direct() ? linearized_vjp<T> : linearized_jvp<T>, W, Z);
  }
  bool has_finite_value() const { return true; }
  Real<T> norm_of_value() const { return kept_.norm_of_value(); }
  bool lost_too_much() const { return false; }

 private:
  using Map = void(const Linearized<T>&, Derivative<T>, Workspace&);

  bool is_direct() const { return kept_.plan().constrains; }

  Status apply(Map map, View<const T> E, View<T> Y) {
    std::array<Status, kExactColumns> statuses{};
    map(kept_, {E, Y, statuses.data()}, work_);
    return *std::max_element(statuses.begin(), statuses.begin() + E.blocks());
  }

  const Linearized<T>& kept_;
  Workspace& work_;
};

}  // namespace detail

/// Bytes of workspace that linearized_condition takes at most.
template <class T>
std::size_t linearized_condition_workspace_bytes(Index n) {
  const Index columns = detail::estimator_columns(n);
  return linearized_workspace_bytes<T>(n, columns) + 3 * matrix_bytes<T>(n, n * columns);
}

/// The relative condition number of exp at A^H in the 1-norm, which is that at A in the infinity norm: of a row-major matrix, read
/// as its transpose, that in the 1-norm. As expm_condition, but with the plan of derivatives, which balances on request alone.
/// Returns kept's status; condition is NaN unless that is ok.
/// work  at least linearized_condition_workspace_bytes<T>(n), empty; left empty.
template <class T>
Status linearized_condition(const Linearized<T>& kept, Index n, double& condition, Workspace& work) {
  condition = quiet_nan<double>();
  if (kept.status() != Status::ok) return kept.status();
  detail::AdjointForm<T> K(kept, work);
  const Status status = detail::relative_condition<T>(K, n, kept.norm_of_A(), condition, work);
  work.reset();
  return status;
}

}  // namespace matfun
