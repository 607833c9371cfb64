#pragma once

#include <type_traits>
#include <utility>

#include "kernels/kernels.hpp"

namespace matfun::kernels {

#if defined(__x86_64__)
namespace x86_64_v2 {
extern const LaneKernels<float> kSinglePrecision;
extern const LaneKernels<double> kDoublePrecision;
extern const MatrixKernels<float> kSingleMatrix;
extern const MatrixKernels<double> kDoubleMatrix;
}  // namespace x86_64_v2
namespace x86_64_v3 {
extern const LaneKernels<float> kSinglePrecision;
extern const LaneKernels<double> kDoublePrecision;
extern const MatrixKernels<float> kSingleMatrix;
extern const MatrixKernels<double> kDoubleMatrix;
}  // namespace x86_64_v3
namespace x86_64_v4 {
extern const LaneKernels<float> kSinglePrecision;
extern const LaneKernels<double> kDoublePrecision;
extern const MatrixKernels<float> kSingleMatrix;
extern const MatrixKernels<double> kDoubleMatrix;
}  // namespace x86_64_v4
#endif
/// What the compiler assumes without being told more: x86-64's first version, arm64's NEON.
namespace baseline {
extern const LaneKernels<float> kSinglePrecision;
extern const LaneKernels<double> kDoublePrecision;
extern const MatrixKernels<float> kSingleMatrix;
extern const MatrixKernels<double> kDoubleMatrix;
}  // namespace baseline

}  // namespace matfun::kernels
