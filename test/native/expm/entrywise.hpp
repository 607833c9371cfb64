#pragma once

#include "expm/oracle.hpp"
#include "linalg/norms.hpp"

/// exp of matrices without negative entries off the diagonal, entry by entry.
namespace matfun::test {

/// exp(A) of a matrix without negative entries off its diagonal, in sums of what is not negative alone: every entry is right to
/// a few n 2^-64 s, s being the squarings.
template <class R>
LongMatrix entrywise_oracle(const BasicMatrix<R>& A) {
  using Real80 = BasicMatrix<long double>;
  const Index n = A.view().rows;
  long double mu = A(0, 0);
  for (Index i = 1; i < n; ++i) mu = std::min(mu, static_cast<long double>(A(i, i)));
  const Real80 B = shifted(map<long double>(A, [](R x) { return static_cast<long double>(x); }), -mu);
  int s = 0;
  while (std::ldexp(frobenius(B), -s) > 1) ++s;
  const Real80 scaled_down = scaled(B, std::ldexp(1.0L, -s));
  Real80 X = identity<long double>(n), term = X;
  for (int k = 1; k <= 40 + static_cast<int>(n); ++k) {
    term = scaled(multiply(term, scaled_down), 1.0L / static_cast<long double>(k));
    X = add(X, term);
  }
  for (X = scaled(X, std::exp(std::ldexp(mu, -s))); s > 0; --s) X = multiply(X, X);
  return map<Long>(X, [](long double x) { return Long(x); });
}

/// The greatest relative error of an entry; infinite where one is negative, or not 0 although the truth is.
template <class R>
double entrywise_error(const BasicMatrix<R>& X, const LongMatrix& truth) {
  double worst = 0;
  for (std::size_t k = 0; k < X.data().size(); ++k) {
    const auto x = static_cast<long double>(X.data()[k]), expected = truth.data()[k].real();
    if (!(x >= 0) || (expected == 0 && x != 0)) return std::numeric_limits<double>::infinity();
    if (expected < 16 * static_cast<long double>(std::numeric_limits<R>::min()) / std::numeric_limits<R>::epsilon())
      continue;
    worst = std::max(worst, static_cast<double>(std::abs(x / expected - 1)));
  }
  return worst;
}

/// What rounding A's diagonal, and each sum of n terms, does to an entry of exp(A).
template <class R>
double tolerance(const BasicMatrix<R>& A) {
  const double norm = static_cast<double>(one_norm<R>(A.view()) + infinity_norm<R>(A.view()));
  return (static_cast<double>(A.view().rows) + 16) * std::max(norm, 1.0) * unit<R>;
}

}  // namespace matfun::test
