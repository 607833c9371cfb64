#include <doctest/doctest.h>

#include <cstring>

#include "expm/compute.hpp"
#include "expm/gallery.hpp"

namespace matfun::test {
namespace {

/// Workspace of more than enough, all of one pattern, so that afterwards it shows how far it was written.
class Watched {
 public:
  explicit Watched(std::size_t room) : work_(room) {
    pattern_ = work_.take<std::uint64_t>(static_cast<Index>(room / 8) - 64, 1);
    fill(pattern_, kUntouched);
    work_.reset();
  }

  Workspace& work() { return work_; }

  /// Bytes from the beginning to the last that was written; at most those that were taken, less the last padding.
  std::size_t written_bytes() const {
    Index last = pattern_.rows;
    while (last > 0 && pattern_(last - 1, 0) == kUntouched) --last;
    return static_cast<std::size_t>(last) * 8;
  }

 private:
  static constexpr std::uint64_t kUntouched = 0x7ff4'dead'beef'cafe;
  Workspace work_;
  View<std::uint64_t> pattern_;
};

constexpr std::size_t kRoom_bytes = 1 << 18;

/// Every option there is.
std::vector<Options> choices() {
  std::vector<Options> all;
  for (Method method : {Method::polynomial, Method::pade})
    for (Choice shift : {Choice::automatic, Choice::always})
      for (Choice balance : {Choice::automatic, Choice::never, Choice::always}) all.push_back({method, shift, balance});
  return all;
}

/// H A H with a reflection H, so that no diagonal similarity can undo what A is.
template <class T>
BasicMatrix<T> hidden(const BasicMatrix<T>& A) {
  const Index n = A.view().rows;
  auto H = identity<T>(n);
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) H(i, j) -= T(static_cast<Real<T>>(2.0 / static_cast<double>(n)));
  return multiply(multiply(H, A), H);
}

/// Matrices that take every path: full, triangular, Schur, shifted, balanced, huge.
template <class T>
std::vector<BasicMatrix<T>> gallery(Index n) {
  const double huge = std::is_same_v<Real<T>, double> ? 1e280 : 1e33;
  std::vector<BasicMatrix<T>> all;
  for (double scale : {1e-20, 1e-10, 1e-5, 0.01, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, huge, 2 * huge}) {
    const auto A = random_matrix<T>(n, n, scale, 15);
    all.push_back(A);
    all.push_back(shifted(A, T(static_cast<Real<T>>(100 * scale))));
    all.push_back(random_triangle<T>(n, scale, scale, 16));
    const auto strong = hidden(scaled(strongly_non_normal<T>(n, 18), static_cast<Real<T>>(scale)));
    all.push_back(strong);
    all.push_back(shifted(strong, T(static_cast<Real<T>>(1000 * scale))));
  }
  return all;
}

template <class T>
std::size_t most_written(Operation operation, Index n, Index K) {
  std::size_t most = 0;
  const auto E = random_matrix<T>(n, n * K, std::is_same_v<Real<T>, double> ? 1e-290 : 1e-34, 17);
  std::vector<Status> each(static_cast<std::size_t>(K));
  for (const auto& A : gallery<T>(n))
    for (const Options& options : choices()) {
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
    }
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
    for (const auto& A : gallery<T>(n))
      for (const Options& options : choices())
        for (Purpose purpose : {Purpose::value, Purpose::derivative, Purpose::condition}) {
          Workspace work(kRoom_bytes);
          (void)reduce<T>(A.view(), purpose, options, work);
          most = std::max(most, work.used_bytes());
        }
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
