#include "kernels/targets/targets.hpp"

#if defined(__x86_64__)

#pragma GCC target("arch=x86-64-v4")

namespace matfun::kernels::x86_64_v4 {
namespace {

constexpr int kVectorBytes = 64;
#include "kernels/lanes_of_target.hpp"
#include "kernels/matrix_of_target.hpp"

}  // namespace

const LaneKernels<float> kSinglePrecision = kLaneKernels<float>;
const LaneKernels<double> kDoublePrecision = kLaneKernels<double>;
const MatrixKernels<float> kSingleMatrix = kMatrixKernels<float>;
const MatrixKernels<double> kDoubleMatrix = kMatrixKernels<double>;

}  // namespace matfun::kernels::x86_64_v4

#endif
