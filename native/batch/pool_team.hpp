#pragma once

#include "batch/thread_pool.hpp"
#include "linalg/team.hpp"
#include "linalg/workspace.hpp"

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

/// From this order on, a single matrix's products are shared by the job's threads. With two of them (Zen 5, whole calls), a value
/// was 0.9 times as fast at order 192 and 384, 1.4 times at 512 and 1.3 to 1.6 at 1024; with its pullback 1.2 times at 384,
/// 1.5 at 512 and 1.7 at 1024.
inline constexpr Index kTeamOrder = 512;

/// A job's threads, as the team of a workspace as long as this lives, where they are of use to matrices of order n.
class Helped {
 public:
  Helped(Index threads, Index n, Workspace& work) : team_(threads), work_(work) {
    if (threads > 1 && n >= kTeamOrder) work.set_team(&team_);
  }
  ~Helped() { work_.set_team(nullptr); }
  Helped(const Helped&) = delete;
  Helped& operator=(const Helped&) = delete;

 private:
  PoolTeam team_;
  Workspace& work_;
};

}  // namespace matfun
