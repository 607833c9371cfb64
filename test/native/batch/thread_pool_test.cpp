#include "batch/thread_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace matfun::test {
namespace {

using namespace std::chrono_literals;

/// Opens once, for all that wait. May be destroyed as soon as one that waited for it has seen it open.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    opened_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return is_open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;
};

/// Does `body` for each tile, and counts how often each was done.
class Counted : public TiledWork {
 public:
  Counted(Index tiles, std::function<void(Index)> body)
      : TiledWork(tiles), times_(static_cast<std::size_t>(tiles)), body_(std::move(body)) {}

  void run_tile(Index tile, ThreadMemory& memory) override {
    ++times_[static_cast<std::size_t>(tile)];
    // Writes, so that TSan would see two threads with one workspace.
    memory.provide(matrix_bytes<double>(2, 1)).take<double>(2, 1)(0, 0) = static_cast<double>(tile);
    body_(tile);
  }
  void finished() noexcept override { finished_.open(); }

  bool is_each_done_once() const {
    for (const auto& times : times_)
      if (times != 1) return false;
    return true;
  }
  Index done() const {
    Index sum = 0;
    for (const auto& times : times_) sum += times;
    return sum;
  }
  void wait() { finished_.wait(); }

 private:
  std::vector<std::atomic<int>> times_;
  std::function<void(Index)> body_;
  Gate finished_;
};

void nothing(Index) {}

}  // namespace

TEST_CASE("every tile is done once, on any number of threads") {
  ThreadPool pool;
  for (Index threads : {1, 2, 3, 8})
    for (Index tiles : {0, 1, 2, 7, 1000}) {
      Counted run(tiles, nothing), started(tiles, nothing);
      pool.start(started, threads);
      pool.run(run, threads);
      started.wait();
      CHECK(run.is_each_done_once());
      CHECK(started.is_each_done_once());
    }
}

TEST_CASE("threads are started when they are needed, and no more than that") {
  ThreadPool pool;
  CHECK(pool.size() == 0);
  Counted alone(9, nothing), single(1, nothing), few(3, nothing), many(9, nothing);
  pool.run(alone, 1);
  pool.run(single, 8);
  CHECK(pool.size() == 0);
  pool.run(few, 8);
  CHECK(pool.size() == 2);
  pool.start(many, 4);
  many.wait();
  CHECK(pool.size() == 4);
}

TEST_CASE("no more threads than were asked for work at once, and so many do") {
  ThreadPool pool;
  for (Index threads : {4, 2, 1}) {  // so that there are idle ones later
    std::atomic<Index> running = 0, most = 0;
    Counted work(40, [&](Index) {
      const Index now = ++running;
      for (Index seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      for (int k = 0; k < 10000 && most < threads; ++k) std::this_thread::sleep_for(1ms);  // for the others to come
      std::this_thread::sleep_for(100us);
      --running;
    });
    pool.run(work, threads);
    CHECK(most == threads);
  }
}

TEST_CASE("what a tile throws reaches the caller, no further tile begins, and the pool goes on") {
  ThreadPool pool;
  const auto throw_at_7 = [](Index tile) {
    if (tile == 7) throw std::bad_alloc();
    // The thread that throws may be held up between taking its tile and telling: the others must not be done by then.
    if (tile > 50) std::this_thread::sleep_for(1ms);
  };
  for (Index threads : {1, 2, 4}) {
    Counted bad(1000, throw_at_7);
    CHECK_THROWS_AS(pool.run(bad, threads), std::bad_alloc);
    CHECK(bad.done() < 1000);

    Counted started(1000, throw_at_7);
    pool.start(started, threads);
    started.wait();
    CHECK_THROWS_AS(std::rethrow_exception(started.error()), std::bad_alloc);
    CHECK(started.done() < 1000);

    Counted good(100, nothing);
    pool.run(good, threads);
    CHECK(good.is_each_done_once());
  }
}

TEST_CASE("cancelled work begins no further tile and finishes once") {
  ThreadPool pool;
  SUBCASE("while a tile runs") {
    Gate began, go;
    Counted work(100, [&](Index tile) {
      if (tile == 0) began.open();
      go.wait();
    });
    pool.start(work, 1);
    began.wait();
    pool.cancel(work);
    pool.cancel(work);
    go.open();
    work.wait();
    CHECK(work.done() == 1);
  }
  SUBCASE("before its first tile") {
    Gate began, go;
    Counted other(1, [&](Index) {
      began.open();
      go.wait();
    });
    Counted work(100, nothing);
    pool.start(other, 1);
    began.wait();
    pool.start(work, 1);
    pool.cancel(work);
    work.wait();  // at once: nothing of it runs
    go.open();
    other.wait();
    CHECK(work.done() == 0);
  }
}

TEST_CASE("work takes turns: what came later and is small ends before what is large") {
  ThreadPool pool;
  std::atomic<bool> is_small_done = false;
  Gate began;
  Counted large(1000000, [&](Index tile) {
    if (tile == 0) began.open();
    if (is_small_done) throw 0;  // enough was seen
    std::this_thread::yield();
  });
  Counted small(5, nothing);
  pool.start(large, 2);
  began.wait();
  pool.start(small, 2);
  small.wait();
  is_small_done = true;
  large.wait();
  CHECK(large.error() != nullptr);
  CHECK(small.is_each_done_once());
}

TEST_CASE("a thread that other work leaves free is woken for the rest") {
  ThreadPool pool;
  Counted warm(4, [](Index) { std::this_thread::sleep_for(1ms); });
  pool.start(warm, 2);  // two threads, which then sleep
  warm.wait();
  std::atomic<Index> running = 0;
  const auto meet = [&](Index) {
    ++running;
    for (int k = 0; k < 10000 && running < 2; ++k) std::this_thread::sleep_for(1ms);
  };
  Counted first(1, meet), second(1, meet);
  pool.start(first, 1);
  pool.start(second, 1);
  first.wait();
  second.wait();
  CHECK(running == 2);
}

TEST_CASE("many callers at once share one pool") {
  ThreadPool pool;
  std::vector<std::thread> callers;
  std::atomic<int> right = 0;
  for (int caller = 0; caller < 6; ++caller)
    callers.emplace_back([&, caller] {
      for (int round = 0; round < 200; ++round) {
        Counted run(1 + (caller + round) % 9, nothing), started(1 + round % 5, nothing), dropped(50, nothing);
        pool.start(started, 1 + round % 3);
        pool.start(dropped, 2);
        pool.run(run, 1 + caller % 4);
        pool.cancel(dropped);
        started.wait();
        dropped.wait();
        if (run.is_each_done_once() && started.is_each_done_once()) ++right;
      }
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(right == 6 * 200);
}

TEST_CASE("a pool can be started and ended again and again") {
  for (int round = 0; round < 1000; ++round) {
    ThreadPool pool;
    Counted work(4, nothing);
    pool.run(work, 3);
    CHECK(work.is_each_done_once());
  }
}

TEST_CASE("with the last user's leave the threads go, and come again when they are needed") {
  ThreadPool pool;
  for (int round = 0; round < 3; ++round) {
    Counted work(4, nothing);
    pool.enter();
    pool.enter();
    pool.run(work, 3);
    pool.leave();
    CHECK(pool.size() == 2);
    pool.leave();
    CHECK(pool.size() == 0);
  }
}

TEST_CASE("a pool that ends lets running tiles end and forgets the others") {
  Gate began, go;
  Counted work(100, [&](Index tile) {
    if (tile == 0) began.open();
    go.wait();
  });
  std::thread opener;
  {
    ThreadPool pool;
    pool.start(work, 1);
    began.wait();
    opener = std::thread([&] {
      std::this_thread::sleep_for(20ms);
      go.open();
    });
  }
  opener.join();
  CHECK(work.done() == 1);
}

TEST_CASE("a tile may run work of its own, even while the pool is being destroyed") {
  class Inner : public TiledWork {
   public:
    Inner() : TiledWork(20) {}
    void run_tile(Index, ThreadMemory&) override { ++done; }
    std::atomic<int> done = 0;
  };
  class Outer : public TiledWork {
   public:
    explicit Outer(ThreadPool& pool) : TiledWork(1), pool_(pool) {}
    void run_tile(Index, ThreadMemory&) override {
      has_begun = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the pool is closing by then
      Inner inner;
      pool_.run(inner, 4);
      done = inner.done.load();
    }
    std::atomic<bool> has_begun = false;
    std::atomic<int> done = 0;

   private:
    ThreadPool& pool_;
  };
  for (const bool ends_before : {true, false}) {
    auto pool = std::make_unique<ThreadPool>();
    Outer outer(*pool);
    pool->start(outer, 1);
    while (!outer.has_begun) std::this_thread::yield();
    if (ends_before)
      while (outer.done < 20) std::this_thread::yield();
    pool.reset();
    CHECK(outer.done == 20);
  }
}

}  // namespace matfun::test
