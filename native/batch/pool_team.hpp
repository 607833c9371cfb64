#pragma once

#include "batch/thread_pool.hpp"
#include "linalg/team.hpp"

namespace matfun {

/// The calling thread and up to `threads` - 1 of the shared pool's.
class PoolTeam : public Team {
 public:
  explicit PoolTeam(Index threads) : threads_(threads) {}
  Index size() const override { return threads_; }

 protected:
  void run_parts(Index parts, PartOf part, const void* of) override {
    Parts work(parts, part, of);
    ThreadPool::shared().run(work, threads_);
  }

 private:
  class Parts : public TiledWork {
   public:
    Parts(Index parts, PartOf part, const void* of) : TiledWork(parts), part_(part), of_(of) {}
    void run_tile(Index tile, ThreadMemory&) override { part_(of_, tile); }

   private:
    PartOf part_;
    const void* of_;
  };

  Index threads_;
};

}  // namespace matfun
