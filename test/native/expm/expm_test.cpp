#include "expm/expm.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "matrix.hpp"

namespace matfun::test {
namespace {

struct Result {
  Status status;
  Matrix X;
  Matrix L;
  std::vector<Status> each{};
};

Result value(const Matrix& A, Method method = Method::automatic) {
  const Index n = A.view().rows;
  Workspace work(workspace_bytes<double>(Operation::expm, n, 0));
  Matrix X(n, n);
  const Status status = expm<double>(A.view(), X.view(), method, work);
  return {status, X, Matrix(0, 0)};
}

Result derivative(Operation operation, const Matrix& A, const Matrix& E, Method method = Method::automatic) {
  const Index n = A.view().rows;
  Workspace work(workspace_bytes<double>(operation, n, E.view().blocks()));
  Matrix X(n, n), L(n, E.view().columns);
  const auto compute = operation == Operation::jvp ? expm_jvp<double> : expm_vjp<double>;
  std::vector<Status> each(static_cast<std::size_t>(E.view().blocks()), Status::singular);
  const Status status = compute(A.view(), X.view(), {E.view(), L.view(), each.data()}, method, work);
  return {status, X, L, each};
}

const Method methods[] = {Method::polynomial, Method::pade};
const double inf = std::numeric_limits<double>::infinity();

bool all_nan(const Matrix& A) {
  for (double x : A.data())
    if (!std::isnan(x)) return false;
  return true;
}

}  // namespace

TEST_CASE("the zero matrix gives exactly I, and its derivative exactly E") {
  const Matrix Z(3, 3, std::vector<double>(9, 0.0)), E = random_matrix(3, 3, 1, 1);
  const Matrix I(3, 3, {1, 0, 0, 0, 1, 0, 0, 0, 1});
  CHECK(value(Z).X == I);
  const Result jvp = derivative(Operation::jvp, Z, E);
  CHECK(jvp.X == I);
  CHECK(jvp.L == E);
}

TEST_CASE("a rotation generator gives a rotation for angles on every rung of both ladders") {
  for (Method method : methods)
    for (double t : {1e-300, 1e-17, 1e-9, 1e-5, 1e-3, 0.02, 0.3, 1.0, 1.6, 3.0, 30.0}) {
      const Matrix A(2, 2, {0, t, -t, 0});  // [0 -t; t 0]
      const Result result = value(A, method);
      const Matrix expected(2, 2, {std::cos(t), std::sin(t), -std::sin(t), std::cos(t)});
      CAPTURE(t);
      CHECK(result.status == Status::ok);
      // The condition number of exp at a rotation generator is t.
      CHECK(relative_difference(result.X, expected) <= 10 * std::max(t, 1.0) * u);
    }
}

TEST_CASE("squarings rounded down would show: exp of [0 b; b 0] at b = 10.7") {
  const double b = 10.7;
  const Matrix A(2, 2, {0, b, b, 0});
  const Matrix expected(2, 2, {std::cosh(b), std::sinh(b), std::sinh(b), std::cosh(b)});
  CHECK(relative_difference(value(A, Method::polynomial).X, expected) <= 10 * b * u);
  // [13/13] Pade at A / 2 solves with a denominator whose condition number is e^(b / 2), about 210, and loses that.
  const double denominator = std::exp(b / 2);
  CHECK(relative_difference(value(A, Method::pade).X, expected) <= (10 * b + 2 * denominator) * u);
}

TEST_CASE("1 x 1 is std::exp to the last bit") {
  for (double a : {-745.0, -40.25, 0.1, 1.0, 709.0}) {
    const Result result = derivative(Operation::jvp, Matrix(1, 1, {a}), Matrix(1, 2, {2, 0.75}));
    CHECK(result.X(0, 0) == std::exp(a));
    CHECK(result.L(0, 1) == 0.75 * std::exp(a));
  }
}

TEST_CASE("L(A, A) = A exp(A) and L(A, I) = exp(A)") {
  for (Method method : methods)
    for (double scale : {1e-4, 0.01, 0.1, 0.5, 2.0}) {
      const Index n = 5;
      const Matrix A = random_matrix(n, n, scale, 3);
      Matrix directions(n, 2 * n);
      for (Index j = 0; j < n; ++j)
        for (Index i = 0; i < n; ++i) {
          directions(i, j) = A(i, j);
          directions(i, n + j) = i == j ? 1 : 0;
        }
      const Result jvp = derivative(Operation::jvp, A, directions, method);
      const Matrix first(n, n, {jvp.L.data().begin(), jvp.L.data().begin() + n * n});
      const Matrix second(n, n, {jvp.L.data().begin() + n * n, jvp.L.data().end()});
      CAPTURE(scale);
      CHECK(relative_difference(first, multiply(A, jvp.X)) < 100 * n * u);
      CHECK(relative_difference(second, jvp.X) < 100 * n * u);
    }
}

TEST_CASE("the pullback is the adjoint: <W, L(A, E)> = <L(A^T, W), E>") {
  for (Method method : methods)
    for (Index n : {2, 3, 8, 17}) {
      const Matrix A = random_matrix(n, n, 0.7, 4), E = random_matrix(n, n, 1, 5), W = random_matrix(n, n, 1, 6);
      const Result jvp = derivative(Operation::jvp, A, E, method), vjp = derivative(Operation::vjp, A, W, method);
      CHECK(jvp.X == vjp.X);
      const double scale = frobenius(W) * frobenius(jvp.L) + frobenius(E) * frobenius(vjp.L);
      CHECK(std::abs(inner(W, jvp.L) - inner(vjp.L, E)) <= 10 * static_cast<double>(n) * u * scale);
    }
}

TEST_CASE("several directions give what each gives alone, bit for bit") {
  for (Operation operation : {Operation::jvp, Operation::vjp})
    for (Index n : {2, 5, 9, 16, 17, 31, 33}) {
      const Matrix A = random_matrix(n, n, 0.3, 7), E = random_matrix(n, 3 * n, 1, 8);
      const Result together = derivative(operation, A, E);
      for (Index k = 0; k < 3; ++k) {
        const auto from = E.data().begin() + k * n * n;
        const Result alone = derivative(operation, A, Matrix(n, n, {from, from + n * n}));
        CHECK(std::equal(alone.L.data().begin(), alone.L.data().end(), together.L.data().begin() + k * n * n));
      }
    }
}

TEST_CASE("the derivative does not depend on the direction's size: exact powers of two pass through") {
  const Index n = 6;
  const Matrix A = random_matrix(n, n, 3, 9), E = random_matrix(n, n, 1, 10);
  Matrix big = E;
  for (Index k = 0; k < n * n; ++k) big.view().data[k] = std::ldexp(E.view().data[k], 400);
  const Matrix L = derivative(Operation::jvp, A, E).L, B = derivative(Operation::jvp, A, big).L;
  for (std::size_t k = 0; k < L.data().size(); ++k) CHECK(B.data()[k] == std::ldexp(L.data()[k], 400));
}

TEST_CASE("inputs are not modified") {
  const Matrix A = random_matrix(6, 6, 2, 11), E = random_matrix(6, 6, 1, 12);
  Matrix a = A, e = E;
  derivative(Operation::vjp, a, e);
  derivative(Operation::jvp, a, e, Method::pade);
  CHECK(a == A);
  CHECK(e == E);
}

TEST_CASE("exp(500 I + ones) is finite, and exp(710 I) overflows") {
  const Result result = value(Matrix(2, 2, {501, 1, 1, 501}));
  CHECK(result.status == Status::ok);
  const double diagonal = (std::exp(2.0) + 1) / 2, beside = (std::exp(2.0) - 1) / 2;
  Matrix scaled = result.X;  // by e^-500, since the squares in a norm would overflow
  for (Index k = 0; k < 4; ++k) scaled.view().data[k] /= std::exp(500.0);
  CHECK(relative_difference(scaled, Matrix(2, 2, {diagonal, beside, beside, diagonal})) < 10 * 502 * u);
  const Result overflow = value(Matrix(2, 2, {710, 0, 0, 710}));
  CHECK(overflow.status == Status::overflow);
  CHECK(all_nan(overflow.X));
}

TEST_CASE("an entry of A that is not finite fills every result with NaN") {
  const Matrix E = random_matrix(3, 6, 1, 14);
  Matrix A = random_matrix(3, 3, 1, 13);
  A(2, 1) = inf;
  for (Operation operation : {Operation::jvp, Operation::vjp}) {
    const Result result = derivative(operation, A, E);
    CHECK(result.status == Status::not_finite);
    CHECK(result.each == std::vector<Status>(2, Status::not_finite));
    CHECK(all_nan(result.X));
    CHECK(all_nan(result.L));
  }
}

TEST_CASE("a direction that is not finite, or whose derivative overflows, costs its own derivative alone") {
  const Index n = 3;
  const Matrix A = random_matrix(n, n, 1, 13), good = random_matrix(n, 4 * n, 1, 14);
  Matrix mixed = good;
  mixed(0, n + 2) = std::numeric_limits<double>::quiet_NaN();
  for (Index i = 0; i < n; ++i) mixed(i, 2 * n + i) = 1.7e308;
  for (Method method : methods)
    for (Operation operation : {Operation::jvp, Operation::vjp}) {
      const Result expected = derivative(operation, A, good, method), result = derivative(operation, A, mixed, method);
      CHECK(result.status == Status::ok);
      CHECK(result.X == expected.X);
      CHECK(result.each == std::vector{Status::ok, Status::not_finite, Status::overflow, Status::ok});
      for (Index j = 0; j < 4 * n; ++j)
        for (Index i = 0; i < n; ++i) {
          if (j / n == 0 || j / n == 3)
            CHECK(result.L(i, j) == expected.L(i, j));
          else
            CHECK(std::isnan(result.L(i, j)));
        }
    }
}

TEST_CASE("large directions overflow only where their derivative does: Pade is not limited by its coefficients") {
  // L(A, c I) = c exp(A).
  const Matrix A(2, 2, {0, 3, 3, 0}), E(2, 2, {1e295, 0, 0, 1e295});
  for (Method method : methods) {
    const Result result = derivative(Operation::jvp, A, E, method);
    CHECK(result.each[0] == Status::ok);
    CHECK(std::abs(result.L(0, 0) / 1e295 - std::cosh(3.0)) < 100 * std::cosh(3.0) * u);
  }
}

TEST_CASE("a singular denominator is told by both rings") {
  // No plan leads to one, as every scheme's bound keeps its denominator regular; so the rings are given one.
  const Matrix singular(2, 2, {1, 2, 2, 4}), P = random_matrix(2, 2, 1, 23);
  Workspace work(1 << 12);
  Matrix Q = singular, X = P, dQ = P, dX = P;
  Plain<BlasEngine<double>> plain(2, work);
  plain.solve(Q.view(), X.view());
  CHECK(plain.status() == Status::singular);
  Q = singular;
  Dual<BlasEngine<double>> dual(2, 1, work);
  dual.solve({Q.view(), dQ.view()}, {X.view(), dX.view()});
  CHECK(dual.status() == Status::singular);
}

TEST_CASE("the path that is asked for is the path that is taken, for each operation, method and rung") {
  // Bit for bit what the recurrence gives when run by hand with the plan for this purpose and method.
  const Index n = 5;
  for (Method method : {Method::automatic, Method::polynomial, Method::pade})
    for (double scale : {1e-18, 1e-9, 1e-5, 1e-3, 0.02, 0.1, 0.25, 0.3, 0.33, 0.5, 1.0, 2.0, 5.0, 20.0}) {
      const Matrix A = random_matrix(n, n, scale, 21), E = random_matrix(n, n, 1, 22);
      const View<const double> a = A.view();
      Workspace work(1 << 20);
      Matrix X(n, n), Y(n, n), L(n, n);

      Plain<BlasEngine<double>> plain(n, work);
      evaluate(choose_plan(a, Purpose::value, method), plain, a, X.view());
      CHECK(value(A, method).X == X);

      Dual<BlasEngine<double>> dual(n, 1, work);
      evaluate(choose_plan(a, Purpose::derivative, method), dual, {a, E.view()}, {Y.view(), L.view()});
      const Result jvp = derivative(Operation::jvp, A, E, method);
      CHECK(jvp.X == Y);
      CHECK(jvp.L == L);
      const Result vjp = derivative(Operation::vjp, A, transpose(E), method);
      CHECK(vjp.X == Y);
      CHECK(vjp.L == transpose(L));
    }
}

TEST_CASE("where plans differ the bits do, so that the test above can tell paths apart") {
  const Matrix A = random_matrix(5, 5, 1, 21), E = random_matrix(5, 5, 1, 22);
  CHECK(value(A, Method::polynomial).X != value(A, Method::pade).X);
  CHECK(value(A, Method::automatic).X == value(A, Method::polynomial).X);
  // [0 x; x 0] at 1.6 lies between ell and theta: the derivative squares once more than the value.
  const Matrix B(2, 2, {0, 1.6, 1.6, 0});
  CHECK(choose_plan<double>(1.6, Purpose::value, Method::automatic).squarings == 0);
  CHECK(choose_plan<double>(1.6, Purpose::derivative, Method::automatic).squarings == 1);
  CHECK(value(B).X != derivative(Operation::jvp, B, Matrix(2, 2, {1, 0, 0, 1})).X);
}

TEST_CASE("workspace_bytes is what the most demanding plan really takes") {
  // expm resets the arena when done, so its high-water mark is read by running the recurrence itself.
  for (Index n : {2, 3, 8, 33})
    for (Index K : {0, 1, 4}) {
      std::size_t most = 0;
      const auto consider = [&](Scheme scheme, std::span<const Threshold> rows) {
        for (const Threshold& row : rows)
          for (int s : {0, 1, 2}) {
            Workspace work(1 << 24);
            const Matrix A = random_matrix(n, n, 0.01, 15), E = random_matrix(n, n * K, 1, 16);
            Matrix X(n, n), L(n, n * K);
            if (K == 0) {
              Plain<BlasEngine<double>> ring(n, work);
              evaluate({scheme, row.degree, s}, ring, A.view(), X.view());
            } else {
              Dual<BlasEngine<double>> ring(n, K, work);
              evaluate({scheme, row.degree, s}, ring, {A.view(), E.view()}, {X.view(), L.view()});
            }
            most = std::max(most, work.used_bytes());
          }
      };
      consider(Scheme::polynomial, kPolynomialThresholds<double>);
      consider(Scheme::pade, kPadeThresholds<double>);
      CHECK(workspace_bytes<double>(K == 0 ? Operation::expm : Operation::jvp, n, K) == most);
    }
}

}  // namespace matfun::test
