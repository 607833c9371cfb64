#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "linalg/blas.hpp"

int main(int argc, char** argv) {
  matfun::blas::initialize();
  return doctest::Context(argc, argv).run();
}
