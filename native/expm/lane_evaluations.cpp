#include "expm/lane_evaluations.hpp"

#include <cassert>
#include <string_view>

#include "expm/targets/targets.hpp"

namespace matfun {
namespace {

template <class R>
const LaneEvaluations<R>& of_precision(const LaneEvaluations<float>& single, const LaneEvaluations<double>& twice) {
  if constexpr (sizeof(R) == sizeof(float))
    return single;
  else
    return twice;
}

template <class R>
const LaneEvaluations<R>& evaluations() {
#if defined(__x86_64__)
  const std::string_view target = kernels::target().name;
  if (target == "x86-64-v4") return of_precision<R>(x86_64_v4::kSinglePrecision, x86_64_v4::kDoublePrecision);
  if (target == "x86-64-v3") return of_precision<R>(x86_64_v3::kSinglePrecision, x86_64_v3::kDoublePrecision);
  if (target == "x86-64-v2") return of_precision<R>(x86_64_v2::kSinglePrecision, x86_64_v2::kDoublePrecision);
#endif
  assert(kernels::target().name == std::string_view("baseline"));
  return of_precision<R>(baseline::kSinglePrecision, baseline::kDoublePrecision);
}

}  // namespace

template <class R>
LaneEvaluation<R> lane_evaluation(bool is_complex) {
  return is_complex ? evaluations<R>().complex : evaluations<R>().real;
}

template LaneEvaluation<float> lane_evaluation<float>(bool is_complex);
template LaneEvaluation<double> lane_evaluation<double>(bool is_complex);

}  // namespace matfun
