#include <doctest/doctest.h>

#include "expm/compute.hpp"
#include "expm/gallery.hpp"

namespace matfun::test {
namespace {

const double scales[] = {1e-18, 1e-9, 1e-5, 1e-3, 0.02, 0.1, 0.25, 0.3, 0.33, 0.5, 1.0, 2.0, 5.0, 20.0};
const Method methods[] = {Method::automatic, Method::polynomial, Method::pade};

/// The plan of a matrix that needs no reduction, from its norms and its square's by the definition.
template <class T>
Plan expected_plan(const BasicMatrix<T>& A, Purpose purpose, Method method) {
  const auto A2 = multiply(A, A);
  return choose_plan<Real<T>>(
      {{one_norm<T>(A.view()), one_norm<T>(A2.view())}, {infinity_norm<T>(A.view()), infinity_norm<T>(A2.view())}},
      purpose, method);
}

}  // namespace

TEST_CASE_TEMPLATE("the plan follows from |A| and |A^2|, for each purpose, method and rung", T, double, float,
                   Complex128, Complex64) {
  for (Method method : methods)
    for (Purpose purpose : {Purpose::value, Purpose::derivative})
      for (double scale : scales) {
        const Index n = kernels::kMaxLaneOrder + 1;  // up to there A^2 is asked only where there would be squarings
        const auto A = random_matrix<T>(n, n, scale, 21);
        const Plan actual = plan(A, purpose, {.method = method}), expected = expected_plan(A, purpose, method);
        CAPTURE(scale);
        CHECK(actual.scheme == expected.scheme);
        CHECK(actual.degree == expected.degree);
        CHECK(actual.squarings == expected.squarings);
        CHECK(is_close(actual.norm, expected.norm, 8 * unit<T>));
        CHECK(actual.form == Form::full);
        CHECK(!actual.balanced);
        CHECK(actual.shift == 0.0);
      }
}

TEST_CASE_TEMPLATE("in orders that lanes serve the norm alone plans what takes no squarings", T, double, float,
                   Complex128, Complex64) {
  for (Method method : methods)
    for (double scale : scales) {
      const auto A = random_matrix<T>(5, 5, scale, 21);
      const Real<T> norm = std::min(one_norm<T>(A.view()), infinity_norm<T>(A.view()));
      const Plan by_norm = choose_plan(without_square(norm), Purpose::value, method);
      const Plan actual = plan(A, Purpose::value, {.method = method});
      const Plan expected = by_norm.squarings == 0 ? by_norm : expected_plan(A, Purpose::value, method);
      CHECK(actual.degree == expected.degree);
      CHECK(actual.squarings == expected.squarings);
    }
}

TEST_CASE_TEMPLATE("the path that is asked for is the path that is taken, for each operation, method and rung", T,
                   double, float, Complex128, Complex64) {
  // Bit for bit what the recurrence gives when run by hand with the plan for this purpose and method.
  const Index n = 5;
  for (Method method : methods)
    for (double scale : scales) {
      const auto A = random_matrix<T>(n, n, scale, 21), E = random_matrix<T>(n, n, 1, 22);
      if (!std::isfinite(static_cast<double>(std::abs(value(A).X(0, 0))))) continue;  // scale 20 in single precision
      const View<const T> a = A.view();
      const Options options{.method = method};
      Workspace work(1 << 20);
      // As kernels want them.
      const View<T> X = work.take<T>(n, n), Y = work.take<T>(n, n), L = work.take<T>(n, n), e = work.take<T>(n, n);
      copy<T>(E.view(), e);
      const auto is = [](const BasicMatrix<T>& found, View<const T> expected) {
        BasicMatrix<T> plain(expected.rows, expected.columns);
        copy(expected, plain.view());
        return found == plain;
      };

      const Reduced<T> for_value = reduce(a, Purpose::value, options, work);
      Plain<MatrixEngine<T>> plain({n, work}, work, for_value.B2);
      evaluate<Plain<MatrixEngine<T>>>(for_value.plan, plain, for_value.B, X);
      CHECK(is(value(A, options).X, X));

      const Reduced<T> for_derivative = reduce(a, Purpose::derivative, options, work);
      Dual<MatrixEngine<T>> dual({n, work}, 1, work, for_derivative.B2);
      evaluate<Dual<MatrixEngine<T>>>(for_derivative.plan, dual, {for_derivative.B, e}, {Y, L});
      const Result<T> jvp = derivative(Operation::jvp, A, E, options);
      CHECK(is(jvp.X, Y));
      CHECK(is(jvp.L, L));
      const Result<T> vjp = derivative(Operation::vjp, A, adjoint(E), options);
      CHECK(is(vjp.X, Y));
      CHECK(is(adjoint(vjp.L), L));
    }
}

TEST_CASE("where plans differ the bits do, so that the test above can tell paths apart") {
  const Matrix A = random_matrix(5, 5, 1, 21);
  CHECK(value(A, {.method = Method::polynomial}).X != value(A, {.method = Method::pade}).X);
  CHECK(value(A).X == value(A, {.method = Method::polynomial}).X);
  // [0 -x; x 0] at 1.6 lies between ell and theta: the derivative squares once more than the value.
  const Matrix B(2, 2, {0, 1.6, -1.6, 0});
  CHECK(plan(B, Purpose::value).squarings == 0);
  CHECK(plan(B, Purpose::derivative).squarings == 1);
  CHECK(value(B).X != derivative(Operation::jvp, B, identity(2)).X);
}

TEST_CASE_TEMPLATE("no direction, however large, changes the value that comes with its derivative", T, double, float,
                   Complex128, Complex64) {
  const auto E = random_matrix<T>(4, 4, 1, 24);
  for (const Matrix& real :
       {random_matrix(4, 4, 1, 23), random_triangle(4, 3, 3, 23), shifted(random_matrix(4, 4, 1, 23), 9.0)}) {
    const auto A = convert<T>(real);
    for (Operation operation : {Operation::jvp, Operation::vjp}) {
      const auto X = derivative(operation, A, E).X;
      for (double size : {0.0, 1e-30, 1e-6, 1e6, 1e30})
        CHECK(derivative(operation, A, scaled(E, static_cast<Real<T>>(size))).X == X);
    }
  }
}

TEST_CASE_TEMPLATE("cost and scheme are what the plan says: a plan without squarings squares nothing", T, double, float,
                   Complex128, Complex64) {
  // exp(A)^2 = exp(2A): one squaring more at twice the matrix gives the square of the same bits.
  const auto A = random_matrix<T>(4, 4, 6, 25);
  const auto twice = scaled(A, Real<T>(2));
  for (Method method : methods) {
    const Plan once = plan(A, Purpose::value, {.method = method}),
               more = plan(twice, Purpose::value, {.method = method});
    REQUIRE(once.squarings > 0);
    CHECK(more.squarings == once.squarings + 1);
    const auto X = value(A, {.method = method}).X, Y = value(twice, {.method = method}).X;
    CHECK(relative_difference(multiply(X, X), Y) <= 16 * unit<T>);
  }
}

}  // namespace matfun::test
