#pragma once

#include "linalg/scalar.hpp"

namespace matfun {

/// Threads that help one evaluation with its large matrices. Who has threads implements it (batch/pool_team.hpp).
class Team {
 public:
  virtual ~Team() = default;
  /// How many can work at once, the calling thread included.
  virtual Index size() const = 0;

  /// Calls part(k) for k = 0 ... parts - 1, several at once, and returns when all are done. Parts write to different places.
  /// Throws the first of what parts throw, when none runs any more; some may then not have been begun.
  template <class Part>
  void run(Index parts, const Part& part) {
    run_parts(parts, [](const void* of, Index k) { (*static_cast<const Part*>(of))(k); }, &part);
  }

 protected:
  using PartOf = void (*)(const void* of, Index k);
  virtual void run_parts(Index parts, PartOf part, const void* of) = 0;
};

}  // namespace matfun
