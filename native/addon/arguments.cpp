#include "addon/arguments.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "addon/errors.hpp"

namespace matfun::addon {
namespace {

/// An integer in [least, most]. napi_get_value_int32 would wrap 2^32 + 1 to 1 and NaN to 0.
Index read_index(const Napi::CallbackInfo& arguments, std::size_t at, const char* name, double most, double least = 0) {
  double number = 0;
  if (napi_get_value_double(arguments.Env(), arguments[at], &number) != napi_ok)
    refuse<Napi::TypeError>(arguments.Env(), std::string(name) + " must be a number");
  if (!(number >= least && number <= most && std::floor(number) == number))
    refuse<Napi::RangeError>(arguments.Env(), std::string(name) + " must be an integer from " +
                                                  std::to_string(static_cast<Index>(least)) + " to " +
                                                  std::to_string(static_cast<Index>(most)));
  return static_cast<Index>(number);
}

/// The code in bits [shift, shift + 2) of a job's.
template <class Code>
Code read_code(Napi::Env env, Index packed, int shift, const char* name, Code last) {
  const auto code = static_cast<Code>(packed >> shift & 3);
  if (code > last) refuse<Napi::RangeError>(env, std::string("code names no ") + name);
  return code;
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

std::size_t bytes_of(DType dtype, Index elements) {
  return static_cast<std::size_t>(elements) * (is_complex(dtype) ? 2 : 1) * (is_double(dtype) ? 8 : 4);
}

/// A typed array of dtype's precision with exactly `length` elements, so twice as many numbers for a complex dtype. By one
/// call of C: asking the C++ wrapper for kind, length and data takes four.
Span read_array(const Napi::CallbackInfo& arguments, std::size_t at, const char* name, DType dtype, Index length) {
  const Napi::Env env = arguments.Env();
  napi_typedarray_type kind{};
  std::size_t came = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, arguments[at], &kind, &came, &data, nullptr, nullptr) != napi_ok ||
      kind != (is_double(dtype) ? napi_float64_array : napi_float32_array))
    refuse<Napi::TypeError>(
        env, std::string(name) + (is_double(dtype) ? " must be a Float64Array" : " must be a Float32Array"));
  const auto numbers = static_cast<std::size_t>(length) * (is_complex(dtype) ? 2 : 1);
  if (came != numbers)
    refuse<Napi::RangeError>(
        env, std::string(name) + " must hold " + std::to_string(numbers) + " numbers, got " + std::to_string(came));
  return {static_cast<std::byte*>(data), bytes_of(dtype, length)};
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
constexpr double kMaxPlans =
    1 << 23;  // as in lib/plan.ts; matrices of order 0 take no memory that would limit their count

/// What every job begins with: its code and n.
Job read_job(const Napi::CallbackInfo& arguments) {
  const Napi::Env env = arguments.Env();
  const Index code = read_index(arguments, 0, "code", 4095);
  Job job;
  job.operation = read_code(env, code, 0, "operation", Operation::cond);
  job.dtype = read_code(env, code, 2, "dtype", DType::complex64);
  job.options.method = read_code(env, code, 4, "method", Method::pade);
  job.options.shift = read_code(env, code, 6, "shift", Choice::always);
  job.options.balance = read_code(env, code, 8, "balance", Choice::always);
  job.options.structure = read_code(env, code, 10, "structure", Structure::generator);
  job.n = read_index(arguments, 1, "n", blas::kMaxOrder);
  return job;
}

bool has_directions(const Job& job) {
  return job.operation == Operation::jvp || job.operation == Operation::vjp;
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
  job.count = read_index(arguments, 2, "count", kMaxCount);
  job.directions = read_index(arguments, 3, "directions", kMaxCount);
  job.threads = read_index(arguments, 4, "threads", kMaxThreads, 1);
  const bool is_cond = job.operation == Operation::cond;
  const Index length = elements(arguments.Env(), job, 1);
  const Span A = read_array(arguments, kFirstArray, "A", job.dtype, length);
  const Span X = is_cond ? read_array(arguments, kFirstArray + 1, "value", DType::float64, job.count)
                         : read_array(arguments, kFirstArray + 1, "value", job.dtype, length);
  job.A = A.data;
  job.X = X.data;
  bool aliased = is_cond ? overlap(A, X) : overlap_partly(A, X);
  if (has_directions(job)) {
    const Index stacked = elements(arguments.Env(), job, job.directions);
    const Span E = read_array(arguments, kFirstArray + 2, "direction", job.dtype, stacked);
    const Span L = read_array(arguments, kFirstArray + 3, "result", job.dtype, stacked);
    job.direction = E.data;
    job.result = L.data;
    aliased = aliased || overlap(A, L) || overlap(E, X) || overlap_partly(E, L) || overlap(X, L);
  } else if (job.directions != 0) {
    refuse<Napi::RangeError>(arguments.Env(), "directions must be 0 for this operation");
  }
  if (aliased) refuse_aliased(arguments.Env());
  return job;
}

StartArguments start_arguments(const Napi::CallbackInfo& arguments) {
  const Napi::Env env = arguments.Env();
  constexpr std::size_t kFirst = kFirstArray + kArrays;
  const bool is_cond = read_job(arguments).operation == Operation::cond;
  const Index copies = read_index(arguments, kFirst, "copies", is_cond ? 0 : 3);
  const Napi::Value ended = arguments[kFirst + 1], progress = arguments[kFirst + 2];
  if (!ended.IsFunction()) refuse<Napi::TypeError>(env, "ended must be a function");
  if (!progress.IsFunction() && !progress.IsUndefined())
    refuse<Napi::TypeError>(env, "progress must be a function or undefined");
  return {{.A = (copies & 1) != 0, .direction = (copies & 2) != 0}, ended.As<Napi::Function>(), progress};
}

Job run_one_arguments(const Napi::CallbackInfo& arguments) {
  const Napi::Env env = arguments.Env();
  Job job = read_job(arguments);
  if (job.n == 0 || job.operation == Operation::cond)
    refuse<Napi::RangeError>(env, "runOne takes one matrix of order 1 at least, and no condition numbers");
  job.count = 1;
  job.directions = has_directions(job) ? 1 : 0;
  void* data = nullptr;
  std::size_t bytes = 0;
  if (napi_get_arraybuffer_info(env, arguments[2], &data, &bytes) != napi_ok)
    refuse<Napi::TypeError>(env, "memory must be an ArrayBuffer");
  const std::size_t each = bytes_of(job.dtype, job.n * job.n);
  const std::size_t needed = (has_directions(job) ? 4 : 2) * each;
  if (bytes < needed)
    refuse<Napi::RangeError>(env,
                             "memory must hold " + std::to_string(needed) + " bytes, got " + std::to_string(bytes));
  auto* const at = static_cast<std::byte*>(data);
  job.A = at;
  job.X = at + each;
  if (has_directions(job)) {
    job.direction = at + 2 * each;
    job.result = at + 3 * each;
  }
  return job;
}

LinearizeArguments linearize_arguments(const Napi::CallbackInfo& arguments) {
  const Napi::Env env = arguments.Env();
  Job job = run_arguments(arguments);
  if (job.operation != Operation::expm || job.n == 0)
    refuse<Napi::RangeError>(env, "linearize takes the operation expm and matrices of order 1 at least");
  if (job.count > 0 && job.A == job.X) refuse_aliased(env);
  job.operation = Operation::jvp;
  const Napi::Value owner = arguments[kFirstArray + 2];
  if (!owner.IsObject()) refuse<Napi::TypeError>(env, "owner must be an object");
  return {job, owner.As<Napi::Object>()};
}

Job derive_arguments(const Napi::CallbackInfo& arguments, const Job& linearized) {
  const Napi::Env env = arguments.Env();
  Job job = linearized;
  job.operation = static_cast<Operation>(read_index(arguments, 1, "operation", 2, 1));
  job.directions = read_index(arguments, 2, "directions", kMaxCount);
  job.threads = read_index(arguments, 3, "threads", kMaxThreads, 1);
  const Index length = elements(env, job, job.directions);
  const Span E = read_array(arguments, 4, "direction", job.dtype, length);
  const Span L = read_array(arguments, 5, "result", job.dtype, length);
  if (overlap(E, L)) refuse_aliased(env);
  job.direction = E.data;
  job.result = L.data;
  return job;
}

Job condition_arguments(const Napi::CallbackInfo& arguments, const Job& linearized) {
  Job job = linearized;
  job.operation = Operation::cond;
  job.threads = read_index(arguments, 1, "threads", kMaxThreads, 1);
  job.X = read_array(arguments, 2, "values", DType::float64, job.count).data;
  return job;
}

std::uintptr_t id_argument(const Napi::CallbackInfo& arguments) {
  return static_cast<std::uintptr_t>(read_index(arguments, 0, "id", kMaxCount));
}

bool overlap_arguments(const Napi::CallbackInfo& arguments) {
  const Napi::Env env = arguments.Env();
  const auto read_part = [&](std::size_t at, const char* name) -> Span {
    napi_typedarray_type kind{};
    std::size_t length = 0;
    void* data = nullptr;
    if (napi_get_typedarray_info(env, arguments[at], &kind, &length, &data, nullptr, nullptr) != napi_ok ||
        (kind != napi_float64_array && kind != napi_float32_array))
      refuse<Napi::TypeError>(env, std::string(name) + " must be a Float64Array or a Float32Array");
    const std::size_t held = length * (kind == napi_float64_array ? 8 : 4);
    const auto first = static_cast<std::size_t>(read_index(arguments, at + 1, "first", kMaxCount));
    const auto bytes = static_cast<std::size_t>(read_index(arguments, at + 2, "bytes", kMaxCount));
    if (first >= held) return {nullptr, 0};
    return {static_cast<std::byte*>(data) + first, std::min(bytes, held - first)};
  };
  return overlap(read_part(0, "a"), read_part(3, "b"));
}

PlanArguments plan_arguments(const Napi::CallbackInfo& arguments) {
  Job job = read_job(arguments);
  job.count = read_index(arguments, 2, "count", kMaxPlans);
  const Span A = read_array(arguments, 3, "A", job.dtype, elements(arguments.Env(), job, 1));
  const Span plans = read_array(arguments, 4, "plans", DType::float64, kPlanFields * job.count);
  if (overlap(A, plans)) refuse_aliased(arguments.Env());
  job.A = A.data;
  return {job, reinterpret_cast<double*>(plans.data)};
}

}  // namespace matfun::addon
