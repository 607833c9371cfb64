#include "batch/job.hpp"

#include <algorithm>

namespace matfun {
namespace {

/// The one place where a dtype becomes a type.
template <class Body>
auto with_scalar(DType dtype, Body body) {
  switch (dtype) {
    case DType::float32:
      return body.template operator()<float>();
    case DType::complex128:
      return body.template operator()<std::complex<double>>();
    case DType::complex64:
      return body.template operator()<std::complex<float>>();
    case DType::float64:
      break;
  }
  return body.template operator()<double>();
}

template <class T>
class Items {
 public:
  explicit Items(const Job& job) : job_(job) {}

  View<const T> A(Index k) const { return square(static_cast<const T*>(job_.A) + k * size(), job_.n); }
  View<T> X(Index k) const { return square(static_cast<T*>(job_.X) + k * size(), job_.n); }
  /// Directions `from` to `from + count` of the k-th matrix, and where their derivatives and statuses go.
  Derivative<T> derivative(Index k, Index from, Index count, std::vector<Status>& statuses) const {
    const Index at = k * job_.directions + from;
    return {stack(static_cast<const T*>(job_.direction) + at * size(), job_.n, count),
            stack(static_cast<T*>(job_.result) + at * size(), job_.n, count), statuses.data() + at};
  }

 private:
  Index size() const { return job_.n * job_.n; }
  const Job& job_;
};

/// How many directions go through the recurrence together. Each group evaluates the value anew, which costs half of
/// what one direction does, and each direction takes about ten n x n matrices of workspace: up to 2^15 elements a stack,
/// and never fewer than 8.
Index directions_at_once(const Job& job) {
  return std::min(job.directions, std::max<Index>(8, (Index(1) << 15) / (job.n * job.n)));
}

template <class T>
void run_derivative(const Job& job, Index k, std::vector<Status>& statuses, Workspace& work) {
  const Items<T> items(job);
  const auto compute = job.operation == Operation::jvp ? expm_jvp<T> : expm_vjp<T>;
  const Index group = std::max<Index>(1, directions_at_once(job));
  Index from = 0;
  do {  // at least once, since the value is wanted even where there are no directions
    const Index count = std::min(group, job.directions - from);
    const Status value = compute(items.A(k), items.X(k), items.derivative(k, from, count, statuses), job.options, work);
    if (job.directions == 0) statuses[static_cast<std::size_t>(k)] = value;
    from += count;
  } while (from < job.directions);
}

/// Of the row-major matrix: the 1-norm, unlike all else, is not the same for the transpose; for the conjugate it is.
template <class T>
Status run_condition(View<const T> A, double& condition, const Options& options, Workspace& work) {
  const View<T> transposed = work.take<T>(A.rows, A.rows);
  conjugate_transpose(A, transposed);
  return expm_condition<T>(transposed, condition, options, work);
}

template <class T>
void run_item(const Job& job, Index k, std::vector<Status>& statuses, Workspace& work) {
  const Items<T> items(job);
  Status& status = statuses[static_cast<std::size_t>(k)];
  switch (job.operation) {
    case Operation::expm:
      status = expm(items.A(k), items.X(k), job.options, work);
      break;
    case Operation::cond:
      status = run_condition<T>(items.A(k), static_cast<double*>(job.X)[k], job.options, work);
      break;
    case Operation::jvp:
    case Operation::vjp:
      run_derivative<T>(job, k, statuses, work);
      break;
  }
}

template <class T>
std::size_t workspace_bytes(const Job& job) {
  if (job.operation == Operation::cond) return matrix_bytes<T>(job.n, job.n) + condition_workspace_bytes<T>(job.n);
  return workspace_bytes<T>(job.operation, job.n, directions_at_once(job));
}

}  // namespace

std::vector<Status> run_batch(const Job& job) {
  if (job.count == 0 || job.n == 0) return {};
  const Index each = std::max<Index>(1, job.directions);
  std::vector<Status> statuses(static_cast<std::size_t>(job.count * each), Status::ok);
  return with_scalar(job.dtype, [&]<class T>() {
    Workspace work(workspace_bytes<T>(job));
    for (Index k = 0; k < job.count; ++k) run_item<T>(job, k, statuses, work);
    return std::move(statuses);
  });
}

std::vector<Plan> plan_batch(const Job& job) {
  return with_scalar(job.dtype, [&]<class T>() {
    std::vector<Plan> plans;
    plans.reserve(static_cast<std::size_t>(job.count));
    Workspace work(reduction_bytes<T>(job.n));
    for (Index k = 0; k < job.count; ++k) {
      plans.push_back(reduce(Items<T>(job).A(k), purpose_of(job.operation), job.options, work).plan);
      work.reset();
    }
    return plans;
  });
}

}  // namespace matfun
