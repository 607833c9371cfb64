#include <doctest/doctest.h>

#include "expm/evaluate.hpp"
#include "matrix.hpp"

namespace matfun::test {
namespace {

template <class T>
BasicMatrix<T> solve(const BasicMatrix<T>& Q, const BasicMatrix<T>& P) {
  auto q = Q, p = P;
  std::vector<blas::Pivot> pivots(static_cast<std::size_t>(Q.view().rows));
  CHECK(blas::lu_factor_solve<T>(q.view(), pivots.data(), p.view()) == Status::ok);
  return p;
}

}  // namespace

TEST_CASE_TEMPLATE("the dual ring differentiates products", T, double, float, Complex128, Complex64) {
  const Index n = 4;
  const auto A = random_matrix<T>(n, n, 1, 1), dA = random_matrix<T>(n, 2 * n, 1, 2);
  const auto B = random_matrix<T>(n, n, 1, 3), dB = random_matrix<T>(n, 2 * n, 1, 4);
  Workspace work(1 << 16);
  Dual<MatrixEngine<T>> ring({n, work}, 2, work);
  BasicMatrix<T> C(n, n), dC(n, 2 * n);
  using Ring = Dual<MatrixEngine<T>>;
  const auto dual = [](const auto& X, const auto& dX) { return typename Ring::Const{X.view(), dX.view()}; };
  ring.multiply(dual(A, dA), dual(B, dB), {C.view(), dC.view()});
  CHECK(relative_difference(C, multiply(A, B)) < 4 * n * unit<T>);
  for (Index k : {0, 1}) {
    const auto expected = add(multiply(A, dB.block(k)), multiply(dA.block(k), B));
    CHECK(relative_difference(dC.block(k), expected) < 4 * n * unit<T>);
  }
  ring.multiply(dual(A, dA), dual(B, dB), dual(C, dC), {C.view(), dC.view()});
  CHECK(relative_difference(C, scaled(multiply(A, B), Real<T>(2))) < 8 * n * unit<T>);
  for (Index k : {0, 1}) {
    const auto once = add(multiply(A, dB.block(k)), multiply(dA.block(k), B));
    CHECK(relative_difference(dC.block(k), scaled(once, Real<T>(2))) < 8 * n * unit<T>);
  }
}

TEST_CASE_TEMPLATE("the dual ring differentiates quotients: dX = Q^-1 (dP - dQ X)", T, double, float, Complex128,
                   Complex64) {
  const Index n = 4;
  const auto Q = shifted(random_matrix<T>(n, n, 1, 1), T(5)), dQ = random_matrix<T>(n, n, 1, 2);
  const auto P = random_matrix<T>(n, n, 1, 3), dP = random_matrix<T>(n, n, 1, 4);
  Workspace work(1 << 16);
  Dual<MatrixEngine<T>> ring({n, work}, 1, work);
  auto q = Q, dq = dQ, p = P, dp = dP;
  ring.solve({q.view(), dq.view()}, {p.view(), dp.view()});
  CHECK(ring.status() == Status::ok);
  const auto X = solve(Q, P);
  CHECK(p == X);
  // |Q| |Q^-1| < 10 here, twice over.
  CHECK(relative_difference(dp, solve(Q, subtract(dP, multiply(dQ, X)))) < 100 * n * unit<T>);
}

TEST_CASE("the dual ring's quotient is the derivative, by differences") {
  const Index n = 4;
  const Matrix Q = shifted(random_matrix(n, n, 1, 1), 5.0), dQ = random_matrix(n, n, 1, 2);
  const Matrix P = random_matrix(n, n, 1, 3), dP = random_matrix(n, n, 1, 4);
  Workspace work(1 << 16);
  Dual<MatrixEngine<double>> ring({n, work}, 1, work);
  Matrix q = Q, dq = dQ, p = P, dp = dP;
  ring.solve({q.view(), dq.view()}, {p.view(), dp.view()});
  // Central difference: error h^2 |third derivative| + u / h, about 1e-10 at h = 1e-5.
  const double h = 1e-5;
  const Matrix above = solve(add(Q, dQ, h), add(P, dP, h)), below = solve(add(Q, dQ, -h), add(P, dP, -h));
  CHECK(relative_difference(dp, scaled(subtract(above, below), 1 / (2 * h))) < 1e-9);
}

TEST_CASE_TEMPLATE("a square that is known is taken as it is, and its tangents are A dA + dA A", T, double, float,
                   Complex128, Complex64) {
  const Index n = 5;
  const auto A = random_matrix<T>(n, n, 1, 5), dA = random_matrix<T>(n, 2 * n, 1, 6);
  auto known = random_matrix<T>(n, n, 1, 7);  // not the square: so that it shows where it comes from
  Workspace work(1 << 16);
  Plain<MatrixEngine<T>> plain({n, work}, work, known.view()), unknown({n, work}, work);
  CHECK(plain.square(A.view()).data == known.view().data);
  const View<T> A2 = unknown.square(A.view());
  const auto plain_copy = [](View<const T> X) {
    BasicMatrix<T> Y(X.rows, X.columns);
    copy(X, Y.view());
    return Y;
  };
  CHECK(relative_difference(plain_copy(A2), multiply(A, A)) < 4 * n * unit<T>);

  for (const bool is_known : {false, true}) {
    Dual<MatrixEngine<T>> dual({n, work}, 2, work, is_known ? known.view() : View<T>{});
    const auto square = dual.square({A.view(), dA.view()});
    CHECK((square.value.data == known.view().data) == is_known);
    const auto tangents = plain_copy(square.tangents);
    for (Index k : {0, 1})
      CHECK(relative_difference(tangents.block(k), add(multiply(A, dA.block(k)), multiply(dA.block(k), A))) <
            4 * n * unit<T>);
  }
}

TEST_CASE_TEMPLATE("what is linear acts on value and tangents alike, and a constant on the value alone", T, double,
                   float, Complex128, Complex64) {
  using R = Real<T>;
  const Index n = 3;
  const auto X = random_matrix<T>(n, n, 1, 8), dX = random_matrix<T>(n, 2 * n, 1, 9);
  Workspace work(1 << 14);
  Dual<MatrixEngine<T>> ring({n, work}, 2, work);
  BasicMatrix<T> Y(n, n), dY(n, 2 * n);
  ring.combine({{{R(2), {X.view(), dX.view()}}}, R(0.5)}, {Y.view(), dY.view()});
  CHECK(Y == shifted(scaled(X, R(2)), T(R(0.5))));
  CHECK(dY == scaled(dX, R(2)));
  const T mu = part<T>(Complex<T>(2, 4)), c = std::exp(mu * R(0.25));
  auto Z = X, dZ = dX;
  ring.shift(mu, 2, {Z.view(), dZ.view()});
  CHECK(Z == map<T>(X, [c](T x) { return x * c; }));
  CHECK(dZ == map<T>(dX, [c](T x) { return x * c; }));
}

TEST_CASE_TEMPLATE("a sum without terms is 0 or a multiple of I, and constant", T, double, float, Complex128,
                   Complex64) {
  using R = Real<T>;
  for (Index n : {3, 8, 72}) {  // 72: sums along k in more than one run
    const auto A = random_matrix<T>(n, n, 1, 10), B = random_matrix<T>(n, n, 1, 11);
    const auto dA = random_matrix<T>(n, 2 * n, 1, 12), dB = random_matrix<T>(n, 2 * n, 1, 13);
    Workspace work(std::size_t(1) << 23);
    const auto padded = [&](const BasicMatrix<T>& X) {
      const View<T> Y = work.take<T>(X.view().rows, X.view().columns);
      copy<T>(X.view(), Y);
      clear_padding(Y);
      return Y;
    };
    const auto plain_copy = [](View<const T> X) {
      BasicMatrix<T> Y(X.rows, X.columns);
      copy(X, Y.view());
      return Y;
    };
    const View<T> a = padded(A), b = padded(B), da = padded(dA), db = padded(dB);
    const View<T> Y = padded(A), dY = padded(dA), Z = padded(A), dZ = padded(dA);
    using Element = typename Dual<MatrixEngine<T>>::Element;
    using Const = typename Dual<MatrixEngine<T>>::Const;
    const Const left{a, da}, right{b, db};
    Plain<MatrixEngine<T>> plain({n, work}, work);
    Dual<MatrixEngine<T>> dual({n, work}, 2, work);
    for (R mu : {R(0), R(2.5)}) {
      const auto expected = mu == 0 ? zeros<T>(n, n) : scaled(identity<T>(n), mu);
      plain.combine({{}, mu}, Y);
      CHECK(plain_copy(Y) == expected);
      dual.combine({{}, mu}, {Y, dY});
      CHECK(plain_copy(Y) == expected);
      CHECK(plain_copy(dY) == zeros<T>(n, 2 * n));
      // After a product it is added, and nothing else is.
      plain.multiply(a, b, Z);
      plain.multiply(a, b, {{}, mu}, Y);
      CHECK(plain_copy(Y) == shifted(plain_copy(Z), T(mu)));
      dual.multiply(left, right, Element{Z, dZ});
      dual.multiply(left, right, {{}, mu}, Element{Y, dY});
      CHECK(plain_copy(Y) == shifted(plain_copy(Z), T(mu)));
      CHECK(plain_copy(dY) == plain_copy(dZ));
    }
  }
}

TEST_CASE_TEMPLATE("a singular denominator is told by both rings", T, double, float, Complex128, Complex64) {
  // No plan leads to one, as every scheme's bound keeps its denominator regular; so the rings are given one.
  const BasicMatrix<T> singular(2, 2, {1, 2, 2, 4}), P = random_matrix<T>(2, 2, 1, 23);
  Workspace work(1 << 12);
  auto Q = singular, X = P, dQ = P, dX = P;
  Plain<MatrixEngine<T>> plain({2, work}, work);
  plain.solve(Q.view(), X.view());
  CHECK(plain.status() == Status::singular);
  Q = singular;
  Dual<MatrixEngine<T>> dual({2, work}, 1, work);
  dual.solve({Q.view(), dQ.view()}, {X.view(), dX.view()});
  CHECK(dual.status() == Status::singular);
}

}  // namespace matfun::test
