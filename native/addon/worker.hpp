#pragma once

#include <unordered_map>

#include "addon/napi.hpp"
#include "batch/background.hpp"

namespace matfun::addon {

/// A status for each result, or undefined where all are ok. Throws std::bad_alloc where there is no room for them.
Napi::Value to_js(Napi::Env env, const std::vector<Status>& statuses);

/// What one environment (the main thread's, or that of one of node:worker_threads) has the pool do in the background.
/// Keeps the process alive as long as anything runs, and no longer. Goes with the environment: what runs then is cancelled,
/// and its running tiles are waited for, before Node takes the buffers away.
class Worker {
 public:
  /// Adds start and cancel to the addon's functions.
  static void attach(Napi::Env env, Napi::Object exports);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Native:    start(run's arguments, copies, ended, progress?)
  /// TypeScript: start(...): number, what `cancel` takes. copies: 1 for A, 2 for the direction, or both: what is copied to
  /// where its result will be before this returns (not for cond); the others must not change until `ended(statuses?, error?)` is called. progress(share): at most every
  /// 50 ms. Both are called by the event loop, and must not throw.
  Napi::Value start(const Napi::CallbackInfo& arguments);

  /// Native and TypeScript: cancel(id). `ended` comes as ever, maybe with results that are not all there.
  Napi::Value cancel(const Napi::CallbackInfo& arguments);

 private:
  using Calls = std::unordered_map<Background::Id, Napi::Reference<Napi::Array>>;

  explicit Worker(Napi::Env env);

  static void on_wake(Napi::Env env, Napi::Function, Worker* worker, void*);
  void collect(Napi::Env env);
  void tell(Napi::Env env, const Background::Event& event);
  void end(Napi::Env env, Calls::iterator call, const Background::Event& event);

  Napi::TypedThreadSafeFunction<Worker, void, on_wake> wake_;
  Calls calls_;            ///< the callbacks, and the arrays that they keep alive
  Background background_;  ///< last, so that it ends first
};

}  // namespace matfun::addon
