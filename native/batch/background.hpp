#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "batch/condition_variable.hpp"
#include "batch/job.hpp"

namespace matfun {

/// Jobs that run on the pool's threads while their owner does something else. All of it is for the owner's thread, but
/// that `wake` is called by threads of the pool.
class Background {
 public:
  using Id = std::uint64_t;

  /// What became of a job since it was last collected.
  struct Event {
    Id id = 0;
    bool has_ended = false;
    double share = 0;              ///< of the items that are done; at the end less than 1 where the job was cut short
    std::vector<Status> statuses;  ///< as run_batch returns them, or none where all are ok
    std::exception_ptr error;      ///< std::bad_alloc, where there was not enough memory
  };

  /// Which inputs are taken as they are when the job is started: copied to where their results will be, so that it takes
  /// no memory. The others must stay as they are meanwhile.
  struct Copies {
    bool A = false;  ///< not for cond
    bool direction = false;
  };

  /// `wake`: called when there is something to collect, and not again before all was collected.
  explicit Background(std::function<void()> wake);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Begins a job. Its outputs, and the inputs that are not copied, must live until its end was collected.
  /// reports: whether events tell of its progress, at most every 50 ms.
  /// Throws std::bad_alloc or std::system_error (no thread), and then has begun nothing.
  Id start(const Job& job, Copies copies, bool reports);

  /// Begins no further tile of a job; its end comes as an event as ever, with a share below 1. Nothing where it has ended.
  void cancel(Id id);

  /// What became of the next of the jobs of which there is something new; nothing where there is none. Where it is the job's end, its
  /// memory is the owner's again. Allocates nothing, so that no end can be lost.
  std::optional<Event> collect();

  /// Cancels all jobs and waits for those of their tiles that are running. Nothing wakes the owner any more.
  void close();

  /// Jobs whose end was not yet collected.
  std::size_t size() const { return running_.size(); }

 private:
  class Running;

  std::function<void()> wake_;
  std::unordered_map<Id, std::unique_ptr<Running>> running_;
  Id last_id_ = 0;

  std::mutex mutex_;
  std::condition_variable all_ended_;
  // Guarded by it.
  Running* first_noted_ = nullptr;  ///< those of which there is something new, each once, as a list
  Running* last_noted_ = nullptr;
  std::size_t unfinished_ = 0;
  bool is_closing_ = false;
};

}  // namespace matfun
