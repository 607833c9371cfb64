#include <doctest/doctest.h>

#include "expm/compute.hpp"
#include "expm/paths.hpp"

namespace matfun::test {
namespace {

constexpr std::size_t kRoom_bytes = 1 << 18;

template <class T>
std::size_t most_written(Operation operation, Index n, Index K) {
  std::size_t most = 0;
  const auto E = random_matrix<T>(n, n * K, std::is_same_v<Real<T>, double> ? 1e-290 : 1e-34, 17);
  std::vector<Status> each(static_cast<std::size_t>(K));
  on_every_path<T>(n, [&](const BasicMatrix<T>& A, const Options& options) {
    Watched watched(kRoom_bytes);
    BasicMatrix<T> X(n, n), L(n, n * K);
    double condition = 0;
    if (operation == Operation::expm) (void)expm<T>(A.view(), X.view(), options, watched.work());
    if (operation == Operation::jvp)
      (void)expm_jvp<T>(A.view(), X.view(), {E.view(), L.view(), each.data()}, options, watched.work());
    if (operation == Operation::vjp)
      (void)expm_vjp<T>(A.view(), X.view(), {E.view(), L.view(), each.data()}, options, watched.work());
    if (operation == Operation::cond) (void)expm_condition<T>(A.view(), condition, options, watched.work());
    CHECK(watched.work().used_bytes() == 0);
    most = std::max(most, watched.written_bytes());
  });
  return most;
}

/// What reduction_bytes holds for a triangular matrix, and for one whose powers are looked at, beside a Schur form: no
/// matrix takes both.
template <class T>
std::size_t spare_of_reduction(Index n) {
  return matrix_bytes<T>(n, n) + matrix_bytes<Real<T>>(n, 1) + 2 * matrix_bytes<Complex<T>>(n, 1);
}

}  // namespace

TEST_CASE_TEMPLATE("reduction_bytes covers what every reduction takes, and is not lavish", T, double, float, Complex128,
                   Complex64) {
  for (Index n : {2, 5, 9}) {
    std::size_t most = 0;
    on_every_path<T>(n, [&](const BasicMatrix<T>& A, const Options& options) {
      for (Purpose purpose : {Purpose::value, Purpose::derivative}) {
        Workspace work(kRoom_bytes);
        (void)reduce<T>(A.view(), purpose, options, work);
        most = std::max(most, work.used_bytes());
      }
    });
    CAPTURE(n);
    CHECK(most <= reduction_bytes<T>(n));
    if (n > 2) CHECK(most + spare_of_reduction<T>(n) >= reduction_bytes<T>(n));
  }
}

TEST_CASE_TEMPLATE("workspace_bytes covers what every path takes, and is not lavish", T, double, float, Complex128,
                   Complex64) {
  // So many directions that one stack of them is more than all that is spare together.
  const Index n = 5, K = 12;
  for (Operation operation : {Operation::expm, Operation::jvp, Operation::vjp}) {
    const Index directions = operation == Operation::expm ? 0 : K;
    const std::size_t most = most_written<T>(operation, n, directions);
    const std::size_t bytes = workspace_bytes<T>(operation, n, directions);
    CAPTURE(static_cast<int>(operation));
    CHECK(most <= bytes);
    // The square is known before, the plan with the most elements never has an odd number of squarings in double, and
    // what the pullback transposes the tangent has not.
    const std::size_t stack = matrix_bytes<Complex<T>>(n, n * directions), value = matrix_bytes<Complex<T>>(n, n);
    const std::size_t once = std::is_same_v<Real<T>, double> ? value + (directions > 0 ? stack : 0) : 0;
    const std::size_t transposed = operation == Operation::jvp ? 2 * matrix_bytes<T>(n, n * directions) : 0;
    CHECK(most + spare_of_reduction<T>(n) + value + once + transposed + 2 * kStagger_bytes >= bytes);
  }
}

TEST_CASE_TEMPLATE("workspace_bytes covers what few directions take, and none", T, double, float, Complex128,
                   Complex64) {
  for (Index n : {5, 8, 9})
    for (Index K : {0, 1})
      for (Operation operation : {Operation::jvp, Operation::vjp}) {
        CAPTURE(n);
        CAPTURE(K);
        CHECK(most_written<T>(operation, n, K) <= workspace_bytes<T>(operation, n, K));
      }
}

TEST_CASE_TEMPLATE("condition_workspace_bytes covers what every path takes", T, double, float, Complex128, Complex64) {
  for (Index n : {1, 2, 3, 5}) {
    const std::size_t most = most_written<T>(Operation::cond, n, 0), bytes = condition_workspace_bytes<T>(n);
    CAPTURE(n);
    CHECK(most <= bytes);
    if (n > 2) CHECK(4 * most >= 3 * bytes);
  }
}

}  // namespace matfun::test
