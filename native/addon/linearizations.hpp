#pragma once

#include <memory>
#include <unordered_map>

#include "addon/napi.hpp"
#include "batch/linearization.hpp"

namespace matfun::addon {

/// The linearizations of one environment. JavaScript knows each by a number, never used again, so that no pointer can be forged or
/// outlive what it points to. It goes when it is released, when its owner (a JavaScript object) has been collected, or with
/// the environment. All of it is for the environment's thread.
///
/// V8 is told how much memory they hold, and so collects owners in time. Finalizers are no answer to a loop that never
/// returns to the event loop: Node calls them from there. So owners are also asked for whenever what was added since the last time is
/// as much as what there was.
class Linearizations {
 public:
  /// Adds linearize, derive, conditions and release to the addon's functions.
  static void attach(Napi::Env env, Napi::Object exports);

  ~Linearizations();
  Linearizations(const Linearizations&) = delete;
  Linearizations& operator=(const Linearizations&) = delete;

 private:
  using Id = std::uintptr_t;
  struct Entry {
    Job job;  ///< that it was made of; the arrays are not to be used
    std::unique_ptr<Linearization> linearization;
    Napi::ObjectReference owner;  ///< weak; with it goes the finalizer, also one that waits to be called
    std::int64_t held_bytes;
  };
  using Entries = std::unordered_map<Id, Entry>;

  explicit Linearizations(Napi::Env env) : env_(env) {}

  // native:     linearize(code, n, count, 0, threads, A, value, owner)
  // TypeScript: linearize(...): { id: number, statuses: Uint8Array | undefined }
  Napi::Value linearize(const Napi::CallbackInfo& arguments);
  // native:     derive(id, operation, directions, threads, direction, result)
  // TypeScript: derive(...): Uint8Array | undefined, as run
  Napi::Value derive(const Napi::CallbackInfo& arguments);
  // native:     conditions(id, threads, values)
  // TypeScript: conditions(...): Uint8Array | undefined, as run
  Napi::Value conditions(const Napi::CallbackInfo& arguments);
  // native:     release(id)
  // TypeScript: release(id: number): void; nothing where there is none
  Napi::Value release(const Napi::CallbackInfo& arguments);

  const Entry& entry(const Napi::CallbackInfo& arguments) const;
  Id add(const Job& job, std::unique_ptr<Linearization> linearization, Napi::Object owner);
  /// The finalizer of an owner. id: as a pointer, to nothing.
  static void end(napi_env env, void* id, void*);
  Entries::iterator remove(Entries::iterator entry);
  void remove_orphans();

  Napi::Env env_;
  Entries entries_;
  Id last_id_ = 0;
  std::int64_t held_bytes_ = 0;   ///< by all
  std::int64_t added_bytes_ = 0;  ///< since orphans were removed
  std::size_t added_ = 0;
};

}  // namespace matfun::addon
