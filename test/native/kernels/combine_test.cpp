#include "kernels/combine.hpp"

#include <doctest/doctest.h>

#include "matrix.hpp"

namespace matfun::test {

TEST_CASE("combine sums any number of terms, and adds mu to each block's diagonal only") {
  const Index n = 3, K = 2;
  std::vector<Matrix> X;
  for (unsigned t = 0; t < 6; ++t) X.push_back(random_matrix(n, n * K, 1, t + 1));
  for (std::size_t count = 1; count <= 6; ++count) {
    std::vector<Term<double>> terms;
    for (std::size_t t = 0; t < count; ++t) terms.push_back({1.0 + static_cast<double>(t), X[t].view()});
    Matrix Y(n, n * K);
    combine<double>(terms, 0.25, Y.view());
    for (Index j = 0; j < n * K; ++j)
      for (Index i = 0; i < n; ++i) {
        double expected = 0;
        for (std::size_t t = 0; t < count; ++t) expected += terms[t].c * X[t](i, j);
        if (i == j % n) expected += 0.25;
        CHECK(Y(i, j) == expected);
      }
  }
}

TEST_CASE("the result may be one of the terms") {
  Matrix A(2, 2, {1, 2, 3, 4});
  const Matrix B(2, 2, {10, 20, 30, 40});
  const Term<double> terms[] = {{1, B.view()}, {2, A.view()}};
  combine<double>(terms, 0, A.view());
  CHECK(A == Matrix(2, 2, {12, 24, 36, 48}));
}

}  // namespace matfun::test
