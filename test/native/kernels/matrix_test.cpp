#include "kernels/matrix.hpp"

#include <doctest/doctest.h>

#include <complex>
#include <limits>

#include "matrix.hpp"
#include "team.hpp"

namespace matfun::test {
namespace {

/// A copy of a matrix as workspaces have them, with something in its padding that would show.
template <class T>
View<T> padded(const BasicMatrix<T>& A, Workspace& work) {
  const View<const T> view = A.view();
  const View<T> copied = work.take<T>(view.rows, view.columns);
  for (Index j = 0; j < copied.columns; ++j) std::fill_n(copied.column(j), copied.ld, quiet_nan<T>());
  copy(view, copied);
  return copied;
}

template <class T>
BasicMatrix<T> plain(View<const T> A) {
  BasicMatrix<T> B(A.rows, A.columns);
  copy(A, B.view());
  return B;
}

}  // namespace

TEST_CASE_TEMPLATE("conjugate_transpose transposes each block of a stack", T, double, float, Complex128, Complex64) {
  const BasicMatrix<T> A(2, 4, {1, 2, 3, 4, 5, 6, 7, 8});
  BasicMatrix<T> B(2, 4);
  conjugate_transpose<T>(A.view(), B.view());
  CHECK(B == BasicMatrix<T>(2, 4, {1, 3, 2, 4, 5, 7, 6, 8}));
}

TEST_CASE_TEMPLATE("conjugate_transpose conjugates complex entries", T, Complex128, Complex64) {
  const BasicMatrix<T> A(2, 2, {T(1, 2), T(3, 4), T(5, 6), T(7, 8)});
  BasicMatrix<T> B(2, 2);
  conjugate_transpose<T>(A.view(), B.view());
  CHECK(B == BasicMatrix<T>(2, 2, {T(1, -2), T(5, -6), T(3, -4), T(7, -8)}));
}

TEST_CASE_TEMPLATE("products of padded matrices and of others agree, and padding does not matter", T, double, float,
                   Complex128, Complex64) {
  for (const Index n : {1, 5, 8, 17}) {
    const Index columns = 2 * n;
    const auto A = random_matrix<T>(n, n, 1, 1), B = random_matrix<T>(n, columns, 1, 2),
               C = random_matrix<T>(n, columns, 1, 3);
    Workspace work(1 << 17);
    const View<T> a = padded(A, work), b = padded(B, work), c = padded(C, work);
    REQUIRE(is_padded(a));
    BasicMatrix<T> expected(n, columns);
    blas::gemm(T(1), A.view(), B.view(), T(0), expected.view());
    const double bound = 8 * static_cast<double>(n) * unit<T>;
    matfun::multiply<T>(a, b, c);
    CHECK(relative_difference(plain<T>(c), expected) < bound);
    multiply_add<T>(a, b, c);
    CHECK(relative_difference(plain<T>(c), scaled(expected, Real<T>(2))) < bound);
    copy<T>(C.view(), c);
    multiply_subtract<T>(a, b, c);
    CHECK(relative_difference(plain<T>(c), subtract(C, expected)) < bound);
    BasicMatrix<T> D(n, columns);  // not padded
    matfun::multiply<T>(A.view(), B.view(), D.view());
    CHECK(relative_difference(D, expected) < bound);
  }
}

TEST_CASE_TEMPLATE("products are the same bits however large the team is that shares them", T, double, Complex64) {
  for (const Index n : {100, 250, 509}) {
    const auto A = random_matrix<T>(n, n, 1, 8), B = random_matrix<T>(n, n, 1, 9);
    Workspace work(std::size_t(1) << 24);
    const View<T> a = padded(A, work), b = padded(B, work), c = padded(B, work), d = padded(B, work);
    matfun::multiply<T>(a, b, c);
    for (const Index size : {2, 3, 256}) {
      Alone team(size);
      matfun::multiply<T>(a, b, d, &team);
      CHECK(plain<T>(d) == plain<T>(c));
      if (n > 200) CHECK(team.most_parts() >= 2);
    }
  }
}

TEST_CASE_TEMPLATE("linear combinations do not depend on leading dimensions", T, double, float, Complex128, Complex64) {
  using R = Real<T>;
  for (const Index n : {3, 8}) {
    const auto X = random_matrix<T>(n, 2 * n, 1, 4), Y = random_matrix<T>(n, 2 * n, 1, 5);
    Workspace work(1 << 15);
    const View<T> x = padded(X, work), y = padded(Y, work), z = padded(Y, work);
    BasicMatrix<T> Z(n, 2 * n), mixed(n, 2 * n);
    const R mu = R(0.25);
    combine<T>(std::array{Term<T>{R(0.5), x}, Term<T>{R(-3), y}}, mu, z);
    combine<T>(std::array{Term<T>{R(0.5), X.view()}, Term<T>{R(-3), Y.view()}}, mu, Z.view());
    combine<T>(std::array{Term<T>{R(0.5), x}, Term<T>{R(-3), Y.view()}}, mu, mixed.view());
    CHECK(relative_difference(plain<T>(z), Z) < 4 * unit<T>);
    CHECK(mixed == Z);
    for (const Index k : {0, 1})
      for (Index i = 0; i < n; ++i)
        CHECK(std::abs(Z.block(k)(i, i) - (R(0.5) * X.block(k)(i, i) - R(3) * Y.block(k)(i, i) + mu)) < 16 * unit<T>);
  }
}

TEST_CASE_TEMPLATE("norms and sizes of padded matrices are those of others, at the ends of the range too", T, double,
                   float, Complex128, Complex64) {
  using R = Real<T>;
  for (const Index n : {1, 6, 8, 600})
    for (const int exponent :
         {0, std::numeric_limits<R>::max_exponent - 20, std::numeric_limits<R>::min_exponent + 20}) {
      if (n == 600 && exponent != 0) continue;
      auto A = random_matrix<T>(n, n, 1, 6);
      scale_by_power(A.view(), exponent);
      Workspace work(1 << 23);
      const View<T> a = padded(A, work);
      const auto found = norms<T>(a);
      const View<const T> view = A.view();
      CHECK(std::abs(found.one - one_norm(view)) <= R(2 * n + 4) * unit<T> * one_norm(view));
      CHECK(std::abs(found.infinity - infinity_norm(view)) <= R(2 * n + 4) * unit<T> * infinity_norm(view));
      CHECK(found.smaller() == std::min(found.one, found.infinity));
      CHECK(std::abs(size_of<T>(a) - euclidean_size(view)) <= R(2 * n + 4) * unit<T> * euclidean_size(view));
      if (n > 1) {
        a(n - 1, 1) = quiet_nan<T>();
        CHECK(std::isnan(norms<T>(a).one));
        CHECK(std::isnan(norms<T>(a).infinity));
      }
    }
}

TEST_CASE_TEMPLATE("is_finite and is_tame tell what they promise", T, double, float, Complex128, Complex64) {
  using R = Real<T>;
  const R most = R(1 << 20), greatest = std::numeric_limits<R>::max();
  for (const Index n : {5, 8}) {
    for (const bool pads : {false, true}) {
      auto A = random_matrix<T>(n, n, 1, 7);
      Workspace work(1 << 14);
      const View<T> a = pads ? padded(A, work) : A.view();
      if (pads) clear_padding(a);
      CHECK(is_finite<T>(a));
      CHECK(is_tame<T>(a, most));
      a(n - 1, n - 1) = T(4 * most);
      CHECK_FALSE(is_tame<T>(a, most));
      CHECK(is_finite<T>(a));
      fill(a, T(greatest));  // whose sum overflows
      CHECK(is_finite<T>(a));
      for (const R bad : {std::numeric_limits<R>::infinity(), std::numeric_limits<R>::quiet_NaN()}) {
        fill(a, T(1));
        a(n - 1, 0) = part<T>(Complex<T>(1, bad)) == T(1) ? T(bad) : part<T>(Complex<T>(1, bad));
        CHECK_FALSE(is_finite<T>(a));
        CHECK_FALSE(is_tame<T>(a, most));
      }
      fill(a, T(R(1) / (4 * most * R(n * n))));
      CHECK_FALSE(is_tame<T>(a, most));
      fill(a, T(0));
      CHECK(is_tame<T>(a, most));
    }
  }
}

}  // namespace matfun::test
