#include <doctest/doctest.h>

#include "expm/compute.hpp"
#include "expm/gallery.hpp"

namespace matfun::test {
namespace {

const Method methods[] = {Method::polynomial, Method::pade};

/// The promise: a relative error of at most 10 max(cond, 1) u.
template <class T>
void check_promise(const BasicMatrix<T>& A, const LongMatrix& truth, const Options& options = {}) {
  const Result<T> result = value(A, options);
  CHECK(result.status == Status::ok);
  CHECK(relative_error(result.X, truth) <= 10 * std::max(condition(A), 1.0) * unit<T>);
}

}  // namespace

TEST_CASE_TEMPLATE("the zero matrix gives exactly I", T, double, float, Complex128, Complex64) {
  for (Index n : {1, 2, 3, 9})
    for (Method method : methods)
      for (Choice choice : {Choice::automatic, Choice::never, Choice::always})
        CHECK(value(zeros<T>(n, n), {method, choice, choice}).X == identity<T>(n));
}

TEST_CASE_TEMPLATE("a rotation generator gives a rotation for angles on every rung of both ladders", T, double, float,
                   Complex128, Complex64) {
  const double least = std::is_same_v<Real<T>, double> ? 1e-300 : 1e-37;
  for (Method method : methods)
    for (double angle : {least, 1e-17, 1e-9, 1e-5, 1e-3, 0.02, 0.3, 1.0, 1.6, 3.0, 30.0}) {
      const Real<T> t = static_cast<Real<T>>(angle);
      const Result<T> result = value(BasicMatrix<T>(2, 2, {0, T(t), T(-t), 0}), {.method = method});  // [0 -t; t 0]
      const Long c = std::cos(static_cast<long double>(t)), s = std::sin(static_cast<long double>(t));
      CAPTURE(t);
      CHECK(result.status == Status::ok);
      // The condition number of exp at a rotation generator is t.
      CHECK(relative_error(result.X, {2, 2, {c, s, -s, c}}) <= 10 * std::max<double>(t, 1.0) * unit<T>);
    }
}

TEST_CASE_TEMPLATE("squarings rounded down would show: exp of [0 b; b 0] at b = 10.7, and 7.8 in single precision", T,
                   double, float, Complex128, Complex64) {
  const Real<T> b = Real<T>(std::is_same_v<Real<T>, double> ? 10.7 : 7.8);
  const BasicMatrix<T> A(2, 2, {0, T(b), T(b), 0});
  const LongMatrix truth = exp_of_order_2(A);
  CHECK(relative_error(value(A, {.method = Method::polynomial}).X, truth) <= 10 * static_cast<double>(b) * unit<T>);
  // A Padé approximant at A / 2 solves with a denominator whose condition number is e^(b / 2), and loses that.
  const double denominator = std::exp(static_cast<double>(b) / 2);
  CHECK(relative_error(value(A, {.method = Method::pade}).X, truth) <=
        (10 * static_cast<double>(b) + 2 * denominator) * unit<T>);
}

TEST_CASE_TEMPLATE("random matrices of every size keep the promise, by every choice", T, double, float, Complex128,
                   Complex64) {
  for (Index n : {2, 3, 5, 10})
    for (double scale : {1e-9, 1e-4, 0.01, 0.1, 0.4, 1.0, 4.0}) {
      CAPTURE(n);
      CAPTURE(scale);
      const auto A = random_matrix<T>(n, n, scale, 51);
      const LongMatrix truth = oracle_exp(convert<Long>(A));
      check_promise(A, truth);
      for (Choice choice : {Choice::never, Choice::always})
        check_promise(A, truth, {Method::automatic, choice, choice});
    }
}

TEST_CASE_TEMPLATE("Pade agrees with the polynomials", T, double, float, Complex128, Complex64) {
  for (Index n : {2, 3, 5, 10})
    for (double scale : {1e-9, 1e-4, 0.01, 0.1, 0.4, 1.0}) {
      const auto A = random_matrix<T>(n, n, scale, 52);
      const LongMatrix truth = oracle_exp(convert<Long>(A));
      const Result<T> result = value(A, {.method = Method::pade});
      CHECK(result.status == Status::ok);
      // Its denominator at theta has a condition number of up to e^theta, 215 at [13/13].
      CHECK(relative_error(result.X, truth) <= (10 * std::max(condition(A), 1.0) + 500) * unit<T>);
    }
}

TEST_CASE_TEMPLATE("the scaled identity with a little beside keeps the promise from underflow to overflow", T, double,
                   float, Complex128, Complex64) {
  const int last = std::is_same_v<Real<T>, double> ? 600 : 70;
  for (int c = -last; c <= last; c += last / 5) {
    const auto A = shifted(random_matrix<T>(4, 4, 0.3, 53), T(static_cast<Real<T>>(c)));
    CAPTURE(c);
    check_promise(A, oracle_exp(convert<Long>(A)));
    const auto B = map<T>(A, [](T x) { return part<T>(Complex<T>(0, 1)) * x; });
    if constexpr (kIsComplex<T>) check_promise(B, oracle_exp(convert<Long>(B)));
  }
}

TEST_CASE_TEMPLATE("triangular matrices keep the promise, upper and lower, near and far eigenvalues", T, double, float,
                   Complex128, Complex64) {
  for (unsigned seed = 60; seed < 66; ++seed)
    for (double beside : {1.0, 100.0})
      for (double diagonal : {1e-6, 1.0, 10.0}) {
        const auto A = random_triangle<T>(5, diagonal, beside, seed);
        const LongMatrix truth = oracle_exp(convert<Long>(A));
        CAPTURE(seed);
        CAPTURE(beside);
        CAPTURE(diagonal);
        check_promise(A, truth);
        check_promise(transpose(A), transpose(truth));
        CHECK(is_upper_triangular<T>(value(A).X.view()));
        CHECK(is_lower_triangular<T>(value(transpose(A)).X.view()));
      }
}

TEST_CASE_TEMPLATE("the diagonal of a triangular matrix gives its exponentials, to the last bits, however much beside",
                   T, double, float, Complex128, Complex64) {
  using R = Real<T>;
  for (R beside : {R(0), R(3), R(1e4), R(1e7)})
    for (bool lower : {false, true}) {
      BasicMatrix<T> A(3, 3, {T(-6), 0, 0, T(beside), T(5.5), 0, T(beside), T(beside), T(5)});
      if (lower) A = transpose(A);
      for (Choice shift : {Choice::automatic, Choice::always}) {
        const auto X = value(A, {.shift = shift}).X;
        for (Index i = 0; i < 3; ++i)
          CHECK(std::abs(X(i, i) - std::exp(A(i, i))) <= 32 * static_cast<R>(unit<T>) * std::abs(std::exp(A(i, i))));
      }
    }
}

TEST_CASE("a non-normal block beside a larger eigenvalue is seen by what its squarings lose") {
  // M = [1-c c; 2-c c-1] has M^2 = I, so exp(M) = cosh(1) I + sinh(1) M. Beside -c no norm of A or A^2 tells it from a normal one.
  for (double c : {1e4, 1e5, 1e6}) {
    const Matrix A(3, 3, {-c, 0, 0, 0, 1 - c, 2 - c, 0, c, c - 1});
    CHECK(plan(A).form == Form::full);
    const Matrix X = value(A).X;
    const Matrix truth(3, 3,
                       {0, 0, 0, 0, std::cosh(1.0) + std::sinh(1.0) * (1 - c), std::sinh(1.0) * (2 - c), 0,
                        std::sinh(1.0) * c, std::cosh(1.0) + std::sinh(1.0) * (c - 1)});
    // cond is about .63 c^2, and the squarings alone lose 100 to 10 000 times that.
    CHECK(relative_difference(X, truth) <= 10 * 0.63 * c * c * u);
    CHECK(condition(A) <= 10 * c * c);
  }
}

TEST_CASE_TEMPLATE("negative multiples of I plus little lose nothing, though nothing is squared", T, double, float,
                   Complex128, Complex64) {
  const Real<T> bound = bound_of<Real<T>>(kPolynomialLadder<Real<T>>.rows.back(), Purpose::value);
  for (Index n : {2, 5})
    for (Real<T> mu : {Real<T>(0.4), bound / 2, bound * Real<T>(0.99)}) {
      const auto A = shifted(random_matrix<T>(n, n, 0.01, 5), T(-mu));
      const LongMatrix truth = oracle_exp(convert<Long>(A));
      CHECK(relative_error(value(A).X, truth) <= 6 * unit<T>);
    }
}

TEST_CASE("overscaled matrices keep the promise: A^2 tells that the norm says too much") {
  for (const Matrix& A : overscaled()) {
    CAPTURE(A(0, 1));
    CAPTURE(A(1, 0));
    check_promise(A, exp_of_order_2(A));
    check_promise(transpose(A), transpose(exp_of_order_2(A)));
    for (Choice choice : {Choice::never, Choice::always})
      check_promise(A, exp_of_order_2(A), {.shift = choice, .balance = choice});
    const auto complex = convert<Complex128>(A);
    check_promise(complex, exp_of_order_2(complex));
  }
}

TEST_CASE_TEMPLATE("what is strongly non-normal keeps the promise with complex eigenvectors and in larger orders", T,
                   double, float, Complex128, Complex64) {
  for (Index n : {3, 6})
    for (unsigned seed = 70; seed < 74; ++seed) {
      const auto A = strongly_non_normal<T>(n, seed);
      CHECK(plan(A, Purpose::value, {.balance = Choice::never}).form == Form::schur);
      const LongMatrix truth = oracle_exp(convert<Long>(A));
      for (Choice balance : {Choice::never, Choice::automatic}) {
        check_promise(A, truth, {.balance = balance});
        check_promise(transpose(A), transpose(truth), {.balance = balance});
      }
    }
}

TEST_CASE("a matrix that needs balancing gets it") {
  // The second digit of -d is lost without: 8e16 relative error.
  const Matrix A = badly_balanced();
  const LongMatrix truth = oracle_exp(convert<Long>(A));
  check_promise(A, truth);
  const Result<double> result = value(A);
  for (std::size_t k = 0; k < 9; ++k)
    CHECK(std::abs(result.X.data()[k] - static_cast<double>(truth.data()[k].real())) <=
          1e-6 * static_cast<double>(std::abs(truth.data()[k])));
}

TEST_CASE_TEMPLATE("balancing is a similarity: with and without it the exponential is the same", T, double, float,
                   Complex128, Complex64) {
  auto A = random_matrix<T>(5, 5, 0.5, 75);
  for (Index j = 0; j < 5; ++j)
    for (Index i = 0; i < 5; ++i) A(i, j) *= std::ldexp(Real<T>(1), static_cast<int>(j - i));
  const LongMatrix truth = oracle_exp(convert<Long>(A));
  check_promise(A, truth, {.balance = Choice::always});
  check_promise(A, truth, {.balance = Choice::never});
}

TEST_CASE("forsythe(10, 1e-10, 0) and nilpotent superdiagonals") {
  check_promise(forsythe(10, 1e-10), oracle_exp(convert<Long>(forsythe(10, 1e-10))));
  Matrix N = scaled(forsythe(8, 0), 6.0);
  check_promise(N, oracle_exp(convert<Long>(N)));
}

TEST_CASE_TEMPLATE("1 x 1 is std::exp to the last bit", T, double, float, Complex128, Complex64) {
  for (Real<T> a : {Real<T>(-80), Real<T>(-40.25), Real<T>(0.1), Real<T>(1), Real<T>(88)}) {
    const T z = part<T>(Complex<T>(a, 3));
    CHECK(value(BasicMatrix<T>(1, 1, {z})).X(0, 0) == std::exp(z));
    CHECK(value(BasicMatrix<T>(1, 1, {z}), {.method = Method::pade}).X(0, 0) == std::exp(z));
  }
}

TEST_CASE_TEMPLATE("complex and real arithmetic agree on real matrices", R, double, float) {
  using C = std::complex<R>;
  for (double scale : {0.01, 0.3, 2.0}) {
    const auto A = random_matrix<R>(5, 5, scale, 54);
    const auto real = value(A).X;
    const auto complex = value(convert<C>(A)).X;
    CHECK(relative_difference(complex, convert<C>(real)) <= 20 * std::max(condition(A), 1.0) * unit<R>);
  }
}

}  // namespace matfun::test
