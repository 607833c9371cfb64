#include <doctest/doctest.h>

#include <array>
#include <barrier>
#include <cassert>
#include <thread>
#include <vector>

#include "linalg/blas.hpp"
#include "matrix.hpp"

namespace matfun::test {
namespace {

/// All that is asked of BLAS and LAPACK of a dtype, at the order where an unguarded serial OpenBLAS is known to fail.
template <class T>
struct Calls {
  static constexpr Index n = 40;
  const BasicMatrix<T> A = random_matrix<T>(n, n, 1, 11), B = random_matrix<T>(n, n, 1, 12);

  BasicMatrix<T> product() const {
    BasicMatrix<T> C(n, n);
    blas::gemm<T>(T(1), A.view(), B.view(), T(0), C.view());
    return C;
  }

  BasicMatrix<T> solution() const {
    auto Q = shifted(A, T(4)), X = B;
    std::vector<blas::Pivot> pivots(static_cast<std::size_t>(n));
    [[maybe_unused]] const Status status = blas::lu_factor_solve<T>(Q.view(), pivots.data(), X.view());
    assert(status == Status::ok);
    blas::lu_solve<T>(Q.view(), pivots.data(), X.view());
    return X;
  }

  BasicMatrix<T> schur_form() const {
    auto S = A;
    if constexpr (kIsComplex<T>) {
      BasicMatrix<T> Q(n, n);
      std::vector<T> values(static_cast<std::size_t>(n)), work(static_cast<std::size_t>(blas::schur_work_elements(n)));
      std::vector<Real<T>> real_work(static_cast<std::size_t>(n));
      [[maybe_unused]] const bool converged =
          blas::schur(S.view(), Q.view(), values.data(), work.data(), real_work.data());
      assert(converged);
    }
    return S;
  }
};

}  // namespace

// Without the guard of blas.cpp, Debian's serial OpenBLAS 0.3.21 gives 90 to 770 wrong results of 200 000 here, on two cores.
TEST_CASE_TEMPLATE("eight threads at once get from BLAS the bits that one gets alone", T, double, float, Complex128,
                   Complex64) {
  constexpr int kThreads = 8, kRounds = 300, kProducts = 20;
  const Calls<T> calls;
  const auto product = calls.product(), solution = calls.solution(), schur_form = calls.schur_form();
  std::array<int, kThreads> wrong{};
  std::barrier together(kThreads);
  std::vector<std::thread> threads;
  for (int& mine : wrong)
    threads.emplace_back([&] {
      together.arrive_and_wait();
      for (int round = 0; round < kRounds; ++round) {
        for (int k = 0; k < kProducts; ++k) mine += calls.product() != product;
        mine += calls.solution() != solution;
        if (round % 30 == 0) mine += calls.schur_form() != schur_form;
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const int count : wrong) CHECK(count == 0);
}

}  // namespace matfun::test
