#pragma once

#include "matrix.hpp"

/// exp and its derivative by the plainest method, in long double: what float and double are held against. A long
/// double without more digits than double (MSVC, some ARM systems) would make the tolerances of these tests too tight.
namespace matfun::test {

using Long = std::complex<long double>;
using LongMatrix = BasicMatrix<Long>;

/// A matrix and its derivative in some direction.
struct LongDual {
  LongMatrix value;
  LongMatrix tangent;
};

/// exp(A) and L(A, E): Taylor's series of degree 24 at A / 2^s of norm below 1, and its derivative, then s squarings. The
/// error is a few |A| 2^-64.
inline LongDual oracle(const LongMatrix& A, const LongMatrix& E) {
  const Index n = A.view().rows;
  int s = 0;
  while (std::ldexp(frobenius(A), -s) > 1) ++s;
  const LongMatrix B = scaled(A, std::ldexp(1.0L, -s)), dB = scaled(E, std::ldexp(1.0L, -s));
  LongDual X{identity<Long>(n), zeros<Long>(n, n)}, term = X;
  for (int k = 1; k <= 24; ++k) {
    const long double factor = 1.0L / static_cast<long double>(k);
    term.tangent = scaled(add(multiply(term.tangent, B), multiply(term.value, dB)), factor);
    term.value = scaled(multiply(term.value, B), factor);
    X = {add(X.value, term.value), add(X.tangent, term.tangent)};
  }
  for (; s > 0; --s) X = {multiply(X.value, X.value), add(multiply(X.value, X.tangent), multiply(X.tangent, X.value))};
  return X;
}

inline LongMatrix oracle_exp(const LongMatrix& A) {
  const Index n = A.view().rows;
  int s = 0;
  while (std::ldexp(frobenius(A), -s) > 1) ++s;
  const LongMatrix B = scaled(A, std::ldexp(1.0L, -s));
  LongMatrix X = identity<Long>(n), term = X;
  for (int k = 1; k <= 24; ++k) {
    term = scaled(multiply(term, B), 1.0L / static_cast<long double>(k));
    X = add(X, term);
  }
  for (; s > 0; --s) X = multiply(X, X);
  return X;
}

inline LongMatrix oracle_derivative(const LongMatrix& A, const LongMatrix& E) {
  return oracle(A, E).tangent;
}

/// |A - truth| / |truth| in the Frobenius norm.
template <class T>
double relative_error(const BasicMatrix<T>& A, const LongMatrix& truth) {
  return relative_difference(convert<Long>(A), truth);
}

}  // namespace matfun::test
