// Loaded into Node before all else, this has allocations of the addon's own code fail, and its starting of threads: what Node and
// V8 allocate is none of its. Which ones, the file that MATFUN_FAILING names says: three 64-bit integers, the number of the first to fail
// (from 1; 0: none), whether all that follow fail too, and how many there were, counted here.

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

namespace {

struct Control {
  std::int64_t first, all_after, count;
};

Control* control = nullptr;

__attribute__((constructor)) void begin() {
  void* frame = nullptr;
  backtrace(&frame, 1);  // which loads what it needs the first time
  const char* path = std::getenv("MATFUN_FAILING");
  const int file = path == nullptr ? -1 : open(path, O_RDWR);
  if (file < 0) return;
  void* memory = mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory != MAP_FAILED) control = static_cast<Control*>(memory);
}

/// What a place in the program belongs to.
enum class Owner { addon, library, other };
Owner owner_of(void* address) {
  Dl_info info{};
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return Owner::other;
  if (std::strstr(info.dli_fname, "matfun.node") != nullptr) return Owner::addon;
  return std::strstr(info.dli_fname, "libstdc++") != nullptr ? Owner::library : Owner::other;
}

/// Whether the addon asks, by itself or through the C++ library.
bool addon_asks() {
  constexpr int kMost = 16;
  void* frames[kMost];
  const int count = backtrace(frames, kMost);
  for (int k = 2; k < count; ++k)  // beyond this and what it is called by
    if (const Owner owner = owner_of(frames[k]); owner != Owner::library) return owner == Owner::addon;
  return false;
}

__attribute__((noinline)) bool fails(void* asker) {
  if (control == nullptr || __atomic_load_n(&control->first, __ATOMIC_SEQ_CST) == 0) return false;
  const Owner owner = owner_of(asker);
  if (owner == Owner::other || (owner == Owner::library && !addon_asks())) return false;
  const std::int64_t number = __atomic_add_fetch(&control->count, 1, __ATOMIC_SEQ_CST), first = control->first;
  return first != 0 && (control->all_after != 0 ? number >= first : number == first);
}

}  // namespace

void* operator new(std::size_t bytes) {
  void* const memory = fails(__builtin_return_address(0)) ? nullptr : std::malloc(bytes > 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](std::size_t bytes) {
  void* const memory = fails(__builtin_return_address(0)) ? nullptr : std::malloc(bytes > 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                              void* argument) noexcept {
  static const auto create = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  return fails(__builtin_return_address(0)) ? EAGAIN : create(thread, attributes, run, argument);
}
