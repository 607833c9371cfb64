#include "expm/tape.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "expm/compute.hpp"
#include "expm/linearize.hpp"
#include "expm/paths.hpp"
#include "kernels/targets.hpp"

namespace matfun::test {
namespace {

constexpr Operation operations[] = {Operation::jvp, Operation::vjp};

/// A matrix's value and what was kept of it. A itself is overwritten before anything is asked of it, and so is the value.
template <class T>
struct Kept {
  Linearized<T> linearized;
  Status status;
  BasicMatrix<T> X;

  explicit Kept(BasicMatrix<T> A, const Options& options = {})
      : status(Status::ok), X(A.view().rows, A.view().columns) {
    const Index n = A.view().rows;
    Workspace work(workspace_bytes<T>(Operation::expm, n, 0));
    BasicMatrix<T> value = X;
    status = expm_linearize<T>(A.view(), value.view(), options, linearized, work);
    CHECK(work.used_bytes() == 0);
    X = value;
    fill(value.view(), quiet_nan<T>());
    fill(A.view(), quiet_nan<T>());
  }

  Result<T> derivative(Operation operation, const BasicMatrix<T>& E) const {
    const Index n = X.view().rows, K = E.view().blocks();
    Workspace work(linearized_workspace_bytes<T>(n, K));
    BasicMatrix<T> L(n, E.view().columns);
    std::vector<Status> each(static_cast<std::size_t>(K), Status::singular);
    const auto compute = operation == Operation::jvp ? linearized_jvp<T> : linearized_vjp<T>;
    compute(linearized, {E.view(), L.view(), each.data()}, work);
    CHECK(work.used_bytes() == 0);
    return {status, X, L, each};
  }

  double condition() const {
    const Index n = X.view().rows;
    Workspace work(linearized_condition_workspace_bytes<T>(n));
    double result = -1;
    CHECK(linearized_condition<T>(linearized, n, result, work) == status);
    return result;
  }
};

template <class T>
bool same_bits(const BasicMatrix<T>& A, const BasicMatrix<T>& B) {
  return A.data().size() == B.data().size() &&
         std::memcmp(A.data().data(), B.data().data(), A.data().size() * sizeof(T)) == 0;
}

/// What was kept of A gives the bits that the dual numbers give, asked for one way, the other, and again.
template <class T>
void check_bits(const BasicMatrix<T>& A, const BasicMatrix<T>& E, const Options& options = {}) {
  const Kept<T> kept(A, options);
  const Result<T> jvp = derivative(Operation::jvp, A, E, options), vjp = derivative(Operation::vjp, A, E, options);
  for (Operation operation : {Operation::jvp, Operation::vjp, Operation::jvp}) {
    const Result<T>& expected = operation == Operation::jvp ? jvp : vjp;
    const Result<T> got = kept.derivative(operation, E);
    CHECK(got.status == expected.status);
    CHECK(got.each == expected.each);
    CHECK(same_bits(got.X, expected.X));
    CHECK(same_bits(got.L, expected.L));
  }
}

/// Its square tells nothing of what its squarings lose: [1-c c; 2-c c-1] beside an eigenvalue of -c.
template <class T>
BasicMatrix<T> lossy() {
  const auto c = std::is_same_v<Real<T>, double> ? Real<T>(1e5) : Real<T>(1e3);
  BasicMatrix<T> A = zeros<T>(3, 3);
  A(0, 0) = T(1 - c);
  A(0, 1) = T(c);
  A(1, 0) = T(2 - c);
  A(1, 1) = T(c - 1);
  A(2, 2) = T(-c);
  return A;
}

/// Counts products, one for each tangent that takes part.
class CountingEngine : public MatrixEngine<double> {
 public:
  CountingEngine(Index n, const Workspace& work, int& products) : MatrixEngine(n, work), products_(products) {}

  void multiply_pairs(View<const double> A1, const Addends& B1, const Addends& A2, View<const double> B2,
                      const Addends& S, View<double> C, View<double> room) const {
    products_ += 2 * static_cast<int>(C.blocks());
    MatrixEngine::multiply_pairs(A1, B1, A2, B2, S, C, room);
  }

 private:
  int& products_;
};

}  // namespace

TEST_CASE_TEMPLATE("derivatives from a tape have the bits of the dual numbers, on every path", T, double, float,
                   Complex128, Complex64) {
  for (Index n : {5, 8}) {  // without padding, and with it
    const auto E = random_matrix<T>(n, 2 * n, 1, 40);
    on_every_path<T>(n, [&](const BasicMatrix<T>& A, const Options& options) { check_bits(A, E, options); });
  }
}

TEST_CASE_TEMPLATE("so too where the squarings lose too much, and all is done again in Schur form", T, double, float,
                   Complex128, Complex64) {
  const auto A = lossy<T>();
  CHECK(plan(A, Purpose::derivative).form == Form::full);
  CHECK(Kept<T>(A).linearized.plan().form == Form::schur);
  check_bits(A, random_matrix<T>(3, 6, 1, 41));
}

TEST_CASE_TEMPLATE("so too for orders of every remainder, with many directions in one wide product", T, double, float,
                   Complex128, Complex64) {
  for (Index n : {1, 3, 8, 16, 17, 31, 33, 64})
    for (Method method : {Method::polynomial, Method::pade}) {
      const auto A = random_matrix<T>(n, n, 3 / std::sqrt(static_cast<double>(n)), 42);
      check_bits(A, random_matrix<T>(n, 5 * n, 1, 43), {.method = method});
    }
}

TEST_CASE_TEMPLATE("so too where OpenBLAS multiplies: there each direction has products of its own", T, double,
                   Complex64) {
  const Index n = 67;
  on_each_target([&] { check_bits(random_matrix<T>(n, n, 0.3, 44), random_matrix<T>(n, 3 * n, 1, 45)); });
}

TEST_CASE_TEMPLATE("a direction gives the same bits alone as among others, extreme ones beside it or none", T, double,
                   float, Complex128, Complex64) {
  const Index n = 9, K = 4;
  auto E = random_matrix<T>(n, K * n, 1, 46);
  const double tiny = std::is_same_v<Real<T>, double> ? 1e-300 : 1e-37;
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) E(i, n + j) *= static_cast<Real<T>>(tiny);
  E(3, 2 * n) = quiet_nan<T>();
  for (double scale : {0.1, 3.0}) {
    const auto A = random_matrix<T>(n, n, scale, 47);
    const Kept<T> kept(A);
    for (Operation operation : operations) {
      const Result<T> all = kept.derivative(operation, E);
      CHECK(all.each == std::vector<Status>{Status::ok, Status::ok, Status::not_finite, Status::ok});
      CHECK(all_nan(all.L.block(2)));
      for (Index k : {0, 1, 3}) CHECK(same_bits(all.L.block(k), derivative(operation, A, E.block(k)).L));
    }
  }
}

TEST_CASE("each product of the value is two for each direction, and the square made for the plan is among them") {
  for (Method method : {Method::polynomial, Method::pade})
    for (double scale : {1e-9, 1e-4, 0.01, 0.2, 1.0, 4.0, 30.0}) {
      const Index n = 8, K = 3;  // of padded columns
      const Matrix A = random_matrix(n, n, scale, 48), E = random_matrix(n, K * n, 1, 49);
      const Kept<double> kept(A, {.method = method});
      const Plan& plan = kept.linearized.plan();
      Workspace work(1 << 18);
      int products = 0;
      Tangents<CountingEngine> ring({n, work, products}, kept.linearized.tapes().of<double>(), K, work);
      Matrix L(n, K * n);
      evaluate<Tangents<CountingEngine>>(plan, ring, E.view(), L.view());
      CAPTURE(scale);
      CHECK(products == 2 * (count_cost(plan).products + plan.squarings) * K);
      CHECK(L == derivative(Operation::jvp, A, E, {.method = method}).L);
    }
}

TEST_CASE_TEMPLATE("linearized_bytes is what is taken, to the byte, for every plan", T, double, float, Complex128,
                   Complex64) {
  for (Index n : {2, 5})
    on_every_path<T>(n, [&](const BasicMatrix<T>& A, const Options& options) {
      Workspace work(workspace_bytes<T>(Operation::expm, n, 0));
      const Reduced<T> reduced = reduce<T>(A.view(), Purpose::derivative, options, work);
      if (reduced.plan.status != Status::ok) return;
      Linearized<T> kept;
      detail::Tapes<T>& tapes = kept.begin(reduced, n);
      BasicMatrix<T> X(n, n);
      static_cast<void>(detail::Evaluation<T>(reduced, work).taped_value(X.view(), tapes));
      CHECK(kept.used_bytes() == linearized_bytes<T>(reduced.plan, n));
    });
}

TEST_CASE_TEMPLATE("a tape takes at most two matrices for each product, and one for a squaring", T, double, Complex64) {
  const Index n = 9;
  for (double scale : {0.01, 1.0, 30.0}) {
    const Plan plan = Kept<T>(random_matrix<T>(n, n, scale, 50)).linearized.plan();
    const std::size_t matrices = static_cast<std::size_t>(2 * count_cost(plan).products - 1 + plan.squarings);
    CHECK(linearized_bytes<T>(plan, n) == matrices * matrix_bytes<T>(n, n));
  }
}

TEST_CASE_TEMPLATE("linearized_workspace_bytes covers what every path takes, and is not lavish", T, double, float,
                   Complex128, Complex64) {
  const Index n = 5, K = 12;
  const auto E = random_matrix<T>(n, n * K, std::is_same_v<Real<T>, double> ? 1e-290 : 1e-34, 51);
  std::vector<Status> each(static_cast<std::size_t>(K));
  std::size_t most = 0;
  on_every_path<T>(n, [&](const BasicMatrix<T>& A, const Options& options) {
    const Kept<T> kept(A, options);
    Watched watched(1 << 18);
    BasicMatrix<T> L(n, n * K);
    linearized_vjp<T>(kept.linearized, {E.view(), L.view(), each.data()}, watched.work());
    most = std::max(most, watched.written_bytes());
  });
  const std::size_t bytes = linearized_workspace_bytes<T>(n, K);
  CHECK(most <= bytes);
  // The plan with the most elements never has an odd number of squarings in double.
  const std::size_t once = std::is_same_v<Real<T>, double> ? matrix_bytes<Complex<T>>(n, n * K) : 0;
  CHECK(most + once + 2 * kStagger_bytes >= bytes);
}

TEST_CASE_TEMPLATE("the condition number from a tape is that of the adjoint matrix", T, double, float, Complex128,
                   Complex64) {
  for (Index n : {1, 2, 4, 5, 9})
    for (double scale : {1e-4, 0.2, 2.0, 8.0}) {
      const auto A = random_matrix<T>(n, n, scale, 52);
      const double expected = condition(adjoint(A)), got = Kept<T>(A).condition();
      CAPTURE(n);
      CAPTURE(scale);
      CHECK(is_close(got, expected, 1000 * std::max(expected, 1.0) * unit<T>));
    }
}

TEST_CASE_TEMPLATE("the condition number from a tape is there although derivatives overflow", T, double, float,
                   Complex128, Complex64) {
  using R = Real<T>;
  // exp(A) = I + A, and |L(A, E)| is |A|^2 / 6 for one E.
  BasicMatrix<T> A(2, 2);
  fill(A.view(), T(0));
  A(0, 1) = std::ldexp(R(1), 3 * std::numeric_limits<R>::max_exponent / 5);
  const double expected = condition(adjoint(A)), got = Kept<T>(A).condition();
  CHECK(expected > 1);
  CHECK((got == expected || is_close(got, expected, 1000 * unit<T>)));
  BasicMatrix<T> E(2, 2);
  fill(E.view(), T(0));
  E(1, 0) = T(1);
  CHECK(Kept<T>(A).derivative(Operation::jvp, E).each[0] == Status::overflow);
}

TEST_CASE_TEMPLATE("what cannot be done is told, gives NaN alone, and keeps no memory", T, double, float, Complex128,
                   Complex64) {
  const Index n = 5;
  auto bad = random_matrix<T>(n, n, 1, 53);
  bad(1, 2) = quiet_nan<T>();
  const auto E = random_matrix<T>(n, 2 * n, 1, 54);
  for (const auto& [A, status] :
       {std::pair(bad, Status::not_finite), std::pair(scaled(identity<T>(n), Real<T>(2000)), Status::overflow)}) {
    const Kept<T> kept(A);
    CHECK(kept.status == status);
    CHECK(kept.linearized.held_bytes() == 0);
    CHECK(all_nan(kept.X));
    CHECK(std::isnan(kept.condition()));
    const Result<T> jvp = kept.derivative(Operation::jvp, E);
    CHECK(all_nan(jvp.L));
    CHECK(jvp.each == std::vector<Status>{status, status});
  }
}

TEST_CASE("no directions, and matrices of order 0, are nothing to do") {
  const Kept<double> kept(random_matrix(9, 9, 1, 55)), empty(Matrix(0, 0));
  CHECK(kept.derivative(Operation::jvp, Matrix(9, 0)).each.empty());
  CHECK(empty.status == Status::ok);
  CHECK(empty.derivative(Operation::vjp, Matrix(0, 0)).each.empty());
}

TEST_CASE("a tape may be made anew in the place of another") {
  const Index n = 9;
  Workspace work(workspace_bytes<double>(Operation::expm, n, 0));
  Linearized<double> kept;
  const Matrix E = random_matrix(n, n, 1, 56);
  for (const Matrix& A : {random_matrix(n, n, 8, 57), random_matrix(n, n, 0.1, 58), strongly_non_normal(n, 59)}) {
    Matrix X(n, n), L(n, n);
    CHECK(expm_linearize<double>(A.view(), X.view(), {}, kept, work) == Status::ok);
    Status status = Status::singular;
    Workspace room(linearized_workspace_bytes<double>(n, 1));
    linearized_jvp<double>(kept, {E.view(), L.view(), &status}, room);
    CHECK(L == derivative(Operation::jvp, A, E).L);
  }
}

}  // namespace matfun::test
