#include "addon/arguments.hpp"

#include <cmath>
#include <string>

namespace matfun::addon {
namespace {

template <class Error>
[[noreturn]] void refuse(Napi::Env env, const std::string& message) {
  Error error = Error::New(env, "matfun addon: " + message);
  error.Set("code", Napi::String::New(env, "ERR_MATFUN_ADDON"));
  throw error;
}

/// An integer in [0, most]. napi_get_value_int32 would wrap 2^32 + 1 to 1 and NaN to 0.
Index read_index(const Napi::CallbackInfo& arguments, std::size_t at, const char* name, double most) {
  const Napi::Value value = arguments[at];
  if (!value.IsNumber()) refuse<Napi::TypeError>(arguments.Env(), std::string(name) + " must be a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0 && number <= most && std::floor(number) == number))
    refuse<Napi::RangeError>(arguments.Env(), std::string(name) + " must be an integer from 0 to " +
                                                  std::to_string(static_cast<Index>(most)));
  return static_cast<Index>(number);
}

struct Span {
  double* data;
  std::size_t length;
};

/// A Float64Array of exactly `length` elements.
Span read_array(const Napi::CallbackInfo& arguments, std::size_t at, const char* name, Index length) {
  const Napi::Value value = arguments[at];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array)
    refuse<Napi::TypeError>(arguments.Env(), std::string(name) + " must be a Float64Array");
  auto array = value.As<Napi::Float64Array>();
  if (array.ElementLength() != static_cast<std::size_t>(length))
    refuse<Napi::RangeError>(arguments.Env(), std::string(name) + " must hold " + std::to_string(length) +
                                                  " numbers, got " + std::to_string(array.ElementLength()));
  return {array.Data(), array.ElementLength()};
}

bool overlap(const Span& a, const Span& b) {
  return a.length > 0 && b.length > 0 && a.data < b.data + b.length && b.data < a.data + a.length;
}

constexpr double kMaxCount = 9007199254740991;  // 2^53 - 1; the arrays' lengths are the real limit

Job read_job(const Napi::CallbackInfo& arguments) {
  Job job;
  job.operation = static_cast<Operation>(read_index(arguments, 0, "operation", 2));
  job.method = static_cast<Method>(read_index(arguments, 1, "method", 2));
  job.n = read_index(arguments, 2, "n", blas::kMaxOrder);
  job.count = read_index(arguments, 3, "count", kMaxCount);
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
  job.directions = read_index(arguments, 4, "directions", kMaxCount);
  const Index length = elements(arguments.Env(), job, 1);
  const Span A = read_array(arguments, 5, "A", length), X = read_array(arguments, 6, "value", length);
  job.A = A.data;
  job.X = X.data;
  bool aliased = overlap(A, X);
  if (job.operation != Operation::expm) {
    const Index stacked = elements(arguments.Env(), job, job.directions);
    const Span E = read_array(arguments, 7, "direction", stacked), L = read_array(arguments, 8, "result", stacked);
    job.direction = E.data;
    job.result = L.data;
    aliased = aliased || overlap(A, L) || overlap(E, X) || overlap(E, L) || overlap(X, L);
  }
  if (aliased) refuse<Napi::RangeError>(arguments.Env(), "an output overlaps an input or the other output");
  return job;
}

Job plan_arguments(const Napi::CallbackInfo& arguments) {
  Job job = read_job(arguments);
  job.A = read_array(arguments, 4, "A", elements(arguments.Env(), job, 1)).data;
  return job;
}

}  // namespace matfun::addon
