#pragma once

#include <cstddef>

#include "addon/napi.hpp"
#include "batch/background.hpp"

namespace matfun::addon {

/// Where the arrays stand among the raw arguments of `run` and `start`, and how many there are at most.
inline constexpr std::size_t kFirstArray = 5, kArrays = 4;

/// The raw arguments of `run`: code, n, count, directions, threads, A, X, direction, result. The code is that of
/// operation + 4 dtype + 16 method + 64 shift + 256 balance + 1024 structure: one number is read in a fifth of the time of five.
/// lib/input.ts has checked all that a user can get wrong; this checks again what memory safety needs, whoever calls:
/// types, lengths (which also catches detached buffers, whose length is 0), and that outputs overlap nothing but, exactly, their inputs (see Job).
/// Throws Napi::TypeError or Napi::RangeError with code ERR_MATFUN_ADDON, or ERR_ALIASED_OUT for an overlap.
Job run_arguments(const Napi::CallbackInfo& arguments);

/// What `start` takes after the arguments of `run`.
struct StartArguments {
  Background::Copies copies;
  Napi::Function ended;
  Napi::Value progress;  ///< a function, or undefined
};
StartArguments start_arguments(const Napi::CallbackInfo& arguments);

/// The raw arguments of `runOne`: code, n, memory. One matrix, with one direction for the derivatives, in an ArrayBuffer
/// that holds A, X, direction and result one after the other.
Job run_one_arguments(const Napi::CallbackInfo& arguments);

/// The raw arguments of `linearize`: those of `run` for expm, A and value two arrays, order 1 at least; then the owner, an object.
struct LinearizeArguments {
  Job job;
  Napi::Object owner;
};
LinearizeArguments linearize_arguments(const Napi::CallbackInfo& arguments);

/// The raw arguments of `derive`: id, operation (jvp or vjp), directions, threads, direction, result; two arrays of their own for so many
/// directions of each of the job's matrices.
Job derive_arguments(const Napi::CallbackInfo& arguments, const Job& linearized);

/// The raw arguments of `conditions`: id, threads, values, a number for each of the job's matrices.
Job condition_arguments(const Napi::CallbackInfo& arguments, const Job& linearized);

/// The id that `cancel`, `derive`, `conditions` and `release` begin with.
std::uintptr_t id_argument(const Napi::CallbackInfo& arguments);

/// The raw arguments of `overlap`: a, first, bytes, b, first, bytes; typed arrays, and which of their bytes are meant. True if these
/// share memory, as far as they are there: an input that was copied may have lost its buffer since. Addresses are compared, since two SharedArrayBuffers can be of one memory, and two buffers of another addon's, too.
bool overlap_arguments(const Napi::CallbackInfo& arguments);

/// Numbers that tell of one plan.
inline constexpr Index kPlanFields = 11;

/// The raw arguments of `plan`: code, n, count, A, plans, where there is room for kPlanFields of each matrix.
struct PlanArguments {
  Job job;
  double* plans;
};
PlanArguments plan_arguments(const Napi::CallbackInfo& arguments);

}  // namespace matfun::addon
