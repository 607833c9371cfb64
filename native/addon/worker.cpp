#include "addon/worker.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <new>

#include "addon/arguments.hpp"
#include "addon/functions.hpp"
#include "batch/thread_pool.hpp"

namespace matfun::addon {
namespace {

/// Places in the array that a call keeps.
enum Kept : std::uint32_t { kEnded, kProgress, kKeptArrays };

/// new Uint8Array(length), as JavaScript makes it: where there is no room for what Node-API makes, V8 ends the process.
Napi::Value new_bytes(Napi::Env env, std::size_t length) {
  try {
    return env.Global()
        .Get("Uint8Array")
        .As<Napi::Function>()
        .New({Napi::Number::New(env, static_cast<double>(length))});
  } catch (const Napi::Error&) {
    throw std::bad_alloc();
  }
}

/// What an exception of the core is in JavaScript, undefined where there is none.
Napi::Value error_value(Napi::Env env, const std::exception_ptr& thrown) {
  if (!thrown) return env.Undefined();
  napi_value error = nullptr;
  try {
    std::rethrow_exception(thrown);
  } catch (...) {
    napi_create_range_error(env, Napi::String::New(env, kOutOfMemory), Napi::String::New(env, told_of_exception()),
                            &error);
  }
  return {env, error};
}

}  // namespace

Napi::Value to_js(Napi::Env env, const std::vector<Status>& statuses) {
  if (std::ranges::all_of(statuses, [](Status status) { return status == Status::ok; })) return env.Undefined();
  const Napi::Value result = new_bytes(env, statuses.size());
  // Whatever the caller has made of that name.
  napi_typedarray_type kind{};
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, result, &kind, &length, &data, nullptr, nullptr) != napi_ok ||
      kind != napi_uint8_array || length != statuses.size())
    refuse<Napi::TypeError>(env, "globalThis.Uint8Array makes no Uint8Array");
  std::ranges::transform(statuses, static_cast<std::uint8_t*>(data),
                         [](Status status) { return static_cast<std::uint8_t>(status); });
  return result;
}

void Worker::attach(Napi::Env env, Napi::Object exports) {
  std::unique_ptr<Worker> made(new Worker(env));
  // Added after wake_ was made, so called before Node closes it: no thread of the pool can meet a closed one.
  env.AddCleanupHook([](Worker* own) { delete own; }, made.get());
  Worker* const worker = made.release();
  add_function<&Worker::start>(exports, "start", worker);
  add_function<&Worker::cancel>(exports, "cancel", worker);
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
  // Once the job has begun, nothing may fail before its arrays are kept: so their place is made first.
  Calls call;
  call.emplace(0, Napi::Persistent(kept));
  calls_.reserve(calls_.size() + 1);
  const Background::Id id = background_.start(job, own.copies, own.progress.IsFunction());
  if (calls_.empty()) wake_.Ref(env);
  auto place = call.extract(call.begin());
  place.key() = id;
  calls_.insert(std::move(place));
  return Napi::Number::New(env, static_cast<double>(id));
}

Napi::Value Worker::cancel(const Napi::CallbackInfo& arguments) {
  background_.cancel(id_argument(arguments));
  return arguments.Env().Undefined();
}

/// env is null where the environment is going: then nothing can be called any more.
void Worker::on_wake(Napi::Env env, Napi::Function, Worker* worker, void*) {
  if (env != nullptr) worker->collect(env);
}

/// One call that throws does not keep the others from being told.
void Worker::collect(Napi::Env env) {
  std::exception_ptr thrown;
  while (const auto event = background_.collect()) {
    try {
      tell(env, *event);
    } catch (...) {
      if (!thrown) thrown = std::current_exception();
    }
  }
  if (thrown) std::rethrow_exception(thrown);
}

void Worker::tell(Napi::Env env, const Background::Event& event) {
  const Napi::HandleScope scope(env);
  const auto call = calls_.find(event.id);
  if (event.has_ended) return end(env, call, event);
  const Napi::Value progress = call->second.Value().Get(kProgress);
  progress.As<Napi::Function>().Call({Napi::Number::New(env, event.share)});
}

void Worker::end(Napi::Env env, Calls::iterator call, const Background::Event& event) {
  const auto ended = call->second.Value().Get(kEnded).As<Napi::Function>();
  calls_.erase(call);
  if (calls_.empty()) wake_.Unref(env);
  // No Napi::Value, which GCC 12 lets to_js write in place: where that throws, it would be neither the old nor a new one.
  napi_value statuses = env.Undefined();
  std::exception_ptr error = event.error;
  try {
    statuses = to_js(env, event.statuses);
  } catch (const std::bad_alloc&) {
    error = std::current_exception();
  }
  ended.Call({statuses, error_value(env, error)});
}

}  // namespace matfun::addon
