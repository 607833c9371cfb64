#pragma once

#if defined(__x86_64__) || defined(__aarch64__)
#include <cstdint>
#else
#include <cfenv>
#endif

namespace matfun {

#if defined(__x86_64__)

/// What a thread computes with: its rounding, its treatment of subnormal numbers, its traps.
struct FloatingPointMode {
  // Sources: Intel's manual, volume 1, table 10-3 (MXCSR) and section 8.1.5 (x87, which norms in OpenBLAS use). These are the values
  // that a program starts with.
  std::uint32_t sse = 0x1F80;
  std::uint16_t x87 = 0x037F;

  static FloatingPointMode current() noexcept {
    FloatingPointMode mode;
    asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mode.sse), "=m"(mode.x87) : : "memory");
    return mode;
  }
  void use() const noexcept {
    // A flag of the x87 that is raised would trap as soon as its trap is back.
    asm volatile("ldmxcsr %0\n\tfnclex\n\tfldcw %1" : : "m"(sse), "m"(x87) : "memory");
  }
  bool is_standard() const noexcept {
    constexpr std::uint32_t kRaised = 0x3F;  // flags, which change no result
    return (sse & ~kRaised) == FloatingPointMode().sse && x87 == FloatingPointMode().x87;
  }
};

#elif defined(__aarch64__)

struct FloatingPointMode {
  std::uint64_t control = 0;  ///< Arm's manual, FPCR: a program starts with 0

  static FloatingPointMode current() noexcept {
    FloatingPointMode mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode.control) : : "memory");
    return mode;
  }
  void use() const noexcept { asm volatile("msr fpcr, %0" : : "r"(control) : "memory"); }
  bool is_standard() const noexcept { return control == 0; }
};

#else

struct FloatingPointMode {
  std::fenv_t environment;
  bool is_known = false;

  static FloatingPointMode current() noexcept {
    FloatingPointMode mode;
    mode.is_known = std::fegetenv(&mode.environment) == 0;
    return mode;
  }
  void use() const noexcept { std::fesetenv(is_known ? &environment : FE_DFL_ENV); }
  bool is_standard() const noexcept { return false; }  // <cfenv> cannot tell
};

#endif

/// The calling thread rounds to nearest, keeps subnormal numbers and traps nothing while this lives. Afterwards it has its own mode
/// again. Results would depend on the thread otherwise: a library built with -ffast-math changes the mode of the thread that
/// loads it, and a new thread has the mode of the thread that starts it.
class StandardFloatingPoint {
 public:
  StandardFloatingPoint() noexcept : own_(FloatingPointMode::current()), is_changed_(!own_.is_standard()) {
    if (is_changed_) FloatingPointMode().use();  // takes longer than to read it
  }
  ~StandardFloatingPoint() {
    if (is_changed_) own_.use();
  }
  StandardFloatingPoint(const StandardFloatingPoint&) = delete;
  StandardFloatingPoint& operator=(const StandardFloatingPoint&) = delete;

 private:
  const FloatingPointMode own_;
  const bool is_changed_;
};

}  // namespace matfun
