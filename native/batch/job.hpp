#pragma once

#include <span>
#include <vector>

#include "expm/condition.hpp"

namespace matfun {

/// The element types that are computed. Everything below run_batch is a template over the scalar itself.
enum class DType : std::uint8_t { float64, float32, complex128, complex64 };

/// `count` matrices of order n, one after the other, each with `directions` directions (0 for expm). Matrices are
/// row-major, and go through the column-major core as they stand, since value and derivatives commute with transposition:
/// exp(A^T) = exp(A)^T, L(A^T, E^T) = L(A, E)^T, and so for the pullback. (Only the condition number does not.)
/// Lengths are in elements of dtype. The arrays must not overlap, except inputs with inputs, and but for this: X may be A
/// itself, and result may be direction itself (not for cond). Then the results take the inputs' place, with the same bits;
/// where not all of the job is done, both are void.
struct Job {
  Operation operation = Operation::expm;
  DType dtype = DType::float64;
  Options options;
  Index n = 0;
  Index count = 0;
  Index directions = 0;
  Index threads = 1;        ///< at most so many at once; changes no bit of what is computed
  const void* A = nullptr;  ///< count n n
  void* X =
      nullptr;  ///< count n n, overwritten with exp(A); for cond, count doubles, the condition numbers; null where there
                ///< are directions and only their derivatives are wanted (run_batch)
  const void* direction = nullptr;  ///< count directions n n: E or W
  void* result = nullptr;           ///< count directions n n, overwritten with the derivatives
};

/// Does the job. Returns a status for each result: each matrix's for expm and cond, each derivative's (count x directions) for
/// the others, or each matrix's again where there are no directions. A matrix that cannot be done gets NaN in all its
/// results; a direction that cannot, in its own alone. Neither changes anything elsewhere: every matrix and every
/// direction gives the same bits alone or anywhere in any batch.
/// With `threads` above 1 the calling thread and others of the shared pool do it, unless there is too little to do.
/// Throws std::bad_alloc where there is no room for workspace or statuses; some matrices may be done by then.
std::vector<Status> run_batch(const Job& job);

/// The same for one matrix of order 1 at least with at most one direction, not in place, on the calling thread: its one status.
Status run_one(const Job& job);

/// The plan of each matrix of the job, without doing it. Reads operation, dtype, options, n, count and A only.
std::vector<Plan> plan_batch(const Job& job);

}  // namespace matfun
