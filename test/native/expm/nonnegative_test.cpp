#include "expm/nonnegative.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "expm/compute.hpp"
#include "expm/entrywise.hpp"
#include "expm/gallery.hpp"
#include "expm/generators.hpp"
#include "expm/linearize.hpp"

namespace matfun::test {
namespace {

constexpr Operation operations[] = {Operation::jvp, Operation::vjp};
constexpr Options generators = {.structure = Structure::generator};

/// sum over i of C(ways, m + 1 - i) a^i / i!, term by term.
long double left_out(int m, long double a, int ways) {
  const auto choose = [](int n, int k) {
    long double product = 1;
    for (int i = 0; i < k; ++i)
      product *= static_cast<long double>(std::max(n - i, 0)) / static_cast<long double>(i + 1);
    return product;
  };
  long double sum = 0, power = 1;
  for (int i = 0; i <= m + 1; ++i) {
    sum += choose(ways, m + 1 - i) * power;
    power *= a / static_cast<long double>(i + 1);
  }
  return sum;
}

template <class R>
int way(const BasicMatrix<R>& B) {
  const Index n = B.view().rows;
  Workspace work(std::size_t(1) << 18);
  const int longest = longest_way<R>(B.view(), work);
  CHECK(work.used_bytes() == 0);
  CHECK(longest == longest_way<R>(scaled(B, R(1024)).view(), work));
  CHECK(longest_way<R>(transpose(B).view(), work) < std::max<Index>(n, 1));
  return longest;
}

/// Links from each state to the next one, with `closed` from the last to the first.
Matrix path(Index n, bool closed = false) {
  Matrix B = zeros(n, n);
  for (Index i = 0; i + 1 < n; ++i) B(i + 1, i) = 1;
  if (closed) B(0, n - 1) = 1;
  return B;
}

template <class R>
BasicMatrix<R> positive(Index n, double least, unsigned seed) {
  return map<R>(random_matrix<R>(n, n, 1, seed), [=](R x) { return std::abs(x) + static_cast<R>(least); });
}

template <class R>
bool same_bits(const BasicMatrix<R>& A, const BasicMatrix<R>& B) {
  return A.data().size() == B.data().size() &&
         std::memcmp(A.data().data(), B.data().data(), A.data().size() * sizeof(R)) == 0;
}

/// The greatest |sum of a column - wanted|, in u times the sum of its moduli.
template <class R>
double unbalance(const BasicMatrix<R>& X, double wanted) {
  double worst = 0;
  for (Index j = 0; j < X.view().columns; ++j) {
    long double sum = 0, moduli = 0;
    for (Index i = 0; i < X.view().rows; ++i) {
      sum += static_cast<long double>(X(i, j));
      moduli += static_cast<long double>(std::abs(X(i, j)));
    }
    const double distance = static_cast<double>(std::abs(sum - static_cast<long double>(wanted)));
    if (distance > 0) worst = std::max(worst, distance / (static_cast<double>(moduli) * unit<R>));
  }
  return worst;
}

/// What a direction means for a generator: its diagonal is minus the sum of the rest of its column.
template <class R>
BasicMatrix<R> completed(BasicMatrix<R> E) {
  complete_directions<R>(E.view());
  return E;
}

/// Generators of every kind, whose columns sum to 0, as they stand in the core.
template <class R>
std::vector<BasicMatrix<R>> chains(Index n, double rate) {
  return {generator<R>(n, rate, 0, 31), generator<R>(n, rate, 2, 32), birth_and_death<R>(n, rate), one_way<R>(n, rate)};
}

}  // namespace

TEST_CASE("what a plan leaves out is the sum that it is said to be") {
  for (int m : kNonnegativeDegrees<double>)
    for (int ways : {0, 1, 2, 3, 7, 12, 13, 20, 21, 59, 1023})
      for (double a : {1e-30, 1e-9, 1e-3, 0.3, 0.999, 1.0, 1.001, 2.0, 7.0, 50.0, 1e4, 1e9, 1e17}) {
        const double truth = static_cast<double>(std::log2(left_out(m, a, ways))),
                     found = detail::log2_left_out(m, a, ways);
        CAPTURE(m);
        CAPTURE(ways);
        CAPTURE(a);
        if (truth > -1000)
          CHECK(std::abs(found - truth) <= 1e-13 * (std::abs(truth) + 10));
        else  // which may underflow
          CHECK(found <= -900);
      }
  CHECK(detail::log2_left_out(12, 0, 5) == -std::numeric_limits<double>::infinity());
}

TEST_CASE_TEMPLATE("a plan is the first degree that leaves out 2 u at most, or the last one and the least squarings", R,
                   double, float) {
  const double most = std::log2(2 * unit<R>);
  CHECK(detail::kLog2Tolerance<R> == most);
  // Beyond kMostTabulatedWays, too. Tabulated bounds are right to 1e-7, which is less than 1e-5 in what is left out.
  for (int ways = 0; ways < 129; ways += ways < 65 ? 1 : 31)
    for (double exponent = -30; exponent < 16; exponent += 0.1) {
      const R norm = static_cast<R>(std::pow(10.0, exponent));
      const Plan plan = nonnegative_plan(norm, ways);
      const auto left = [&](int degree, double a) { return detail::log2_left_out(degree, a, ways); };
      const double above = static_cast<double>(norm) * (1 + 4e-7);
      CAPTURE(norm);
      CHECK(plan.scheme == Scheme::nonnegative);
      CHECK(plan.norm == static_cast<double>(norm));
      CHECK(left(plan.degree, plan.norm) - plan.squarings * plan.degree <= most + 1e-5);
      if (plan.squarings > 0) {
        CHECK(plan.degree == kNonnegativeDegrees<R>.back());
        CHECK(left(plan.degree, above) - (plan.squarings - 1) * plan.degree > most);
      }
      // Below degree 12 no diagonal entry can be less than -1.
      if (plan.degree < 12) CHECK(norm <= 1);
      for (int degree : kNonnegativeDegrees<R>)
        if (degree < plan.degree) CHECK(left(degree, above) > most);
    }
}

TEST_CASE_TEMPLATE("tabulated bounds say no more squarings than they have", R, double, float) {
  const NonnegativeBounds<R>& bounds = nonnegative_bounds<R>(7);
  CHECK(&nonnegative_bounds<R>(7) == &bounds);
  NonnegativeSteps steps{};
  CHECK(bounds.find(R(0), steps));
  CHECK(steps.row == 0);
  CHECK(steps.squarings == 0);
  CHECK(bounds.find(R(0x1p50), steps));
  CHECK(steps.squarings <= NonnegativeBounds<R>::kMostSquarings);
  for (R norm : {R(0x1p60), std::numeric_limits<R>::max(), std::numeric_limits<R>::infinity()})
    CHECK(!bounds.find(norm, steps));
}

TEST_CASE("the longest way goes along a path, round a cycle, and is one step where all are linked") {
  for (Index n : {1, 2, 3, 63, 64, 65, 130}) {
    CAPTURE(n);
    const int last = static_cast<int>(n - 1);
    CHECK(way(path(n)) == last);
    CHECK(way(path(n, true)) == last);
    CHECK(way(add(path(n), transpose(path(n)))) == last);
    CHECK(way(positive<double>(n, 1, 41)) == std::min(last, 1));
    CHECK(way(zeros(n, n)) == last);  // nothing is joined
    CHECK(way(scaled(identity(n), -3)) == last);
    Matrix star = zeros(n, n);
    for (Index i = 1; i < n; ++i) star(0, i) = star(i, 0) = 1;
    CHECK(way(star) == std::min(last, 2));
  }
}

TEST_CASE("ways are short only if strong links join all states by one or two steps") {
  const Index n = 20;
  Matrix parts = zeros(n, n), triangle = zeros(n, n);
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) {
      parts(i, j) = i / 10 == j / 10 ? 1 : 0;
      triangle(i, j) = i <= j ? 1 : 0;
    }
  for (const Matrix& B : {parts, triangle}) CHECK(way(B) == n - 1);
  Matrix star = zeros(n, n);
  for (Index i = 1; i < n; ++i) star(0, i) = star(i, 0) = 1;
  CHECK(way(star) == 2);
  star(7, 0) = 1e-3;
  star(7, 8) = 1;  // a way of three steps to 7 is stronger than the two through the hub
  CHECK(way(star) == n - 1);
}

TEST_CASE_TEMPLATE("conserve makes sums 1, and leaves the rest of a column its digits", R, double, float) {
  for (Index n : {1, 2, 7, 8, 9, 16, 33}) {
    auto P = positive<R>(n, 0.1, 42);
    for (Index j = 0; j < n; ++j) {
      R sum = 0;
      for (Index i = 0; i < n; ++i) sum += P(i, j);
      const R off = 1 + 40 * static_cast<R>(j % 3 - 1) * static_cast<R>(unit<R>);
      for (Index i = 0; i < n; ++i) P(i, j) *= off / sum;
    }
    auto X = P;
    conserve<R>(X.view());
    CHECK(unbalance(X, 1) <= 4);
    // All of a column by the same factor.
    CHECK(relative_difference(X, P) <= 60 * unit<R>);
    for (Index j = 0; j < n; ++j)
      for (Index i = 0; i < n; ++i)
        CHECK(is_close(static_cast<double>(X(i, j) / P(i, j)), static_cast<double>(X(0, j) / P(0, j)), 8 * unit<R>));
  }
  // A sum that is right stays as it is: tiny entries would be lost in a sum that begins with the diagonal.
  const R tiny = static_cast<R>(unit<R>) / 4;
  BasicMatrix<R> X = identity<R>(17);
  for (Index i = 1; i < 17; ++i) X(i, 0) = tiny;
  conserve<R>(X.view());
  CHECK(X(0, 0) < 1);
  CHECK(unbalance(X, 1) <= 1);
  CHECK(is_close(static_cast<double>(X(9, 0)), static_cast<double>(tiny), 16 * unit<R>));
  CHECK(X.block(0)(5, 5) == 1);
}

TEST_CASE_TEMPLATE("project makes a tangent's sums 0, at the entry that is most of a column if there is one", R, double,
                   float) {
  for (Index n : {1, 2, 3, 9, 20}) {
    auto P = positive<R>(n, 0.1, 43);
    for (Index j = 0; j < n; ++j) {
      R sum = 0;
      if (j % 2 == 0) P((j + 1) % n, j) += static_cast<R>(4 * n);  // most of it
      for (Index i = 0; i < n; ++i) sum += P(i, j);
      for (Index i = 0; i < n; ++i) P(i, j) /= sum;
    }
    const auto E = random_matrix<R>(n, n, 1, 44);
    auto L = E;
    project<R>(P.view(), L.view());
    for (Index j = 0; j < n; ++j) {
      long double left = 0, moduli = 0;
      for (Index i = 0; i < n; ++i) {
        left += static_cast<long double>(L(i, j));
        moduli += static_cast<long double>(std::abs(E(i, j)));
      }
      CHECK(static_cast<double>(std::abs(left)) <= static_cast<double>((2 * n + 2) * moduli) * unit<R>);
      const R* const p = P.view().column(j);
      const Index greatest = std::max_element(p, p + n) - p;
      R sum = 0;
      for (Index i = 0; i < n; ++i) sum += E(i, j);
      for (Index i = 0; i < n; ++i) {
        if (p[greatest] > R(kMostOfColumn)) {
          if (i != greatest) CHECK(L(i, j) == E(i, j));
        } else {
          CHECK(std::abs(L(i, j) - (E(i, j) - sum * p[i])) <= static_cast<R>(static_cast<double>(8 * n) * unit<R>));
        }
      }
    }
  }
  // At just that part there is none.
  const BasicMatrix<R> P(2, 2, {R(kMostOfColumn), 1 - R(kMostOfColumn), 1, 0});
  BasicMatrix<R> L(2, 2, {1, 1, 2, 3});
  project<R>(P.view(), L.view());
  CHECK(L == BasicMatrix<R>(2, 2, {R(-0.5), R(0.5), -3, 3}));
}

TEST_CASE_TEMPLATE("exp of a generator has no negative entry, sums of 1, and every entry to its own accuracy", R,
                   double, float) {
  for (Index n : {1, 2, 3, 5, 8, 12, 33})
    for (double rate : {1e-12, 1e-4, 0.01, 0.3, 1.0, 8.0, 60.0})
      for (const auto& A : chains<R>(n, rate)) {
        CAPTURE(n);
        CAPTURE(rate);
        const Result<R> result = value(A, generators);
        CHECK(result.status == Status::ok);
        CHECK(unbalance(result.X, 1) <= 4);
        CHECK(entrywise_error(result.X, entrywise_oracle(A)) <= tolerance(A));
        CHECK(plan(A, Purpose::value, generators).form == Form::generator);
        CHECK(plan(A, Purpose::value, generators).scheme == Scheme::nonnegative);
      }
}

TEST_CASE_TEMPLATE("derivatives of a generator are those in its rates, from dual numbers and from what was kept", R,
                   double, float) {
  for (Index n : {2, 3, 5, 9, 17})
    for (double rate : {1e-4, 0.3, 1.0, 8.0})
      for (const auto& A : chains<R>(n, rate)) {
        CAPTURE(n);
        CAPTURE(rate);
        const auto E = random_matrix<R>(n, n, 1, 45), W = random_matrix<R>(n, n, 1, 46);
        const double most =
            10 * std::max(condition(A, {.structure = Structure::general}), static_cast<double>(n)) * unit<R>;
        const LongMatrix a = convert<Long>(A);

        const Result<R> jvp = derivative(Operation::jvp, A, E, generators);
        CHECK(jvp.each[0] == Status::ok);
        CHECK(unbalance(jvp.X, 1) <= 4);
        CHECK(unbalance(jvp.L, 0) <= static_cast<double>(4 * n));
        CHECK(relative_error(jvp.L, oracle_derivative(a, convert<Long>(completed(E)))) <= 4 * most);
        // The diagonal of a direction does not matter.
        CHECK(same_bits(jvp.L, derivative(Operation::jvp, A, shifted(E, R(7)), generators).L));

        const Result<R> vjp = derivative(Operation::vjp, A, W, generators);
        CHECK(vjp.each[0] == Status::ok);
        CHECK(same_bits(vjp.X, jvp.X));
        LongMatrix G = oracle_derivative(adjoint(a), convert<Long>(W));
        for (Index j = 0; j < n; ++j) {
          const Long own = G(j, j);
          for (Index i = 0; i < n; ++i) G(i, j) -= own;
        }
        for (Index j = 0; j < n; ++j) CHECK(vjp.L(j, j) == 0);
        CHECK(relative_error(vjp.L, G) <= 4 * most);
        // <W, L(E)> = <C, E>.
        const double left = inner(W, jvp.L), right = inner(vjp.L, E);
        CHECK(std::abs(left - right) <= 4 * most * (frobenius(W) * frobenius(jvp.L) + frobenius(vjp.L) * frobenius(E)));

        Linearized<R> kept;
        Workspace work(workspace_bytes<R>(Operation::vjp, n, 1));
        BasicMatrix<R> X(n, n), L(n, n);
        Status status = expm_linearize<R>(A.view(), X.view(), generators, kept, work);
        CHECK(status == Status::ok);
        CHECK(same_bits(X, jvp.X));
        linearized_vjp<R>(kept, {W.view(), L.view(), &status}, work);
        CHECK(same_bits(L, vjp.L));
        linearized_jvp<R>(kept, {E.view(), L.view(), &status}, work);
        CHECK(same_bits(L, jvp.L));
      }
}

TEST_CASE("cotangents of fast rates are right beside the cotangent of the value, at any rate") {
  for (double rate : {1.0, 1e2, 1e4, 1e6, 1e9, 1e12, 1e20, 1e100}) {
    const TwoStates two(rate);
    CAPTURE(rate);
    CHECK(two.error(derivative(Operation::vjp, two.A, two.W, generators).L) <= 32);
  }
}

TEST_CASE_TEMPLATE("a generator's columns are what must sum to 0 in the core, not its rows", R, double, float) {
  const auto A = generator<R>(5, 1, 1, 47);
  CHECK(value(A, generators).status == Status::ok);
  CHECK(value(transpose(A), generators).status == Status::structure);
}

TEST_CASE_TEMPLATE("what is no generator is told, with NaN in every result", R, double, float) {
  const Index n = 4;
  const auto A = generator<R>(n, 1, 0, 48), E = random_matrix<R>(n, n, 1, 49);
  const R tolerance = 4 * R(n) * static_cast<R>(unit<R>);
  auto negative = A, unbalanced = A, within = A, absorbing = A;
  negative(2, 1) = -negative(2, 1);
  negative(1, 1) -= 2 * negative(2, 1);
  unbalanced(3, 3) *= 1 + 2 * tolerance;
  within(3, 3) *= 1 + tolerance / 2;
  for (Index i = 0; i < n; ++i) absorbing(i, 0) = 0;
  CHECK(value(within, generators).X == value(A, generators).X);
  CHECK(value(absorbing, generators).status == Status::ok);
  absorbing(0, 0) = -std::numeric_limits<R>::min();
  for (const auto& wrong : {negative, unbalanced, absorbing}) {
    CHECK(plan(wrong, Purpose::value, generators).status == Status::structure);
    CHECK(value(wrong, generators).status == Status::structure);
    CHECK(all_nan(value(wrong, generators).X));
    for (Operation operation : operations) {
      const Result<R> result = derivative(operation, wrong, E, generators);
      CHECK(result.status == Status::structure);
      CHECK(result.each[0] == Status::structure);
      CHECK(all_nan(result.X));
      CHECK(all_nan(result.L));
    }
    CHECK(std::isnan(condition(wrong, generators)));
    CHECK(value(wrong).status == Status::ok);
  }
  auto nan = A;
  nan(1, 2) = quiet_nan<R>();
  CHECK(value(nan, generators).status == Status::not_finite);
  // Nothing complex is a generator.
  CHECK(value(convert<Complex<R>>(A), generators).status == Status::structure);
  CHECK(derivative(Operation::vjp, convert<Complex<R>>(A), convert<Complex<R>>(E), generators).each[0] ==
        Status::structure);
}

TEST_CASE_TEMPLATE("a matrix without negative entries off its diagonal has an exponential without, each entry right", R,
                   double, float) {
  const auto check = [](const BasicMatrix<R>& A, const Options& options = {}) {
    const Result<R> result = value(A, options);
    CHECK(result.status == Status::ok);
    CHECK(entrywise_error(result.X, entrywise_oracle(A)) <= tolerance(A));
    // A derivative's plan may square once more, which doubles what an entry many steps away has lost.
    CHECK(entrywise_error(derivative(Operation::jvp, A, A, options).X, entrywise_oracle(A)) <= 2 * tolerance(A));
  };
  for (Index n = 2; n <= 33; n += n < 9 ? 1 : 8)
    for (double scale : {1e-9, 0.01, 0.2, 1.0, 5.0, 40.0}) {
      if (std::is_same_v<R, float> && scale > 5) continue;  // which would overflow
      const double size = scale / static_cast<double>(n);
      CAPTURE(n);
      CAPTURE(scale);
      const auto A = scaled(positive<R>(n, 0.01, 51), static_cast<R>(size));
      check(A);
      check(A, {.balance = Choice::always});
      check(A, {.shift = Choice::never});
      auto sparse = A, stable = shifted(A, static_cast<R>(-scale)), triangle = A;
      for (Index j = 0; j < n; ++j)
        for (Index i = 0; i < n; ++i) {
          if (i != j && (7 * i + 3 * j) % 5 != 0) sparse(i, j) = 0;
          if (i > j) triangle(i, j) = 0;
        }
      for (Index i = 0; i < n; ++i) stable(i, i) -= static_cast<R>(i % 3 == 0 ? 2 * scale : 0);
      check(sparse);
      check(stable);
      check(triangle);
      check(transpose(triangle));
      check(scaled(map<R>(path(n), [](double x) { return static_cast<R>(x); }), static_cast<R>(scale)));
    }
}

TEST_CASE_TEMPLATE("so too where the plan is balanced, and where D^-1 A D itself is evaluated", R, double, float) {
  const bool is_double = std::is_same_v<R, double>;
  const Index n = 6;
  for (int steepness : {4, is_double ? 120 : 11})
    for (Choice balance : {Choice::automatic, Choice::always}) {
      auto A = positive<R>(n, 0.1, 52);
      for (Index j = 0; j < n; ++j)
        for (Index i = 0; i < n; ++i) A(i, j) = std::ldexp(A(i, j), steepness * static_cast<int>(j - i));
      const Options options{.balance = balance};
      const Plan planned = plan(A, Purpose::value, options);
      CHECK(planned.scheme == Scheme::nonnegative);
      CHECK(planned.balanced);
      CHECK(planned.is_carried == (steepness > 4));
      CHECK(planned.norm < 12);
      // As accurate as the matrix in its balanced units.
      const double most = (static_cast<double>(n) + 16) * 2 * planned.norm * unit<R>;
      if (steepness == 4) {
        CHECK(entrywise_error(value(A, options).X, entrywise_oracle(A)) <= most);
      } else {
        auto even = A;
        for (Index j = 0; j < n; ++j)
          for (Index i = 0; i < n; ++i) even(i, j) = std::ldexp(A(i, j), steepness * static_cast<int>(i - j));
        auto X = value(A, options).X;
        for (Index j = 0; j < n; ++j)
          for (Index i = 0; i < n; ++i) X(i, j) = std::ldexp(X(i, j), steepness * static_cast<int>(i - j));
        CHECK(entrywise_error(X, entrywise_oracle(even)) <= most);
      }
    }
}

TEST_CASE_TEMPLATE("structure is looked for only if it may be used", R, double, float) {
  const auto A = positive<R>(9, 0.1, 53);
  const auto scheme = [&](const Options& options) { return plan(A, Purpose::derivative, options).scheme; };
  CHECK(scheme({}) == Scheme::nonnegative);
  CHECK(scheme({.method = Method::polynomial}) == Scheme::nonnegative);
  CHECK(scheme({.method = Method::pade}) == Scheme::pade);
  CHECK(scheme({.structure = Structure::general}) == Scheme::polynomial);
  CHECK(plan(convert<Complex<R>>(A)).scheme == Scheme::polynomial);
  auto one_negative = A;
  one_negative(0, 8) = -std::numeric_limits<R>::denorm_min();
  CHECK(plan(one_negative).scheme == Scheme::polynomial);
  one_negative(0, 8) = -R(0);
  CHECK(plan(one_negative).scheme == Scheme::nonnegative);
}

TEST_CASE_TEMPLATE("where rounding A changes every digit, the result is uncertain", T, double, float, Complex128,
                   Complex64) {
  using R = Real<T>;
  const double least = std::ldexp(1.0, std::numeric_limits<R>::digits);
  std::vector<double> sizes = {least, 1e20};
  if (std::is_same_v<R, double>) sizes.insert(sizes.end(), {1e100, 1e300});
  const auto E = random_matrix<T>(2, 4, 1, 54);
  for (double size : sizes)
    for (const Method method : {Method::polynomial, Method::pade})
      for (const Choice choice : {Choice::automatic, Choice::never, Choice::always}) {
        const R s = static_cast<R>(size);
        const BasicMatrix<T> A(2, 2, {T(0), T(s), T(-s), T(0)});
        const Options options{method, choice, choice};
        CAPTURE(size);
        CHECK(plan(A, Purpose::value, options).status == Status::uncertain);
        CHECK(plan(A, Purpose::derivative, options).status == Status::uncertain);
        CHECK(value(A, options).status == Status::uncertain);
        CHECK(all_nan(value(A, options).X));
        CHECK(std::isnan(condition(A, options)));
        for (Operation operation : operations) {
          const Result<T> result = derivative(operation, A, E, options);
          CHECK(result.status == Status::uncertain);
          CHECK(result.each == std::vector<Status>(2, Status::uncertain));
          CHECK(all_nan(result.L));
        }
        Linearized<T> kept;
        Workspace work(workspace_bytes<T>(Operation::expm, 2, 0));
        BasicMatrix<T> X(2, 2);
        CHECK(expm_linearize<T>(A.view(), X.view(), options, kept, work) == Status::uncertain);
        CHECK(kept.held_bytes() == 0);
        // Half of it is not.
        if (size == least) CHECK(value(scaled(A, R(0.5)), options).status == Status::ok);
      }
  // Larger orders, and what is not negative.
  for (Index n : {5, 9, 20}) {
    CHECK(value(random_matrix<T>(n, n, 1e18, 55)).status == Status::uncertain);
    const auto positive = map<T>(random_matrix<T>(n, n, 1e18, 55), [](T x) { return T(std::abs(x)); });
    CHECK(value(positive).status == Status::uncertain);
  }
}

TEST_CASE_TEMPLATE("triangular matrices are exempt: their diagonals are exact", T, double, float, Complex128,
                   Complex64) {
  for (Index n : {2, 5, 9}) {
    auto A = random_triangle<T>(n, 1, 1e25, 56);
    for (Index i = 0; i < n; ++i) A(i, i) = T(static_cast<Real<T>>(-1e25 * static_cast<double>(i)));
    for (const auto& B : {A, transpose(A), map<T>(A, [](T x) { return T(std::abs(x)); })}) {
      const Result<T> result = value(B, {.balance = Choice::never});
      CHECK(result.status != Status::uncertain);
      CHECK(plan(B).status == Status::ok);
      CHECK(plan(B).form == Form::triangular);
    }
  }
}

TEST_CASE("a chain that exchanges fast is taken as a generator where its diagonal says nothing any more") {
  for (double s : {1e13, 1e15, 1e17, 1e20, 1e50, 1e100, 1e300}) {
    const Matrix A(2, 2, {-s, s, s, -s}), half(2, 2, {0.5, 0.5, 0.5, 0.5});
    CAPTURE(s);
    CHECK(plan(A).form == Form::generator);
    CHECK(!plan(A).constrains);
    // What a squaring rounds stays.
    const double most = (4 + plan(A).squarings) * u;
    for (const Matrix& X : {value(A).X, value(A, generators).X, derivative(Operation::jvp, A, identity(2)).X}) {
      CHECK(relative_difference(X, half) <= most);
      CHECK(unbalance(X, 1) <= 4);
    }
    CHECK(value(A, {.structure = Structure::general}).status == (s < 0x1p52 ? Status::ok : Status::uncertain));
  }
  const float s = 1e10f;
  const BasicMatrix<float> single = value(BasicMatrix<float>(2, 2, {-s, s, s, -s})).X;
  CHECK(relative_difference(single, BasicMatrix<float>(2, 2, {0.5f, 0.5f, 0.5f, 0.5f})) <= 40 * unit<float>);
  // An infinite sum of rates is an overflow, not a hang.
  const double huge = 1.5e308;
  CHECK(value(Matrix(3, 3, {-huge, huge, huge, 0, 0, 0, 0, 0, 0}), generators).status == Status::overflow);
}

TEST_CASE_TEMPLATE("what underflows entirely gives exact zeros, and so do its derivatives", T, double, float,
                   Complex128, Complex64) {
  using R = Real<T>;
  for (double size : {1e18, 1e20, 1e30})
    for (Index n : {2, 5, 9})
      for (const Method method : {Method::polynomial, Method::pade}) {
        const R s = static_cast<R>(size);
        const auto A = shifted(random_matrix<T>(n, n, size / static_cast<double>(8 * n), 57), T(-s));
        const Options options{.method = method};
        CHECK(plan(A, Purpose::value, options).scheme == Scheme::zero);
        CHECK(value(A, options).X == zeros<T>(n, n));
        for (Operation operation : operations) {
          const Result<T> result = derivative(operation, A, random_matrix<T>(n, 2 * n, 1e20, 58), options);
          CHECK(result.each == std::vector<Status>(2, Status::ok));
          CHECK(result.X == zeros<T>(n, n));
          CHECK(result.L == zeros<T>(n, 2 * n));
        }
        CHECK(condition(A, options) == std::numeric_limits<double>::infinity());
        Linearized<T> kept;
        Workspace work(workspace_bytes<T>(Operation::vjp, n, 2));
        BasicMatrix<T> X(n, n), L(n, n);
        Status status = expm_linearize<T>(A.view(), X.view(), options, kept, work);
        CHECK(status == Status::ok);
        CHECK(X == zeros<T>(n, n));
        const auto E = random_matrix<T>(n, n, 1, 59);
        linearized_vjp<T>(kept, {E.view(), L.view(), &status}, work);
        CHECK(L == zeros<T>(n, n));
      }
}

}  // namespace matfun::test
