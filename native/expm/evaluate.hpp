#pragma once

#include <array>
#include <cassert>
#include <cmath>
#include <utility>

#include "expm/algebra.hpp"
#include "expm/coefficients.hpp"
#include "expm/plan.hpp"

namespace matfun {

#include "expm/recurrence.hpp"

/// What a plan costs, counted by running the recurrence itself.
struct Cost {
  int products;  ///< of the scheme, without the squarings
  int solves;
  int elements;  ///< ring elements taken from the workspace, squarings included
};

inline Cost count_cost(const Plan& plan) {
  Counting whole;
  evaluate(plan, whole, {}, {});
  return {whole.products - plan.squarings, whole.solves, whole.elements};
}

}  // namespace matfun
