#include "batch/linearization.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <numeric>

#include "batch/batch_work.hpp"
#include "batch/call_memory.hpp"
#include "batch/pool_team.hpp"
#include "batch/with_scalar.hpp"
#include "expm/linearize.hpp"

namespace matfun {
namespace {

/// Items in tiles, each with a workspace of so many bytes. Body: void(Index item, Workspace&), for different items at once.
template <class Body>
class Items : public TiledWork {
 public:
  Items(const Tiling& tiling, std::size_t workspace_bytes, const Body& body)
      : TiledWork(tiling.tiles()), tiling_(tiling), workspace_bytes_(workspace_bytes), body_(body) {}

  void run_tile(Index tile, ThreadMemory& memory) override {
    const Index first = tile * tiling_.items_per_tile;
    const Index end = std::min(tiling_.items, first + tiling_.items_per_tile);
    for (Index item = first; item < end; ++item) body_(item, memory.provide(workspace_bytes_));
  }

 private:
  const Tiling& tiling_;
  std::size_t workspace_bytes_;
  const Body& body_;
};

/// Does body for each item of the job's tiling; on the calling thread where there is little to do, which a team may help.
template <class Body>
void for_each_item(const Job& job, const Tiling& tiling, std::size_t workspace_bytes, const Body& body) {
  if (job.threads > 1 && tiling.is_worth_threads()) {
    Items<Body> items(tiling, workspace_bytes, body);
    return ThreadPool::shared().run(items, job.threads);
  }
  CallMemory memory;
  for (Index item = 0; item < tiling.items; ++item) {
    Workspace& work = memory.provide(workspace_bytes);
    const Helped helped(job.threads, job.n, work);
    body(item, work);
  }
}

/// How many directions of one matrix go through the recurrence together: so many that what they take stays in the caches. More
/// would save nothing but calls, since there is no value to be computed for them.
Index most_directions_at_once(Index n) {
  return std::max<Index>(1, (Index(1) << 13) / (n * n));
}

/// The tapes of matrices.
template <class T>
class KeptTapes : public Linearization {
 public:
  KeptTapes(const Job& job, std::vector<Status>& statuses)
      : made_of_(job), items_(static_cast<std::size_t>(job.count)) {
    const std::size_t bytes = workspace_bytes<T>(Operation::expm, job.n, 0);
    for_each_item(job, tiling_of(job), bytes, [&](Index k, Workspace& work) {
      const View<const T> A = square(static_cast<const T*>(job.A) + k * size(), job.n);
      const View<T> X = square(static_cast<T*>(job.X) + k * size(), job.n);
      statuses[at(k)] = expm_linearize<T>(A, X, job.options, items_[at(k)], work);
    });
    made_of_.A = made_of_.X = nullptr;
  }

  std::vector<Status> run(const Job& given) const override {
    Job job = given;
    job.dtype = made_of_.dtype;
    job.n = made_of_.n;
    job.count = made_of_.count;
    return job.operation == Operation::cond ? conditions(job) : derivatives(job);
  }

  std::size_t held_bytes() const override {
    return std::accumulate(items_.begin(), items_.end(), items_.size() * sizeof(Linearized<T>),
                           [](std::size_t sum, const Linearized<T>& item) { return sum + item.held_bytes(); });
  }

 private:
  static std::size_t at(Index k) { return static_cast<std::size_t>(k); }
  Index size() const { return made_of_.n * made_of_.n; }

  std::vector<Status> derivatives(const Job& job) const {
    std::vector<Status> statuses(at(job.count * job.directions));
    if (statuses.empty()) return statuses;
    const Index group = std::min(job.directions, most_directions_at_once(job.n));
    const Tiling tiling = tiling_of(job, group);
    const auto compute = job.operation == Operation::jvp ? linearized_jvp<T> : linearized_vjp<T>;
    for_each_item(job, tiling, linearized_workspace_bytes<T>(job.n, group), [&](Index item, Workspace& work) {
      const Index k = item / tiling.groups, from = item % tiling.groups * group;
      const Index count = std::min(group, job.directions - from), place = k * job.directions + from;
      compute(items_[at(k)],
              {stack(static_cast<const T*>(job.direction) + place * size(), job.n, count),
               stack(static_cast<T*>(job.result) + place * size(), job.n, count), statuses.data() + place},
              work);
    });
    return statuses;
  }

  std::vector<Status> conditions(const Job& job) const {
    std::vector<Status> statuses(at(job.count));
    const std::size_t bytes = linearized_condition_workspace_bytes<T>(job.n);
    for_each_item(job, tiling_of(job), bytes, [&](Index k, Workspace& work) {
      statuses[at(k)] = linearized_condition<T>(items_[at(k)], job.n, static_cast<double*>(job.X)[k], work);
    });
    return statuses;
  }

  Job made_of_;  ///< its arrays are no longer known
  std::vector<Linearized<T>> items_;
};

/// The matrices themselves.
class KeptMatrices : public Linearization {
 public:
  KeptMatrices(const Job& job, std::vector<Status>& statuses) : made_of_(job), A_(bytes_of(job, job.count)) {
    if (!A_.empty()) std::memcpy(A_.data(), job.A, A_.size());  // an empty array may lie at no place
    made_of_.A = A_.data();                                     // also where A is shared and may change meanwhile
    statuses = run_batch(made_of_);
    made_of_.X = nullptr;
  }

  std::vector<Status> run(const Job& given) const override {
    Job job = made_of_;
    job.operation = given.operation;
    job.directions = given.directions;
    job.threads = given.threads;
    job.direction = given.direction;
    job.result = given.result;
    job.X = given.X;
    if (job.operation == Operation::cond) return run_batch(job);
    if (job.directions == 0) return {};
    // For a few matrices, one array is cheaper than what each tile would need.
    constexpr std::size_t kFew_bytes = 1 << 16;
    std::vector<std::byte> values(A_.size() <= kFew_bytes ? A_.size() : 0);
    job.X = values.empty() ? nullptr : values.data();
    return run_batch(job);
  }

  std::size_t held_bytes() const override { return A_.size(); }

 private:
  Job made_of_;
  std::vector<std::byte> A_;
};

}  // namespace

std::unique_ptr<Linearization> linearize(const Job& job, std::vector<Status>& statuses) {
  assert(job.operation == Operation::jvp && job.directions == 0 && job.n > 0);
  statuses.assign(static_cast<std::size_t>(job.count), Status::ok);
  if (job.n <= kernels::kMaxLaneOrder) return std::make_unique<KeptMatrices>(job, statuses);
  return with_scalar(job.dtype, [&]<class T>() -> std::unique_ptr<Linearization> {
    return std::make_unique<KeptTapes<T>>(job, statuses);
  });
}

}  // namespace matfun
