#include "batch/allocation.hpp"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>

namespace matfun::test::allocation {
namespace {

constexpr long kNever = std::numeric_limits<long>::max();

std::atomic<long> first_failing = kNever, last_failing = kNever, allocations = 0, blocks = 0;
std::atomic<std::size_t> most_bytes = std::numeric_limits<std::size_t>::max();
std::atomic<bool> threads_fail = false, pages_fail = false;

void* allocate(std::size_t bytes) {
  const long number = ++allocations;
  if (bytes > most_bytes || (number >= first_failing && number <= last_failing)) return nullptr;
  void* const memory = std::malloc(bytes > 0 ? bytes : 1);
  if (memory != nullptr) ++blocks;
  return memory;
}

void free_block(void* memory) {
  if (memory != nullptr) --blocks;
  std::free(memory);
}

}  // namespace

void fail(Failing failing) {
  allocations = 0;
  last_failing = failing.all_after ? kNever : failing.first;
  first_failing = failing.first;
}

void fail_above(std::size_t bytes) {
  most_bytes = bytes;
}

long succeed() {
  first_failing = kNever;
  most_bytes = std::numeric_limits<std::size_t>::max();
  return allocations;
}

long live_blocks() {
  return blocks;
}

void fail_threads(bool fails) {
  threads_fail = fails;
}

void fail_pages(bool fails) {
  pages_fail = fails;
}

}  // namespace matfun::test::allocation

using namespace matfun::test;

void* operator new(std::size_t bytes) {
  void* const memory = allocation::allocate(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  allocation::free_block(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  allocation::free_block(memory);
}

extern "C" {

/// In the place of the C library's, which std::thread calls.
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) noexcept {
  static const auto create = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  return allocation::threads_fail ? EAGAIN : create(thread, attributes, run, argument);
}

/// CMakeLists.txt has the linker take this for mmap.
void* __real_mmap(void*, std::size_t, int, int, int, off_t) noexcept;
void* __wrap_mmap(void* at, std::size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
  if (!allocation::pages_fail) return __real_mmap(at, bytes, protection, flags, file, offset);
  errno = ENOMEM;
  return reinterpret_cast<void*>(std::intptr_t(-1));  // MAP_FAILED, whose cast is of the old style
}
}
