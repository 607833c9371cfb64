// SIMD registers of one target. Included once by each file of `targets`, inside the target's namespace and with
// kVectorBytes defined there; so no include guard, and no includes: everything that is defined here is compiled for
// the target alone.

/// Products of one matrix beat those of OpenBLAS 0.3.21 up to this order, by its Haswell and Cooperlake kernels on a Zen 5: with
/// registers of 64 bytes 1536 was the greatest that was measured, and there 87 GFLOP/s beside 50 and 83; with 32 bytes it was
/// 512. With 16 bytes nothing was measured.
constexpr Index kMostOrder = kVectorBytes == 64 ? 1536 : kVectorBytes == 32 ? 512 : 64;

template <class R, int bytes>
struct Register;
template <>
struct Register<float, 16> {
  typedef float type __attribute__((vector_size(16)));
  typedef int mask __attribute__((vector_size(16)));
};
template <>
struct Register<float, 32> {
  typedef float type __attribute__((vector_size(32)));
  typedef int mask __attribute__((vector_size(32)));
};
template <>
struct Register<float, 64> {
  typedef float type __attribute__((vector_size(64)));
  typedef int mask __attribute__((vector_size(64)));
};
template <>
struct Register<double, 16> {
  typedef double type __attribute__((vector_size(16)));
  typedef long long mask __attribute__((vector_size(16)));
};
template <>
struct Register<double, 32> {
  typedef double type __attribute__((vector_size(32)));
  typedef long long mask __attribute__((vector_size(32)));
};
template <>
struct Register<double, 64> {
  typedef double type __attribute__((vector_size(64)));
  typedef long long mask __attribute__((vector_size(64)));
};

template <class R>
using V = typename Register<R, kVectorBytes>::type;

/// Numbers of a register.
template <class R>
constexpr Index kWidth = kVectorBytes / static_cast<Index>(sizeof(R));

template <class R>
inline V<R> get(const R* from) {
  V<R> x;
  __builtin_memcpy(&x, from, sizeof x);
  return x;
}
template <class R>
inline void put(V<R> x, R* to) {
  __builtin_memcpy(to, &x, sizeof x);
}
template <class R>
using Mask = typename Register<R, kVectorBytes>::mask;

template <class R>
inline V<R> modulus(V<R> x) {
  constexpr Mask<R> kSign = (Mask<R>)(-V<R>{});
  return (V<R>)((Mask<R>)x & ~kSign);
}
template <class R>
inline V<R> larger(V<R> x, V<R> y) {
  return x > y ? x : y;
}
template <class R>
inline V<R> smaller(V<R> x, V<R> y) {
  return x < y ? x : y;
}
template <class R>
inline V<R> square_root(V<R> x) {
  R numbers[kWidth<R>];
  put(x, numbers);
  for (R& number : numbers) number = sizeof(R) == 4 ? R(__builtin_sqrtf(float(number))) : R(__builtin_sqrt(number));
  return get(numbers);
}

/// Of two registers of `width` numbers, in runs of `distance`: the even runs of both go to `upper`, the odd ones to `lower`, each
/// in the place of a run of its pair.
template <class R, int width, int distance>
inline void exchange(typename Register<R, width* static_cast<int>(sizeof(R))>::type& upper,
                     typename Register<R, width* static_cast<int>(sizeof(R))>::type& lower) {
  typename Register<R, width* static_cast<int>(sizeof(R))>::mask low, high;
  for (int l = 0; l < width; ++l) {
    low[l] = (l & distance) != 0 ? l - distance + width : l;
    high[l] = (l & distance) != 0 ? l + width : l + distance;
  }
  const auto odd = __builtin_shuffle(upper, lower, high);
  upper = __builtin_shuffle(upper, lower, low);
  lower = odd;
}

/// Transposes width / parts registers of as many elements of `parts` numbers: in each step those that lie `distance` apart
/// exchange halves.
template <class R, int width, int parts = 1, int distance = 1>
inline void transpose(typename Register<R, width* static_cast<int>(sizeof(R))>::type* rows) {
  if constexpr (distance * parts < width) {
#pragma GCC unroll 16
    for (int r = 0; r < width / parts; ++r)
      if ((r & distance) == 0) exchange<R, width, distance * parts>(rows[r], rows[r + distance]);
    transpose<R, width, parts, 2 * distance>(rows);
  }
}
