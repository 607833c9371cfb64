#pragma once

/// The one include of Node-API. C++ exceptions of any kind become JavaScript ones (node_addon_api_except_all), and one
/// that can no longer be thrown, because its worker is being terminated, is dropped instead of aborting the process.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#include <napi.h>
