#include "kernels/matrix.hpp"

#include <doctest/doctest.h>

#include "matrix.hpp"

namespace matfun::test {

TEST_CASE_TEMPLATE("combine sums any number of terms, and adds mu to each block's diagonal only", T, double, float,
                   Complex128, Complex64) {
  using R = Real<T>;
  const Index n = 3, K = 2;
  std::vector<BasicMatrix<T>> X;
  for (unsigned t = 0; t < 6; ++t) X.push_back(random_matrix<T>(n, n * K, 1, t + 1));
  for (std::size_t count = 1; count <= 6; ++count) {
    std::vector<Term<T>> terms;
    for (std::size_t t = 0; t < count; ++t) terms.push_back({R(1) + static_cast<R>(t), X[t].view()});
    BasicMatrix<T> Y(n, n * K);
    combine<T>(terms, R(0.25), Y.view());
    for (Index j = 0; j < n * K; ++j)
      for (Index i = 0; i < n; ++i) {
        T expected = 0;
        for (std::size_t t = 0; t < count; ++t) expected += terms[t].c * X[t](i, j);
        if (i == j % n) expected += R(0.25);
        // To rounding, not to the bit: a compiler may contract one sum and not the other.
        CHECK(std::abs(Y(i, j) - expected) <= 100 * unit<T>);
      }
  }
}

TEST_CASE_TEMPLATE("the result may be one of the terms", T, double, float, Complex128, Complex64) {
  BasicMatrix<T> A(2, 2, {1, 2, 3, 4});
  const BasicMatrix<T> B(2, 2, {10, 20, 30, 40});
  const Term<T> terms[] = {{1, B.view()}, {2, A.view()}};
  combine<T>(terms, 0, A.view());
  CHECK(A == BasicMatrix<T>(2, 2, {12, 24, 36, 48}));
}

TEST_CASE_TEMPLATE("scale multiplies every element of a stack", T, double, float, Complex128, Complex64) {
  BasicMatrix<T> A(2, 4, {1, 2, 3, 4, 5, 6, 7, 8});
  scale<T>(part<T>(Complex<T>(2, 1)), A.view());
  for (Index k = 0; k < 8; ++k) CHECK(A.view().data[k] == part<T>(Complex<T>(2, 1)) * T(static_cast<Real<T>>(k + 1)));
}

}  // namespace matfun::test
