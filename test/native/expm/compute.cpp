#include "expm/compute.hpp"

namespace matfun::test {

template <class T>
Result<T> value(const BasicMatrix<T>& A, const Options& options) {
  const Index n = A.view().rows;
  Workspace work(workspace_bytes<T>(Operation::expm, n, 0));
  BasicMatrix<T> X(n, n);
  const Status status = expm<T>(A.view(), X.view(), options, work);
  return {status, X, BasicMatrix<T>(0, 0)};
}

template <class T>
Result<T> derivative(Operation operation, const BasicMatrix<T>& A, const BasicMatrix<T>& E, const Options& options) {
  const Index n = A.view().rows;
  Workspace work(workspace_bytes<T>(operation, n, E.view().blocks()));
  BasicMatrix<T> X(n, n), L(n, E.view().columns);
  const auto compute = operation == Operation::jvp ? expm_jvp<T> : expm_vjp<T>;
  std::vector<Status> each(static_cast<std::size_t>(E.view().blocks()), Status::singular);
  const Status status = compute(A.view(), X.view(), {E.view(), L.view(), each.data()}, options, work);
  return {status, X, L, each};
}

template <class T>
double condition(const BasicMatrix<T>& A, const Options& options) {
  Workspace work(condition_workspace_bytes<T>(A.view().rows));
  double result = -1;
  const Status status = expm_condition<T>(A.view(), result, options, work);
  return status == Status::ok ? result : std::numeric_limits<double>::quiet_NaN();
}

template <class T>
Plan plan(const BasicMatrix<T>& A, Purpose purpose, const Options& options) {
  Workspace work(reduction_bytes<T>(A.view().rows));
  return reduce<T>(A.view(), purpose, options, work).plan;
}

template Result<double> value(const BasicMatrix<double>&, const Options&);
template Result<double> derivative(Operation, const BasicMatrix<double>&, const BasicMatrix<double>&, const Options&);
template double condition(const BasicMatrix<double>&, const Options&);
template Plan plan(const BasicMatrix<double>&, Purpose, const Options&);
template Result<float> value(const BasicMatrix<float>&, const Options&);
template Result<float> derivative(Operation, const BasicMatrix<float>&, const BasicMatrix<float>&, const Options&);
template double condition(const BasicMatrix<float>&, const Options&);
template Plan plan(const BasicMatrix<float>&, Purpose, const Options&);
template Result<Complex128> value(const BasicMatrix<Complex128>&, const Options&);
template Result<Complex128> derivative(Operation, const BasicMatrix<Complex128>&, const BasicMatrix<Complex128>&,
                                       const Options&);
template double condition(const BasicMatrix<Complex128>&, const Options&);
template Plan plan(const BasicMatrix<Complex128>&, Purpose, const Options&);
template Result<Complex64> value(const BasicMatrix<Complex64>&, const Options&);
template Result<Complex64> derivative(Operation, const BasicMatrix<Complex64>&, const BasicMatrix<Complex64>&,
                                      const Options&);
template double condition(const BasicMatrix<Complex64>&, const Options&);
template Plan plan(const BasicMatrix<Complex64>&, Purpose, const Options&);

}  // namespace matfun::test
