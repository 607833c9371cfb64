#include <algorithm>
#include <cmath>

#include "batch/batch_work.hpp"
#include "batch/call_memory.hpp"
#include "batch/huge_pages.hpp"
#include "batch/pool_team.hpp"
#include "batch/with_scalar.hpp"
#include "expm/lanes.hpp"
#include "expm/linearize.hpp"

namespace matfun {
namespace {

template <class T>
class Items {
 public:
  explicit Items(const Job& job) : job_(job) {}

  View<const T> A(Index k) const { return square(static_cast<const T*>(job_.A) + k * size(), job_.n); }
  View<T> X(Index k) const { return square(static_cast<T*>(job_.X) + k * size(), job_.n); }
  /// Directions `from` to `from + count` of the k-th matrix, and where their derivatives and statuses go.
  Derivative<T> derivative(Index k, Index from, Index count, std::span<Status> statuses) const {
    const Index at = k * job_.directions + from;
    return {stack(static_cast<const T*>(job_.direction) + at * size(), job_.n, count),
            stack(static_cast<T*>(job_.result) + at * size(), job_.n, count), statuses.data() + at};
  }

 private:
  Index size() const { return job_.n * job_.n; }
  const Job& job_;
};

template <class T>
void run_derivative(const Job& job, Index k, std::span<Status> statuses, Workspace& work) {
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

/// Of a generator, which is one as it lies: transposed, its columns would not sum to 0.
template <class T>
Status run_generator_condition(View<const T> A, double& condition, const Options& options, Workspace& work) {
  std::vector<T> X(static_cast<std::size_t>(A.rows * A.rows));
  Linearized<T> kept;
  static_cast<void>(expm_linearize<T>(A, square(X.data(), A.rows), options, kept, work));
  return linearized_condition<T>(kept, A.rows, condition, work);
}

/// Of the row-major matrix: the 1-norm, unlike all else, is not the same for the transpose; for the conjugate it is.
template <class T>
Status run_condition(View<const T> A, double& condition, const Options& options, Workspace& work) {
  if (options.structure == Structure::generator) return run_generator_condition(A, condition, options, work);
  const View<T> transposed = work.take<T>(A.rows, A.rows);
  conjugate_transpose(A, transposed);
  return expm_condition<T>(transposed, condition, options, work);
}

template <class T>
void run_item(const Job& job, Index k, std::span<Status> statuses, Workspace& work) {
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
  if (job.operation == Operation::cond)
    return std::max({matrix_bytes<T>(job.n, job.n) + condition_workspace_bytes<T>(job.n),
                     workspace_bytes<T>(Operation::expm, job.n, 0), linearized_condition_workspace_bytes<T>(job.n)});
  const std::size_t one = workspace_bytes<T>(job.operation, job.n, directions_at_once(job));
  if (!lanes_serve(job.operation, job.options, job.n)) return one;
  return std::max(one, lane_workspace_bytes<T>(job.n, job.directions));
}

/// One direction of one matrix, whose value is done already.
template <class T>
void run_direction(const Job& job, Index k, Index direction, std::span<Status> statuses, Workspace& work) {
  const Items<T> items(job);
  std::vector<T> X(static_cast<std::size_t>(job.n * job.n));
  const auto compute = job.operation == Operation::jvp ? expm_jvp<T> : expm_vjp<T>;
  static_cast<void>(
      compute(items.A(k), square(X.data(), job.n), items.derivative(k, direction, 1, statuses), job.options, work));
}

/// Items [first, first + count) of the job, all with all their directions. statuses: of the whole job. work:
/// workspace_bytes<T>(job), empty.
template <class T>
void run_tile(const Job& job, Index first, Index count, std::span<Status> statuses, Workspace& work) {
  if (!lanes_serve(job.operation, job.options, job.n)) {
    for (Index k = first; k < first + count; ++k) run_item<T>(job, k, statuses, work);
    return;
  }
  std::vector<LeftItem> left;
  run_lanes<T>({job.operation, job.options, job.n, job.directions, static_cast<const T*>(job.A), static_cast<T*>(job.X),
                static_cast<const T*>(job.direction), static_cast<T*>(job.result)},
               first, count, left, work);
  for (const auto& [item, direction] : left) {
    if (direction == LeftItem::kWhole)
      run_item<T>(job, item, statuses, work);
    else
      run_direction<T>(job, item, direction, statuses, work);
  }
}

/// Does the job on the calling thread, which a team may help. statuses: all ok.
void run_here(const Job& job, std::span<Status> statuses) {
  with_scalar(job.dtype, [&]<class T>() {
    CallMemory memory;
    Workspace& work = memory.provide(workspace_bytes<T>(job));
    const Helped helped(job.threads, job.n, work);
    run_tile<T>(job, 0, job.count, statuses, work);
  });
}

/// All ok, one for each result.
std::vector<Status> statuses_of(const Job& job) {
  const Index each = std::max<Index>(1, job.directions);
  return std::vector<Status>(static_cast<std::size_t>(job.n == 0 ? 0 : job.count * each), Status::ok);
}

/// True where tiles have to be given memory beside the job's arrays.
bool takes_copies(const Job& job) {
  return job.A == job.X || job.X == nullptr || (job.directions > 0 && job.direction == job.result);
}

/// A copy of so many matrices of order n in memory that is taken from `copies`.
template <class T>
const T* copy_of(const T* from, Index n, Index matrices, Workspace& copies) {
  T* const to = copies.take<T>(n * n, matrices).data;
  std::copy_n(from, n * n * matrices, to);
  return to;
}

constexpr double kTile_ns = 1e5;          // long beside a lock, short beside what an abort may wait for
constexpr double kTile_bytes = 1 << 18;   // of A: a few times what lanes take in at once
constexpr double kWorthThreads_ns = 5e4;  // waking a thread takes 5 to 50 us

/// What one item takes, to within a small factor: one thread of a Zen 4 does values of order 2 to 128 in about
/// n^2 (n / 4 + 0.8) ns, whatever the engine that is best there.
double item_nanoseconds(const Job& job, Index directions) {
  const double n = static_cast<double>(job.n);
  const bool is_complex = job.dtype == DType::complex128 || job.dtype == DType::complex64;
  const double value = n * n * (n / 4 + 0.8) * (is_complex ? 4 : 1);
  if (job.operation == Operation::cond) return 30 * value;
  return value * (1 + 2 * static_cast<double>(directions));
}

}  // namespace

Index directions_at_once(const Job& job) {
  return std::min(job.directions, std::max<Index>(8, (Index(1) << 15) / (job.n * job.n)));
}

Tiling tiling_of(const Job& job) {
  if (job.n == 0) return {};
  return tiling_of(job, std::max<Index>(1, directions_at_once(job)));
}

Tiling tiling_of(const Job& job, Index group) {
  if (job.count == 0) return {};
  const Index groups = std::max<Index>(1, (job.directions + group - 1) / group);
  const Index items = job.count * groups;
  const double each = item_nanoseconds(job, std::min(group, job.directions));
  const double bytes = static_cast<double>(job.n * job.n) * 8;
  auto most = static_cast<Index>(std::max(1.0, std::min(kTile_ns / each, kTile_bytes / bytes)));
  if (most >= 64) most = most / 64 * 64;  // so that tiles of tiny matrices fill SIMD lanes
  return {groups, items, most, each * static_cast<double>(items)};
}

std::size_t bytes_of(const Job& job, Index matrices) {
  return with_scalar(job.dtype,
                     [&]<class T>() { return static_cast<std::size_t>(job.n * job.n * matrices) * sizeof(T); });
}

void expect_outputs(const Job& job) {
  if (job.operation == Operation::cond) return;
  if (job.X != nullptr) advise_huge_pages(job.X, bytes_of(job, job.count));
  advise_huge_pages(job.result, bytes_of(job, job.count * job.directions));
}

bool Tiling::is_worth_threads() const {
  return tiles() > 1 && nanoseconds > kWorthThreads_ns;
}

BatchWork::BatchWork(const Job& job) : BatchWork(job, tiling_of(job)) {}

BatchWork::BatchWork(const Job& job, const Tiling& tiling)
    : TiledWork(tiling.tiles()),
      job_(job),
      tiling_(tiling),
      statuses_(statuses_of(job)),
      groups_done_(static_cast<std::size_t>(tiling.groups > 1 ? job.count : 0)) {
  if (tiling.items > 0) workspace_bytes_ = with_scalar(job.dtype, [&]<class T>() { return workspace_bytes<T>(job); });
}

void BatchWork::run_tile(Index tile, ThreadMemory& memory) {
  const Index first = tile * tiling_.items_per_tile;
  const Index count = std::min(tiling_.items_per_tile, tiling_.items - first);
  with_scalar(job_.dtype, [&]<class T>() {
    if (tiling_.groups == 1) return run_part<T>({first, count, 0, job_.directions}, memory);
    const Index group = directions_at_once(job_);
    for (Index item = first; item < first + count; ++item) {
      const Index from = item % tiling_.groups * group;
      run_part<T>({item / tiling_.groups, 1, from, std::min(group, job_.directions - from)}, memory);
    }
  });
  items_done_.fetch_add(count, std::memory_order_relaxed);
}

template <class T>
void BatchWork::run_part(const Part& part, ThreadMemory& memory) {
  const auto [first, count, from, directions] = part;
  const bool is_group = tiling_.groups > 1;
  const Index n = job_.n, size = n * n, at = first * job_.directions + from;
  Job own = job_;
  own.count = count;
  own.directions = directions;
  own.A = static_cast<const T*>(job_.A) + first * size;
  own.direction = static_cast<const T*>(job_.direction) + at * size;
  own.result = static_cast<T*>(job_.result) + at * size;
  T* X = nullptr;
  if (job_.operation == Operation::cond)
    own.X = static_cast<double*>(job_.X) + first;
  else if (job_.X != nullptr)
    own.X = X = static_cast<T*>(job_.X) + first * size;

  const bool copies_A = own.A == own.X, copies_direction = directions > 0 && own.direction == own.result;
  if (is_group || copies_A || copies_direction || own.X == nullptr) {
    Workspace& copies =
        memory.provide_for_copies(2 * matrix_bytes<T>(size, count) + matrix_bytes<T>(size, count * directions));
    if (copies_A) own.A = copy_of(static_cast<const T*>(own.A), n, count, copies);
    if (copies_direction) own.direction = copy_of(static_cast<const T*>(own.direction), n, count * directions, copies);
    if (is_group || own.X == nullptr) own.X = copies.take<T>(size, count).data;
  }
  std::vector<Status> statuses = statuses_of(own);
  Workspace& work = memory.provide(workspace_bytes_);
  own.threads = tiles() == 1 ? job_.threads : 1;
  const Helped helped(own.threads, n, work);
  matfun::run_tile<T>(own, 0, count, statuses, work);
  std::ranges::copy(statuses, statuses_.begin() + (directions == 0 ? first : at));
  // Each group computes the value anew. The one that ends last writes it: in place, the others have read A by then.
  if (is_group && X != nullptr && groups_done_[static_cast<std::size_t>(first)].fetch_add(1) == tiling_.groups - 1)
    std::copy_n(static_cast<const T*>(own.X), size, X);
}

std::vector<Status> run_batch(const Job& job) {
  const Tiling tiling = tiling_of(job);
  if (tiling.items == 0) return {};
  expect_outputs(job);
  const Index threads = tiling.is_worth_threads() ? job.threads : 1;
  if (threads > 1 || takes_copies(job)) {
    BatchWork work(job, tiling);
    ThreadPool::shared().run(work, threads);
    return std::move(work.statuses());
  }
  std::vector<Status> statuses = statuses_of(job);
  run_here(job, statuses);
  return statuses;
}

Status run_one(const Job& job) {
  Status status = Status::ok;
  run_here(job, {&status, 1});
  return status;
}

std::vector<Plan> plan_batch(const Job& job) {
  return with_scalar(job.dtype, [&]<class T>() {
    std::vector<Plan> plans;
    if (job.count == 0) return plans;  // of the largest order, say: its workspace would be 240 GB
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
