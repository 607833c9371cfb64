#pragma once

#include <complex>

#include "batch/job.hpp"

namespace matfun {

/// body<T>() with dtype's C++ type. Here alone a dtype becomes a type.
template <class Body>
auto with_scalar(DType dtype, Body body) {
  switch (dtype) {
    case DType::float32:
      return body.template operator()<float>();
    case DType::complex128:
      return body.template operator()<std::complex<double>>();
    case DType::complex64:
      return body.template operator()<std::complex<float>>();
    case DType::float64:
      break;
  }
  return body.template operator()<double>();
}

}  // namespace matfun
