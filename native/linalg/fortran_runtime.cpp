// The one function of Fortran's run-time library that LAPACK calls in the routines used here, for addons that contain LAPACK:
// with it they need no libgfortran. Left out where OpenBLAS is the process's own.

#include <algorithm>
#include <cstddef>

/// result = first // second, cut off at `length` or filled up with blanks.       [Fortran 2018, 10.1.5.3 and 10.2.1.3]
/// The lengths are in characters, and the strings do not overlap the result.
extern "C" void _gfortran_concat_string(std::size_t length, char* result, std::size_t first_length, const char* first,
                                        std::size_t second_length, const char* second) {
  const std::size_t from_first = std::min(first_length, length);
  const std::size_t from_second = std::min(second_length, length - from_first);
  std::copy_n(first, from_first, result);
  std::copy_n(second, from_second, result + from_first);
  std::fill(result + from_first + from_second, result + length, ' ');
}
