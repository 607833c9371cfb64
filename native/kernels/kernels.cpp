#include "kernels/kernels.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "kernels/targets/targets.hpp"

namespace matfun::kernels {
namespace {

#if defined(__x86_64__)
bool has_v4() {
  return __builtin_cpu_supports("x86-64-v4");
}
bool has_v3() {
  return __builtin_cpu_supports("x86-64-v3");
}
bool has_v2() {
  return __builtin_cpu_supports("x86-64-v2");
}
#endif
bool always() {
  return true;
}

constexpr Target kTargets[] = {
#if defined(__x86_64__)
    {"x86-64-v4", has_v4, &x86_64_v4::kSinglePrecision, &x86_64_v4::kDoublePrecision, &x86_64_v4::kSingleMatrix,
     &x86_64_v4::kDoubleMatrix},
    {"x86-64-v3", has_v3, &x86_64_v3::kSinglePrecision, &x86_64_v3::kDoublePrecision, &x86_64_v3::kSingleMatrix,
     &x86_64_v3::kDoubleMatrix},
    {"x86-64-v2", has_v2, &x86_64_v2::kSinglePrecision, &x86_64_v2::kDoublePrecision, &x86_64_v2::kSingleMatrix,
     &x86_64_v2::kDoubleMatrix},
#endif
    {"baseline", always, &baseline::kSinglePrecision, &baseline::kDoublePrecision, &baseline::kSingleMatrix,
     &baseline::kDoubleMatrix},
};

const Target* widest() {
  return std::ranges::find_if(kTargets, [](const Target& candidate) { return candidate.supported(); });
}

const Target* chosen = widest();

}  // namespace

std::span<const Target> targets() {
  return kTargets;
}

const Target& target() {
  return *chosen;
}

bool use_target(const char* name) {
  const Target* const found = std::ranges::find_if(kTargets, [name](const Target& candidate) {
    return candidate.supported() && candidate.name == std::string_view(name);
  });
  if (found == std::end(kTargets)) return false;
  chosen = found;
  return true;
}

}  // namespace matfun::kernels
