#include "expm/targets/targets.hpp"

#if defined(__x86_64__)

#pragma GCC target("arch=x86-64-v4")

namespace matfun::x86_64_v4 {
namespace {

using namespace kernels;
constexpr int kVectorBytes = 64;
#include "expm/lanes_of_target.hpp"

}  // namespace

const LaneEvaluations<float> kSinglePrecision = kLaneEvaluations<float>;
const LaneEvaluations<double> kDoublePrecision = kLaneEvaluations<double>;

}  // namespace matfun::x86_64_v4

#endif
