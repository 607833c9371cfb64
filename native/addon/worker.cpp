#include "addon/worker.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <system_error>

#include "addon/arguments.hpp"
#include "addon/errors.hpp"
#include "batch/thread_pool.hpp"

namespace matfun::addon {
namespace {

/// Places in the array that a call keeps.
enum Kept : std::uint32_t { kEnded, kProgress, kKeptArrays };

}  // namespace

Napi::Value to_js(Napi::Env env, const std::vector<Status>& statuses) {
  if (std::ranges::all_of(statuses, [](Status status) { return status == Status::ok; })) return env.Undefined();
  auto result = Napi::Uint8Array::New(env, statuses.size());
  std::ranges::transform(statuses, result.Data(), [](Status status) { return static_cast<std::uint8_t>(status); });
  return result;
}

Worker& Worker::attach(Napi::Env env) {
  auto* worker = new Worker(env);
  // Added after wake_ was made, so called before Node closes it: no thread of the pool can meet a closed one.
  env.AddCleanupHook([](Worker* own) { delete own; }, worker);
  return *worker;
}

Worker::Worker(Napi::Env env)
    : wake_(decltype(wake_)::New(env, "matfun", 0, 1, this)), background_([this] { wake_.NonBlockingCall(); }) {
  wake_.Unref(env);
  ThreadPool::shared().enter();
}

Worker::~Worker() {
  // Only when nothing runs may the arrays go, and only then can nothing wake the event loop.
  background_.close();
  calls_.clear();
  wake_.Release();
  ThreadPool::shared().leave();
}

Napi::Value Worker::start(const Napi::CallbackInfo& arguments) {
  const Napi::Env env = arguments.Env();
  const Job job = run_arguments(arguments);
  const StartArguments own = start_arguments(arguments);
  Napi::Array kept = Napi::Array::New(env);
  kept.Set(kEnded, own.ended);
  kept.Set(kProgress, own.progress);
  for (std::size_t k = 0; k < kArrays; ++k)
    kept.Set(kKeptArrays + static_cast<std::uint32_t>(k), arguments[kFirstArray + k]);
  auto reference = Napi::Persistent(kept);
  Background::Id id = 0;
  try {
    calls_.reserve(calls_.size() + 1);
    id = background_.start(job, own.copies, own.progress.IsFunction());
  } catch (const std::bad_alloc&) {
    throw out_of_memory(env);
  } catch (const std::system_error&) {
    throw out_of_memory(env, "no thread can be started");
  }
  if (calls_.empty()) wake_.Ref(env);
  calls_.emplace(id, std::move(reference));
  return Napi::Number::New(env, static_cast<double>(id));
}

void Worker::cancel(const Napi::CallbackInfo& arguments) {
  background_.cancel(id_argument(arguments));
}

/// env is null where the environment is going: then nothing can be called any more.
void Worker::on_wake(Napi::Env env, Napi::Function, Worker* worker, void*) {
  if (env != nullptr) worker->collect(env);
}

void Worker::collect(Napi::Env env) {
  for (const Background::Event& event : background_.collect()) {
    const Napi::HandleScope scope(env);
    const auto call = calls_.find(event.id);
    if (event.has_ended) {
      end(env, call, event);
    } else {
      const Napi::Value progress = call->second.Value().Get(kProgress);
      progress.As<Napi::Function>().Call({Napi::Number::New(env, event.share)});
    }
  }
}

void Worker::end(Napi::Env env, Calls::iterator call, const Background::Event& event) {
  const auto ended = call->second.Value().Get(kEnded).As<Napi::Function>();
  calls_.erase(call);
  if (calls_.empty()) wake_.Unref(env);
  Napi::Value error = env.Undefined();
  try {
    if (event.error) std::rethrow_exception(event.error);
  } catch (const std::bad_alloc&) {
    error = out_of_memory(env).Value();
  }
  ended.Call({to_js(env, event.statuses), error});
}

}  // namespace matfun::addon
