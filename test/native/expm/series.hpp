#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "expm/sum.hpp"
#include "linalg/scalar.hpp"

namespace matfun::test {

/// Power series in x, truncated after x^(length-1): one more ring for the recurrence. Evaluated at A = x it writes out
/// the polynomial, or the expansion of the rational function, that a scheme computes. In long double, because the
/// division of a Pade scheme's two series cancels.
class SeriesRing {
 public:
  static constexpr int length = 32;
  using Scalar = long double;
  using Coefficients = std::array<long double, length>;
  struct Element {
    Coefficients* of;
  };
  using Const = Element;
  struct SeriesTerm {
    long double c;
    Const X;
  };
  using Addends = Sum<SeriesTerm>;

  Element take() {
    used_ += 1;
    return {&pool_.at(static_cast<std::size_t>(used_ - 1))};
  }
  Element x() {
    const Element A = take();
    (*A.of)[1] = 1;
    return A;
  }

  void multiply(const Addends& A, const Addends& B, const Addends& S, Element C) {
    const Coefficients a = sum_of(A), b = sum_of(B);
    Coefficients c = sum_of(S);
    for (std::size_t i = 0; i < length; ++i)
      for (std::size_t j = 0; i + j < length; ++j) c[i + j] += a[i] * b[j];
    *C.of = c;
  }
  void multiply(const Addends& A, const Addends& B, Element C) { multiply(A, B, {}, C); }
  Element square(Const A) {
    const Element A2 = take();
    multiply(A, A, A2);
    return A2;
  }
  void combine(const Addends& S, Element Y) { *Y.of = sum_of(S); }
  /// P = P / Q by long division; Q must have a constant term.
  void solve(Element Q, Element P) {
    for (int i = 0; i < length; ++i) {
      for (int j = 1; j <= i; ++j) at(P, i) -= at(Q, j) * at(P, i - j);
      at(P, i) /= at(Q, 0);
    }
  }
  void exponential(Const, Element) {}
  void shift(long double mu, int k, Element X) {
    for (long double& coefficient : *X.of) coefficient *= std::exp(std::ldexp(mu, -k));
  }
  void watch(Const) { ++watched_; }
  int watched() const { return watched_; }
  /// Written down, in order: which power of 1/2 it was asked for, and with what shift.
  void recompute(Const, long double shift, int k, Element) {
    shift_ = shift;
    recomputed_.at(static_cast<std::size_t>(recomputations_++)) = k;
  }

  /// The least coefficient of any sum's terms.
  long double least_factor() const { return least_factor_; }
  /// Counted; a series has no tangents.
  void conserve(bool, Element) { ++conserved_; }
  int conserved() const { return conserved_; }

  int recomputations() const { return recomputations_; }
  int recomputed(int at) const { return recomputed_.at(static_cast<std::size_t>(at)); }
  long double shift() const { return shift_; }

 private:
  Coefficients sum_of(const Addends& S) {
    Coefficients sum{};
    for (const SeriesTerm& term : S.terms()) {
      least_factor_ = std::min(least_factor_, term.c);
      for (int i = 0; i < length; ++i) sum[static_cast<std::size_t>(i)] += term.c * at(term.X, i);
    }
    if (S.mu() != 0) least_factor_ = std::min(least_factor_, S.mu());
    sum[0] += S.mu();
    return sum;
  }
  static long double& at(Element X, int i) { return (*X.of)[static_cast<std::size_t>(i)]; }

  std::array<Coefficients, 24> pool_{};
  std::array<int, 16> recomputed_{};
  int used_ = 0;
  long double least_factor_ = 1;
  int watched_ = 0;
  int conserved_ = 0;
  int recomputations_ = 0;
  long double shift_ = 0;
};

}  // namespace matfun::test
