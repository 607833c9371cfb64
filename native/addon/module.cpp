#include <new>

#include "addon/arguments.hpp"
#include "addon/errors.hpp"
#include "addon/linearizations.hpp"
#include "addon/worker.hpp"
#include "kernels/kernels.hpp"
#include "linalg/blas.hpp"

namespace matfun::addon {
namespace {

/// What a function of the batch layer makes of a job, for JavaScript to throw what it throws.
template <auto compute>
auto run_job(Napi::Env env, const Job& job) {
  try {
    return compute(job);
  } catch (const std::bad_alloc&) {
    throw out_of_memory(env);
  }
}

// native:     run(code, n, count, directions, threads, A, value, direction?, result?)
// TypeScript: run(...): Uint8Array | undefined, a status for each result, or nothing where all went well
Napi::Value run(const Napi::CallbackInfo& arguments) {
  return to_js(arguments.Env(), run_job<run_batch>(arguments.Env(), run_arguments(arguments)));
}

// native:     runOne(code, n, memory)
// TypeScript: runOne(...): number, the status of the one result
Napi::Value run_one(const Napi::CallbackInfo& arguments) {
  const Napi::Env env = arguments.Env();
  return Napi::Number::New(env, static_cast<double>(run_job<matfun::run_one>(env, run_one_arguments(arguments))));
}

/// Numbers that tell of one plan.
constexpr std::size_t kPlanFields = 11;

// native:     plan(code, n, count, A)
// TypeScript: plan(...): Float64Array, for each matrix
//             [status, scheme, degree, products, squarings, norm, alpha, form, balanced, shift re, shift im]
Napi::Value plan(const Napi::CallbackInfo& arguments) {
  const Napi::Env env = arguments.Env();
  const Job job = plan_arguments(arguments);
  const std::vector<Plan> plans = run_job<plan_batch>(env, job);
  auto result = Napi::Float64Array::New(env, kPlanFields * plans.size());
  double* at = result.Data();
  for (const Plan& plan : plans) {
    *at++ = static_cast<double>(plan.status);
    *at++ = static_cast<double>(plan.scheme);
    *at++ = plan.degree;
    *at++ = plan.status == Status::ok ? count_cost(plan).products : 0;
    *at++ = plan.squarings;
    *at++ = plan.norm;
    *at++ = plan.alpha;
    *at++ = static_cast<double>(plan.form);
    *at++ = plan.balanced ? 1 : 0;
    *at++ = plan.shift.real();
    *at++ = plan.shift.imag();
  }
  return result;
}

/// What this processor can do that kernels are commonly compiled for; empty where it cannot be asked.
std::vector<const char*> cpu_features() {
  std::vector<const char*> features;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) features.push_back("sse4.2");
  if (__builtin_cpu_supports("avx")) features.push_back("avx");
  if (__builtin_cpu_supports("avx2")) features.push_back("avx2");
  if (__builtin_cpu_supports("fma")) features.push_back("fma");
  if (__builtin_cpu_supports("avx512f")) features.push_back("avx512f");
#endif
  return features;
}

// native:     info()
// TypeScript: info(): { config, core, threading, library, linkage, threads, locked, target, compiler, features }
Napi::Value info(const Napi::CallbackInfo& arguments) {
  const Napi::Env env = arguments.Env();
  const blas::Info blas = blas::info();
  Napi::Object result = Napi::Object::New(env);
  result.Set("config", blas.config);
  result.Set("core", blas.core);
  result.Set("threading", blas.threading);
  result.Set("library", blas.library);
  result.Set("linkage", blas.linkage);
  result.Set("threads", blas.threads);
  result.Set("locked", blas.locked);
  result.Set("target", kernels::target().name);
  result.Set("compiler", __VERSION__);
  Napi::Array features = Napi::Array::New(env);
  for (const char* feature : cpu_features()) features.Set(features.Length(), Napi::String::New(env, feature));
  result.Set("features", features);
  return result;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  blas::initialize();
  // As template arguments: these have no data to be fetched at each call.
  exports.Set("run", Napi::Function::New<run>(env, "run"));
  exports.Set("runOne", Napi::Function::New<run_one>(env, "runOne"));
  Worker& worker = Worker::attach(env);
  const auto start = [&worker](const Napi::CallbackInfo& arguments) { return worker.start(arguments); };
  const auto cancel = [&worker](const Napi::CallbackInfo& arguments) { worker.cancel(arguments); };
  exports.Set("start", Napi::Function::New(env, start, "start"));
  exports.Set("cancel", Napi::Function::New(env, cancel, "cancel"));
  Linearizations::attach(env, exports);
  exports.Set("plan", Napi::Function::New<plan>(env, "plan"));
  exports.Set("info", Napi::Function::New<info>(env, "info"));
  return exports;
}

}  // namespace

NODE_API_MODULE(matfun, initialize)

}  // namespace matfun::addon
