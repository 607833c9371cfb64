#pragma once

#include "addon/errors.hpp"
#include "batch/floating_point.hpp"

namespace matfun::addon {
namespace detail {

template <class Owner, class Result>
napi_value call(Result (Owner::*method)(const Napi::CallbackInfo&), const Napi::CallbackInfo& arguments) {
  return (static_cast<Owner*>(arguments.Data())->*method)(arguments);
}
template <class Result>
napi_value call(Result (*function)(const Napi::CallbackInfo&), const Napi::CallbackInfo& arguments) {
  return function(arguments);
}

}  // namespace detail

/// Adds a function to the addon's: Napi::Value (const Napi::CallbackInfo&), or such a method of `owner`, which must live as long as
/// the environment. Not by Napi::Function::New, for which want of memory is an Error without a code.
/// It computes in the standard floating-point mode, whatever the calling thread's own is.
template <auto function>
void add_function(Napi::Object exports, const char* name, void* owner = nullptr) {
  const auto called = [](napi_env env, napi_callback_info info) {
    const StandardFloatingPoint mode;
    return with_exceptions(env, [&] { return detail::call(function, Napi::CallbackInfo(env, info)); });
  };
  napi_value made = nullptr;
  const napi_status status = napi_create_function(exports.Env(), name, NAPI_AUTO_LENGTH, called, owner, &made);
  if (status != napi_ok) throw Napi::Error::New(exports.Env());
  exports.Set(name, made);
}

}  // namespace matfun::addon
