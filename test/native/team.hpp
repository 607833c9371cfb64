#pragma once

#include <algorithm>

#include "linalg/team.hpp"

namespace matfun::test {

/// A team that says to be of any size, and does all parts by itself, the last first.
class Alone : public Team {
 public:
  explicit Alone(Index size) : size_(size) {}
  Index size() const override { return size_; }
  /// The most parts that were done at once.
  Index most_parts() const { return most_; }

 protected:
  void run_parts(Index parts, PartOf part, const void* of) override {
    most_ = std::max(most_, parts);
    for (Index k = parts - 1; k >= 0; --k) part(of, k);
  }

 private:
  Index size_;
  Index most_ = 0;
};

}  // namespace matfun::test
