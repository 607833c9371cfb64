#include "addon/arguments.hpp"

#include <cmath>
#include <cstddef>
#include <string>

#include "addon/errors.hpp"

namespace matfun::addon {
namespace {

/// An integer in [least, most]. napi_get_value_int32 would wrap 2^32 + 1 to 1 and NaN to 0.
Index read_index(const Napi::CallbackInfo& arguments, std::size_t at, const char* name, double most, double least = 0) {
  const Napi::Value value = arguments[at];
  if (!value.IsNumber()) refuse<Napi::TypeError>(arguments.Env(), std::string(name) + " must be a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= least && number <= most && std::floor(number) == number))
    refuse<Napi::RangeError>(arguments.Env(), std::string(name) + " must be an integer from " +
                                                  std::to_string(static_cast<Index>(least)) + " to " +
                                                  std::to_string(static_cast<Index>(most)));
  return static_cast<Index>(number);
}

template <class Code>
Code read_code(const Napi::CallbackInfo& arguments, std::size_t at, const char* name, Code last) {
  return static_cast<Code>(read_index(arguments, at, name, static_cast<double>(last)));
}

constexpr bool is_complex(DType dtype) {
  return dtype == DType::complex128 || dtype == DType::complex64;
}
constexpr bool is_double(DType dtype) {
  return dtype == DType::float64 || dtype == DType::complex128;
}

struct Span {
  std::byte* data;
  std::size_t bytes;
};

/// A typed array of dtype's precision with exactly `length` elements, so twice as many numbers for a complex dtype.
Span read_array(const Napi::CallbackInfo& arguments, std::size_t at, const char* name, DType dtype, Index length) {
  const Napi::Value value = arguments[at];
  const auto kind = is_double(dtype) ? napi_float64_array : napi_float32_array;
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != kind)
    refuse<Napi::TypeError>(arguments.Env(), std::string(name) + (is_double(dtype) ? " must be a Float64Array"
                                                                                   : " must be a Float32Array"));
  const auto numbers = static_cast<std::size_t>(length) * (is_complex(dtype) ? 2 : 1);
  const auto array = value.As<Napi::TypedArray>();
  if (array.ElementLength() != numbers)
    refuse<Napi::RangeError>(arguments.Env(), std::string(name) + " must hold " + std::to_string(numbers) +
                                                  " numbers, got " + std::to_string(array.ElementLength()));
  void* data = is_double(dtype) ? static_cast<void*>(value.As<Napi::Float64Array>().Data())
                                : static_cast<void*>(value.As<Napi::Float32Array>().Data());
  return {static_cast<std::byte*>(data), array.ByteLength()};
}

bool overlap(const Span& a, const Span& b) {
  return a.bytes > 0 && b.bytes > 0 && a.data < b.data + b.bytes && b.data < a.data + a.bytes;
}

/// Where an output may be its input itself.
bool overlap_partly(const Span& a, const Span& b) {
  return overlap(a, b) && !(a.data == b.data && a.bytes == b.bytes);
}

constexpr double kMaxCount = 9007199254740991;  // 2^53 - 1; the arrays' lengths are the real limit
constexpr double kMaxThreads = 256;

Job read_job(const Napi::CallbackInfo& arguments) {
  Job job;
  job.operation = read_code(arguments, 0, "operation", Operation::cond);
  job.dtype = read_code(arguments, 1, "dtype", DType::complex64);
  job.options.method = read_code(arguments, 2, "method", Method::pade);
  job.options.shift = read_code(arguments, 3, "shift", Choice::always);
  job.options.balance = read_code(arguments, 4, "balance", Choice::always);
  job.n = read_index(arguments, 5, "n", blas::kMaxOrder);
  job.count = read_index(arguments, 6, "count", kMaxCount);
  return job;
}

/// The number of elements of count * times matrices of order n; refused where it could not be an array's length.
Index elements(Napi::Env env, const Job& job, Index times) {
  const double length = static_cast<double>(job.n) * static_cast<double>(job.n) * static_cast<double>(job.count) *
                        static_cast<double>(times);
  if (length > kMaxCount) refuse<Napi::RangeError>(env, "the arrays would be longer than any array can be");
  return job.n * job.n * job.count * times;
}

}  // namespace

Job run_arguments(const Napi::CallbackInfo& arguments) {
  Job job = read_job(arguments);
  job.directions = read_index(arguments, 7, "directions", kMaxCount);
  job.threads = read_index(arguments, 8, "threads", kMaxThreads, 1);
  const bool is_cond = job.operation == Operation::cond;
  const Index length = elements(arguments.Env(), job, 1);
  const Span A = read_array(arguments, 9, "A", job.dtype, length);
  const Span X = is_cond ? read_array(arguments, 10, "value", DType::float64, job.count)
                         : read_array(arguments, 10, "value", job.dtype, length);
  job.A = A.data;
  job.X = X.data;
  bool aliased = is_cond ? overlap(A, X) : overlap_partly(A, X);
  if (job.operation == Operation::jvp || job.operation == Operation::vjp) {
    const Index stacked = elements(arguments.Env(), job, job.directions);
    const Span E = read_array(arguments, 11, "direction", job.dtype, stacked);
    const Span L = read_array(arguments, 12, "result", job.dtype, stacked);
    job.direction = E.data;
    job.result = L.data;
    aliased = aliased || overlap(A, L) || overlap(E, X) || overlap_partly(E, L) || overlap(X, L);
  } else if (job.directions != 0) {
    refuse<Napi::RangeError>(arguments.Env(), "directions must be 0 for this operation");
  }
  if (aliased) refuse<Napi::RangeError>(arguments.Env(), "an output overlaps an input or the other output");
  return job;
}

StartArguments start_arguments(const Napi::CallbackInfo& arguments) {
  const Napi::Env env = arguments.Env();
  const bool is_cond = read_index(arguments, 0, "operation", 3) == static_cast<Index>(Operation::cond);
  const Index copies = read_index(arguments, 13, "copies", is_cond ? 0 : 3);
  const Napi::Value ended = arguments[14], progress = arguments[15];
  if (!ended.IsFunction()) refuse<Napi::TypeError>(env, "ended must be a function");
  if (!progress.IsFunction() && !progress.IsUndefined())
    refuse<Napi::TypeError>(env, "progress must be a function or undefined");
  return {{.A = (copies & 1) != 0, .direction = (copies & 2) != 0}, ended.As<Napi::Function>(), progress};
}

Job plan_arguments(const Napi::CallbackInfo& arguments) {
  Job job = read_job(arguments);
  job.A = read_array(arguments, 7, "A", job.dtype, elements(arguments.Env(), job, 1)).data;
  return job;
}

}  // namespace matfun::addon
