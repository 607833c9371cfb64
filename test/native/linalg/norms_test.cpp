#include "linalg/norms.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "matrix.hpp"

namespace matfun::test {

namespace {
const double inf = std::numeric_limits<double>::infinity();
const double nan = std::numeric_limits<double>::quiet_NaN();
View<const double> constant(const Matrix& A) {
  return A.view();
}
}  // namespace

TEST_CASE("the 1-norm sums columns and the infinity norm sums rows") {
  const Matrix A(2, 2, {1, -2, 3, 4});  // [1 3; -2 4]
  CHECK(one_norm(constant(A)) == 7);
  CHECK(infinity_norm(constant(A)) == 6);
  CHECK(max_abs(constant(A)) == 4);
}

TEST_CASE("plan_norm is the smaller one, the same for A and its transpose") {
  const Matrix A(2, 2, {1, -2, 3, 4});
  CHECK(plan_norm(constant(A)) == 6);
  CHECK(plan_norm(constant(transpose(A))) == 6);
}

TEST_CASE("a NaN anywhere makes every norm NaN") {
  for (Index at = 0; at < 4; ++at) {
    Matrix A(2, 2, {1, 2, 3, inf});
    A.view().data[at] = nan;
    CHECK(std::isnan(one_norm(constant(A))));
    CHECK(std::isnan(infinity_norm(constant(A))));
    CHECK(std::isnan(plan_norm(constant(A))));
  }
}

TEST_CASE("an infinite entry makes every norm infinite") {
  const Matrix A(2, 2, {1, 2, -inf, 3});
  CHECK(one_norm(constant(A)) == inf);
  CHECK(plan_norm(constant(A)) == inf);
}

TEST_CASE("the empty matrix has norm 0") {
  CHECK(plan_norm(constant(Matrix(0, 0))) == 0);
}

}  // namespace matfun::test
