#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <system_error>
#include <thread>

#include "batch/allocation.hpp"
#include "batch/background.hpp"
#include "batch/linearization.hpp"
#include "batch/stacks.hpp"
#include "batch/thread_pool.hpp"
#include "linalg/blas_room.hpp"

namespace matfun::test {
namespace {

/// A call whose allocations fail: returns its statuses, or throws for want of memory.
using Call = std::function<std::vector<Status>()>;
using Judge = std::function<bool(const std::vector<Status>&)>;

/// While this lives the pool has threads; they are started by the first work, and joined at the end with all that they have.
class PoolUser {
 public:
  PoolUser() { ThreadPool::shared().enter(); }
  ~PoolUser() { ThreadPool::shared().leave(); }
};

/// What became of a call of which an allocation failed.
struct Outcome {
  bool has_thrown = false;
  bool is_right = false;
  long allocations = 0;
};

/// is_right  of the statuses, whether they and what was written are as they should be.
Outcome outcome_of(const Call& call, const Judge& is_right, allocation::Failing failing) {
  Outcome outcome;
  const PoolUser user;
  allocation::fail(failing);
  try {
    const std::vector<Status> statuses = call();
    outcome.allocations = allocation::succeed();
    outcome.is_right = is_right(statuses);
  } catch (const std::bad_alloc&) {
    outcome.allocations = allocation::succeed();
    outcome.has_thrown = true;
  }
  return outcome;
}

constexpr long kNone = 1L << 40;

/// Has each allocation of the call fail in turn, by itself and with all that follow, until it needs no more. Then the call throws
/// std::bad_alloc, or does without and is right; nothing that it got is left over; and the next call is right.
void fail_each(const Call& call, const Judge& is_right) {
  REQUIRE(outcome_of(call, is_right, {kNone, false}).is_right);  // and workspaces that are kept are there
  const long blocks = allocation::live_blocks();
  for (bool all_after : {false, true}) {
    long thrown = 0;
    bool holds = true, is_over = false;
    for (long k = 1; holds && !is_over; ++k) {
      const Outcome failed = outcome_of(call, is_right, {k, all_after});
      const Outcome next = outcome_of(call, is_right, {kNone, false});
      const long left = allocation::live_blocks() - blocks;
      is_over = failed.allocations < k;
      thrown += failed.has_thrown ? 1 : 0;
      holds = (failed.has_thrown ? !is_over : failed.is_right) && next.is_right && left == 0;
      CAPTURE(k);
      CAPTURE(all_after);
      CAPTURE(left);
      CHECK(holds);
    }
    CHECK(thrown > 0);
  }
}

/// What is tried: orders in lanes, some of which are left to the ordinary way; orders of kernels; more directions than go together;
/// and one large enough for a team.
struct Case {
  Operation operation;
  DType dtype;
  Index n, count, directions;
  bool in_place;
};
constexpr Case kCases[] = {
    {Operation::expm, DType::float64, 3, 2500, 0, false}, {Operation::jvp, DType::float64, 4, 1200, 1, true},
    {Operation::vjp, DType::complex64, 12, 40, 2, false}, {Operation::cond, DType::complex128, 9, 3, 0, false},
    {Operation::jvp, DType::float32, 64, 1, 30, false},   {Operation::vjp, DType::float64, 16, 60, 1, true},
    {Operation::expm, DType::float32, 520, 1, 0, false},
};

/// A job and its results as they are without failure.
class Tried {
 public:
  Tried(const Case& of, Index threads) : right_(of.operation, of.dtype, of.n, of.count, of.directions), own_(right_) {
    right_.job.threads = own_.job.threads = threads;
    right_.spoil(0);
    own_.spoil(0);
    statuses_ = run_batch(right_.job);
    if (of.in_place) own_.put_in_place(true, true);
  }

  /// As it was at first.
  const Job& job() {
    own_.reset();
    return own_.job;
  }
  bool is_right(const std::vector<Status>& statuses) const {
    return statuses == statuses_ && own_.has_same_results(right_);
  }
  bool has_right_derivatives(const std::vector<Status>& statuses) const {
    return statuses == statuses_ && own_.has_same_derivatives(right_);
  }

 private:
  Stacks right_, own_;
  std::vector<Status> statuses_;
};

/// Waits for events of jobs.
class Owner {
 public:
  /// Does a job in the background, and throws what it throws there.
  std::vector<Status> done(const Job& job, Background::Copies copies) {
    background_.start(job, copies, true);
    for (;;) {
      has_news_.wait(false);
      has_news_.clear();
      while (auto event = background_.collect()) {
        if (!event->has_ended) continue;
        if (event->error) std::rethrow_exception(event->error);
        return std::move(event->statuses);
      }
    }
  }

 private:
  std::atomic_flag has_news_;
  Background background_{[this] {
    has_news_.test_and_set();
    has_news_.notify_one();
  }};
};

}  // namespace

TEST_CASE("each allocation of a batch may fail, on one thread and on several") {
  for (const Case& of : kCases)
    for (Index threads : {1, 2}) {
      CAPTURE(of.n);
      CAPTURE(threads);
      Tried tried(of, threads);
      fail_each([&] { return run_batch(tried.job()); }, [&](const auto& statuses) { return tried.is_right(statuses); });
    }
}

TEST_CASE("each allocation of a job in the background may fail, and its end is told all the same") {
  for (const Case& of : kCases) {
    CAPTURE(of.n);
    Tried tried(of, 2);
    Owner owner;
    const bool copies = of.in_place;  // from where they are to where they are
    fail_each([&] { return owner.done(tried.job(), {.A = copies, .direction = copies}); },
              [&](const auto& statuses) { return tried.is_right(statuses); });
  }
}

TEST_CASE("each allocation of a linearization and of what is asked of it may fail") {
  for (const Case& of :
       {Case{Operation::vjp, DType::float64, 3, 200, 2, false},
        Case{Operation::jvp, DType::complex64, 12, 30, 2, false}, Case{Operation::cond, DType::float64, 5, 4, 0, false},
        Case{Operation::cond, DType::float32, 10, 3, 0, false}})
    for (Index threads : {1, 2}) {
      CAPTURE(of.n);
      CAPTURE(threads);
      Stacks values(Operation::jvp, of.dtype, of.n, of.count, 0);
      values.job.threads = threads;
      values.spoil(0);
      std::vector<Status> right, statuses;
      const auto made = linearize(values.job, right);
      const auto make = [&] {
        const auto linearization = linearize(values.job, statuses);
        return statuses;
      };
      fail_each(make, [&](const auto& came) { return came == right; });

      Stacks asked(of.operation, of.dtype, of.n, of.count, of.directions);
      asked.job.threads = threads;
      const auto expected = made->run(asked.job);
      const Stacks first = asked;
      const auto ask = [&] {
        asked.reset();
        return made->run(asked.job);
      };
      fail_each(ask, [&](const auto& came) { return came == expected && asked.has_same_results(first); });
    }
}

TEST_CASE("each allocation of a plan and of a single matrix may fail") {
  const Stacks many(Operation::expm, DType::float64, 9, 5, 0);
  const auto plan = [&] {
    std::vector<Status> statuses;
    for (const Plan& each : plan_batch(many.job)) statuses.push_back(each.status);
    return statuses;
  };
  fail_each(plan, [&](const auto& statuses) { return statuses == std::vector<Status>(5, Status::ok); });
  // Its workspace, which else is kept for the thread's next call, is the first on a thread of its own.
  Stacks one(Operation::vjp, DType::float64, 16, 1, 1);
  Stacks right = one;
  run_one(right.job);
  const auto value = [&] {
    one.reset();
    Status status = Status::not_finite;
    std::exception_ptr error;
    const auto compute = [&] {
      try {
        status = run_one(one.job);
      } catch (...) {
        error = std::current_exception();
      }
    };
    std::thread(compute).join();
    if (error) std::rethrow_exception(error);
    return std::vector<Status>(1, status);
  };
  fail_each(value, [&](const auto& statuses) { return statuses[0] == Status::ok && one.has_same_results(right); });
}

TEST_CASE("threads that cannot be started are done without, and told of where there is none") {
  Tried tried(kCases[0], 4);
  allocation::fail_threads(true);
  CHECK(tried.is_right(run_batch(tried.job())));
  {
    Owner owner;
    CHECK_THROWS_AS(owner.done(tried.job(), {}), std::system_error);
  }
  allocation::fail_threads(false);
  const PoolUser user;
  Owner owner;
  CHECK(tried.is_right(owner.done(tried.job(), {})));
}

TEST_CASE(
    "a call of OpenBLAS beside others is refused where there is no room for its buffer, and the next one is let in") {
  std::vector<std::unique_ptr<blas::Room>> calls;
  allocation::fail_pages(true);
  bool is_refused = false;
  while (!is_refused && calls.size() < 1000) try {
      calls.push_back(std::make_unique<blas::Room>());  // as many as there have been at a time
    } catch (const std::bad_alloc&) {
      is_refused = true;
    }
  CHECK(is_refused);
  CHECK_THROWS_AS(blas::Room(), std::bad_alloc);
  allocation::fail_pages(false);
  calls.push_back(std::make_unique<blas::Room>());
  calls.clear();
  allocation::fail_pages(true);
  CHECK_NOTHROW(blas::Room());  // what OpenBLAS has it keeps
  allocation::fail_pages(false);
}

}  // namespace matfun::test
