#pragma once

#include <atomic>
#include <vector>

#include "batch/job.hpp"
#include "batch/thread_pool.hpp"

namespace matfun {

/// How many directions of one matrix go through the recurrence together. Each group evaluates the value anew, which costs half of
/// what one direction does, and each direction takes about ten n x n matrices of workspace: up to 2^15 elements a stack,
/// and never fewer than 8.
Index directions_at_once(const Job& job);

/// How a job is cut up. Items are matrices, or, where one meets more directions than go through the recurrence together,
/// a matrix with one group of its directions. Depends on the job's sizes alone, never on threads.
struct Tiling {
  Index groups = 1;          ///< of directions for each matrix
  Index items = 0;           ///< in all
  Index items_per_tile = 1;  ///< the last tile may have fewer
  double nanoseconds = 0;    ///< that the whole job takes on one thread, to within a small factor

  /// False where there is less to do than it takes to wake a thread.
  bool is_worth_threads() const;
  Index tiles() const { return (items + items_per_tile - 1) / items_per_tile; }
};
Tiling tiling_of(const Job& job);
/// With groups of so many directions. Not for order 0.
Tiling tiling_of(const Job& job, Index group);

/// What so many matrices of the job take.
std::size_t bytes_of(const Job& job, Index matrices);

/// To be called before the outputs are written for the first time: makes that cheaper where they are large.
void expect_outputs(const Job& job);

/// A job as tiles. Its arrays must live until its tiles have ended.
class BatchWork : public TiledWork {
 public:
  /// Throws std::bad_alloc where there is no room for the statuses.
  explicit BatchWork(const Job& job);
  /// With another tiling's items_per_tile.
  BatchWork(const Job& job, const Tiling& tiling);

  /// Where the job is in place, what the tile reads is copied to the thread's own memory first.
  void run_tile(Index tile, ThreadMemory& memory) override;

  /// Items whose tiles have ended.
  Index items_done() const { return items_done_.load(std::memory_order_relaxed); }
  Index items() const { return tiling_.items; }
  /// Those that run_batch returns; good once the work has ended.
  std::vector<Status>& statuses() { return statuses_; }

 private:
  /// Matrices [first, first + count), each with its directions [from, from + directions).
  struct Part {
    Index first, count, from, directions;
  };
  template <class T>
  void run_part(const Part& part, ThreadMemory& memory);

  Job job_;
  Tiling tiling_;
  std::vector<Status> statuses_;
  std::vector<std::atomic<Index>> groups_done_;  ///< of each matrix, where there are several
  std::size_t workspace_bytes_ = 0;
  std::atomic<Index> items_done_ = 0;
};

}  // namespace matfun
