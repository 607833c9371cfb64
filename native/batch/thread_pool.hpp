#pragma once

#include <cstddef>
#include <exception>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "batch/condition_variable.hpp"

#include "linalg/workspace.hpp"

namespace matfun {

/// What one thread works in. It grows to what the thread's tiles need and is given back when there is nothing to do.
class ThreadMemory {
 public:
  /// An empty workspace of at least so many bytes, good until the next call. Throws std::bad_alloc.
  Workspace& provide(std::size_t bytes) { return grown(work_, bytes); }
  /// Another, for copies of what a tile reads.
  Workspace& provide_for_copies(std::size_t bytes) { return grown(copies_, bytes); }
  void release() {
    work_.reset();
    copies_.reset();
  }
  bool is_held() const { return work_.has_value() || copies_.has_value(); }

 private:
  static Workspace& grown(std::optional<Workspace>& space, std::size_t bytes);

  std::optional<Workspace> work_, copies_;
};

/// Work cut into tiles, which may be done in any order and by several threads at once.
class TiledWork {
 public:
  explicit TiledWork(Index tiles) : tiles_(tiles) {}
  virtual ~TiledWork() = default;
  TiledWork(const TiledWork&) = delete;
  TiledWork& operator=(const TiledWork&) = delete;

  /// Does one tile. Each is done once, unless one throws: then no further tile begins.
  virtual void run_tile(Index tile, ThreadMemory& memory) = 0;
  /// For work that was started, not run: comes once, when no tile runs any more and none will, from the thread that saw
  /// that. The pool does not touch the work afterwards. Must not throw.
  virtual void finished() noexcept {}

  Index tiles() const { return tiles_; }
  /// The first of what tiles threw; null where none did. Good once the work has ended.
  const std::exception_ptr& error() const { return error_; }

 private:
  friend class ThreadPool;
  // All guarded by the pool's lock.
  Index tiles_;
  Index next_ = 0;
  Index running_ = 0;
  Index threads_ = 1;
  bool is_started_ = false;
  bool has_ended_ = false;
  std::exception_ptr error_;
  std::condition_variable ended_;

  bool can_be_claimed() const { return next_ < tiles_ && running_ < threads_; }
};

/// Threads that do tiles. They are started when they are first needed, sleep when there is nothing to do, and share their time
/// among all work that is at hand: each takes the next tile of the work whose turn it is.
class ThreadPool {
 public:
  /// That of the process.
  static ThreadPool& shared();

  ThreadPool() = default;
  /// Lets the tiles that are running end, begins no other, and joins all threads; no `finished` comes any more.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Does the work on up to `threads` threads at once, of which the calling one is one; fewer where no more can be started.
  /// Rethrows the first of what its tiles throw. Throws std::bad_alloc where the work cannot be queued.
  void run(TiledWork& work, Index threads);

  /// Begins the work on up to `threads` threads of the pool. It must live until `finished` has come.
  /// Throws std::system_error or std::bad_alloc where there is no thread and none can be started, and std::bad_alloc where the work
  /// cannot be queued; then it has not begun.
  void start(TiledWork& work, Index threads);

  /// Begins no further tile of started work. `finished` comes when the last of its running tiles ends, or before this
  /// returns where none runs. Does nothing where no tile is left to begin.
  void cancel(TiledWork& work);

  /// Whoever uses the pool says so and says when that is over; with the last one's leave the threads are joined. Work may
  /// be run all the same, by threads that then stay.
  void enter();
  void leave();

  /// How many threads there are now, besides those that call.
  Index size() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  void add(TiledWork& work, Index threads, Index helpers);
  bool has_claimable() const;
  void provide_threads(Index threads, Index least);
  void join_threads(Lock& lock);
  void serve(unsigned generation);
  TiledWork* next_work();
  void do_tile(TiledWork& work, ThreadMemory& memory, Lock& lock);
  void stop_claiming(TiledWork& work);
  void end_if_done(TiledWork& work, Lock& lock);

  mutable std::mutex mutex_;
  std::condition_variable available_;
  std::list<TiledWork*> queue_;  ///< all that has tiles left to begin; the front one's turn is next
  std::vector<std::thread> threads_;
  Index idle_ = 0;
  Index users_ = 0;
  unsigned generation_ = 0;  ///< threads of an earlier one go
  bool is_closing_ = false;
};

}  // namespace matfun
