#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "batch/job.hpp"
#include "expm/compute.hpp"
#include "linalg/blas.hpp"

namespace matfun::test {
namespace {

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return DType::float32;
  else if constexpr (std::is_same_v<T, Complex128>)
    return DType::complex128;
  else if constexpr (std::is_same_v<T, Complex64>)
    return DType::complex64;
  else
    return DType::float64;
}

/// `count` matrices whose norms reach over every rung of the ladder, one after the other.
template <class T>
std::vector<T> mixed_stack(Index n, Index count, unsigned seed) {
  std::vector<T> all;
  for (Index k = 0; k < count; ++k) {
    const double scale = std::pow(10.0, static_cast<double>(k % 12) - 9);
    const auto A = random_matrix<T>(n, n, std::min(scale, 8.0), seed + static_cast<unsigned>(k));
    all.insert(all.end(), A.data().begin(), A.data().end());
  }
  return all;
}

template <class T>
struct Outcome {
  std::vector<Status> statuses;
  std::vector<T> X, result;
};

template <class T>
Outcome<T> run(Operation operation, Index n, const std::vector<T>& A, const std::vector<T>& direction,
               Index directions) {
  Outcome<T> outcome{{}, std::vector<T>(A.size()), std::vector<T>(direction.size())};
  const Index count = n == 0 ? 0 : static_cast<Index>(A.size()) / (n * n);
  outcome.statuses = run_batch({.operation = operation,
                                .dtype = dtype_of<T>(),
                                .options = {},
                                .n = n,
                                .count = count,
                                .directions = directions,
                                .A = A.data(),
                                .X = outcome.X.data(),
                                .direction = direction.data(),
                                .result = outcome.result.data()});
  return outcome;
}

template <class T>
std::vector<double> conditions(Index n, const std::vector<T>& A) {
  std::vector<double> result(A.size() / static_cast<std::size_t>(n * n));
  const auto statuses = run_batch({.operation = Operation::cond,
                                   .dtype = dtype_of<T>(),
                                   .options = {},
                                   .n = n,
                                   .count = static_cast<Index>(result.size()),
                                   .A = A.data(),
                                   .X = result.data()});
  CHECK(statuses.size() == result.size());
  for (std::size_t k = 0; k < result.size(); ++k) CHECK((statuses[k] == Status::ok) == !std::isnan(result[k]));
  return result;
}

template <class T>
std::vector<T> slice(const std::vector<T>& all, Index from, Index length) {
  return {all.begin() + from, all.begin() + from + length};
}

/// Byte for byte, so that NaN equals itself.
template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class T>
bool all_nan(const std::vector<T>& values) {
  return std::all_of(values.begin(), values.end(), [](T x) { return std::isnan(std::real(x)); });
}

}  // namespace

TEST_CASE_TEMPLATE("every matrix of a batch gets the same bits as alone", T, double, float, Complex128, Complex64) {
  for (Operation operation : {Operation::expm, Operation::jvp, Operation::vjp})
    for (Index n : {1, 2, 3, 8, 19}) {
      const Index count = 24, size = n * n, K = operation == Operation::expm ? 0 : 2;
      const auto A = mixed_stack<T>(n, count, 100), E = mixed_stack<T>(n, count * K, 500);
      const auto batch = run(operation, n, A, E, K);
      for (Index k = 0; k < count; ++k) {
        const auto alone = run(operation, n, slice(A, k * size, size), slice(E, k * K * size, K * size), K);
        CHECK(same(slice(batch.X, k * size, size), alone.X));
        CHECK(same(slice(batch.result, k * K * size, K * size), alone.result));
        CHECK(alone.statuses == slice(batch.statuses, k * std::max<Index>(1, K), std::max<Index>(1, K)));
      }
    }
}

TEST_CASE_TEMPLATE("every condition number of a batch is the same as alone, and one bad matrix costs its own", T,
                   double, float, Complex128, Complex64) {
  for (Index n : {1, 2, 6}) {
    const Index size = n * n, count = 9;
    auto A = mixed_stack<T>(n, count, 100);
    const auto good = conditions(n, A);
    for (Index k = 0; k < count; ++k)
      CHECK(conditions(n, slice(A, k * size, size)).front() == good[static_cast<std::size_t>(k)]);
    A[static_cast<std::size_t>(4 * size)] = quiet_nan<T>();
    const auto mixed = conditions(n, A);
    for (Index k = 0; k < count; ++k) {
      const auto at = static_cast<std::size_t>(k);
      CHECK((k == 4 ? std::isnan(mixed[at]) : mixed[at] == good[at]));
    }
  }
}

TEST_CASE_TEMPLATE("the condition number is that of the row-major matrix", T, double, float, Complex128, Complex64) {
  for (Index n : {3, 6}) {
    // Its first row is [c c c ...]: a column sum of c, row sums of n c.
    std::vector<T> A(static_cast<std::size_t>(n * n), T(0));
    for (Index j = 0; j < n; ++j) A[static_cast<std::size_t>(j)] = part<T>(Complex<T>(0, 1)) + T(Real<T>(1e-3));
    for (T& x : A) x *= Real<T>(1e-3);
    const double column = static_cast<double>(std::abs(A[0]));
    CHECK(is_close(conditions(n, A).front(), column, 0.02));
  }
}

TEST_CASE_TEMPLATE("each dtype is computed as itself, row-major through the column-major core", T, double, float,
                   Complex128, Complex64) {
  const Index n = kernels::kMaxLaneOrder + 1;  // below, lanes give other last bits than expm
  const auto A = random_matrix<T>(n, n, 0.7, 200), E = random_matrix<T>(n, n, 1, 201);
  const auto jvp = run(Operation::jvp, n, A.data(), E.data(), 1);
  const Result<T> expected = derivative(Operation::jvp, A, E);
  CHECK(jvp.X == expected.X.data());
  CHECK(jvp.result == expected.L.data());
  CHECK(run(Operation::expm, n, A.data(), {}, 0).X == value(A).X.data());
  CHECK(run(Operation::vjp, n, A.data(), E.data(), 1).result == derivative(Operation::vjp, A, E).L.data());
}

TEST_CASE_TEMPLATE("options reach the plan and the computation", T, double, float, Complex128, Complex64) {
  const Index n = kernels::kMaxLaneOrder + 1;
  const auto A = shifted(random_matrix<T>(n, n, 1, 202), T(9));
  const auto job = [&](const Options& options) {
    return Job{.operation = Operation::expm,
               .dtype = dtype_of<T>(),
               .options = options,
               .n = n,
               .count = 1,
               .A = A.data().data()};
  };
  for (Method method : {Method::automatic, Method::polynomial, Method::pade})
    for (Choice shift : {Choice::automatic, Choice::never, Choice::always})
      for (Choice balance : {Choice::automatic, Choice::never, Choice::always}) {
        const Options options{method, shift, balance};
        const Plan planned = plan_batch(job(options)).front(), expected = plan(A, Purpose::value, options);
        CHECK(planned.scheme == (method == Method::pade ? Scheme::pade : Scheme::polynomial));
        CHECK((planned.shift == 0.0) == (shift == Choice::never));
        CHECK(planned.balanced == (balance == Choice::always));
        CHECK(planned.degree == expected.degree);
        CHECK(planned.squarings == expected.squarings);
        CHECK(planned.alpha == expected.alpha);
        BasicMatrix<T> X(n, n);
        Job whole = job(options);
        whole.X = X.data().data();
        CHECK(run_batch(whole) == std::vector{Status::ok});
        CHECK(X == value(A, options).X);
      }
}

TEST_CASE("plan_batch plans for the operation's purpose") {
  const Matrix B(2, 2, {0, 1.6, -1.6, 0});  // between ell and theta
  const auto squarings = [&](Operation operation) {
    return plan_batch({.operation = operation, .options = {}, .n = 2, .count = 1, .A = B.data().data()})
        .front()
        .squarings;
  };
  CHECK(squarings(Operation::expm) == 0);
  CHECK(squarings(Operation::jvp) == 1);
  CHECK(squarings(Operation::vjp) == 1);
  CHECK(squarings(Operation::cond) == 1);
}

TEST_CASE("more directions than go through at once give what each gives alone, and none still gives the value") {
  const Index n = 64, K = 19, size = n * n;
  const auto A = mixed_stack<double>(n, 1, 30), E = mixed_stack<double>(n, K, 31);
  for (Operation operation : {Operation::jvp, Operation::vjp}) {
    const auto all = run(operation, n, A, E, K);
    for (Index k = 0; k < K; ++k)
      CHECK(slice(all.result, k * size, size) == run(operation, n, A, slice(E, k * size, size), 1).result);
    CHECK(run(operation, n, A, {}, 0).X == all.X);
  }
}

TEST_CASE("a bad direction in a later group costs its own derivative alone") {
  const Index n = 64, K = 19, size = n * n;
  const auto A = mixed_stack<double>(n, 1, 30), good = mixed_stack<double>(n, K, 31);
  auto E = good;
  E.back() = std::numeric_limits<double>::quiet_NaN();
  const auto expected = run(Operation::jvp, n, A, good, K), outcome = run(Operation::jvp, n, A, E, K);
  CHECK(outcome.statuses.size() == K);
  CHECK(outcome.statuses.back() == Status::not_finite);
  CHECK(std::count(outcome.statuses.begin(), outcome.statuses.end(), Status::ok) == K - 1);
  CHECK(outcome.X == expected.X);
  CHECK(slice(outcome.result, 0, (K - 1) * size) == slice(expected.result, 0, (K - 1) * size));
  CHECK(all_nan(slice(outcome.result, (K - 1) * size, size)));
}

TEST_CASE_TEMPLATE("one bad matrix gets NaN and its status, and changes no other's bits", T, double, float, Complex128,
                   Complex64) {
  const Index n = 4, count = 9, size = n * n;
  const auto good = mixed_stack<T>(n, count, 7), E = mixed_stack<T>(n, count, 70);
  auto bad = good;
  bad[static_cast<std::size_t>(4 * size + 5)] = T(std::numeric_limits<Real<T>>::infinity());
  for (Index i = 0; i < n; ++i) bad[static_cast<std::size_t>(7 * size + i * (n + 1))] = T(800);
  const auto all_good = run(Operation::jvp, n, good, E, 1), mixed = run(Operation::jvp, n, bad, E, 1);
  for (Index k = 0; k < count; ++k) {
    const auto status = mixed.statuses[static_cast<std::size_t>(k)];
    CHECK(status == (k == 4 ? Status::not_finite : k == 7 ? Status::overflow : Status::ok));
    if (status == Status::ok) {
      CHECK(slice(mixed.X, k * size, size) == slice(all_good.X, k * size, size));
      CHECK(slice(mixed.result, k * size, size) == slice(all_good.result, k * size, size));
    } else {
      CHECK(all_nan(slice(mixed.X, k * size, size)));
      CHECK(all_nan(slice(mixed.result, k * size, size)));
    }
  }
}

TEST_CASE("empty batches and matrices of order 0 are done by doing nothing") {
  CHECK(run<double>(Operation::expm, 3, {}, {}, 0).statuses.empty());
  for (DType dtype : {DType::float64, DType::float32, DType::complex128, DType::complex64})
    for (Operation operation : {Operation::expm, Operation::jvp, Operation::vjp, Operation::cond}) {
      CHECK(run_batch({.operation = operation, .dtype = dtype, .options = {}, .n = 3, .count = 0}).empty());
      CHECK(plan_batch({.operation = operation, .dtype = dtype, .options = {}, .n = 3, .count = 0}).empty());
    }
  // Of any order: nothing is got to work in.
  CHECK(run_batch({.options = {}, .n = blas::kMaxOrder, .count = 0}).empty());
  CHECK(plan_batch({.options = {}, .n = blas::kMaxOrder, .count = 0}).empty());
  CHECK(run_batch({.options = {}, .n = 0, .count = Index(1) << 50}).empty());
  CHECK(plan_batch({.options = {}, .n = 0, .count = 2}).size() == 2);
}

}  // namespace matfun::test
