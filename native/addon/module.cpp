#include "addon/arguments.hpp"
#include "addon/functions.hpp"
#include "addon/linearizations.hpp"
#include "addon/worker.hpp"
#include "batch/call_memory.hpp"
#include "kernels/kernels.hpp"
#include "linalg/blas.hpp"

namespace matfun::addon {
namespace {

// native:     run(code, n, count, directions, threads, A, value, direction?, result?)
// TypeScript: run(...): Uint8Array | undefined, a status for each result, or nothing where all went well
Napi::Value run(const Napi::CallbackInfo& arguments) {
  return to_js(arguments.Env(), run_batch(run_arguments(arguments)));
}

// native:     runOne(code, n, memory)
// TypeScript: runOne(...): number, the status of the one result
Napi::Value run_one(const Napi::CallbackInfo& arguments) {
  return Napi::Number::New(arguments.Env(), static_cast<double>(matfun::run_one(run_one_arguments(arguments))));
}

// native:     plan(code, n, count, A, plans)
// TypeScript: plan(...): void; plans is overwritten, for each matrix with
//             [status, scheme, degree, products, squarings, norm, alpha, form, balanced, shift re, shift im]
Napi::Value plan(const Napi::CallbackInfo& arguments) {
  auto [job, at] = plan_arguments(arguments);
  for (const Plan& plan : plan_batch(job)) {
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
  return arguments.Env().Undefined();
}

// native:     overlap(a, first, bytes, b, first, bytes)
// TypeScript: overlap(...): boolean, whether these bytes of two typed arrays share memory
Napi::Value overlap(const Napi::CallbackInfo& arguments) {
  return Napi::Boolean::New(arguments.Env(), overlap_arguments(arguments));
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
  // What a thread keeps is made now, since the system ends a process that it cannot give a thread's own variables.
  CallMemory().provide(0);
  add_function<run>(exports, "run");
  add_function<run_one>(exports, "runOne");
  Worker::attach(env, exports);
  Linearizations::attach(env, exports);
  add_function<plan>(exports, "plan");
  add_function<overlap>(exports, "overlap");
  add_function<info>(exports, "info");
  return exports;
}

}  // namespace

NODE_API_MODULE(matfun, initialize)

}  // namespace matfun::addon
