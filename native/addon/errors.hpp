#pragma once

#include <string>

#include "addon/napi.hpp"

namespace matfun::addon {

/// A RangeError with code ERR_OUT_OF_MEMORY, as lib/errors.ts would make it.
inline Napi::Error out_of_memory(Napi::Env env, const char* what = "there is not enough memory for the workspace") {
  Napi::RangeError error = Napi::RangeError::New(env, what);
  error.Set("code", Napi::String::New(env, "ERR_OUT_OF_MEMORY"));
  return error;
}

/// A RangeError with code ERR_ALIASED_OUT, for what lib cannot see: that two SharedArrayBuffers are of the same memory.
[[noreturn]] inline void refuse_aliased(Napi::Env env) {
  Napi::RangeError error = Napi::RangeError::New(
      env, "an output overlaps an input or the other output: it would be overwritten while in use");
  error.Set("code", Napi::String::New(env, "ERR_ALIASED_OUT"));
  throw error;
}

/// What the addon's own checks throw, which lib should never let happen.
template <class Error>
[[noreturn]] void refuse(Napi::Env env, const std::string& message) {
  Error error = Error::New(env, "matfun addon: " + message);
  error.Set("code", Napi::String::New(env, "ERR_MATFUN_ADDON"));
  throw error;
}

}  // namespace matfun::addon
