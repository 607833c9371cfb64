#include "batch/job.hpp"

#include <algorithm>

namespace matfun {
namespace {

/// The one place where a dtype becomes a type.
template <class Body>
auto with_scalar(DType dtype, Body body) {
  switch (dtype) {
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
  /// Directions `from` to `from + count` of the k-th matrix, and where their derivatives go.
  Derivative<T> derivative(Index k, Index from, Index count) const {
    const Index at = (k * job_.directions + from) * size();
    return {stack(static_cast<const T*>(job_.direction) + at, job_.n, count),
            stack(static_cast<T*>(job_.result) + at, job_.n, count)};
  }

 private:
  Index size() const { return job_.n * job_.n; }
  const Job& job_;
};

/// How many directions go through the recurrence together. Each group evaluates the value anew, which costs a third of
/// one direction's share, and each direction takes about ten n x n matrices of workspace: up to 2^15 elements a stack,
/// and never fewer than 8.
Index directions_at_once(const Job& job) {
  return std::min(job.directions, std::max<Index>(8, (Index(1) << 15) / (job.n * job.n)));
}

template <class T>
Status run_derivative(const Job& job, Index k, Workspace& work) {
  const Items<T> items(job);
  const auto compute = job.operation == Operation::jvp ? expm_jvp<T> : expm_vjp<T>;
  const Index group = std::max<Index>(1, directions_at_once(job));
  Index from = 0;
  do {  // at least once, since the value is wanted even where there are no directions
    const Index count = std::min(group, job.directions - from);
    const Status status = compute(items.A(k), items.X(k), items.derivative(k, from, count), job.method, work);
    if (status != Status::ok) {
      fill(items.X(k), quiet_nan<T>());
      fill(items.derivative(k, 0, job.directions).result, quiet_nan<T>());
      return status;
    }
    from += count;
  } while (from < job.directions);
  return Status::ok;
}

template <class T>
Status run_item(const Job& job, Index k, Workspace& work) {
  if (job.operation != Operation::expm) return run_derivative<T>(job, k, work);
  const Items<T> items(job);
  return expm(items.A(k), items.X(k), job.method, work);
}

}  // namespace

std::vector<Status> run_batch(const Job& job) {
  std::vector<Status> statuses(static_cast<std::size_t>(job.count), Status::ok);
  if (job.count == 0 || job.n == 0) return statuses;
  return with_scalar(job.dtype, [&]<class T>() {
    Workspace work(workspace_bytes<T>(job.operation, job.n, directions_at_once(job)));
    for (Index k = 0; k < job.count; ++k) statuses[static_cast<std::size_t>(k)] = run_item<T>(job, k, work);
    return std::move(statuses);
  });
}

std::vector<Plan> plan_batch(const Job& job) {
  return with_scalar(job.dtype, [&]<class T>() {
    std::vector<Plan> plans;
    plans.reserve(static_cast<std::size_t>(job.count));
    for (Index k = 0; k < job.count; ++k)
      plans.push_back(choose_plan(Items<T>(job).A(k), purpose_of(job.operation), job.method));
    return plans;
  });
}

}  // namespace matfun
