#include "linalg/view.hpp"

#include <doctest/doctest.h>

#include <complex>
#include <limits>

#include "matrix.hpp"

namespace matfun::test {

TEST_CASE_TEMPLATE("all_finite finds one bad entry anywhere", T, double, float, Complex128, Complex64) {
  using Limits = std::numeric_limits<Real<T>>;
  for (Index at = 0; at < 6; ++at)
    for (Real<T> bad : {Limits::quiet_NaN(), -Limits::infinity()}) {
      auto A = random_matrix<T>(2, 3, 1, 7);
      CHECK(all_finite<T>(A.view()));
      A.view().data[at] = T(bad);
      CHECK(!all_finite<T>(A.view()));
      if constexpr (kIsComplex<T>) {
        A.view().data[at] = T(0, bad);
        CHECK(!all_finite<T>(A.view()));
      }
    }
}

TEST_CASE("blocks of a stack are its square matrices in order") {
  Matrix A(2, 6, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  CHECK(A.view().blocks() == 3);
  CHECK(A.view().block(2)(1, 0) == 10);
}

TEST_CASE_TEMPLATE("scale_by_power is exact, also where 2^exponent itself is out of range", T, double, float,
                   Complex128, Complex64) {
  using Limits = std::numeric_limits<Real<T>>;
  auto A = random_matrix<T>(3, 3, 1, 8);
  for (int exponent : {0, 1, -1, 7, -30, 60}) {
    auto B = A;
    scale_by_power(B.view(), exponent);
    CHECK(B == scaled(A, std::ldexp(Real<T>(1), exponent)));
  }
  const int far = Limits::max_exponent + 20;  // 2^far is infinite
  BasicMatrix<T> tiny(1, 2, {T(Limits::min()), T(3 * Limits::min())});
  scale_by_power(tiny.view(), far);
  CHECK(tiny(0, 0) == T(std::ldexp(Real<T>(1), Limits::min_exponent - 1 + far)));
  CHECK(tiny(0, 1) == T(3) * tiny(0, 0));
  BasicMatrix<T> huge(1, 1, {T(std::ldexp(Real<T>(3), Limits::max_exponent - 3))});
  scale_by_power(huge.view(), -2 * Limits::max_exponent + 10);  // 2^exponent is 0
  CHECK(huge(0, 0) == T(std::ldexp(Real<T>(3), 7 - Limits::max_exponent)));
}

TEST_CASE_TEMPLATE("triangular matrices are told by any one entry on the other side", T, double, float, Complex128,
                   Complex64) {
  const Index n = 4;
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) {
      auto A = identity<T>(n);
      CHECK(is_upper_triangular<T>(A.view()));
      CHECK(is_lower_triangular<T>(A.view()));
      A(i, j) = std::numeric_limits<Real<T>>::denorm_min();
      CHECK(is_upper_triangular<T>(A.view()) == (i <= j));
      CHECK(is_lower_triangular<T>(A.view()) == (i >= j));
    }
}

}  // namespace matfun::test
