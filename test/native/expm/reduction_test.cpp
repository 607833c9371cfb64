#include "expm/reduction.hpp"

#include <doctest/doctest.h>

#include "expm/compute.hpp"
#include "expm/gallery.hpp"

namespace matfun::test {
namespace {

const Purpose purposes[] = {Purpose::value, Purpose::derivative};
const double inf = std::numeric_limits<double>::infinity();

/// A reduced matrix with the memory that it lives in.
template <class T>
struct Kept {
  Kept(const BasicMatrix<T>& A, Purpose purpose, const Options& options = {})
      : original(A),
        work(reduction_bytes<T>(A.view().rows)),
        reduced(reduce<T>(original.view(), purpose, options, work)) {}
  Kept(const Kept&) = delete;

  const Plan& plan() const { return reduced.plan; }

  BasicMatrix<T> original;
  Workspace work;
  Reduced<T> reduced;
};

template <class T>
BasicMatrix<T> matrix_of(View<const T> A) {
  BasicMatrix<T> B(A.rows, A.columns);
  copy(A, B.view());
  return B;
}
template <class T>
BasicMatrix<T> matrix_of(View<T> A) {
  return matrix_of(View<const T>(A));
}

template <class T>
double norm_of(const BasicMatrix<T>& A) {
  return static_cast<double>(std::min(one_norm<T>(A.view()), infinity_norm<T>(A.view())));
}

template <class R>
double bound_of(const Plan& plan, Purpose purpose) {
  const std::span<const Threshold> pade = kPadeThresholds<R>, polynomial = kPolynomialThresholds<R>;
  for (const Threshold& row : plan.scheme == Scheme::pade ? pade : polynomial)
    if (row.degree == plan.degree) return purpose == Purpose::value ? row.theta : row.ell;
  return 0;
}

/// X2 = (X / 2^s)^2 up to rounding.
template <class T>
void check_square(const BasicMatrix<T>& X, const BasicMatrix<T>& X2, int s) {
  const LongMatrix scaled_down = scaled(convert<Long>(X), std::ldexp(1.0L, -s));
  const double norm = frobenius(scaled_down);
  const double underflow = static_cast<double>(X.view().rows) * std::numeric_limits<Real<T>>::min();
  CHECK(all_finite<T>(X2.view()));
  CHECK(frobenius(subtract(convert<Long>(X2), multiply(scaled_down, scaled_down))) <=
        static_cast<double>(X.view().rows + 2) * 3 * unit<T> * norm * norm + underflow);
}

/// D^-1 X D.
template <class T>
BasicMatrix<T> in_units(BasicMatrix<T> X, const Real<T>* d) {
  for (Index j = 0; j < X.view().columns; ++j)
    for (Index i = 0; i < X.view().rows; ++i) X(i, j) = X(i, j) / d[i] * d[j % X.view().rows];
  return X;
}

/// D X D^-1.
template <class T>
BasicMatrix<T> out_of_units(BasicMatrix<T> X, const Real<T>* d) {
  for (Index j = 0; j < X.view().columns; ++j)
    for (Index i = 0; i < X.view().rows; ++i) X(i, j) = X(i, j) * d[i] / d[j % X.view().rows];
  return X;
}

/// An even matrix in units that differ by 2^steepness from one row to the next.
template <class T>
BasicMatrix<T> in_uneven_units(Index n, int steepness) {
  auto A = random_matrix<T>(n, n, 1, 12);
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) A(i, j) *= std::ldexp(Real<T>(1), steepness * static_cast<int>(j - i));
  return A;
}

/// A nonnegative matrix's plan leaves out 2 u at most, up to the 1e-7 of tabulated bounds, and no diagonal entry is below -1.
template <class T>
void check_nonnegative(const Kept<T>& kept, Purpose purpose) {
  if constexpr (kIsComplex<T>) {
    FAIL("no complex matrix is nonnegative");
  } else {
    const Plan& plan = kept.plan();
    const View<const T> B = kept.reduced.B;
    CHECK(is_essentially_nonnegative(B));
    Workspace work(std::size_t(1) << 16);
    const int ways = ways_for(purpose, longest_way<T>(B, work), B.rows);
    const double left_out = detail::log2_left_out(plan.degree, plan.norm, ways) - plan.squarings * plan.degree;
    CHECK(left_out <= detail::kLog2Tolerance<T> + 1e-5);
    for (Index i = 0; i < B.rows; ++i) CHECK(std::ldexp(B(i, i), -plan.squarings) >= -1);
  }
}

/// What every reduction has to satisfy.
template <class T>
void check_consistent(const Kept<T>& kept, Purpose purpose) {
  const auto& [plan, B, B2, d, S, S2, Q] = kept.reduced;
  if (plan.scheme == Scheme::zero) return;
  const bool is_certain =
      plan.form == Form::triangular || plan.norm < std::ldexp(1.0, std::numeric_limits<Real<T>>::digits);
  CHECK(plan.status == (is_certain ? Status::ok : Status::uncertain));
  if (!is_certain) return;
  CHECK(plan.alpha <= plan.norm * (1 + 4 * unit<T>));
  if (plan.scheme == Scheme::nonnegative)
    check_nonnegative(kept, purpose);
  else
    CHECK(std::ldexp(plan.alpha, -plan.squarings) <= bound_of<Real<T>>(plan, purpose) * (1 + 4 * unit<T>));
  CHECK((d != nullptr) == plan.balanced);
  CHECK((S.data != nullptr) == (plan.form == Form::schur));
  if (plan.form == Form::schur) {
    const auto s = matrix_of(S), q = matrix_of(Q);
    const double tolerance = 10 * static_cast<double>(B.rows) * unit<T>;
    CHECK(is_upper_triangular<Complex<T>>(S));
    CHECK(is_close(plan.norm, norm_of(s), 8 * unit<T>));
    CHECK(relative_difference(multiply(multiply(q, s), adjoint(q)), convert<Complex<T>>(matrix_of(B))) < tolerance);
    CHECK(relative_difference(multiply(adjoint(q), q), identity<Complex<T>>(B.rows)) < tolerance);
    check_square(s, matrix_of(S2), plan.squarings);
  } else {
    const auto measured = plan.balanced && !plan.is_carried ? in_units(matrix_of(B), d) : matrix_of(B);
    CHECK(is_close(plan.norm, norm_of(measured), 8 * unit<T>));
    if (B2.data != nullptr) check_square(matrix_of(B), matrix_of(B2), plan.squarings);
  }
}

/// [c x; x c], whose norm is |c| + |x|, and |x| without the mean of its diagonal.
template <class T>
BasicMatrix<T> around(T c, Real<T> x) {
  return {2, 2, {c, T(x), T(x), c}};
}

}  // namespace

TEST_CASE_TEMPLATE("a matrix's plan comes from its smaller norm, and its transpose has the same", T, double, float,
                   Complex128, Complex64) {
  const Real<T> a = Real<T>(10.7);
  const BasicMatrix<T> A(3, 3, {0, T(a), 0, T(-a), 0, 0, 0, T(Real<T>(0.01)), 0});  // |A|_1 = 10.7, |A|_inf = 10.71
  const BasicMatrix<T> inverse(3, 3, {0, T(a), T(Real<T>(0.01)), T(-a), 0, 0, 0, 0, 0});
  for (const auto& X : {A, transpose(A), inverse, transpose(inverse)}) {
    const Kept<T> kept(X, Purpose::value);
    CHECK(kept.plan().norm == static_cast<double>(a));
    CHECK(is_close(kept.plan().alpha, static_cast<double>(a), 4 * unit<T>));
    CHECK(kept.plan().squarings == 3);
    CHECK(kept.plan().degree == (std::is_same_v<Real<T>, double> ? 21 : 15));
  }
  const BasicMatrix<T> skewed(3, 3, {T(9), 0, 0, T(9), 0, 0, T(9), 0, 0});  // |A|_1 = 9, |A|_inf = 27
  CHECK(Kept<T>(skewed, Purpose::value, {.balance = Choice::never}).plan().norm == 9);
  CHECK(Kept<T>(transpose(skewed), Purpose::value, {.balance = Choice::never}).plan().norm == 9);
}

TEST_CASE_TEMPLATE("1 x 1 is scalar, an entry that is not finite is told, an overflowing sum is not", T, double, float,
                   Complex128, Complex64) {
  using Limits = std::numeric_limits<Real<T>>;
  CHECK(Kept<T>(BasicMatrix<T>(1, 1, {-3}), Purpose::value).plan().scheme == Scheme::scalar);
  for (Index n : {1, 2, 5})
    for (Real<T> bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()})
      for (Index at = 0; at < n * n; ++at) {
        auto A = random_matrix<T>(n, n, 1, 3);
        A.view().data[at] = T(bad);
        CHECK(Kept<T>(A, Purpose::value).plan().status == Status::not_finite);
        if constexpr (kIsComplex<T>) {
          A.view().data[at] = T(1, bad);
          CHECK(Kept<T>(A, Purpose::derivative).plan().status == Status::not_finite);
        }
      }
  const Real<T> huge = Limits::max() / Real<T>(1.5);
  for (const Method method : {Method::polynomial, Method::pade})
    for (Purpose purpose : purposes) {
      const Kept<T> uncertain({2, 2, {T(-huge), T(huge), T(huge), T(huge)}}, purpose, {.method = method});
      CHECK(uncertain.plan().status == Status::uncertain);
      // A^2 = huge^2 [1 0; 2 1], whose norm's root is the square root of 3.
      const Kept<T> kept({2, 2, {T(-huge), T(-huge), 0, T(-huge)}}, purpose,
                         {method, Choice::automatic, Choice::never});
      const Plan& plan = kept.plan();
      CHECK(plan.status == Status::ok);
      CHECK(1.73 * std::ldexp(static_cast<double>(huge), -plan.squarings) <= bound_of<Real<T>>(plan, purpose));
      CHECK(4 * std::ldexp(static_cast<double>(huge), -plan.squarings) > bound_of<Real<T>>(plan, purpose));
      check_square(kept.original, matrix_of(kept.reduced.B2), plan.squarings);
    }
}

TEST_CASE_TEMPLATE("the mean of the diagonal is taken off from where it halves the norm, and not one ulp before", T,
                   double, float, Complex128, Complex64) {
  using R = Real<T>;
  const R above = std::nextafter(R(8), R(9));
  for (Purpose purpose : purposes)
    for (const T c : {T(8), T(-8), part<T>(Complex<T>(0, 8)) + (kIsComplex<T> ? T(0) : T(8))}) {
      const Kept<T> halves(around<T>(c, 8), purpose), hardly(around<T>(c, above), purpose);
      CHECK(halves.plan().shift == std::complex<double>(c));
      CHECK(halves.plan().norm == 8);
      CHECK(matrix_of(halves.reduced.B) == around<T>(T(0), 8));
      CHECK(hardly.plan().shift == 0.0);
      CHECK(matrix_of(hardly.reduced.B) == hardly.original);
    }
}

TEST_CASE_TEMPLATE("the mean of the diagonal is its trace over n", T, double, float, Complex128, Complex64) {
  const Index n = 5;
  auto A = scaled(identity<T>(n), Real<T>(64));
  A(0, 0) = T(69);
  A(n - 1, 0) = T(1);
  A(0, n - 1) = T(1);
  const Kept<T> kept(A, Purpose::value);
  CHECK(std::abs(kept.plan().shift - 65.0) <= 65 * 4 * unit<T>);
  CHECK(std::abs(kept.plan().norm - 5) <= 65 * 8 * unit<T>);
}

TEST_CASE("a shift is made neither where nothing needs squaring nor where it is not wanted, and always where it is") {
  const Matrix small = around(0.5, 0.01), large = around(100.0, 1.0), uneven(2, 2, {4, 10, 10, 2});
  for (Purpose purpose : purposes) {
    CHECK(Kept<double>(small, purpose).plan().shift == 0.0);
    CHECK(Kept<double>(small, purpose, {.shift = Choice::always}).plan().shift == 0.5);
    CHECK(Kept<double>(large, purpose).plan().shift == 100.0);
    CHECK(Kept<double>(large, purpose, {.shift = Choice::never}).plan().shift == 0.0);
    CHECK(Kept<double>(uneven, purpose).plan().shift == 0.0);
    const Kept<double> forced(uneven, purpose, {.shift = Choice::always});
    CHECK(forced.plan().shift == 3.0);
    CHECK(matrix_of(forced.reduced.B) == Matrix(2, 2, {1, 10, 10, -1}));
  }
}

TEST_CASE_TEMPLATE("a shift is not made by itself where its exponential would leave the range", T, double, float,
                   Complex128, Complex64) {
  const Real<T> last = std::log(std::numeric_limits<Real<T>>::max());
  for (Purpose purpose : purposes)
    for (Real<T> sign : {Real<T>(1), Real<T>(-1)}) {
      const T inside = T(sign * (last - 1)), outside = T(sign * (last + 1));
      CHECK(Kept<T>(around<T>(inside, 5), purpose).plan().shift == std::complex<double>(inside));
      CHECK(Kept<T>(around<T>(outside, 5), purpose).plan().shift == 0.0);
      CHECK(Kept<T>(around<T>(outside, 5), purpose, {.shift = Choice::always}).plan().shift ==
            std::complex<double>(outside));
    }
}

TEST_CASE("plans come from balanced norms where that halves the norm, or where it is asked for") {
  const Matrix A = badly_balanced();
  for (Purpose purpose : purposes) {
    CHECK(Kept<double>(A, purpose).plan().balanced);
    CHECK(!Kept<double>(A, purpose, {.balance = Choice::never}).plan().balanced);
    CHECK(Kept<double>(A, purpose, {.balance = Choice::always}).plan().balanced);
  }
  for (unsigned seed : {1u, 2u, 3u}) {
    const Matrix even = random_matrix(6, 6, 3, seed), triangle = random_triangle(6, 1, 1e5, seed);
    CHECK(!Kept<double>(even, Purpose::value).plan().balanced);
    CHECK(Kept<double>(even, Purpose::value, {.balance = Choice::always}).plan().balanced);
    CHECK(!Kept<double>(triangle, Purpose::value).plan().balanced);
    CHECK(Kept<double>(triangle, Purpose::value, {.balance = Choice::always}).plan().form == Form::triangular);
    CHECK(Kept<double>(scaled(even, 1e-12), Purpose::value, {.balance = Choice::always}).plan().balanced);
  }
  // Non-normal, but nothing that a diagonal could change.
  const Matrix rotation = rotated({2, 2, {1, 0, 1e3, -1}});
  CHECK(!Kept<double>(rotation, Purpose::value).plan().balanced);
}

TEST_CASE_TEMPLATE("D has powers of two, and B stays as it is unless it would leave the range", T, double, float,
                   Complex128, Complex64) {
  const bool is_double = std::is_same_v<Real<T>, double>;
  const int harmless = 4, steep = is_double ? 150 : 12;
  for (int steepness : {harmless, steep})
    for (Choice choice : {Choice::automatic, Choice::always}) {
      const auto A = in_uneven_units<T>(6, steepness);
      const Kept<T> kept(A, Purpose::value, {.balance = choice});
      CHECK(kept.plan().balanced);
      CHECK(kept.plan().is_carried == (steepness == steep));
      check_consistent(kept, Purpose::value);
      for (Index i = 0; i < 6; ++i) CHECK(std::ldexp(Real<T>(1), std::ilogb(kept.reduced.d[i])) == kept.reduced.d[i]);
      CHECK(matrix_of(kept.reduced.B) == (kept.plan().is_carried ? in_units(A, kept.reduced.d) : A));
      CHECK(kept.plan().norm < norm_of(A) / 2);
    }
  CHECK(Kept<T>(in_uneven_units<T>(6, harmless), Purpose::value, {Method::pade}).plan().is_carried);
}

TEST_CASE_TEMPLATE("by a balanced plan a matrix has the bits that it has in balanced units, and so have derivatives", T,
                   double, float, Complex128, Complex64) {
  const Index n = 6;
  for (Real<T> scale : {Real<T>(0.25), Real<T>(1), Real<T>(30)}) {
    const auto A = scaled(in_uneven_units<T>(n, 4), scale), E = random_matrix<T>(n, 2 * n, 1, 17);
    const Kept<T> value_plan(A, Purpose::value), derivative_plan(A, Purpose::derivative, {.balance = Choice::always});
    REQUIRE(value_plan.plan().balanced);
    const Real<T>* d = value_plan.reduced.d;
    const auto B = in_units(A, d);
    CHECK(value(A).X == out_of_units(value(B, {.balance = Choice::always}).X, d));
    const Result<T> own = derivative(Operation::jvp, A, E, {.balance = Choice::always});
    const Result<T> balanced = derivative(Operation::jvp, B, in_units(E, d), {.balance = Choice::always});
    CHECK(own.X == out_of_units(balanced.X, d));
    CHECK(own.L == out_of_units(balanced.L, d));
  }
}

TEST_CASE("a derivative's balanced plan is raised until what it leaves out is harmless in A's own units") {
  // Balanced, T8 would do, whose first term left out is large in directions of equal entries.
  for (int steepness : {4, 8}) {
    const Matrix A = scaled(in_uneven_units<double>(6, steepness), 0.01);
    const Kept<double> unguarded(A, Purpose::derivative, {.balance = Choice::always});
    const Kept<double> guarded(A, Purpose::derivative), plain(A, Purpose::derivative, {.balance = Choice::never});
    CHECK(guarded.plan().balanced);
    CHECK(unguarded.plan().degree < guarded.plan().degree);
    CHECK(guarded.plan().squarings <= plain.plan().squarings);
  }
  // Values have no guard.
  const Matrix A = scaled(in_uneven_units<double>(6, 4), 0.01);
  CHECK(Kept<double>(A, Purpose::value).plan().degree ==
        Kept<double>(A, Purpose::value, {.balance = Choice::always}).plan().degree);
}

TEST_CASE_TEMPLATE("directions go into balanced units with D^-1 A D, where that is evaluated", T, double, float,
                   Complex128, Complex64) {
  const Index n = 6;
  const int steep = std::is_same_v<Real<T>, double> ? 120 : 12;
  for (const auto& [steepness, method] : {std::pair(steep, Method::polynomial), std::pair(4, Method::pade)}) {
    const Options options = {.method = method, .balance = Choice::always};
    const auto A = in_uneven_units<T>(n, steepness), even = random_matrix<T>(n, n, 1, 18);
    const Kept<T> kept(A, Purpose::derivative, options);
    REQUIRE(kept.plan().is_carried);
    const Real<T>* d = kept.reduced.d;
    // In balanced units all entries are about 1.
    const auto E = out_of_units(even, d);
    const auto B = in_units(A, d);
    for (Operation operation : {Operation::jvp, Operation::vjp}) {
      const bool forth = operation == Operation::jvp;
      const auto direction = forth ? E : adjoint(E);
      const Result<T> own = derivative(operation, A, direction, options);
      const Result<T> balanced = derivative(operation, B, forth ? even : adjoint(even), options);
      CHECK(own.each[0] == Status::ok);
      CHECK(relative_difference(in_units(forth ? own.L : adjoint(own.L), d),
                                forth ? balanced.L : adjoint(balanced.L)) <= 1000 * unit<T>);
    }
  }
}

TEST_CASE_TEMPLATE("upper, lower and diagonal matrices are known as triangular where they need squarings", T, double,
                   float, Complex128, Complex64) {
  const auto upper = random_triangle<T>(5, 4, 4, 13);
  auto diagonal = zeros<T>(5, 5);
  for (Index i = 0; i < 5; ++i) diagonal(i, i) = T(static_cast<Real<T>>(3 * i - 7));
  for (Purpose purpose : purposes) {
    for (const auto& A : {upper, transpose(upper), diagonal}) {
      const Kept<T> kept(A, purpose);
      CHECK(kept.plan().form == Form::triangular);
      check_consistent(kept, purpose);
      CHECK(Kept<T>(scaled(A, Real<T>(1e-3)), purpose).plan().form == Form::full);
    }
    auto almost = upper;
    almost(4, 0) = std::numeric_limits<Real<T>>::denorm_min();
    CHECK(Kept<T>(almost, purpose).plan().form != Form::triangular);
    CHECK(Kept<T>(shifted(upper, T(1000)), purpose).plan().form == Form::triangular);
  }
}

TEST_CASE("a matrix goes to Schur form from a certain |B| / |B^2|^(1/2) on, for values and derivatives") {
  const double threshold = detail::kStronglyNonNormal;
  CHECK(threshold >= 10);    // below, Schur forms would be made of what is done well without
  CHECK(threshold <= 1000);  // above, squares lose more than the promise allows
  for (Purpose purpose : purposes) {
    const auto form = [&](double b, double scale) {
      const Matrix A(2, 2, {scale, -1e-9 * scale, b * scale, -scale});  // A^2 = (1 - b 1e-9) scale^2 I
      return Kept<double>(A, purpose, {.balance = Choice::never}).plan().form;
    };
    for (double scale : {1.0, 100.0, 1e12}) {
      CHECK(form(threshold - 2, scale) == Form::full);
      CHECK(form(threshold + 1, scale) == Form::schur);
    }
    CHECK(form(threshold + 1, 1e-4) == Form::full);  // which needs no squarings even by its norm
    CHECK(form(threshold + 1, 0.1) == Form::full);   // whose square is rounded harmlessly
  }
}

TEST_CASE_TEMPLATE("what is reduced is consistent: B2 is the square of B / 2^s, alpha within the scheme's bound", T,
                   double, float, Complex128, Complex64) {
  const double least = std::is_same_v<Real<T>, double> ? 1e-300 : 1e-37;
  const double greatest = std::is_same_v<Real<T>, double> ? 1e306 : 1e36;
  for (Index n : {2, 5, 9})
    for (Purpose purpose : purposes)
      for (Method method : {Method::polynomial, Method::pade})
        for (double scale : {least, 1e-9, 1e-4, 0.01, 0.1, 0.5, 1.0, 3.0, 40.0, 1e6, 1e15, 1e30, greatest}) {
          CAPTURE(scale);
          const auto A = random_matrix<T>(n, n, scale, 14);
          check_consistent(Kept<T>(A, purpose, {.method = method}), purpose);
          check_consistent(Kept<T>(A, purpose, {method, Choice::always, Choice::always}), purpose);
          const auto triangle = random_triangle<T>(n, scale, scale, 15);
          check_consistent(Kept<T>(triangle, purpose, {.method = method}), purpose);
        }
}

TEST_CASE_TEMPLATE("strongly non-normal matrices are consistent too", T, double, float, Complex128, Complex64) {
  int schur = 0;
  for (const Matrix& A : overscaled())
    for (double scale : {1.0, 10.0, 1e25})
      for (Purpose purpose : purposes) {
        const Kept<T> kept(convert<T>(scaled(A, scale)), purpose);
        check_consistent(kept, purpose);
        if (kept.plan().form == Form::schur) ++schur;
      }
  CHECK(schur >= 6);
}

TEST_CASE_TEMPLATE("huge norms lose nothing: the plan scales with them, one squaring a factor of two", T, double, float,
                   Complex128, Complex64) {
  const auto A = random_matrix<T>(4, 4, 1, 16);
  for (Purpose purpose : purposes) {
    const Plan base = Kept<T>(scaled(A, Real<T>(1024)), purpose).plan();
    for (int exponent = 0; exponent < std::numeric_limits<Real<T>>::max_exponent - 16; exponent += 7) {
      auto B = scaled(A, Real<T>(1024));
      scale_by_power(B.view(), exponent);
      const Plan plan = Kept<T>(B, purpose).plan();
      CHECK(plan.squarings == base.squarings + exponent);
      CHECK(plan.degree == base.degree);
      CHECK(plan.norm == std::ldexp(base.norm, exponent));
      CHECK(is_close(plan.alpha, std::ldexp(base.alpha, exponent), 8 * unit<T>));
    }
  }
}

TEST_CASE("a nilpotent matrix is not scaled by its norm") {
  for (double size : {1.0, 1e5, 1e8})
    for (Purpose purpose : purposes) {
      const Plan plan = Kept<double>(Matrix(2, 2, {size, size, -size, -size}), purpose).plan();
      CHECK(plan.squarings < choose_plan(without_square(size), purpose, Method::automatic).squarings + 1);
      CHECK(plan.alpha < plan.norm / 4);
    }
  // Not even where it must be brought down so that its square does not overflow.
  for (const Matrix& A : {Matrix(2, 2, {0, 0, 1e300, 0}), Matrix(2, 2, {0, 1e300, 0, 0})}) {
    const Kept<double> huge(A, Purpose::value);
    CHECK(huge.plan().squarings < 900);
    CHECK(huge.plan().form == Form::triangular);
    check_consistent(huge, Purpose::value);
  }
}

TEST_CASE("small norms are planned by the norm alone, without a product") {
  for (double norm : {0.0, 1e-300, 1e-17, 1e-9}) {
    const Kept<double> kept(around(0.0, norm), Purpose::value);
    CHECK(kept.plan().degree <= 2);
    CHECK(kept.reduced.B2.data == nullptr);
    CHECK(kept.work.used_bytes() == matrix_bytes<double>(2, 2));  // its own copy, padded
  }
}

TEST_CASE("what the norm's sums overflow to does not reach the plan") {
  const Kept<double> kept(Matrix(2, 2, {1.7e308, -1.7e308, 0, 1.7e308}), Purpose::value, {.balance = Choice::never});
  CHECK(kept.plan().status == Status::ok);
  CHECK(kept.plan().squarings >= 1024);
  CHECK(kept.plan().squarings <= 1026);
  CHECK((kept.plan().norm > 1e308 || kept.plan().norm == inf));
}

}  // namespace matfun::test
