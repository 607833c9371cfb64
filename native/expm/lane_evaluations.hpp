#pragma once

#include "expm/plan.hpp"
#include "kernels/kernels.hpp"

namespace matfun {

/// What is evaluated of matrices in lanes: so many blocks, which lie as kernels.hpp says.
template <class R>
struct LaneWork {
  Index blocks = 0;
  /// With derivatives, though there may be none of them: values have the same bits beside any number.
  bool is_dual = false;
  bool pulls = false;    ///< directions are adjoints of cotangents, which matters to generators alone
  Index directions = 0;  ///< more than 1 only of one block
  const R* B = nullptr;
  const R* factors = nullptr;  ///< e^(mu / 2^s) of each lane's shift mu, an element a lane; null where no lane has one
  R* X = nullptr;              ///< e^mu exp(B)
  const R* E = nullptr;        ///< of each direction all blocks
  R* L = nullptr;              ///< e^mu L(B, E), like E
  R* room = nullptr;           ///< lane_elements(plan, directions) matrices of one block
  R* errors = nullptr;         ///< one a lane: what Growth says, written where the plan's squarings are watched
};

/// Matrices of a block, each with its tangents, that an evaluation takes at most.
inline constexpr Index kLaneElements = 12;

/// Matrices of a block that carrying out a plan takes at most.
constexpr Index lane_elements(const Plan& plan, Index directions) {
  const Index of_pullback = plan.constrains ? plan.squarings + 4 + 2 * directions : 0;
  return kLaneElements * (1 + directions) + of_pullback;
}

/// Carries out a plan for matrices of order n: any that LanePlanner makes. One recurrence (recurrence.hpp), compiled once for each
/// target.
template <class R>
using LaneEvaluation = void (*)(int n, const Plan& plan, const LaneWork<R>& work);

/// That of the target in use, for real or complex matrices.
template <class R>
LaneEvaluation<R> lane_evaluation(bool is_complex);

}  // namespace matfun
