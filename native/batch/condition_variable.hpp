/// std::condition_variable, so that what uses it runs with the standard library of GCC 11 too.
#pragma once

#include <condition_variable>

// GCC 12's library has its wait under a new version of the symbol, and still under the old one, which is all that GCC 11's has
// (Red Hat 9, Amazon Linux 2023). A prebuilt addon asks for the old one; scripts/release/requirements.mjs holds it to that.
#if defined(__linux__) && defined(__x86_64__) && defined(__GLIBCXX__)
__asm__(
    ".symver _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE,"
    "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE@GLIBCXX_3.4.11");
#endif
