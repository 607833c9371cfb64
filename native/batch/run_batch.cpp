#include "batch/job.hpp"

namespace matfun {
namespace {

/// The one place where a dtype becomes a type.
template <class Body>
auto with_scalar(DType dtype, Body body) {
  switch (dtype) {
    case DType::float64: break;
  }
  return body.template operator()<double>();
}

template <class T>
class Items {
 public:
  explicit Items(const Job& job) : job_(job) {}

  View<const T> A(Index k) const { return square(static_cast<const T*>(job_.A) + k * size(), job_.n); }
  View<T> X(Index k) const { return square(static_cast<T*>(job_.X) + k * size(), job_.n); }
  Derivative<T> derivative(Index k) const {
    const Index at = k * job_.directions * size();
    return {stack(static_cast<const T*>(job_.direction) + at, job_.n, job_.directions),
            stack(static_cast<T*>(job_.result) + at, job_.n, job_.directions)};
  }

 private:
  Index size() const { return job_.n * job_.n; }
  const Job& job_;
};

template <class T>
Status run_item(const Job& job, Index k, Workspace& work) {
  const Items<T> items(job);
  switch (job.operation) {
    case Operation::expm: return expm(items.A(k), items.X(k), job.method, work);
    case Operation::jvp: return expm_jvp(items.A(k), items.X(k), items.derivative(k), job.method, work);
    case Operation::vjp: break;
  }
  return expm_vjp(items.A(k), items.X(k), items.derivative(k), job.method, work);
}

}  // namespace

std::vector<Status> run_batch(const Job& job) {
  std::vector<Status> statuses(static_cast<std::size_t>(job.count), Status::ok);
  if (job.count == 0 || job.n == 0) return statuses;
  return with_scalar(job.dtype, [&]<class T>() {
    Workspace work(workspace_bytes<T>(job.operation, job.n, job.directions));
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
