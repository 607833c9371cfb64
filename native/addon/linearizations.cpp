#include "addon/linearizations.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "addon/arguments.hpp"
#include "addon/functions.hpp"
#include "addon/worker.hpp"

namespace matfun::addon {
namespace {

/// Orphans are not looked for before so much was added, nor before so many were.
constexpr std::int64_t kFew_bytes = std::int64_t(1) << 24;
constexpr std::size_t kFew = 256;

/// Those of the environments that run on this thread. Finalizers look here, since Node calls them after cleanup hooks, too.
thread_local std::unordered_map<napi_env, Linearizations*> of_environments;

}  // namespace

void Linearizations::attach(Napi::Env env, Napi::Object exports) {
  std::unique_ptr<Linearizations> made(new Linearizations(env));
  of_environments.emplace(env, made.get());
  env.AddCleanupHook([](Linearizations* gone) { delete gone; }, made.get());
  Linearizations* const all = made.release();
  add_function<&Linearizations::linearize>(exports, "linearize", all);
  add_function<&Linearizations::derive>(exports, "derive", all);
  add_function<&Linearizations::conditions>(exports, "conditions", all);
  add_function<&Linearizations::release>(exports, "release", all);
}

Linearizations::~Linearizations() {
  of_environments.erase(env_);
}

Napi::Value Linearizations::linearize(const Napi::CallbackInfo& arguments) {
  const Napi::Env env = arguments.Env();
  const auto [job, owner] = linearize_arguments(arguments);
  std::vector<Status> statuses;
  const Id id = add(job, matfun::linearize(job, statuses), owner);
  Napi::Object result = Napi::Object::New(env);
  result.Set("id", static_cast<double>(id));
  result.Set("statuses", to_js(env, statuses));
  return result;
}

Napi::Value Linearizations::derive(const Napi::CallbackInfo& arguments) {
  const Entry& own = entry(arguments);
  const Job job = derive_arguments(arguments, own.job);
  return to_js(arguments.Env(), own.linearization->run(job));
}

Napi::Value Linearizations::conditions(const Napi::CallbackInfo& arguments) {
  const Entry& own = entry(arguments);
  const Job job = condition_arguments(arguments, own.job);
  return to_js(arguments.Env(), own.linearization->run(job));
}

Napi::Value Linearizations::release(const Napi::CallbackInfo& arguments) {
  const auto found = entries_.find(id_argument(arguments));
  if (found != entries_.end()) remove(found);
  return arguments.Env().Undefined();
}

const Linearizations::Entry& Linearizations::entry(const Napi::CallbackInfo& arguments) const {
  const auto found = entries_.find(id_argument(arguments));
  if (found == entries_.end()) refuse<Napi::RangeError>(arguments.Env(), "id names no linearization");
  return found->second;
}

Linearizations::Id Linearizations::add(const Job& job, std::unique_ptr<Linearization> linearization,
                                       Napi::Object owner) {
  const Id id = ++last_id_;
  const auto held_bytes = static_cast<std::int64_t>(linearization->held_bytes());
  const auto added = entries_.emplace(id, Entry{job, std::move(linearization), {}, held_bytes}).first;
  napi_ref weak = nullptr;
  if (napi_add_finalizer(env_, owner, reinterpret_cast<void*>(id), end, nullptr, &weak) != napi_ok) {
    entries_.erase(added);
    throw Napi::Error::New(env_);
  }
  added->second.owner = Napi::ObjectReference(env_, weak);
  held_bytes_ += held_bytes;
  added_bytes_ += held_bytes;
  ++added_;
  // May collect garbage at once.
  Napi::MemoryManagement::AdjustExternalMemory(env_, held_bytes);
  const bool is_much = added_bytes_ >= std::max(kFew_bytes, held_bytes_ / 2);
  if (is_much || added_ >= std::max(kFew, entries_.size() / 2)) remove_orphans();
  return id;
}

void Linearizations::end(napi_env env, void* id, void*) {
  const auto all = of_environments.find(env);
  if (all == of_environments.end()) return;
  const auto found = all->second->entries_.find(reinterpret_cast<Id>(id));
  if (found != all->second->entries_.end()) all->second->remove(found);
}

Linearizations::Entries::iterator Linearizations::remove(Entries::iterator entry) {
  held_bytes_ -= entry->second.held_bytes;
  Napi::MemoryManagement::AdjustExternalMemory(env_, -entry->second.held_bytes);
  return entries_.erase(entry);
}

void Linearizations::remove_orphans() {
  const Napi::HandleScope scope(env_);
  for (auto entry = entries_.begin(); entry != entries_.end();)
    entry = entry->second.owner.Value().IsEmpty() ? remove(entry) : std::next(entry);
  added_bytes_ = 0;
  added_ = 0;
}

}  // namespace matfun::addon
