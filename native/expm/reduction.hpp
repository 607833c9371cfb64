#pragma once

#include <cmath>

#include "expm/engine.hpp"
#include "expm/nonnegative.hpp"
#include "expm/plan.hpp"
#include "expm/truncation.hpp"

/// What is done to a matrix before its exponential is evaluated, so that fewer and less lossy squarings remain:
/// A = mu I + B, mu I + D B D^-1, or mu I + D Q S Q^H D^-1. Each is made only where it helps, and every decision follows from A
/// alone, never from a direction: a direction gives the same bits alone as among others.
namespace matfun {

/// A matrix as it will be evaluated, and by what plan. Lives in the workspace that it was made in.
template <class T>
struct Reduced {
  Plan plan;
  View<const T> B;             ///< A, or what shift and balancing made of it
  View<T> B2;                  ///< (B / 2^squarings)^2, or no data where the plan did not need it
  const Real<T>* d = nullptr;  ///< D's diagonal where the plan is balanced
  /// Where the plan's form is Form::schur: B = Q S Q^H, and S2 = (S / 2^squarings)^2 in place of B2.
  View<Complex<T>> S, S2, Q;
};

namespace detail {

/// Norms above this are scaled down before anything is squared: |B|^4 must not overflow.
template <class R>
inline constexpr int kSafeExponent = std::numeric_limits<R>::max_exponent / 5;

/// D's exponents may differ by this much before B itself has to be D^-1 A D: entries of A's powers grow by that factor and those of
/// its derivatives by its square, and then some digits more are needed below.
template <class R>
inline constexpr int kHarmlessSpread = std::numeric_limits<R>::max_exponent / 2 - std::numeric_limits<R>::digits;

/// From this |B| / |B^2|^(1/2) on, a matrix's plan is balanced where that halves its norm. Below it there is little to win: the
/// plan follows from the square already.
inline constexpr double kTryBalance = 8;

/// From this |B| / |B^2|^(1/2) on, a matrix of more than this norm goes to Schur form: the rounding errors of its square are
/// about u |B|^2, and measured errors grow with it, to 8 units at 1e3 and 35 at 1e4 for rotated [1 b; 0 -1]. Below that norm
/// they are harmless, and the rounding of the Schur form itself is not.
inline constexpr double kStronglyNonNormal = 100;
inline constexpr double kLargeNorm = 16;

/// So too where the squarings may have multiplied errors by this much more than the condition number does at least, |B| /
/// sqrt(n). Of 700 random matrices of all kinds the least that lost more than 8 units is at 7e7; dense, skew and stable ones
/// and generators are below 25, graded ones below 6e3.
inline constexpr double kLossy = 1e6;

/// From u |B| of 2^-10 on, a generator's diagonal says nothing of its rates, and it is taken as a generator.
inline constexpr int kDoubtfulBits = 10;

template <class T>
Real<T> plan_norm(View<const T> A) {
  return norms(A).smaller();
}

template <class T>
Norms<Real<T>> norms_with_square(View<const T> B, View<const T> B2) {
  using R = Real<T>;
  // What underflows in the square is less than this, and must not make a nilpotent matrix of any other.
  const R lost = static_cast<R>(B.rows) * std::numeric_limits<R>::min();
  const OneAndInfinity<R> first = norms(B), second = norms(B2);
  return {{first.one, second.one + lost}, {first.infinity, second.infinity + lost}};
}

/// |B| / |B^2|^(1/2), at least 1.
template <class R>
R non_normality(const Norms<R>& norms) {
  return norms.first() / std::sqrt(std::min(norms.one.second, norms.infinity.second));
}

/// Below this a negative shift is not worth it: e^(2 / 4) is lost.
inline constexpr double kHarmlessShift = 0.25;

/// |B / 2^p| and |(B / 2^p)^2|, with p > 0 only where |B|^4 would overflow.
template <class R>
struct Squared {
  Norms<R> norms;
  int p;

  R non_normality() const { return detail::non_normality(norms); }
};

/// B2 = (B / 2^p)^2, and its norms.
/// norm   min(|B|_1, |B|_inf), infinite where the sums overflow.
/// spare  n x n, overwritten where the norm is huge.
template <class T>
Squared<Real<T>> square(View<const T> B, Real<T> norm, View<T> B2, View<T> spare, Team* team) {
  using R = Real<T>;
  // |B| <= n max |b_ij|, where the norm itself overflows.
  const int exponent = norm == 0             ? 0
                       : std::isfinite(norm) ? std::ilogb(norm) + 1
                                             : std::ilogb(max_abs(B)) + 2 + std::ilogb(static_cast<R>(B.rows));
  const int p = std::max(0, exponent - kSafeExponent<R>);
  if (p > 0) {
    copy(B, spare);
    clear_padding(spare);
    scale_by_power(spare, -p);
    B = spare;
  }
  multiply<T>(B, B, B2, team);
  return {norms_with_square<T>(B, B2), p};
}

/// The plan that follows from the norms of a matrix and its square.
template <class R>
Plan plan_by_square(const Squared<R>& squared, Purpose purpose, Method method) {
  Plan plan = choose_plan(squared.norms, purpose, method);
  plan.squarings += squared.p;
  plan.norm = std::ldexp(plan.norm, squared.p);
  plan.alpha = std::ldexp(plan.alpha, squared.p);
  return plan;
}

/// tr(A) / n, divided term by term: the trace itself may overflow.
template <class T>
T mean_of_diagonal(View<const T> A) {
  T mean = 0;
  for (Index i = 0; i < A.rows; ++i) mean += A(i, i) / static_cast<Real<T>>(A.rows);
  return mean;
}

/// X_k = 2^exponent D^-1 X_k D, exactly where nothing leaves the range: D's entries are powers of two.
template <class T>
void scale_similarly(const Real<T>* d, int exponent, View<T> X) {
  for (Index j = 0; j < X.columns; ++j)
    for (Index i = 0; i < X.rows; ++i)
      X(i, j) = times_power(X(i, j), std::ilogb(d[j % X.rows]) - std::ilogb(d[i]) + exponent);
}

/// X_k = 2^exponent D X_k D^-1.
template <class T>
void scale_back(const Real<T>* d, int exponent, View<T> X) {
  for (Index j = 0; j < X.columns; ++j)
    for (Index i = 0; i < X.rows; ++i)
      X(i, j) = times_power(X(i, j), std::ilogb(d[i]) - std::ilogb(d[j % X.rows]) + exponent);
}

/// The reductions of one matrix, in order.
template <class T>
class Reduction {
 public:
  using R = Real<T>;

  Reduction(View<const T> A, Purpose purpose, const Options& options, bool schur_form, Workspace& work)
      : A_(A), n_(A.rows), purpose_(purpose), options_(options), schur_form_(schur_form), work_(work) {
    reduced_.B = A;
  }

  Reduced<T> run() {
    if (!is_padded(reduced_.B)) {
      const View<T> padded = work_.take<T>(n_, n_);
      copy(reduced_.B, padded);
      clear_padding(padded);
      reduced_.B = padded;
    }
    R norm = plan_norm<T>(reduced_.B);
    if (!std::isfinite(norm) && !std::isfinite(max_abs<T>(reduced_.B))) {
      // One reading decides, since memory shared with another thread may change between two.
      reduced_.plan = {.norm = norm, .status = Status::not_finite};
      return reduced_;
    }
    if (options_.structure == Structure::generator) return generator();
    if (n_ == 1) {
      reduced_.plan = {.norm = norm, .alpha = norm};
      return reduced_;
    }
    const bool is_nonnegative = may_be_nonnegative(norm) && is_essentially_nonnegative(reduced_.B);
    if (is_nonnegative && n_ > kernels::kMaxGeneralOrder) return nonnegative(norm);
    const View<const T> own = reduced_.B;
    const R own_norm = norm;
    if (options_.shift != Choice::never) norm = shift(norm);
    Plan by_norm =
        choose_plan(without_square(std::min(norm, std::numeric_limits<R>::max())), purpose_, options_.method);
    // As in lanes, where far entries of orders 3 and 4 are kept (lane_plan.hpp).
    if ((n_ == 3 || n_ == 4) && options_.method != Method::pade) by_norm.degree = std::max(by_norm.degree, 4);
    const bool by_norm_alone = by_norm.degree <= 2 || (n_ <= kernels::kMaxLaneOrder && !squares(norm));
    if (n_ == 0 || (by_norm_alone && options_.balance != Choice::always)) {
      finish(by_norm);
      return reduced_;
    }
    const bool triangular = squares(norm) && is_triangular();
    reduced_.B2 = work_.take<T>(n_, n_);
    spare_ = work_.take<T>(n_, n_);
    Squared<R> squared = square<T>(reduced_.B, norm, reduced_.B2, spare_, work_.team());
    Plan plan = plan_of(squared);
    const bool is_hard =
        !triangular && (squared.non_normality() > static_cast<R>(kTryBalance) || is_doubtful(own_norm));
    if (is_nonnegative && is_hard) {
      reduced_.B = own;
      reduced_.B2 = {};
      shift_ = 0;
      return nonnegative(own_norm);
    }
    if (triangular && options_.balance != Choice::never) grade(norm, squared, plan);
    if (may_balance(squared, triangular)) balance(norm, squared, plan);
    if (triangular)
      plan.form = Form::triangular;
    else if (squares(norm) && wants_schur_form(squared, plan))
      to_schur_form(plan);
    if (plan.form != Form::schur && plan.squarings > squared.p)
      scale_by_power(reduced_.B2, -2 * (plan.squarings - squared.p));
    finish(plan);
    return reduced_;
  }

 private:
  bool squares(R norm) const { return takes_squarings(norm, purpose_, options_.method); }
  Plan plan_of(const Squared<R>& squared) const { return plan_by_square(squared, purpose_, options_.method); }

  /// Last of all: where u |B| >= 1, rounding A changes every digit, but for triangular matrices, whose diagonals are exact, and for
  /// exponentials that underflow entirely.
  void finish(Plan plan) {
    // A shift rounds a triangular matrix's diagonal by u |shift|.
    const bool is_exact = plan.form == Form::triangular && static_cast<double>(std::abs(shift_)) < uncertain_norm();
    if (!is_exact && plan.norm >= uncertain_norm()) {
      if (underflows(A_)) {
        plan.scheme = Scheme::zero;
        plan.degree = plan.squarings = 0;
      } else {
        plan.status = Status::uncertain;
      }
    }
    settle(plan);
  }

  static bool is_doubtful(R norm) { return static_cast<double>(norm) >= std::ldexp(uncertain_norm(), -kDoubtfulBits); }
  static double uncertain_norm() { return std::ldexp(1.0, std::numeric_limits<R>::digits); }

  /// |exp(A)| <= e^mu with the logarithmic norm mu, which leaves nothing, not even of a derivative in the greatest direction.
  static bool underflows(View<const T> A) {
    constexpr double kNothing = std::is_same_v<R, double> ? -1500 : -200;
    double columns = kNothing - 1, rows = kNothing - 1;
    for (Index j = 0; j < A.rows; ++j) {
      double column = static_cast<double>(std::real(A(j, j))), row = column;
      for (Index i = 0; i < A.rows; ++i) {
        if (i == j) continue;
        column += static_cast<double>(std::abs(A(i, j)));
        row += static_cast<double>(std::abs(A(j, i)));
      }
      columns = std::max(columns, column);
      rows = std::max(rows, row);
    }
    return std::min(columns, rows) < kNothing;
  }

  /// Not a triangular matrix that has to be graded, so that its tangents stay in range.
  bool may_be_nonnegative(R norm) const {
    if (options_.structure != Structure::automatic || options_.method == Method::pade) return false;
    return norm < std::ldexp(R(1), kSafeExponent<R>) || !is_triangular();
  }
  bool is_triangular() const { return is_upper_triangular(reduced_.B) || is_lower_triangular(reduced_.B); }

  /// A matrix without negative entries off the diagonal, by a scheme whose coefficients are positive. A generator too stiff for its
  /// diagonal to say anything is taken as one.
  Reduced<T> nonnegative(R norm) {
    if constexpr (!kIsComplex<T>) {
      if (is_doubtful(norm)) {
        const GeneratorRates<R> rates = generator_rates<R>(reduced_.B, work_);
        if (rates.is_generator) {
          plan_generator(rates);
          return reduced_;
        }
      }
      if (options_.shift != Choice::never) norm = shift(norm);
      if (!std::isfinite(norm)) norm = std::numeric_limits<R>::max();
      Plan plan = plan_nonnegative(reduced_.B, norm);
      const bool may_balance = plan.squarings > 0 && options_.balance != Choice::never;
      if (may_balance || options_.balance == Choice::always) balance_nonnegative(norm, plan);
      if (plan.squarings > 0 && is_triangular()) plan.form = Form::triangular;
      finish(plan);
    }
    return reduced_;
  }

  /// The states' links are looked at only if they matter.
  Plan nonnegative_plan_of(View<const R> B, R norm) {
    const auto plan = [&](Index ways) { return nonnegative_plan<R>(norm, ways_for(purpose_, ways, n_)); };
    const Plan least = plan(1), most = plan(n_ - 1);
    if (most.degree == least.degree && most.squarings == least.squarings) return most;
    return plan(longest_way<R>(B, work_));
  }

  /// norm  of B or of D^-1 B D.
  Plan plan_nonnegative(View<const R> B, R norm) {
    Plan plan = nonnegative_plan_of(B, norm);
    R least = 0;
    for (Index i = 0; i < n_; ++i) least = std::min(least, B(i, i));
    while (std::ldexp(-least, -plan.squarings) > 1) ++plan.squarings;
    return plan;
  }

  /// Makes balanced_ = D^-1 B D. Returns D's diagonal, or null if D does not halve the norm and was not asked for.
  const R* balanced_units(R norm, R& balanced_norm) {
    balanced_ = work_.take<T>(n_, n_);
    R* const d = work_.take<R>(n_, 1).data;
    copy(reduced_.B, balanced_);
    clear_padding(balanced_);
    blas::balance(balanced_, d);
    balanced_norm = plan_norm<T>(balanced_);
    return options_.balance == Choice::automatic && !(balanced_norm <= norm / 2) ? nullptr : d;
  }

  /// No guard is needed: what is left out of an entry, or of a derivative's, is bounded relative to itself.
  void balance_nonnegative(R norm, Plan& plan) {
    R balanced_norm = 0;
    const R* const d = balanced_units(norm, balanced_norm);
    if (d == nullptr) return;
    plan = plan_nonnegative(balanced_, balanced_norm);
    reduced_.d = d;
    if (spread(d) > kHarmlessSpread<R> || norm > std::ldexp(R(1), kSafeExponent<R>)) carry(balanced_, d);
  }

  /// True where a rate over 2^squarings underflows, unless it is so small that nothing of it would be seen.
  bool loses_rates(View<const R> B, int squarings) const {
    using Limits = std::numeric_limits<R>;
    if (squarings == 0) return false;
    const R seen = std::ldexp(Limits::min(), Limits::digits / 2);
    const R kept = std::ldexp(Limits::min(), std::min(squarings, Limits::max_exponent));
    for (Index j = 0; j < n_; ++j)
      for (Index i = 0; i < n_; ++i)
        if (i != j && B(i, j) >= seen && B(i, j) < kept) return true;
    return false;
  }

  Reduced<T> generator() {
    if constexpr (!kIsComplex<T>) {
      const GeneratorRates<R> rates = generator_rates<R>(reduced_.B, work_);
      if (rates.is_generator) {
        plan_generator(rates);
        reduced_.plan.constrains = true;
        return reduced_;
      }
    }
    reduced_.plan.status = Status::structure;
    return reduced_;
  }

  /// B = A + alpha I >= 0 with alpha the greatest rate at which a state is left, the diagonal from the rates alone.
  void plan_generator(const GeneratorRates<R>& rates) {
    if constexpr (!kIsComplex<T>) {
      const View<T> B = work_.take<T>(n_, n_);
      copy(reduced_.B, B);
      clear_padding(B);
      for (Index j = 0; j < n_; ++j) B(j, j) = rates.greatest - rates.rests[j];
      reduced_.B = B;
      shift_ = -rates.greatest;
      Plan plan{.norm = static_cast<double>(rates.greatest), .status = Status::overflow};
      if (std::isfinite(rates.greatest)) plan = nonnegative_plan_of(B, rates.greatest);
      plan.form = Form::generator;
      if (plan.status == Status::ok && loses_rates(B, plan.squarings)) plan.status = Status::uncertain;
      settle(plan);
    }
  }

  void settle(Plan plan) {
    plan.shift = std::complex<double>(shift_);
    plan.balanced = reduced_.d != nullptr;
    plan.is_carried = is_carried_;
    reduced_.plan = plan;
  }

  /// B = A - mu I with mu = tr(A)/n, where that halves the norm: a smaller gain costs more in rounding than it brings. Where
  /// there are no squarings to save, only for negative mu: the scheme's terms then cancel, from e^|mu| down to e^-|mu|. Not
  /// where e^mu leaves the range: what is not negligible then comes of eigenvalues far from mu, which the subtraction blurs.
  R shift(R norm) {
    const bool forced = options_.shift == Choice::always;
    const T mu = mean_of_diagonal(reduced_.B);
    // |A - mu I| >= |A| - |mu|, so that most matrices are done with here.
    if (!forced && !(std::abs(mu) >= norm / 2 && (squares(norm) || std::real(mu) < -kHarmlessShift))) return norm;
    if (!forced && std::abs(std::real(mu)) > std::log(std::numeric_limits<R>::max())) return norm;
    const View<T> shifted = work_.take<T>(n_, n_);
    copy(reduced_.B, shifted);
    clear_padding(shifted);
    for (Index i = 0; i < n_; ++i) shifted(i, i) -= mu;
    const R shifted_norm = plan_norm<T>(shifted);
    if (!std::isfinite(shifted_norm) || !(forced || shifted_norm <= norm / 2)) return norm;
    shift_ = mu;
    reduced_.B = shifted;
    return shifted_norm;
  }

  bool may_balance(const Squared<R>& squared, bool triangular) const {
    if (reduced_.d != nullptr) return false;
    if (options_.balance != Choice::automatic) return options_.balance == Choice::always;
    return !triangular && squared.non_normality() > static_cast<R>(kTryBalance);
  }

  /// Takes the plan from the norms of D^-1 B D. D's entries are powers of two, so that evaluating B by that plan gives the bits of
  /// D^-1 B D, brought back; only where B would leave the range, or pivots are chosen, does D^-1 B D take its place.
  void balance(R& norm, Squared<R>& squared, Plan& plan) {
    R balanced_norm = 0;
    const R* const d = balanced_units(norm, balanced_norm);
    if (d == nullptr) return;
    const View<const T> B = reduced_.B;
    const Plan plain = plan;
    if (squared.p > 0 || options_.method == Method::pade || spread(d) > kHarmlessSpread<R>) {
      replace(balanced_, d, norm, squared, plan);
    } else {
      norm = balanced_norm;
      reduced_.d = d;
      copy<T>(reduced_.B2, spare_);
      scale_similarly(d, 0, spare_);
      clear_padding(spare_);
      squared.norms = norms_with_square<T>(balanced_, spare_);
      plan = plan_of(squared);
    }
    if (purpose_ == Purpose::derivative && options_.balance == Choice::automatic) guard(B, plain, plan);
  }

  /// Raises the plan's degree, and then its squarings up to those of `plain`, until what is left out of the derivative is harmless.
  void guard(View<const T> B, const Plan& plain, Plan& plan) {
    const std::size_t mark = work_.used_bytes();
    raise(plan, plain, Truncation<T>(B, work_));
    work_.rewind(mark);
  }

  void raise(Plan& plan, const Plan& plain, Truncation<T> truncation) const {
    const auto rows = ladder_of<R>(options_.method).rows;
    auto row = std::ranges::find(rows, plan.degree, &Threshold::degree);
    while (!truncation.is_harmless(plan.scheme, plan.degree, plan.squarings)) {
      if (row + 1 != rows.end())
        plan.degree = (++row)->degree;
      else if (plan.squarings < plain.squarings)
        ++plan.squarings;
      else
        return;
    }
  }

  /// The difference between the exponents of D's entries.
  int spread(const R* d) const {
    const auto [least, greatest] = std::minmax_element(d, d + n_);
    return std::ilogb(*greatest) - std::ilogb(*least);
  }

  /// Balances a triangular matrix whose off-diagonal is huge by powers of two near 2^(-g i): rounding is the same with and
  /// without, but tangents, which grow with the square of the off-diagonal, would leave the range. g is what brings the
  /// greatest entries, for their distance from the diagonal, to about 1, and none above it. With more all entries would be
  /// small, and a scheme of low degree would leave out terms that the way back, and directions below the diagonal, make great.
  void grade(R& norm, Squared<R>& squared, Plan& plan) {
    if (norm < std::ldexp(R(1), kSafeExponent<R>)) return;
    R greatest = 0;
    double steepest = 0;
    for (Index j = 0; j < n_; ++j)
      for (Index i = 0; i < n_; ++i) {
        const R entry = std::abs(reduced_.B(i, j));
        if (i == j || entry == 0) continue;
        greatest = std::max(greatest, entry);
        steepest = std::max(steepest, std::ilogb(entry) / static_cast<double>(std::abs(i - j)));
      }
    if (greatest < std::ldexp(R(1), kSafeExponent<R>)) return;
    const double most =
        (std::numeric_limits<R>::max_exponent - 3) / static_cast<double>(n_ / 2);  // so that D is representable
    const double g = std::min({most, steepest, most_grade()});
    if (g < 1) return;
    const View<T> graded = work_.take<T>(n_, n_);
    R* const d = work_.take<R>(n_, 1).data;
    const int sign = is_upper_triangular(reduced_.B) ? -1 : 1;
    for (Index i = 0; i < n_; ++i)
      d[i] = std::ldexp(R(1), sign * static_cast<int>(std::lround(g * static_cast<double>(i - n_ / 2))));
    copy(reduced_.B, graded);
    clear_padding(graded);
    scale_similarly(d, 0, graded);
    replace(graded, d, norm, squared, plan);
  }

  /// The greatest g by which no entry underflows.
  double most_grade() const {
    double g = std::numeric_limits<R>::max_exponent;
    for (Index j = 0; j < n_; ++j)
      for (Index i = 0; i < n_; ++i) {
        const R entry = std::abs(reduced_.B(i, j));
        if (i == j || entry == 0) continue;
        // One for the rounding of the exponents.
        const int room = std::ilogb(entry) - std::numeric_limits<R>::min_exponent - std::numeric_limits<R>::digits - 1;
        g = std::min(g, room / static_cast<double>(std::abs(i - j)));
      }
    return g;
  }

  void replace(View<const T> B, const R* d, R& norm, Squared<R>& squared, Plan& plan) {
    norm = plan_norm<T>(B);
    carry(B, d);
    squared = square<T>(B, norm, reduced_.B2, spare_, work_.team());
    plan = plan_of(squared);
  }

  void carry(View<const T> B, const R* d) {
    reduced_.B = B;
    reduced_.d = d;
    is_carried_ = true;
  }

  bool wants_schur_form(const Squared<R>& squared, const Plan& plan) const {
    if (schur_form_) return true;
    return squared.non_normality() > static_cast<R>(kStronglyNonNormal) && plan.norm > kLargeNorm;
  }

  void to_schur_form(Plan& plan) {
    using C = Complex<T>;
    if (reduced_.d != nullptr && !is_carried_) carry(balanced_, reduced_.d);  // its rounding is of the norm
    const View<C> S = work_.take<C>(n_, n_), S2 = work_.take<C>(n_, n_), Q = work_.take<C>(n_, n_);
    const View<C> spare = work_.take<C>(n_, n_), values = work_.take<C>(n_, 1);
    const View<C> room = work_.take<C>(blas::schur_work_elements(n_), 1);
    const View<R> real_room = work_.take<R>(n_, 1);
    copy(reduced_.B, S);
    clear_padding(S);
    clear_padding(Q);
    if (!blas::schur(S, Q, values.data, room.data, real_room.data)) return;
    reduced_.S = S;
    reduced_.S2 = S2;
    reduced_.Q = Q;
    const Squared<R> squared = square<C>(S, plan_norm<C>(S), S2, spare, work_.team());
    plan = plan_of(squared);
    plan.form = Form::schur;
    if (plan.squarings > squared.p) scale_by_power(S2, -2 * (plan.squarings - squared.p));
  }

  View<const T> A_;
  Index n_;
  Purpose purpose_;
  const Options& options_;
  bool schur_form_;
  Workspace& work_;
  Reduced<T> reduced_;
  View<T> spare_;
  View<T> balanced_;
  bool is_carried_ = false;
  T shift_ = 0;
};

}  // namespace detail

/// The plan for a matrix and what it will be evaluated on.             [scaling: Higham 2005; Al-Mohy & Higham 2009; docs/math.md]
/// A     n x n, column-major, not modified; what is returned may refer to it.
/// work  at least reduction_bytes<T>(n).
/// cost  one product, which the evaluation then need not make again; one more where it is balanced; a Schur form, about
///       25 n^3 complex multiplications, where it is strongly non-normal.
template <class T>
Reduced<T> reduce(View<const T> A, Purpose purpose, const Options& options, Workspace& work) {
  return detail::Reduction<T>(A, purpose, options, false, work).run();
}

/// The same where the squarings have turned out to lose too much (is_lossy): in Schur form in any case.
template <class T>
Reduced<T> reduce_to_schur_form(View<const T> A, Purpose purpose, const Options& options, Workspace& work) {
  return detail::Reduction<T>(A, purpose, options, true, work).run();
}

/// True where an evaluation that may have multiplied errors by `error` (evaluate) has to be done again in Schur form. Not
/// where rounding A's entries to R changes everything already.
template <class R>
bool is_lossy(const Plan& plan, R error) {
  const bool meaningful = plan.norm * static_cast<double>(std::numeric_limits<R>::epsilon()) < 1;
  return plan.form == Form::full && meaningful &&
         !(static_cast<double>(error) <= detail::kLossy * std::max(plan.norm, 1.0));
}

/// Bytes of workspace that `reduce` takes at most.
template <class T>
std::size_t reduction_bytes(Index n) {
  using C = Complex<T>;
  // Padded, shifted, B2, spare, graded and balanced; S, S2, Q and spare.
  return 6 * matrix_bytes<T>(n, n) + 4 * matrix_bytes<C>(n, n) + matrix_bytes<C>(n, 1) +
         matrix_bytes<C>(blas::schur_work_elements(n), 1) + 3 * matrix_bytes<Real<T>>(n, 1);
}

}  // namespace matfun
