#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "batch/job.hpp"

namespace matfun::test {

/// A job of random matrices with the memory that it needs, in any dtype; outputs are zero until written.
class Stacks {
 public:
  Stacks(Operation operation, DType dtype, Index n, Index count, Index directions, unsigned seed = 1)
      : job{.operation = operation,
            .dtype = dtype,
            .options = {},
            .n = n,
            .count = count,
            .directions = directions,
            .threads = 1} {
    const Index size = n * n * count;
    fill(A_, size, seed);
    fill(E_, size * directions, seed + 1);
    const bool is_cond = operation == Operation::cond;
    X_.resize(is_cond ? static_cast<std::size_t>(count) * sizeof(double) : A_.size());
    L_.resize(E_.size());
    connect();
  }
  Stacks(const Stacks& other) : job(other.job), A_(other.A_), E_(other.E_), X_(other.X_), L_(other.L_) { connect(); }
  Stacks& operator=(const Stacks&) = delete;

  /// Makes one entry of a matrix NaN.
  void spoil(Index matrix) { spoil(A_, matrix); }
  void spoil_direction(Index direction) { spoil(E_, direction); }
  void clear_inputs() {
    std::ranges::fill(A_, std::byte(0xff));
    std::ranges::fill(E_, std::byte(0xff));
  }

  /// Puts an input where its result will be, and the job there; not for cond.
  void put_in_place(bool matrices, bool directions) {
    if (matrices) {
      X_ = A_;
      job.A = job.X;
    }
    if (directions) {
      L_ = E_;
      job.direction = job.result;
    }
  }

  /// As before the job was done. Allocates nothing.
  void reset() {
    reset(X_, A_, job.A == job.X);
    reset(L_, E_, job.direction == job.result);
  }

  bool has_same_derivatives(const Stacks& other) const { return L_ == other.L_; }
  /// Of the k-th matrix, after cond.
  double condition(Index k) const {
    double result = 0;
    std::memcpy(&result, X_.data() + static_cast<std::size_t>(k) * sizeof result, sizeof result);
    return result;
  }
  bool has_same_results(const Stacks& other) const { return X_ == other.X_ && L_ == other.L_; }

  Job job;

 private:
  bool is_double() const { return job.dtype == DType::float64 || job.dtype == DType::complex128; }
  std::size_t parts() const { return job.dtype == DType::complex128 || job.dtype == DType::complex64 ? 2 : 1; }

  /// Norms over several rungs of the ladder.
  void fill(std::vector<std::byte>& bytes, Index elements, unsigned seed) {
    const auto numbers = static_cast<std::size_t>(elements) * parts();
    const std::size_t each = static_cast<std::size_t>(job.n * job.n) * parts();
    bytes.resize(numbers * (is_double() ? 8 : 4));
    std::mt19937 generator(seed);
    for (std::size_t k = 0; k < numbers; ++k) {
      const double scale = std::ldexp(1.0, static_cast<int>(k / each % 9) - 6);
      put(bytes, k, scale * (static_cast<double>(generator()) * 0x1p-31 - 1));
    }
  }
  void put(std::vector<std::byte>& bytes, std::size_t at, double x) {
    if (is_double()) {
      std::memcpy(bytes.data() + 8 * at, &x, 8);
    } else {
      const auto y = static_cast<float>(x);
      std::memcpy(bytes.data() + 4 * at, &y, 4);
    }
  }
  void spoil(std::vector<std::byte>& bytes, Index matrix) {
    put(bytes, static_cast<std::size_t>(matrix * job.n * job.n) * parts(), std::numeric_limits<double>::quiet_NaN());
  }
  static void reset(std::vector<std::byte>& output, const std::vector<std::byte>& input, bool in_place) {
    if (in_place)
      std::ranges::copy(input, output.begin());
    else
      std::ranges::fill(output, std::byte(0));
  }
  void connect() {
    job.A = A_.data();
    job.X = X_.data();
    job.direction = E_.data();
    job.result = L_.data();
  }

  std::vector<std::byte> A_, E_, X_, L_;
};

}  // namespace matfun::test
