#include "batch/thread_pool.hpp"

#include <algorithm>
#include <utility>

#include "batch/floating_point.hpp"
#include "batch/huge_pages.hpp"

namespace matfun {

Workspace& ThreadMemory::grown(std::optional<Workspace>& space, std::size_t bytes) {
  if (!space || space->capacity_bytes() < bytes) {
    space.reset();  // before, so that a thread never holds both
    space.emplace(bytes);
    advise_huge_pages(space->memory(), bytes);
  }
  space->reset();
  return *space;
}

/// Its destructor runs at exit, and there before OpenBLAS's own, which takes away the memory that a running product uses.
ThreadPool& ThreadPool::shared() {
  static ThreadPool pool;
  return pool;
}

ThreadPool::~ThreadPool() {
  Lock lock(mutex_);
  is_closing_ = true;
  for (TiledWork* work : queue_) work->next_ = work->tiles_;
  queue_.clear();
  join_threads(lock);
}

void ThreadPool::run(TiledWork& work, Index threads) {
  if (work.tiles() == 0) return;
  ThreadMemory memory;
  Lock lock(mutex_);
  const Index helpers = std::min(threads, work.tiles()) - 1;
  provide_threads(helpers, 0);  // the calling thread can do it all
  add(work, threads, helpers);
  while (work.next_ < work.tiles_) do_tile(work, memory, lock);
  work.ended_.wait(lock, [&] { return work.has_ended_; });
  if (work.error_) std::rethrow_exception(work.error_);
}

void ThreadPool::start(TiledWork& work, Index threads) {
  Lock lock(mutex_);
  work.is_started_ = true;
  if (work.tiles() == 0) return end_if_done(work, lock);
  const Index helpers = std::min(threads, work.tiles());
  provide_threads(helpers, 1);
  add(work, threads, helpers);
}

void ThreadPool::cancel(TiledWork& work) {
  Lock lock(mutex_);
  if (work.next_ == work.tiles_) return;
  stop_claiming(work);
  end_if_done(work, lock);
}

void ThreadPool::enter() {
  const Lock lock(mutex_);
  ++users_;
}

void ThreadPool::leave() {
  Lock lock(mutex_);
  if (--users_ == 0) join_threads(lock);
}

Index ThreadPool::size() const {
  const Lock lock(mutex_);
  return static_cast<Index>(threads_.size());
}

void ThreadPool::add(TiledWork& work, Index threads, Index helpers) {
  work.threads_ = threads;
  queue_.push_back(&work);
  for (Index k = std::min(helpers, idle_); k > 0; --k) available_.notify_one();
}

bool ThreadPool::has_claimable() const {
  return std::ranges::any_of(queue_, [](const TiledWork* work) { return work->can_be_claimed(); });
}

/// So many threads, or fewer where no more can be started; throws why where there are then fewer than `least`.
void ThreadPool::provide_threads(Index threads, Index least) {
  if (is_closing_) return;  // a tile that is still running may run work of its own: nobody would join what it starts
  try {
    while (static_cast<Index>(threads_.size()) < threads) threads_.emplace_back(&ThreadPool::serve, this, generation_);
  } catch (const std::exception&) {
    if (static_cast<Index>(threads_.size()) < least) throw;
  }
}

void ThreadPool::join_threads(Lock& lock) {
  ++generation_;
  std::vector<std::thread> leaving = std::exchange(threads_, {});
  available_.notify_all();
  lock.unlock();
  for (std::thread& thread : leaving) thread.join();
  lock.lock();
}

void ThreadPool::serve(unsigned generation) {
  const StandardFloatingPoint mode;  // not that of the thread that started this one
  ThreadMemory memory;
  Lock lock(mutex_);
  while (generation == generation_) {
    if (TiledWork* work = next_work()) {
      do_tile(*work, memory, lock);
    } else if (memory.is_held()) {
      lock.unlock();
      memory.release();
      lock.lock();
    } else {
      ++idle_;
      available_.wait(lock);
      --idle_;
    }
  }
}

/// The work whose turn it is, which then goes to the end of the queue.
TiledWork* ThreadPool::next_work() {
  const auto found = std::ranges::find_if(queue_, [](const TiledWork* work) { return work->can_be_claimed(); });
  if (found == queue_.end()) return nullptr;
  queue_.splice(queue_.end(), queue_, found);
  return *found;
}

void ThreadPool::do_tile(TiledWork& work, ThreadMemory& memory, Lock& lock) {
  const Index tile = work.next_++;
  ++work.running_;
  if (work.next_ == work.tiles_) stop_claiming(work);
  // Who left other work for this may have left a place there that a sleeping thread can take.
  if (idle_ > 0 && has_claimable()) available_.notify_one();
  lock.unlock();
  std::exception_ptr error;
  try {
    work.run_tile(tile, memory);
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  --work.running_;
  if (error) {
    if (!work.error_) work.error_ = std::move(error);
    stop_claiming(work);
  }
  end_if_done(work, lock);
}

void ThreadPool::stop_claiming(TiledWork& work) {
  work.next_ = work.tiles_;
  std::erase(queue_, &work);
}

void ThreadPool::end_if_done(TiledWork& work, Lock& lock) {
  if (work.next_ < work.tiles_ || work.running_ > 0 || work.has_ended_) return;
  work.has_ended_ = true;
  if (!work.is_started_) {
    work.ended_.notify_all();  // under the lock: the work may be gone as soon as its owner has it
  } else if (!is_closing_) {
    lock.unlock();
    work.finished();
    lock.lock();
  }
}

}  // namespace matfun
