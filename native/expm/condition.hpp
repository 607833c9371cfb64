#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "expm/expm.hpp"

namespace matfun {

namespace detail {

/// The derivative as a linear map of N = n^2 numbers, K vec(E) = vec(L(A, E)), by stacks of directions.
template <class T>
class KroneckerForm {
 public:
  KroneckerForm(const Reduced<T>& reduced, Index n, Workspace& work)
      : reduced_(reduced), X_(work.take<T>(n, n)), work_(work) {}

  /// Y_k = L(A, E_k). Y must not overlap E.
  Status apply(View<const T> E, View<T> Y, Sense sense = Sense::push) {
    const std::size_t mark = work_.used_bytes();
    Evaluation<T> evaluation(reduced_, work_);
    const Status status = evaluation.dual(X_, E, Y, sense);
    lossy_ = evaluation.lost_too_much();
    work_.rewind(mark);
    if (status != Status::ok) return status;
    return is_finite<T>(X_) && is_finite<T>(Y) ? Status::ok : Status::overflow;
  }

  /// Z_k = L(A^H, W_k) = L(A, W_k^H)^H. Z must not overlap W.
  Status apply_adjoint(View<const T> W, View<T> Z) {
    const std::size_t mark = work_.used_bytes();
    const View<T> WH = work_.take<T>(W.rows, W.columns), L = work_.take<T>(W.rows, W.columns);
    conjugate_transpose<T>(W, WH);
    const Status status = apply(WH, L, Sense::pull);
    conjugate_transpose<T>(L, Z);
    work_.rewind(mark);
    return status;
  }

  /// After any application, whether exp(A) is finite, and its 1-norm.
  bool has_finite_value() const { return is_finite<T>(X_); }
  Real<T> norm_of_value() const { return one_norm<T>(X_); }
  /// True where A has to be reduced to Schur form instead, after any application.
  bool lost_too_much() const { return lossy_; }

 private:
  const Reduced<T>& reduced_;
  View<T> X_;
  Workspace& work_;
  bool lossy_ = false;
};

/// The sum of moduli of each block's entries: |vec(Y_k)|_1.
template <class T>
Real<T> sum_of_moduli(View<const T> Y) {
  Real<T> sum = 0;
  for (Index j = 0; j < Y.columns; ++j)
    for (Index i = 0; i < Y.rows; ++i) sum += std::abs(Y(i, j));
  return sum;
}

/// Y / |Y| elementwise, 1 where Y is 0.
template <class T>
void take_signs(View<const T> Y, View<T> S) {
  for (Index j = 0; j < Y.columns; ++j)
    for (Index i = 0; i < Y.rows; ++i) {
      const Real<T> modulus = std::abs(Y(i, j));
      S(i, j) = modulus == 0 ? T(1) : Y(i, j) / modulus;
    }
}

/// Columns that the estimator works with.
inline constexpr Index kEstimatorColumns = 2;
/// With so many columns or fewer, |K|_1 is computed from all of them.
inline constexpr Index kExactColumns = 16;
/// Directions that |K|_1 takes at once, for matrices of order n.
constexpr Index estimator_columns(Index n) {
  return n * n <= kExactColumns ? n * n : kEstimatorColumns;
}

/// Higham and Tisseur's block estimator of |K|_1 with two columns.       [2000, doi 10.1137/S0895479899356080, algorithm 2.4]
/// Form  of K: has apply and apply_adjoint as KroneckerForm has them.
template <class T, class Form>
class OneNormEstimator {
 public:
  using R = Real<T>;

  /// unit  what stands for 1 in directions, a power of two: |K|_1 itself may lie beyond T's range.
  OneNormEstimator(Form& K, Index n, R unit, Workspace& work)
      : K_(K), n_(n), unit_(unit), X_(take(work)), Y_(take(work)), S_(take(work)) {
    for (const View<T> X : {X_, Y_, S_}) clear_padding(X);
  }

  /// A lower bound of |K|_1 times the unit, exact for n <= 4.
  Status run(R& estimate) {
    if (n_ * n_ <= kExactColumns) return exact(estimate);
    estimate = 0;
    begin();
    for (int step = 0; step < kSteps; ++step) {
      if (const Status status = K_.apply(X_, Y_); status != Status::ok) return status;
      const Index greater = greater_column();
      const R norm = sum_of_moduli<T>(Y_.block(greater));
      if (norm <= estimate) break;
      estimate = norm;
      if (step > 0) best_ = units_[units_taken_ - kEstimatorColumns + static_cast<std::size_t>(greater)];
      take_signs<T>(Y_, S_);
      scale(T(unit_), S_);
      if (const Status status = K_.apply_adjoint(S_, Y_); status != Status::ok) return status;
      if (!next_units()) break;
    }
    return Status::ok;
  }

 private:
  static constexpr int kSteps = 5;

  View<T> take(Workspace& work) const { return work.take<T>(n_, n_ * estimator_columns(n_)); }

  Status exact(R& norm) {
    fill(X_, T(0));
    for (Index at = 0; at < n_ * n_; ++at) X_.block(at)(at % n_, at / n_) = unit_;
    const Status status = K_.apply(X_, Y_);
    norm = 0;
    for (Index at = 0; at < n_ * n_; ++at) norm = std::max(norm, sum_of_moduli<T>(Y_.block(at)));
    return status;
  }

  /// A column of equal numbers, and one of fixed pseudorandom signs; each of 1-norm 1.
  void begin() {
    const T entry = unit_ / static_cast<R>(n_ * n_);
    fill(X_, entry);
    std::uint32_t state = 1;
    const View<T> second = X_.block(1);
    for (Index j = 0; j < n_; ++j)
      for (Index i = 0; i < n_; ++i) {
        state = state * 1664525u + 1013904223u;  // the linear congruential generator of Numerical Recipes
        if (state >> 31) second(i, j) = -entry;
      }
  }

  Index greater_column() const { return sum_of_moduli<T>(Y_.block(1)) > sum_of_moduli<T>(Y_.block(0)) ? 1 : 0; }

  /// The largest modulus in row `at` of Z, which lies in Y.
  R row(Index at) const {
    return std::max(std::abs(Y_.block(0)(at % n_, at / n_)), std::abs(Y_.block(1)(at % n_, at / n_)));
  }

  bool is_taken(Index at) const {
    const auto end = units_.begin() + static_cast<std::ptrdiff_t>(units_taken_);
    return std::find(units_.begin(), end, at) != end;
  }

  /// X = the unit vectors at the greatest rows of Z that have not been there yet. False where nothing greater can come:
  /// the best one's own row is the greatest, or the greatest have all been there.
  bool next_units() {
    Index greatest = 0;
    for (Index at = 1; at < n_ * n_; ++at)
      if (row(at) > row(greatest)) greatest = at;
    if ((best_ >= 0 && row(best_) >= row(greatest)) || is_taken(greatest)) return false;
    fill(X_, T(0));
    for (Index k = 0; k < kEstimatorColumns; ++k) {
      Index next = -1;
      for (Index at = 0; at < n_ * n_; ++at)
        if (!is_taken(at) && (next < 0 || row(at) > row(next))) next = at;
      X_.block(k)(next % n_, next / n_) = unit_;
      units_[units_taken_++] = next;
    }
    return true;
  }

  Form& K_;
  Index n_;
  R unit_;
  View<T> X_, Y_, S_;
  std::array<Index, kEstimatorColumns * kSteps> units_ = {};
  std::size_t units_taken_ = 0;
  Index best_ = -1;  ///< the unit vector that gave the estimate
};

/// |K|_1 |A|_1 / |exp(A)|_1.
/// Form  as for the estimator; after any application it knows norm_of_value, has_finite_value and lost_too_much.
template <class T, class Form>
Status relative_condition(Form& K, Index n, Real<T> norm_of_A, double& condition, Workspace& work) {
  using R = Real<T>;
  const std::size_t mark = work.used_bytes();
  Status status = Status::ok;
  double relative = 0;
  // Where derivatives overflow, directions are made small: as far as range_exponent does not make them larger again, and if
  // that is not enough so small as only just to be exact, which it brings into the range at which they end.
  using Limits = std::numeric_limits<R>;
  for (const R unit : {R(1), std::ldexp(R(1), -Limits::max_exponent / 2), std::ldexp(Limits::denorm_min(), 8)}) {
    R estimate = 0;
    status = OneNormEstimator<T, Form>(K, n, unit, work).run(estimate);
    // In this order, because |K| itself may be beyond the range.
    relative = static_cast<double>(estimate) / static_cast<double>(K.norm_of_value()) / static_cast<double>(unit);
    work.rewind(mark);
    if (K.lost_too_much()) return status;
    if (status == Status::ok || !K.has_finite_value()) break;
  }
  // 1 x 1: K is exp(A) itself, which may underflow.
  if (n == 1) relative = 1;
  condition =
      std::isnan(relative) ? std::numeric_limits<double>::infinity() : relative * static_cast<double>(norm_of_A);
  if (status != Status::ok && K.has_finite_value()) {
    condition = std::numeric_limits<double>::infinity();
    status = Status::ok;
  }
  return status;
}

/// The condition number by a reduced matrix. True where A has to be reduced to Schur form instead.
template <class T>
bool estimate_condition(const Reduced<T>& reduced, View<const T> A, double& condition, Status& status,
                        Workspace& work) {
  status = reduced.plan.status;
  if (status != Status::ok) return false;
  KroneckerForm<T> K(reduced, A.rows, work);
  status = relative_condition<T>(K, A.rows, one_norm(A), condition, work);
  return K.lost_too_much();
}

}  // namespace detail

/// Bytes of workspace that expm_condition takes at most, for a matrix of order n.
template <class T>
std::size_t condition_workspace_bytes(Index n) {
  const Index columns = detail::estimator_columns(n);
  return workspace_bytes<T>(Operation::jvp, n, columns) + matrix_bytes<T>(n, n) + 3 * matrix_bytes<T>(n, n * columns);
}

/// The relative condition number of exp at A in the 1-norm, |K|_1 |A|_1 / |exp(A)|_1, where K is the n^2 x n^2 Kronecker form
/// of L(A, .): what a small relative change of A can do to exp(A), up to a factor n for the norm of K that is taken.
///                 [Al-Mohy & Higham 2009, doi 10.1137/080716426, algorithm 7.4; Higham, Functions of Matrices, section 3.4]
/// A     n x n, column-major, not modified.
/// work  at least condition_workspace_bytes<T>(n) free; left empty.
/// Infinite where it lies beyond the range, or exp(A) underflows to 0.
/// error a lower bound, exact for n <= 4 and rarely less than a third of it above.
/// cost  that of L for 16 directions at n = 4; above, two to five times that of L and of L* for two directions each.
template <class T>
Status expm_condition(View<const T> A, double& condition, const Options& options, Workspace& work) {
  const std::size_t mark = work.used_bytes();
  Status status = Status::ok;
  if (detail::estimate_condition(reduce(A, Purpose::derivative, options, work), A, condition, status, work)) {
    work.rewind(mark);
    detail::estimate_condition(reduce_to_schur_form(A, Purpose::derivative, options, work), A, condition, status, work);
  }
  work.reset();
  if (status != Status::ok) condition = quiet_nan<double>();
  return status;
}

}  // namespace matfun
