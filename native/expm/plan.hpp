#pragma once

#include <array>
#include <bit>
#include <cmath>
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

/// How the exponential of a scaled matrix is evaluated.
enum class Scheme : std::uint8_t {
  scalar,      ///< 1 x 1: std::exp
  polynomial,  ///< T1, T2, T4, T8, 15+, 21+
  pade,        ///< [m/m] Padé, one LU
};

/// What will be done for one matrix: the scheme of this degree at A / 2^squarings, then so many squarings.
struct Plan {
  Scheme scheme = Scheme::scalar;
  int degree = 0;
  int squarings = 0;
  double norm = 0;             ///< min(|A|_1, |A|_inf), from which the rest follows
  Status status = Status::ok;  ///< not_finite where A has an entry that is not; the rest is then void
};

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
template <class R>
inline constexpr std::array<Ladder, 2> kLadders = {kPolynomialLadder<R>, kPadeLadder<R>};

namespace detail {

/// The rows of the ladder for a purpose: the least that covers the norm, else the last with squarings.
///
/// The last scheme at s squarings covers twice what it covers at s - 1 for one product more, and no lower scheme
/// covers more than half of it for one product less, so this is also the least products + squarings, and on a tie the
/// higher degree, hence fewer squarings (plan_test.cpp compares with the search over all pairs).
template <class R>
Plan choose_from(const Ladder& ladder, R norm, Purpose purpose) {
  const auto bound = [purpose](const Threshold& row) {
    return static_cast<R>(purpose == Purpose::value ? row.theta : row.ell);
  };
  for (const Threshold& row : ladder.rows)
    if (norm <= bound(row)) return {ladder.scheme, row.degree, 0, norm};
  const R last = bound(ladder.rows.back());
  // s = ceil(log2(norm / last)), by exact comparisons: last * 2^s is exact, a logarithm is not.
  int s = std::max(0, std::ilogb(norm) - std::ilogb(last));
  while (std::ldexp(last, s) < norm) ++s;
  return {ladder.scheme, ladder.rows.back().degree, s, norm};
}

}  // namespace detail

/// The plan for a matrix of the given norm, finite and >= 0.
/// Bounds: kPolynomialThresholds and kPadeThresholds; at a bound itself the cheaper scheme still holds.
template <class R>
Plan choose_plan(R norm, Purpose purpose, Method method) {
  return detail::choose_from(method == Method::pade ? kPadeLadder<R> : kPolynomialLadder<R>, norm, purpose);
}

/// The plan for a matrix.                                   [scaling: Higham 2005; Al-Mohy & Higham 2009]
/// A     n x n, column-major, not modified.
/// cost  2 n^2 additions.
template <class T>
Plan choose_plan(View<const T> A, Purpose purpose, Method method) {
  const Real<T> norm = plan_norm(A);
  if (std::isfinite(norm)) return A.rows == 1 ? Plan{.norm = norm} : choose_plan(norm, purpose, method);
  // Either an entry is not finite, or a sum overflowed. One reading decides, since memory shared with another thread
  // may change between two: |A|_1 <= n max |a_ij|.
  const Real<T> largest = max_abs(A);
  if (!std::isfinite(largest)) return {.norm = norm, .status = Status::not_finite};
  Plan plan = choose_plan(largest, purpose, method);
  plan.squarings += static_cast<int>(std::bit_width(static_cast<std::uint64_t>(A.rows)));
  plan.norm = norm;
  return plan;
}

}  // namespace matfun
