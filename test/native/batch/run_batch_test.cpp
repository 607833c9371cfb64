#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "batch/job.hpp"
#include "matrix.hpp"

namespace matfun::test {
namespace {

/// `count` matrices whose norms reach over every rung of the ladder, one after the other.
std::vector<double> mixed_stack(Index n, Index count, unsigned seed) {
  std::vector<double> all;
  for (Index k = 0; k < count; ++k) {
    const double scale = std::pow(10.0, static_cast<double>(k % 12) - 9);
    const Matrix A = random_matrix(n, n, scale, seed + static_cast<unsigned>(k));
    all.insert(all.end(), A.data().begin(), A.data().end());
  }
  return all;
}

struct Outcome {
  std::vector<Status> statuses;
  std::vector<double> X, result;
};

Outcome run(Operation operation, Index n, const std::vector<double>& A, const std::vector<double>& direction,
            Index directions) {
  Outcome outcome{{}, std::vector<double>(A.size()), std::vector<double>(direction.size())};
  const Index count = n == 0 ? 0 : static_cast<Index>(A.size()) / (n * n);
  outcome.statuses = run_batch({.operation = operation,
                                .n = n,
                                .count = count,
                                .directions = directions,
                                .A = A.data(),
                                .X = outcome.X.data(),
                                .direction = direction.data(),
                                .result = outcome.result.data()});
  return outcome;
}

std::vector<double> slice(const std::vector<double>& all, Index from, Index length) {
  return {all.begin() + from, all.begin() + from + length};
}

}  // namespace

TEST_CASE("every matrix of a batch gets the same bits as alone") {
  for (Operation operation : {Operation::expm, Operation::jvp, Operation::vjp})
    for (Index n : {1, 2, 3, 8, 19}) {
      const Index count = 24, size = n * n, K = operation == Operation::expm ? 0 : 2;
      const auto A = mixed_stack(n, count, 100), E = mixed_stack(n, count * K, 500);
      const Outcome batch = run(operation, n, A, E, K);
      for (Index k = 0; k < count; ++k) {
        const Outcome alone = run(operation, n, slice(A, k * size, size), slice(E, k * K * size, K * size), K);
        CHECK(slice(batch.X, k * size, size) == alone.X);
        CHECK(slice(batch.result, k * K * size, K * size) == alone.result);
      }
    }
}

TEST_CASE("more directions than go through at once give what each gives alone, and none still gives the value") {
  const Index n = 64, K = 19, size = n * n;
  const auto A = mixed_stack(n, 1, 30), E = mixed_stack(n, K, 31);
  for (Operation operation : {Operation::jvp, Operation::vjp}) {
    const Outcome all = run(operation, n, A, E, K);
    for (Index k = 0; k < K; ++k)
      CHECK(slice(all.result, k * size, size) == run(operation, n, A, slice(E, k * size, size), 1).result);
    CHECK(run(operation, n, A, {}, 0).X == all.X);
  }
}

TEST_CASE("a bad direction in a later group costs its own derivative alone") {
  const Index n = 64, K = 19, size = n * n;
  const auto A = mixed_stack(n, 1, 30), good = mixed_stack(n, K, 31);
  auto E = good;
  E.back() = std::numeric_limits<double>::quiet_NaN();
  const Outcome expected = run(Operation::jvp, n, A, good, K), outcome = run(Operation::jvp, n, A, E, K);
  CHECK(outcome.statuses.size() == K);
  CHECK(outcome.statuses.back() == Status::not_finite);
  CHECK(std::count(outcome.statuses.begin(), outcome.statuses.end(), Status::ok) == K - 1);
  CHECK(outcome.X == expected.X);
  CHECK(slice(outcome.result, 0, (K - 1) * size) == slice(expected.result, 0, (K - 1) * size));
  for (double x : slice(outcome.result, (K - 1) * size, size)) CHECK(std::isnan(x));
}

TEST_CASE("one bad matrix gets NaN and its status, and changes no other's bits") {
  const Index n = 4, count = 9, size = n * n;
  const auto good = mixed_stack(n, count, 7), E = mixed_stack(n, count, 70);
  auto bad = good;
  bad[static_cast<std::size_t>(4 * size + 5)] = std::numeric_limits<double>::infinity();
  for (Index i = 0; i < n; ++i) bad[static_cast<std::size_t>(7 * size + i * (n + 1))] = 800;
  const Outcome all_good = run(Operation::jvp, n, good, E, 1), mixed = run(Operation::jvp, n, bad, E, 1);
  for (Index k = 0; k < count; ++k) {
    const auto status = mixed.statuses[static_cast<std::size_t>(k)];
    CHECK(status == (k == 4 ? Status::not_finite : k == 7 ? Status::overflow : Status::ok));
    if (status == Status::ok) {
      CHECK(slice(mixed.X, k * size, size) == slice(all_good.X, k * size, size));
      CHECK(slice(mixed.result, k * size, size) == slice(all_good.result, k * size, size));
    } else {
      for (double x : slice(mixed.X, k * size, size)) CHECK(std::isnan(x));
      for (double x : slice(mixed.result, k * size, size)) CHECK(std::isnan(x));
    }
  }
}

TEST_CASE("empty batches and matrices of order 0 are done by doing nothing") {
  CHECK(run(Operation::expm, 3, {}, {}, 0).statuses.empty());
  CHECK(run_batch({.n = 0, .count = Index(1) << 50}).empty());
  CHECK(plan_batch({.n = 0, .count = 2}).size() == 2);
}

}  // namespace matfun::test
