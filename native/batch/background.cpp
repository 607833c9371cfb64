#include "batch/background.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "batch/batch_work.hpp"

namespace matfun {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenReports{50};
constexpr std::size_t kCopy_bytes = std::size_t(1) << 21;

/// A copy as tiles, since the first touch of new memory takes longer than the copying, and threads can share it.
class CopyWork : public TiledWork {
 public:
  CopyWork(const void* from, void* to, std::size_t bytes)
      : TiledWork(static_cast<Index>((bytes + kCopy_bytes - 1) / kCopy_bytes)),
        from_(static_cast<const std::byte*>(from)),
        to_(static_cast<std::byte*>(to)),
        bytes_(bytes) {}

  void run_tile(Index tile, ThreadMemory&) override {
    const std::size_t at = static_cast<std::size_t>(tile) * kCopy_bytes;
    std::memcpy(to_ + at, from_ + at, std::min(kCopy_bytes, bytes_ - at));
  }

 private:
  const std::byte* from_;
  std::byte* to_;
  std::size_t bytes_;
};

void copy(const void* from, void* to, std::size_t bytes, Index threads) {
  CopyWork work(from, to, bytes);
  ThreadPool::shared().run(work, threads);
}

}  // namespace

class Background::Running : public BatchWork {
 public:
  Running(Background& owner, Id own_id, const Job& job, bool reports)
      : BatchWork(job),
        id(own_id),
        owner_(owner),
        reports_(reports),
        reported_(Clock::now().time_since_epoch().count()) {}

  void run_tile(Index tile, ThreadMemory& memory) override {
    BatchWork::run_tile(tile, memory);
    if (!reports_) return;
    const auto now = Clock::now().time_since_epoch().count();
    auto last = reported_.load(std::memory_order_relaxed);
    if (now - last < Clock::duration(kBetweenReports).count() || !reported_.compare_exchange_strong(last, now)) return;
    const std::lock_guard lock(owner_.mutex_);
    note();
  }

  void finished() noexcept override {
    is_all_ok = std::ranges::all_of(statuses(), [](Status status) { return status == Status::ok; });
    const std::lock_guard lock(owner_.mutex_);
    has_ended = true;
    note();
    // Under the lock, because the owner may be gone as soon as it sees this.
    if (--owner_.unfinished_ == 0) owner_.all_ended_.notify_all();
  }

  const Id id;
  // Guarded by the owner's lock.
  bool is_noted = false;
  bool has_ended = false;
  bool is_all_ok = true;
  Running* next_noted = nullptr;

  double share() const { return items() == 0 ? 1 : static_cast<double>(items_done()) / static_cast<double>(items()); }

 private:
  void note() {
    if (is_noted || owner_.is_closing_) return;
    is_noted = true;
    const bool is_first = owner_.first_noted_ == nullptr;
    (is_first ? owner_.first_noted_ : owner_.last_noted_->next_noted) = this;
    owner_.last_noted_ = this;
    if (is_first) owner_.wake_();
  }

  Background& owner_;
  const bool reports_;
  std::atomic<Clock::rep> reported_;
};

Background::Background(std::function<void()> wake) : wake_(std::move(wake)) {}

Background::~Background() {
  close();
}

void Background::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  for (auto& [id, job] : running_) ThreadPool::shared().cancel(*job);
  std::unique_lock lock(mutex_);
  all_ended_.wait(lock, [this] { return unfinished_ == 0; });
}

Background::Id Background::start(const Job& job, Copies copies, bool reports) {
  const Id id = ++last_id_;
  Job own = job;
  expect_outputs(job);
  if (copies.A) {
    copy(job.A, job.X, bytes_of(job, job.count), job.threads);
    own.A = job.X;
  }
  if (copies.direction) {
    copy(job.direction, job.result, bytes_of(job, job.count * job.directions), job.threads);
    own.direction = job.result;
  }
  const auto added = running_.emplace(id, std::make_unique<Running>(*this, id, own, reports)).first;
  Running& running = *added->second;
  try {
    {
      const std::lock_guard lock(mutex_);
      ++unfinished_;
    }
    ThreadPool::shared().start(running, job.threads);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    --unfinished_;
    running_.erase(added);
    throw;
  }
  return id;
}

void Background::cancel(Id id) {
  if (const auto found = running_.find(id); found != running_.end()) ThreadPool::shared().cancel(*found->second);
}

std::optional<Background::Event> Background::collect() {
  Event event;
  {
    const std::lock_guard lock(mutex_);
    Running* const job = first_noted_;
    if (job == nullptr) return std::nullopt;
    first_noted_ = std::exchange(job->next_noted, nullptr);
    job->is_noted = false;
    event.id = job->id;
    event.has_ended = job->has_ended;
    event.share = job->share();
  }
  if (!event.has_ended) return event;
  const auto found = running_.find(event.id);
  event.error = found->second->error();
  if (!found->second->is_all_ok) event.statuses = std::move(found->second->statuses());
  running_.erase(found);
  return event;
}

}  // namespace matfun
