#include "expm/targets/targets.hpp"

#if defined(__x86_64__)

#pragma GCC target("arch=x86-64-v3")

namespace matfun::x86_64_v3 {
namespace {

using namespace kernels;
constexpr int kVectorBytes = 32;
#include "expm/lanes_of_target.hpp"

}  // namespace

const LaneEvaluations<float> kSinglePrecision = kLaneEvaluations<float>;
const LaneEvaluations<double> kDoublePrecision = kLaneEvaluations<double>;

}  // namespace matfun::x86_64_v3

#endif
