#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <span>

#include "expm/coefficients.hpp"
#include "linalg/norms.hpp"

namespace matfun {

/// What a plan is for. The derivative's bound ell is stricter than the value's bound theta, so that the value that
/// comes with a derivative may be computed by another plan, and differ from expm's in the last bits.
enum class Purpose : std::uint8_t { value, derivative };

/// What the caller asks for. `automatic` is polynomial: a solve with n right-hand sides costs 2 to 23 products in
/// practice, not 4/3 (OpenBLAS 0.3.21 on Zen 4, n = 4 to 1024), so the solve-free schemes win at every order.
enum class Method : std::uint8_t { automatic, polynomial, pade };

/// Whether a reduction is made: where it helps (reduction.hpp says when), not at all, or in any case.
enum class Choice : std::uint8_t { automatic, never, always };

/// What a matrix is: what can be used without risk is found, nothing is looked for, or a generator: entries off the diagonal are rates,
/// which are not negative, and the diagonal is minus the sum of the rest of its row.
enum class Structure : std::uint8_t { automatic, general, generator };

/// What a caller may choose.
struct Options {
  Method method = Method::automatic;
  Choice shift = Choice::automatic;
  Choice balance = Choice::automatic;
  Structure structure = Structure::automatic;
};

/// How the exponential of a scaled matrix is evaluated.
enum class Scheme : std::uint8_t {
  scalar,       ///< 1 x 1: std::exp
  polynomial,   ///< T1, T2, T4, T8, 15+, 21+
  pade,         ///< [m/m] Padé, one LU
  nonnegative,  ///< Taylor polynomials with positive coefficients, of a nonnegative matrix (nonnegative.hpp)
  zero,         ///< 0, of what underflows entirely
};

/// The form in which the matrix is evaluated.
enum class Form : std::uint8_t {
  full,        ///< as it stands
  triangular,  ///< it is triangular: diagonal and first off-diagonal are recomputed at every squaring (triangular.hpp)
  schur,       ///< it is strongly non-normal: the same on its Schur form
  generator,   ///< it is a generator: the sums of a transition matrix's rows are made 1 at every squaring
};

/// What will be done for one matrix: the scheme of this degree at B / 2^squarings, times e^(shift / 2^squarings), then
/// so many squarings; B is A - shift I, in Schur form where the plan says so.
struct Plan {
  Scheme scheme = Scheme::scalar;
  int degree = 0;
  int squarings = 0;
  double norm = 0;   ///< min(|B|_1, |B|_inf)
  double alpha = 0;  ///< what scheme and squarings follow from, at most norm (effective_norm)
  Form form = Form::full;
  bool balanced = false;    ///< norm and alpha, and so scheme and squarings, are those of D^-1 B D
  bool is_carried = false;  ///< B is D^-1 (A - shift I) D itself
  bool constrains =
      false;  ///< a generator's rates are the variables: directions keep its sums, cotangents are differences
  std::complex<double> shift = 0;
  Status status = Status::ok;  ///< not ok: of A, whatever the direction; the rest is then unspecified
};

/// An entry of a transition matrix's column is most of it from here on; there is one at most.
inline constexpr double kMostOfColumn = 0.75;

/// A kind of scheme with its members and their bounds, in rising order.
struct Ladder {
  Scheme scheme;
  std::span<const Threshold> rows;
};

/// Every scheme that a plan may name: what choose_plan chooses from and workspace_bytes provides for.
template <class R>
inline constexpr Ladder kPolynomialLadder{Scheme::polynomial, kPolynomialThresholds<R>};
template <class R>
inline constexpr Ladder kPadeLadder{Scheme::pade, kPadeThresholds<R>};
/// In single precision the coefficients of [9/9] and [13/13] are off by 5 and 250 u at their bounds.
template <>
inline constexpr Ladder kPadeLadder<float>{Scheme::pade, std::span(kPadeThresholds<float>).first(3)};
template <class R>
inline constexpr std::array<Ladder, 2> kLadders = {kPolynomialLadder<R>, kPadeLadder<R>};

/// |B| and |B^2| in one consistent norm.
template <class R>
struct PowerNorms {
  R first;
  R second;
};

/// |B| and |B^2| in the 1-norm and in the infinity norm. A plan takes whichever asks for less: the bounds hold in any
/// consistent norm, and so A and A^T get the same plan, and it does not matter whether a caller's row-major matrix is
/// read as it stands or transposed. See docs/decisions/0002.
template <class R>
struct Norms {
  PowerNorms<R> one;
  PowerNorms<R> infinity;

  R first() const { return std::min(one.first, infinity.first); }
};

/// Where the square is not known: |B^2| <= |B|^2.
template <class R>
Norms<R> without_square(R norm) {
  return {{norm, norm * norm}, {norm, norm * norm}};
}

namespace detail {

/// The lowest power of B in which the scheme's backward error begins.
inline int first_error_power(Scheme scheme, int degree) {
  return scheme == Scheme::pade ? 2 * degree + 1 : degree + 1;
}

}  // namespace detail

/// The norm that a scheme whose backward error begins with B^k, k = `power`, has to be within its bound at.
///
/// With a = |B^2|^(1/2) <= |B| and r = |B| / a, every power has |B^k| <= r a^k, and <= a^k for even k. So the value's
/// bound, sum |c_k| |B^k|, is at most that at the norm a r^(1/power); the derivative's, sum |c_k| sum |B^i| |B^j| over
/// i + j = k - 1, where both may be odd, at most that at a r^(2/(power - 1)). Only B^2 is needed, which every scheme but
/// the first has; the usual bound by |B^3| too would cost those below 21+ a product.      [after Al-Mohy & Higham 2009]
/// See docs/decisions/0005.
template <class R>
R effective_norm(const PowerNorms<R>& norm, int power, Purpose purpose) {
  const R a = std::sqrt(norm.second);
  if (!(a < norm.first)) return norm.first;
  const R exponent = purpose == Purpose::value ? R(1) / R(power) : R(2) / R(power - 1);
  if (exponent >= 1) return norm.first;
  return std::min(norm.first, a * std::pow(norm.first / a, exponent));
}

template <class R>
R effective_norm(const Norms<R>& norms, int power, Purpose purpose) {
  return std::min(effective_norm(norms.one, power, purpose), effective_norm(norms.infinity, power, purpose));
}

/// The ladder that a method climbs.
template <class R>
const Ladder& ladder_of(Method method) {
  return method == Method::pade ? kPadeLadder<R> : kPolynomialLadder<R>;
}

/// The greatest effective norm that a row covers for a purpose.
template <class R>
R bound_of(const Threshold& row, Purpose purpose) {
  return static_cast<R>(purpose == Purpose::value ? row.theta : row.ell);
}

/// True where a matrix of this norm, of whose square nothing is known, takes squarings.
template <class R>
bool takes_squarings(R norm, Purpose purpose, Method method) {
  return !(norm <= bound_of<R>(ladder_of<R>(method).rows.back(), purpose));
}

/// The plan for a matrix whose norms, and whose square's, are these, finite and >= 0: the least row of the ladder that
/// covers it, else the last with squarings.
///
/// The last scheme at s squarings covers twice what it covers at s - 1 for one product more, and no lower scheme
/// covers more than half of it for one product less, so this is also the least products + squarings, and on a tie the
/// higher degree, hence fewer squarings (plan_test.cpp compares with the search over all pairs).
template <class R>
Plan choose_plan(const Norms<R>& norms, Purpose purpose, Method method) {
  const Ladder& ladder = ladder_of<R>(method);
  const R norm = norms.first();
  const R least = std::min(norm, std::sqrt(std::min(norms.one.second, norms.infinity.second)));
  R alpha = 0, bound = 0;
  for (const Threshold& row : ladder.rows) {
    bound = bound_of<R>(row, purpose);
    if (least > bound && &row != &ladder.rows.back()) continue;  // spares the powers: no effective norm is less
    alpha = effective_norm(norms, detail::first_error_power(ladder.scheme, row.degree), purpose);
    if (alpha <= bound) return {ladder.scheme, row.degree, 0, norm, alpha};
  }
  // s = ceil(log2(alpha / bound)), by exact comparisons: bound * 2^s is exact, a logarithm is not.
  int s = std::max(0, std::ilogb(alpha) - std::ilogb(bound));
  while (std::ldexp(bound, s) < alpha) ++s;
  return {ladder.scheme, ladder.rows.back().degree, s, norm, alpha};
}

}  // namespace matfun
