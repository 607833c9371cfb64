#pragma once

#include <array>
#include <cassert>
#include <cmath>
#include <complex>
#include <initializer_list>
#include <type_traits>
#include <utility>

#include "expm/coefficients.hpp"
#include "expm/lane_evaluations.hpp"
#include "expm/plan.hpp"
#include "expm/sum.hpp"

namespace matfun {

/// The evaluations of one target.
template <class R>
struct LaneEvaluations {
  LaneEvaluation<R> real, complex;
};

#if defined(__x86_64__)
namespace x86_64_v2 {
extern const LaneEvaluations<float> kSinglePrecision;
extern const LaneEvaluations<double> kDoublePrecision;
}  // namespace x86_64_v2
namespace x86_64_v3 {
extern const LaneEvaluations<float> kSinglePrecision;
extern const LaneEvaluations<double> kDoublePrecision;
}  // namespace x86_64_v3
namespace x86_64_v4 {
extern const LaneEvaluations<float> kSinglePrecision;
extern const LaneEvaluations<double> kDoublePrecision;
}  // namespace x86_64_v4
#endif
namespace baseline {
extern const LaneEvaluations<float> kSinglePrecision;
extern const LaneEvaluations<double> kDoublePrecision;
}  // namespace baseline

}  // namespace matfun
