// Under another name, because LAPACK in the process's OpenBLAS may call the one of libgfortran.
#define _gfortran_concat_string concat_string_under_test
#include "linalg/fortran_runtime.cpp"
#undef _gfortran_concat_string

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

std::string concatenate(std::size_t length, std::string_view first, std::string_view second) {
  std::string result(length, '?');
  concat_string_under_test(length, result.data(), first.size(), first.data(), second.size(), second.data());
  return result;
}

}  // namespace

TEST_CASE("fortran runtime: strings are joined, filled up with blanks and cut off as Fortran does") {
  CHECK(concatenate(2, "L", "N") == "LN");
  CHECK(concatenate(5, "ab", "c") == "abc  ");
  CHECK(concatenate(3, "ab", "cd") == "abc");
  CHECK(concatenate(2, "abc", "d") == "ab");
  CHECK(concatenate(3, "", "x") == "x  ");
  CHECK(concatenate(2, "", "") == "  ");
  CHECK(concatenate(0, "a", "b") == "");
}
