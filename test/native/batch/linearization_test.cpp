#include "batch/linearization.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "batch/stacks.hpp"

namespace matfun::test {
namespace {

constexpr DType dtypes[] = {DType::float64, DType::float32, DType::complex128, DType::complex64};

/// Orders that keep A, orders that keep tapes, and one whose directions go in several groups.
struct Shape {
  Index n, count, directions;
};
constexpr Shape shapes[] = {{1, 5, 2}, {3, 70, 1}, {8, 9, 3}, {9, 12, 1}, {16, 4, 3}, {70, 2, 9}};

/// Of the matrices of a job; their memory is overwritten before anything is asked for.
struct Made {
  std::unique_ptr<Linearization> linearization;
  std::vector<Status> statuses;
  bool has_same_values;

  Made(const Stacks& stacks, Index threads) {
    Stacks own = stacks, expected = stacks;
    own.job.operation = expected.job.operation = Operation::jvp;
    own.job.directions = expected.job.directions = 0;
    own.job.threads = threads;
    linearization = linearize(own.job, statuses);
    CHECK(statuses == run_batch(expected.job));
    has_same_values = own.has_same_results(expected);
    own.clear_inputs();
  }
};

}  // namespace

TEST_CASE("derivatives from what was kept have the bits of jvp and vjp, in every dtype, with any number of threads") {
  for (DType dtype : dtypes)
    for (const Shape& shape : shapes)
      for (Index threads : {1, 3}) {
        Stacks expected(Operation::jvp, dtype, shape.n, shape.count, shape.directions);
        const Made made(expected, threads);
        CAPTURE(shape.n);
        CHECK(made.has_same_values);
        for (Operation operation : {Operation::vjp, Operation::jvp, Operation::vjp}) {
          expected.job.operation = operation;
          Stacks got = expected;
          const auto statuses = run_batch(expected.job);
          got.job.A = nullptr;
          got.job.X = nullptr;
          got.job.threads = threads;
          CHECK(made.linearization->run(got.job) == statuses);
          CHECK(got.has_same_derivatives(expected));
        }
      }
}

TEST_CASE("a matrix or a direction that cannot be done costs its own derivatives alone") {
  for (const Shape& shape : shapes) {
    Stacks expected(Operation::vjp, DType::float64, shape.n, shape.count, shape.directions);
    expected.spoil(1);
    expected.spoil_direction(0);
    const Made made(expected, 2);
    CHECK(made.statuses[0] == Status::ok);
    CHECK(made.statuses[1] == Status::not_finite);
    Stacks got = expected;
    const auto statuses = run_batch(expected.job);
    CHECK(std::ranges::count(statuses, Status::not_finite) == 1 + shape.directions);
    CHECK(made.linearization->run(got.job) == statuses);
    CHECK(got.has_same_derivatives(expected));
  }
}

TEST_CASE("condition numbers from what was kept are those of cond") {
  for (DType dtype : dtypes)
    for (const Shape& shape : {Shape{3, 6, 0}, Shape{8, 6, 0}, Shape{9, 12, 0}, Shape{16, 9, 0}}) {
      Stacks expected(Operation::cond, dtype, shape.n, shape.count, 0);
      Stacks values(Operation::jvp, dtype, shape.n, shape.count, 0);
      expected.spoil(1);
      values.spoil(1);
      const Made made(values, 2);
      Stacks got = expected;
      CHECK(made.linearization->run(got.job) == run_batch(expected.job));
      const double u = dtype == DType::float64 || dtype == DType::complex128 ? 0x1p-53 : 0x1p-24;
      for (Index k = 0; k < shape.count; ++k) {
        const double truth = expected.condition(k), tolerance = 1000 * std::max(1.0, truth) * u * truth;
        CHECK((k == 1 ? std::isnan(got.condition(k)) : std::abs(got.condition(k) - truth) <= tolerance));
      }
    }
}

TEST_CASE("what is held is the matrices of small orders, and tapes of the others") {
  for (const Shape& shape : shapes) {
    const Stacks stacks(Operation::jvp, DType::float64, shape.n, shape.count, 0);
    const auto matrices = static_cast<std::size_t>(shape.n * shape.n * shape.count) * sizeof(double);
    const std::size_t held = Made(stacks, 1).linearization->held_bytes();
    if (shape.n <= 8)
      CHECK(held == matrices);
    else
      CHECK(held > 2 * matrices);
  }
}

TEST_CASE("no directions are nothing to do") {
  for (Index n : {4, 9}) {
    const Stacks stacks(Operation::jvp, DType::float64, n, 2, 0);
    CHECK(Made(stacks, 1).linearization->run(stacks.job).empty());
  }
}

TEST_CASE("a job without a place for values gives derivatives alone, with the same bits") {
  for (const Shape& shape : shapes)
    for (Index threads : {1, 3}) {
      Stacks expected(Operation::vjp, DType::float64, shape.n, shape.count, shape.directions), got = expected;
      got.job.X = nullptr;
      got.job.threads = threads;
      CHECK(run_batch(got.job) == run_batch(expected.job));
      CHECK(got.has_same_derivatives(expected));
    }
}

}  // namespace matfun::test
