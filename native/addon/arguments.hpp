#pragma once

#include <vector>

#include "addon/napi.hpp"
#include "batch/background.hpp"

namespace matfun::addon {

/// The raw arguments of `run`: operation, dtype, method, shift, balance, n, count, directions, threads, A, X, direction,
/// result.
/// lib/input.ts has checked all that a user can get wrong; this checks again what memory safety needs, whoever calls:
/// types, lengths (which also catches detached buffers, whose length is 0), and that outputs overlap nothing but, exactly, their inputs (see Job).
/// Throws Napi::TypeError or Napi::RangeError with code ERR_MATFUN_ADDON.
Job run_arguments(const Napi::CallbackInfo& arguments);

/// What `start` takes after the arguments of `run`.
struct StartArguments {
  Background::Copies copies;
  Napi::Function ended;
  Napi::Value progress;  ///< a function, or undefined
};
StartArguments start_arguments(const Napi::CallbackInfo& arguments);

/// The raw arguments of `plan`: operation, dtype, method, shift, balance, n, count, A.
Job plan_arguments(const Napi::CallbackInfo& arguments);

}  // namespace matfun::addon
