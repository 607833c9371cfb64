#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <span>

#include "linalg/view.hpp"

namespace matfun {

/// c X, one term of a linear combination.
template <class T>
struct Term {
  Real<T> c;
  View<const T> X;
};

namespace detail {

/// Y = sum of exactly `terms` terms, and Y before where `onto`, in one pass, so that each matrix is read once and Y written once.
template <int terms, class T>
void combine_fixed(const Term<T>* sum, View<T> Y, bool onto) {
  for (Index j = 0; j < Y.columns; ++j) {
    std::array<const T*, terms> x;
    for (int t = 0; t < terms; ++t) x[static_cast<std::size_t>(t)] = sum[t].X.column(j);
    T* y = Y.column(j);
    for (Index i = 0; i < Y.rows; ++i) {
      T total = sum[0].c * x[0][i];
      for (int t = 1; t < terms; ++t) total += sum[t].c * x[static_cast<std::size_t>(t)][i];
      y[i] = onto ? total + y[i] : total;
    }
  }
}

}  // namespace detail

/// X = c X.
template <class T>
void scale(T c, View<T> X) {
  for (Index j = 0; j < X.columns; ++j)
    for (Index i = 0; i < X.rows; ++i) X(i, j) *= c;
}

/// Y = sum c_t X_t, and Y before where `onto`, for any leading dimensions.
/// terms 1 to 6, each X_t of Y's shape.
/// Y     may be one of the X_t: each element is read before it is written.
template <class T>
void combine_by_columns(std::span<const Term<T>> terms, View<T> Y, bool onto) {
  switch (terms.size()) {
    case 1:
      return detail::combine_fixed<1>(terms.data(), Y, onto);
    case 2:
      return detail::combine_fixed<2>(terms.data(), Y, onto);
    case 3:
      return detail::combine_fixed<3>(terms.data(), Y, onto);
    case 4:
      return detail::combine_fixed<4>(terms.data(), Y, onto);
    case 5:
      return detail::combine_fixed<5>(terms.data(), Y, onto);
    case 6:
      return detail::combine_fixed<6>(terms.data(), Y, onto);
    default:
      assert(false && "a linear combination has 1 to 6 terms");
  }
}

}  // namespace matfun
