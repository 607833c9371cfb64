#include "batch/batch_work.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <new>
#include <thread>

#include "batch/allocation.hpp"
#include "batch/huge_pages.hpp"
#include "batch/linearization.hpp"
#include "batch/stacks.hpp"

namespace matfun::test {
namespace {

constexpr DType kDTypes[] = {DType::float64, DType::float32, DType::complex128, DType::complex64};
constexpr Operation kOperations[] = {Operation::expm, Operation::jvp, Operation::vjp, Operation::cond};

constexpr Index directions_of(Operation operation, Index directions) {
  return operation == Operation::jvp || operation == Operation::vjp ? directions : 0;
}

Tiling with_tiles_of(const Job& job, Index items) {
  Tiling tiling = tiling_of(job);
  tiling.items_per_tile = items;
  return tiling;
}

}  // namespace

TEST_CASE("the same bits and statuses come from any number of threads and any tiles") {
  ThreadPool pool;
  for (Operation operation : kOperations)
    for (DType dtype : kDTypes)
      for (Index n : {1, 3, 9}) {
        Stacks whole(operation, dtype, n, 23, directions_of(operation, 2));
        whole.spoil(5);
        if (whole.job.directions > 0) whole.spoil_direction(2 * 11 + 1);
        Stacks fresh = whole;
        const auto statuses = run_batch(whole.job);
        CHECK(std::ranges::count(statuses, Status::not_finite) == (whole.job.directions > 0 ? 3 : 1));
        for (Index threads : {1, 2, 5})
          for (Index items_per_tile : {1, 7, 64}) {
            Stacks cut = fresh;
            BatchWork work(cut.job, with_tiles_of(cut.job, items_per_tile));
            pool.run(work, threads);
            CHECK(work.statuses() == statuses);
            CHECK(work.items_done() == 23);
            CHECK(cut.has_same_results(whole));
          }
      }
}

TEST_CASE("groups of one matrix's directions are tiles too, and give what they give in one go") {
  ThreadPool pool;
  for (Operation operation : {Operation::jvp, Operation::vjp})
    for (DType dtype : {DType::float64, DType::complex64}) {
      Stacks whole(operation, dtype, 64, 2, 19);
      whole.spoil_direction(18);
      REQUIRE(tiling_of(whole.job).groups == 3);
      Stacks cut = whole;
      BatchWork one_tile(whole.job, with_tiles_of(whole.job, 6)), tiles(cut.job, with_tiles_of(cut.job, 1));
      pool.run(one_tile, 1);
      pool.run(tiles, 3);
      CHECK(tiles.tiles() == 6);
      CHECK(tiles.statuses() == one_tile.statuses());
      CHECK(std::ranges::count(tiles.statuses(), Status::not_finite) == 1);
      CHECK(cut.has_same_results(whole));
    }
}

TEST_CASE("a job in place gives the bits and statuses of one that is not, by any number of threads and any tiles") {
  ThreadPool pool;
  for (Operation operation : {Operation::expm, Operation::jvp, Operation::vjp})
    for (DType dtype : kDTypes)
      for (Index n : {1, 3, 9}) {
        Stacks apart(operation, dtype, n, 23, directions_of(operation, 2));
        apart.spoil(5);
        if (apart.job.directions > 0) apart.spoil_direction(2 * 11 + 1);
        const Stacks fresh = apart;
        const auto statuses = run_batch(apart.job);
        for (int which : {1, 2, 3}) {
          for (Index items_per_tile : {1, 7, 64}) {
            Stacks cut = fresh;
            cut.put_in_place((which & 1) != 0, (which & 2) != 0);
            BatchWork work(cut.job, with_tiles_of(cut.job, items_per_tile));
            pool.run(work, items_per_tile % 3 + 1);
            CHECK(work.statuses() == statuses);
            CHECK(cut.has_same_results(apart));
          }
          Stacks whole = fresh;
          whole.put_in_place((which & 1) != 0, (which & 2) != 0);
          CHECK(run_batch(whole.job) == statuses);
          CHECK(whole.has_same_results(apart));
        }
      }
}

TEST_CASE("in place, no group of a matrix's directions loses the matrix to the value of another") {
  ThreadPool pool;
  for (Operation operation : {Operation::jvp, Operation::vjp})
    for (DType dtype : {DType::float64, DType::complex64}) {
      Stacks apart(operation, dtype, 64, 3, 35);
      apart.spoil(1);
      apart.spoil_direction(34);
      REQUIRE(tiling_of(apart.job).groups == 5);
      const Stacks fresh = apart;
      const auto statuses = run_batch(apart.job);
      for (Index threads : {1, 4})
        for (Index items_per_tile : {1, 7}) {
          Stacks in_place = fresh;
          in_place.put_in_place(true, true);
          BatchWork work(in_place.job, with_tiles_of(in_place.job, items_per_tile));
          pool.run(work, threads);
          CHECK(work.statuses() == statuses);
          CHECK(in_place.has_same_results(apart));
        }
    }
}

TEST_CASE("advice about memory leaves its contents, wherever it begins") {
  std::vector<unsigned char> bytes(std::size_t(20) << 20, 7);
  for (std::size_t at : {0, 1, 4096, (1 << 21) - 1}) advise_huge_pages(bytes.data() + at, bytes.size() - 2 * at);
  advise_huge_pages(nullptr, 0);
  CHECK(std::ranges::count(bytes, 7) == static_cast<std::ptrdiff_t>(bytes.size()));
}

TEST_CASE("run_batch gives the same bits with threads of the shared pool") {
  Stacks alone(Operation::jvp, DType::float64, 6, 2000, 1);
  Stacks shared = alone;
  shared.job.threads = 3;
  REQUIRE(tiling_of(shared.job).is_worth_threads());
  ThreadPool::shared().enter();
  ThreadPool::shared().leave();  // whatever threads other tests left
  CHECK(run_batch(alone.job) == run_batch(shared.job));
  CHECK(ThreadPool::shared().size() == 2);
  CHECK(shared.has_same_results(alone));
}

TEST_CASE("one large matrix gets the same bits with and without threads that share its products") {
  Stacks alone(Operation::expm, DType::float32, 512, 1, 0);
  Stacks shared = alone, in_place = alone;
  ThreadPool::shared().enter();
  ThreadPool::shared().leave();  // whatever threads other tests left
  shared.job.threads = 3;
  CHECK(run_batch(alone.job) == run_batch(shared.job));
  CHECK(shared.has_same_results(alone));
  CHECK(ThreadPool::shared().size() == 2);
  in_place.job.threads = 2;
  in_place.put_in_place(true, false);
  CHECK(run_batch(in_place.job) == std::vector{Status::ok});
  CHECK(in_place.has_same_results(alone));
}

TEST_CASE("several threads may each run a batch at once") {
  Stacks expected(Operation::vjp, DType::float64, 5, 400, 1);
  const Stacks fresh = expected;
  const auto statuses = run_batch(expected.job);
  std::atomic<int> right = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&, caller] {
      for (int round = 0; round < 5; ++round) {
        Stacks own = fresh;
        own.job.threads = 1 + (caller + round) % 3;
        if (run_batch(own.job) == statuses && own.has_same_results(expected)) ++right;
      }
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(right == 4 * 5);
}

TEST_CASE("a workspace that cannot be had is told to the caller, and the next batch is done") {
  for (Index threads : {1, 3}) {
    Stacks stacks(Operation::expm, DType::float64, 400, 2, 0);  // whose workspace is not kept from call to call
    stacks.job.threads = threads;
    allocation::fail_above(1 << 20);
    CHECK_THROWS_AS(run_batch(stacks.job), std::bad_alloc);
    allocation::succeed();
    CHECK(run_batch(stacks.job).size() == 2);
  }
}

TEST_CASE("a tape that cannot be had is told to the caller, and the next one is made") {
  for (Index threads : {1, 3}) {
    Stacks stacks(Operation::jvp, DType::float64, 400, 2, 0);
    stacks.job.threads = threads;
    std::vector<Status> statuses;
    allocation::fail_above(1 << 20);
    CHECK_THROWS_AS(linearize(stacks.job, statuses), std::bad_alloc);
    allocation::succeed();
    CHECK(linearize(stacks.job, statuses)->held_bytes() > 0);
  }
}

TEST_CASE("tiles are of about 100 us or 256 KB, in whole lanes where matrices are tiny, whatever the threads") {
  const auto tiling = [](Operation operation, Index n, Index directions = 0) {
    Stacks stacks(operation, DType::float64, n, 1, directions);
    stacks.job.count = 1000000;
    const Tiling one = tiling_of(stacks.job);
    stacks.job.threads = 7;
    CHECK(tiling_of(stacks.job).items_per_tile == one.items_per_tile);
    return one;
  };
  CHECK(tiling(Operation::expm, 2).items_per_tile == 8192);
  CHECK(tiling(Operation::expm, 4).items_per_tile == 2048);
  CHECK(tiling(Operation::expm, 8).items_per_tile % 64 == 0);
  CHECK(tiling(Operation::expm, 64).items_per_tile == 1);
  CHECK(tiling(Operation::jvp, 8, 5).items_per_tile < tiling(Operation::jvp, 8, 1).items_per_tile);
  CHECK(tiling(Operation::cond, 16).items_per_tile < tiling(Operation::expm, 16).items_per_tile);
  CHECK(tiling(Operation::expm, 0).tiles() == 0);
}

TEST_CASE("a batch that is done within 50 us stays on its thread") {
  Stacks small(Operation::expm, DType::float64, 16, 20, 0), large(Operation::expm, DType::float64, 16, 1000, 0);
  CHECK_FALSE(tiling_of(small.job).is_worth_threads());
  CHECK(tiling_of(large.job).is_worth_threads());
  CHECK_FALSE(tiling_of(Stacks(Operation::expm, DType::float64, 300, 1, 0).job).is_worth_threads());
}

}  // namespace matfun::test
