#include "linalg/view.hpp"

#include <doctest/doctest.h>

#include <complex>
#include <limits>

#include "matrix.hpp"

namespace matfun::test {

TEST_CASE("conjugate_transpose transposes each block of a stack") {
  const Matrix A(2, 4, {1, 2, 3, 4, 5, 6, 7, 8});
  Matrix B(2, 4);
  conjugate_transpose<double>(A.view(), B.view());
  CHECK(B == Matrix(2, 4, {1, 3, 2, 4, 5, 7, 6, 8}));
}

TEST_CASE("conjugate_transpose conjugates complex entries") {
  using Complex = std::complex<double>;
  Complex a[] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}}, b[4];
  conjugate_transpose<Complex>(square<const Complex>(a, 2), square(b, 2));
  CHECK(b[0] == Complex(1, -2));
  CHECK(b[1] == Complex(5, -6));
  CHECK(b[2] == Complex(3, -4));
}

TEST_CASE("all_finite finds one bad entry anywhere") {
  for (Index at = 0; at < 6; ++at) {
    Matrix A = random_matrix(2, 3, 1, 7);
    CHECK(all_finite<double>(A.view()));
    A.view().data[at] =
        at % 2 == 0 ? std::numeric_limits<double>::quiet_NaN() : -std::numeric_limits<double>::infinity();
    CHECK(!all_finite<double>(A.view()));
  }
}

TEST_CASE("blocks of a stack are its square matrices in order") {
  Matrix A(2, 6, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  CHECK(A.view().blocks() == 3);
  CHECK(A.view().block(2)(1, 0) == 10);
}

}  // namespace matfun::test
