#include "expm/condition.hpp"

#include <doctest/doctest.h>

#include "expm/compute.hpp"
#include "expm/gallery.hpp"

namespace matfun::test {
namespace {

/// |K|_1 |A|_1 / |exp(A)|_1 with every column of K, in long double.
template <class T>
double exact_condition(const BasicMatrix<T>& A) {
  const Index n = A.view().rows;
  const LongMatrix a = convert<Long>(A);
  long double greatest = 0;
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) {
      LongMatrix E = zeros<Long>(n, n);
      E(i, j) = 1;
      const LongMatrix L = oracle_derivative(a, E);
      long double sum = 0;
      for (const Long& x : L.data()) sum += std::abs(x);
      greatest = std::max(greatest, sum);
    }
  return static_cast<double>(greatest / one_norm<Long>(oracle_exp(a).view()) * one_norm<Long>(a.view()));
}

template <class T>
std::vector<BasicMatrix<T>> gallery(Index n) {
  std::vector<BasicMatrix<T>> all;
  for (unsigned seed = 90; seed < 93; ++seed) {
    for (double scale : {1e-6, 0.1, 1.0, 3.0}) all.push_back(random_matrix<T>(n, n, scale, seed));
    all.push_back(random_triangle<T>(n, 1, 10, seed));
    all.push_back(strongly_non_normal<T>(n, seed));
    all.push_back(shifted(random_matrix<T>(n, n, 1, seed), T(-20)));
  }
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("the condition number is exact up to order 4", T, double, float, Complex128, Complex64) {
  for (Index n : {1, 2, 3, 4})
    for (const auto& A : gallery<T>(n)) {
      const double exact = exact_condition(A), computed = condition(A);
      CHECK(std::abs(computed / exact - 1) <= 100 * std::max(exact, 1.0) * unit<T>);
    }
}

TEST_CASE_TEMPLATE("above order 4 it is a lower bound within a factor of 3", T, double, float, Complex128, Complex64) {
  for (Index n : {5, 7})
    for (const auto& A : gallery<T>(n)) {
      const double exact = exact_condition(A), computed = condition(A);
      CAPTURE(n);
      CHECK(computed <= exact * (1 + 100 * std::max(exact, 1.0) * unit<T>));
      CHECK(computed >= exact / 3);
    }
}

TEST_CASE_TEMPLATE("the condition number of the zero matrix is 0, that of a 1 x 1 matrix its modulus", T, double, float,
                   Complex128, Complex64) {
  for (Index n : {1, 2, 4, 5, 9}) CHECK(condition(zeros<T>(n, n)) == 0);
  for (Real<T> x : {Real<T>(-50), Real<T>(-1), Real<T>(0.5), Real<T>(80)}) {
    const T a = part<T>(Complex<T>(x, 2));
    CHECK(is_close(condition(BasicMatrix<T>(1, 1, {a})), static_cast<double>(std::abs(a)), 8 * unit<T>));
  }
}

TEST_CASE_TEMPLATE("that of A is not that of A^T, and is by columns", T, double, float, Complex128, Complex64) {
  for (Index n : {2, 4, 5, 12}) {  // A's 1-norm is 1e-3, its transpose's n times that; K and exp(A) are about I
    auto A = zeros<T>(n, n);
    for (Index j = 0; j < n; ++j) A(0, j) = T(Real<T>(1e-3));
    CHECK(is_close(condition(A), 1e-3, 0.02));
    CHECK(is_close(condition(transpose(A)), static_cast<double>(n) * 1e-3, 0.02));
  }
}

TEST_CASE_TEMPLATE("the condition number of a normal matrix is its norm, in the 2-norm; of a rotation its angle", T,
                   double, float, Complex128, Complex64) {
  const BasicMatrix<T> A(2, 2, {0, T(Real<T>(0.5)), T(Real<T>(-0.5)), 0});
  CHECK(condition(A) >= 0.5 / 2);
  CHECK(condition(A) <= 0.5 * 2);
}

TEST_CASE_TEMPLATE("a matrix that cannot be done has a condition number of NaN, and its status", T, double, float,
                   Complex128, Complex64) {
  for (Index n : {2, 5}) {
    Workspace work(condition_workspace_bytes<T>(n));
    auto bad = random_matrix<T>(n, n, 1, 96);
    bad(0, 1) = quiet_nan<T>();
    double result = 0;
    CHECK(expm_condition<T>(bad.view(), result, {}, work) == Status::not_finite);
    CHECK(std::isnan(result));
    CHECK(work.used_bytes() == 0);
    CHECK(expm_condition<T>(scaled(identity<T>(n), Real<T>(2000)).view(), result, {}, work) == Status::overflow);
    CHECK(std::isnan(result));
    CHECK(expm_condition<T>(identity<T>(n).view(), result, {}, work) == Status::ok);
    CHECK(std::isfinite(result));
  }
}

TEST_CASE_TEMPLATE("where exp(A) underflows to 0 its condition number is a number, or its status says that it is none",
                   T, double, float, Complex128, Complex64) {
  for (Index n : {1, 2, 5}) {
    Workspace work(condition_workspace_bytes<T>(n));
    double result = 0;
    const Status status = expm_condition<T>(scaled(identity<T>(n), Real<T>(-2000)).view(), result, {}, work);
    CHECK((status == Status::ok) == !std::isnan(result));
  }
}

TEST_CASE_TEMPLATE("the condition number is the same by every choice and method", T, double, float, Complex128,
                   Complex64) {
  for (Index n : {3, 6}) {
    const auto A = shifted(random_matrix<T>(n, n, 1, 97), T(5));
    const double expected = condition(A);
    for (Method method : {Method::polynomial, Method::pade})
      for (Choice choice : {Choice::never, Choice::always})
        CHECK(is_close(condition(A, {method, choice, choice}), expected, 1e4 * unit<T>));
  }
}

TEST_CASE(
    "a condition number whose |K| is beyond the range is finite, and does not depend on what the workspace held") {
  for (const Index n : {2, 9}) {
    Matrix A(n, n);
    fill(A.view(), 0.0);
    for (Index i = 0; i < n; ++i) A(i, i) = 668;
    A(0, n - 1) = 1e10;
    double found[2];
    for (const double before : {0.0, 1.0}) {
      Workspace work(condition_workspace_bytes<double>(n));
      const Index numbers = static_cast<Index>(condition_workspace_bytes<double>(n) / 8) - 64;
      fill(work.take<double>(numbers, 1), before);
      work.reset();
      CHECK(expm_condition<double>(A.view(), found[before == 0 ? 0 : 1], {}, work) == Status::ok);
    }
    CHECK(found[0] == found[1]);
    // K is e^668 times that of A - 668 I =: N, N^2 = 0: about |N|^2 / 6, and exp(A) about e^668 |N|.
    CHECK(found[0] > 1e18);
    CHECK(found[0] < 1e21);
  }
}

}  // namespace matfun::test
