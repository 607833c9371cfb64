#include "batch/floating_point.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cfenv>
#include <limits>

#include "batch/thread_pool.hpp"

namespace matfun::test {
namespace {

/// A thread's mode as a test changes it; its own again when this goes.
class Changed {
 public:
  Changed() { std::fegetenv(&own_); }
  ~Changed() { std::fesetenv(&own_); }
  Changed(const Changed&) = delete;
  Changed& operator=(const Changed&) = delete;

 private:
  std::fenv_t own_;
};

// Through volatile numbers, so that nothing is computed by the compiler.

bool rounds_to_nearest() {
  volatile double one = 1, tiny = 1e-20;
  volatile long double long_one = 1, long_tiny = 1e-30L;  // in the x87 of an x86-64
  return one + tiny == 1 && one - tiny == 1 && long_one + long_tiny == 1 && long_one - long_tiny == 1;
}

/// What an operation makes of a subnormal number (DAZ), and of a result that is one (FTZ).
bool keeps_subnormals() {
  volatile double subnormal = 3e-310, least = std::numeric_limits<double>::min(), half = 0.5;
  return subnormal * half > 0 && least * half > 0;
}

#if defined(__x86_64__)
void flush_subnormals() {
  FloatingPointMode mode = FloatingPointMode::current();
  mode.sse |= 0x8040;
  mode.use();
}
#elif defined(__aarch64__)
void flush_subnormals() {
  FloatingPointMode mode = FloatingPointMode::current();
  mode.control |= std::uint64_t(1) << 24;
  mode.use();
}
#endif

/// Does `is_so` on threads that are started by the calling one.
template <class Check>
bool holds_on_new_threads(const Check& is_so) {
  class Work : public TiledWork {
   public:
    explicit Work(const Check& check) : TiledWork(1), check_(check) {}
    void run_tile(Index, ThreadMemory&) override { is_so = check_(); }
    void finished() noexcept override {
      has_finished = true;
      has_finished.notify_all();
    }
    std::atomic<bool> is_so = false;
    std::atomic<bool> has_finished = false;

   private:
    const Check& check_;
  };
  ThreadPool pool;
  Work work(is_so);
  pool.start(work, 1);
  work.has_finished.wait(false);
  return work.is_so;
}

}  // namespace

TEST_CASE("the standard mode rounds to nearest whatever the thread does, which then goes on as before") {
  for (const int rounding : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    CAPTURE(rounding);
    const Changed changed;
    REQUIRE(std::fesetround(rounding) == 0);
    REQUIRE_FALSE(rounds_to_nearest());
    {
      const StandardFloatingPoint standard;
      CHECK(rounds_to_nearest());
      const StandardFloatingPoint again;
      CHECK(rounds_to_nearest());
    }
    CHECK_FALSE(rounds_to_nearest());
    CHECK(std::fegetround() == rounding);
    CHECK(holds_on_new_threads(rounds_to_nearest));
  }
}

#if defined(__x86_64__) || defined(__aarch64__)
TEST_CASE("the standard mode keeps subnormal numbers, also on threads of a thread that does not") {
  const Changed changed;
  flush_subnormals();
  REQUIRE_FALSE(keeps_subnormals());
  {
    const StandardFloatingPoint standard;
    CHECK(keeps_subnormals());
  }
  CHECK_FALSE(keeps_subnormals());
  CHECK(holds_on_new_threads(keeps_subnormals));
}

TEST_CASE("a thread that computes in the standard mode already is left alone, whatever flags it has raised") {
  const Changed changed;
  FloatingPointMode().use();
  CHECK(FloatingPointMode::current().is_standard());
  volatile double one = 1, three = 3;
  volatile double inexact = one / three;
  static_cast<void>(inexact);
  CHECK(FloatingPointMode::current().is_standard());
  {
    const StandardFloatingPoint standard;
  }
  CHECK(std::fetestexcept(FE_INEXACT) != 0);
}
#endif

#if defined(__GLIBC__) && defined(__x86_64__)
TEST_CASE("a thread that traps is trapped neither by what is computed in the standard mode nor by its end") {
  const Changed changed;
  std::feclearexcept(FE_ALL_EXCEPT);
  REQUIRE(feenableexcept(FE_DIVBYZERO | FE_INVALID) != -1);
  {
    const StandardFloatingPoint standard;
    volatile double zero = 0;
    volatile long double long_zero = 0;
    CHECK(1 / zero == std::numeric_limits<double>::infinity());
    CHECK(1 / long_zero == std::numeric_limits<long double>::infinity());
  }
  volatile double one = 1;
  volatile long double long_one = 1;
  CHECK(one + one == 2);
  CHECK(long_one + long_one == 2);
  CHECK(fegetexcept() == (FE_DIVBYZERO | FE_INVALID));
}
#endif

}  // namespace matfun::test
