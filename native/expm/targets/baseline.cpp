#include "expm/targets/targets.hpp"

namespace matfun::baseline {
namespace {

using namespace kernels;
constexpr int kVectorBytes = 16;
#include "expm/lanes_of_target.hpp"

}  // namespace

const LaneEvaluations<float> kSinglePrecision = kLaneEvaluations<float>;
const LaneEvaluations<double> kDoublePrecision = kLaneEvaluations<double>;

}  // namespace matfun::baseline
