#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "expm/plan.hpp"
#include "linalg/workspace.hpp"

namespace matfun::detail {

/// What a polynomial leaves out of the derivative, for directions of equal entries in A's own units. A plan from balanced norms
/// bounds it in the units of D^-1 A D alone, where such a direction may be lopsided. See docs/decisions/0007.
///
/// With a = |A| / 2^s and e the matrix of ones, the series' terms are bounded by t_k = (sum over i + j = k of a^i e a^j) / (k + 1)!.
/// A scheme that is right to a^m leaves out t_m and beyond. Here t_k is measured by its row sums and by its column sums.
template <class T>
class Truncation {
 public:
  /// A     n x n, not modified, kept.
  /// work  at least 4 n doubles free.
  Truncation(View<const T> A, Workspace& work) : A_(A), n_(A.rows) {
    for (View<double>* x : {&p_, &q_, &next_, &sum_}) *x = work.take<double>(n_, 1);
  }

  /// True where the scheme at A / 2^s leaves out no more than u times what it keeps.
  /// cost  4 m passes over A.
  bool is_harmless(Scheme scheme, int degree, int s) {
    const int m = first_error_power(scheme, degree) - 1;
    return is_harmless_for(m, s, false) && is_harmless_for(m, s, true);
  }

 private:
  /// y = |A| x / 2^s, or |A|^T x / 2^s.
  void multiply(View<double> x, double power, bool transposed, View<double> y) const {
    if (!transposed) fill(y, 0.0);
    for (Index j = 0; j < n_; ++j) {
      const T* const column = A_.column(j);
      if (transposed) {
        double sum = 0;
        for (Index i = 0; i < n_; ++i) sum += static_cast<double>(std::abs(column[i])) * x.data[i];
        y.data[j] = sum * power;
      } else {
        const double factor = x.data[j] * power;
        for (Index i = 0; i < n_; ++i) y.data[i] += static_cast<double>(std::abs(column[i])) * factor;
      }
    }
  }

  bool is_harmless_for(int m, int s, bool transposed) {
    constexpr double u = static_cast<double>(std::numeric_limits<Real<T>>::epsilon()) / 2;
    const double power = std::ldexp(1.0, -s);
    fill(p_, 1.0);                      // a^k 1 / k!
    fill(q_, static_cast<double>(n_));  // t_k 1
    copy<double>(q_, sum_);
    double kept = 0;
    for (int k = 1; k <= m + 1; ++k) {
      if (k == m) kept = max_abs<double>(sum_);
      // t_k (k + 1)! = a (sum for k - 1) + e a^k, both over (k + 1)!.
      multiply(p_, power / k, transposed, next_);
      std::swap(p_, next_);
      double ones = 0;
      for (Index i = 0; i < n_; ++i) ones += p_.data[i];
      multiply(q_, power / (k + 1), transposed, next_);
      std::swap(q_, next_);
      for (Index i = 0; i < n_; ++i) {
        q_.data[i] += ones / (k + 1);
        sum_.data[i] += q_.data[i];
      }
      // Written so that NaN, of what overflows, is not harmless.
      if (k >= m && !(max_abs<double>(q_) <= u * kept)) return false;
    }
    return true;
  }

  View<const T> A_;
  Index n_;
  View<double> p_, q_, next_, sum_;
};

}  // namespace matfun::detail
