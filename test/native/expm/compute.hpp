#pragma once

#include "expm/condition.hpp"
#include "matrix.hpp"

/// The core's functions on matrices that own their memory. Instantiated once, in compute.cpp: compiling the core for four
/// scalars is most of what building a test takes.
namespace matfun::test {

template <class T>
struct Result {
  Status status;
  BasicMatrix<T> X;
  BasicMatrix<T> L;
  std::vector<Status> each{};
};

template <class T>
Result<T> value(const BasicMatrix<T>& A, const Options& options = {});

template <class T>
Result<T> derivative(Operation operation, const BasicMatrix<T>& A, const BasicMatrix<T>& E,
                     const Options& options = {});

/// NaN where it cannot be done.
template <class T>
double condition(const BasicMatrix<T>& A, const Options& options = {});

template <class T>
Plan plan(const BasicMatrix<T>& A, Purpose purpose = Purpose::value, const Options& options = {});

}  // namespace matfun::test
