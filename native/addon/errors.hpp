#pragma once

#include <new>
#include <string>
#include <system_error>

#include "addon/napi.hpp"

namespace matfun::addon {

/// The code of all that is told for want of memory, as in lib/errors.ts.
inline constexpr char kOutOfMemory[] = "ERR_OUT_OF_MEMORY";

/// What JavaScript is told of the exception that is being handled. The core throws for nothing but want of memory or of a thread.
inline const char* told_of_exception() noexcept {
  try {
    throw;
  } catch (const std::system_error&) {
    return "no thread can be started";
  } catch (...) {
    return "there is not enough memory";
  }
}

/// Does body, a napi_value (). What it throws becomes a JavaScript exception, by calls of C that allocate nothing here.
template <class Body>
napi_value with_exceptions(napi_env env, const Body& body) noexcept {
  try {
    return body();
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (...) {
    napi_throw_range_error(env, kOutOfMemory, told_of_exception());
  }
  return nullptr;
}

/// A RangeError with code ERR_ALIASED_OUT. lib has compared addresses before and named the arguments; this is for other callers.
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
