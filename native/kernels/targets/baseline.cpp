#include "kernels/targets/targets.hpp"

namespace matfun::kernels::baseline {
namespace {

constexpr int kVectorBytes = 16;
#include "kernels/lanes_of_target.hpp"
#include "kernels/matrix_of_target.hpp"

}  // namespace

const LaneKernels<float> kSinglePrecision = kLaneKernels<float>;
const LaneKernels<double> kDoublePrecision = kLaneKernels<double>;
const MatrixKernels<float> kSingleMatrix = kMatrixKernels<float>;
const MatrixKernels<double> kDoubleMatrix = kMatrixKernels<double>;

}  // namespace matfun::kernels::baseline
