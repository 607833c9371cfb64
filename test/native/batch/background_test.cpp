#include "batch/background.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "batch/stacks.hpp"
#include "batch/thread_pool.hpp"

namespace matfun::test {
namespace {

/// An owner that sleeps until something happened.
class Owner {
 public:
  /// The events from now to the end of so many jobs.
  std::vector<Background::Event> events_until(std::size_t ends) {
    std::vector<Background::Event> all;
    while (ends > 0) {
      {
        std::unique_lock lock(mutex_);
        woken_.wait(lock, [this] { return is_woken_; });
        is_woken_ = false;
      }
      while (auto event = background.collect()) {
        if (event->has_ended) --ends;
        all.push_back(std::move(*event));
      }
    }
    return all;
  }

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  bool is_woken_ = false;

 public:
  Background background{[this] {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
    woken_.notify_one();
  }};
};

Stacks stacks_of(Operation operation, Index n, Index count, Index threads) {
  Stacks stacks(operation, DType::float64, n, count, operation == Operation::expm ? 0 : 1);
  stacks.job.threads = threads;
  return stacks;
}

}  // namespace

TEST_CASE("a job in the background gives the bits and statuses that it gives in the foreground") {
  Owner owner;
  for (Operation operation : {Operation::expm, Operation::vjp}) {
    Stacks expected = stacks_of(operation, 5, 500, 1);
    expected.spoil(7);
    Stacks stacks = expected;
    const auto statuses = run_batch(expected.job);
    stacks.job.threads = 2;
    const auto id = owner.background.start(stacks.job, {}, false);
    const auto events = owner.events_until(1);
    REQUIRE(events.size() == 1);
    CHECK(events[0].id == id);
    CHECK(events[0].share == 1);
    CHECK(events[0].statuses == statuses);
    CHECK(owner.background.size() == 0);
    CHECK(stacks.has_same_results(expected));
  }
}

TEST_CASE("inputs that are copied may change as soon as the job was started") {
  for (Index directions : {1, 100}) {  // more than one piece of the copy, and several groups of directions
    Stacks expected(Operation::jvp, DType::float64, directions == 1 ? 6 : 64, directions == 1 ? 7500 : 1, directions);
    Stacks stacks = expected;
    run_batch(expected.job);
    stacks.job.threads = 2;
    Owner owner;
    owner.background.start(stacks.job, {.A = true, .direction = true}, false);
    stacks.clear_inputs();
    CHECK(owner.events_until(1).front().statuses.empty());
    CHECK(stacks.has_same_results(expected));
  }
}

TEST_CASE("progress grows to 1, and is told seldom") {
  Stacks stacks = stacks_of(Operation::expm, 40, 600, 2);
  Owner owner;
  const auto start = std::chrono::steady_clock::now();
  owner.background.start(stacks.job, {}, true);
  const auto events = owner.events_until(1);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  CHECK(static_cast<double>(events.size()) <= seconds.count() * 20 + 1);
  double last = 0;
  for (const auto& event : events) {
    CHECK(event.share >= last);
    last = event.share;
  }
  CHECK(last == 1);
}

TEST_CASE("a job that is cancelled before its turn does nothing, and its memory is free then") {
  /// Keeps every thread of the shared pool busy.
  class Blocker : public TiledWork {
   public:
    Blocker() : TiledWork(8) {}
    void run_tile(Index, ThreadMemory&) override { is_over.wait(false); }
    void finished() noexcept override { has_finished.test_and_set(); }
    std::atomic_flag is_over, has_finished;
  } blocker;
  ThreadPool::shared().start(blocker, blocker.tiles());
  {
    Owner owner;
    std::vector<Stacks> many(20, stacks_of(Operation::expm, 12, 300, 2));
    Stacks untouched = many.front();
    untouched.put_in_place(true, false);
    for (auto& stacks : many) owner.background.cancel(owner.background.start(stacks.job, {.A = true}, false));
    owner.background.cancel(12345);  // nobody
    CHECK(owner.background.size() == many.size());
    for (const auto& event : owner.events_until(many.size())) CHECK(event.share == 0);
    for (const auto& stacks : many) CHECK(stacks.has_same_results(untouched));
    owner.background.start(many.front().job, {}, false);  // and one that its owner takes along
  }
  blocker.is_over.test_and_set();
  blocker.is_over.notify_all();
  while (!blocker.has_finished.test()) std::this_thread::yield();
}

TEST_CASE("an owner that goes takes its jobs along and leaves others' alone") {
  Owner staying;
  Stacks stays = stacks_of(Operation::expm, 6, 3000, 2);
  staying.background.start(stays.job, {}, true);
  for (int round = 0; round < 10; ++round) {
    std::vector<Stacks> goes(10, stacks_of(Operation::expm, 12, 200, 2));
    Owner going;
    for (auto& stacks : goes) going.background.start(stacks.job, {}, true);
    if (round % 2 == 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }  // then memory that tiles would write to is gone: AddressSanitizer sees one that does
  CHECK(staying.events_until(1).back().share == 1);
}

TEST_CASE("in a storm of owners that cancel at all moments and go, each other job has its bits") {
  Stacks expected = stacks_of(Operation::vjp, 6, 400, 1);
  const Stacks given = expected;
  run_batch(expected.job);
  std::atomic<int> wrong = 0, cut = 0;
  const auto storm = [&](int from) {
    for (int round = from; round < from + 12; ++round) {
      std::vector<Stacks> many(12, given);
      Owner owner;
      std::vector<Background::Id> left;  // never cancelled, in order
      for (int k = 0; k < 12; ++k) {
        Stacks& stacks = many[static_cast<std::size_t>(k)];
        stacks.job.threads = 1 + k % 3;
        const auto id = owner.background.start(stacks.job, {}, k % 2 == 0);
        if ((round + k) % 3 == 0) left.push_back(id);
        if ((round + k) % 3 == 1) owner.background.cancel(id);
        if ((round + k) % 3 == 2) {
          std::this_thread::sleep_for(std::chrono::microseconds(50 * (k % 5)));
          owner.background.cancel(id);
          owner.background.cancel(id);
        }
      }
      if (round % 4 == 3) continue;  // the owner goes, and takes along what is not over
      for (const auto& event : owner.events_until(many.size())) {
        const bool is_left = std::ranges::find(left, event.id) != left.end();
        if (event.has_ended && event.share < 1) ++(is_left ? wrong : cut);
      }
      for (int k = 0; k < 12; ++k)
        if ((round + k) % 3 == 0 && !many[static_cast<std::size_t>(k)].has_same_results(expected)) ++wrong;
    }
  };
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k) threads.emplace_back(storm, 12 * k);
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(cut > 0);
}

}  // namespace matfun::test
