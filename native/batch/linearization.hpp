#pragma once

#include <memory>

#include "batch/job.hpp"

namespace matfun {

/// What the derivatives of a batch's exponentials need, kept, so that any number of them can be asked for later. It refers to
/// nothing that its maker was given.
///
/// Orders up to kernels::kMaxLaneOrder keep A alone, and a derivative makes the value anew: in lanes that takes less time than
/// fetching the operands of all products, which are some ten times as large. See docs/decisions/0013.
class Linearization {
 public:
  virtual ~Linearization() = default;
  Linearization(const Linearization&) = delete;
  Linearization& operator=(const Linearization&) = delete;

  /// Does a job on what was kept: jvp, vjp or cond. Of it operation, directions, threads, direction and result are read (X for cond);
  /// result must not be direction. Returns its statuses and throws as run_batch does. Not for order 0.
  /// cost  for each direction 2 (products + squarings) products; up to order 8 that of jvp and vjp anew.
  virtual std::vector<Status> run(const Job& job) const = 0;

  /// Bytes of memory that it holds besides itself.
  virtual std::size_t held_bytes() const = 0;

 protected:
  Linearization() = default;
};

/// Computes the values of a job, jvp without directions, with the bits that it would have with directions, and keeps what derivatives
/// need. statuses: overwritten, one for each matrix. Not for order 0, nor in place.
/// Throws std::bad_alloc where there is no room.
std::unique_ptr<Linearization> linearize(const Job& job, std::vector<Status>& statuses);

}  // namespace matfun
