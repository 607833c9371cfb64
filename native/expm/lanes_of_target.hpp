// Evaluations of matrices in lanes for one target. Included once by each file of
// `targets`, inside the target's namespace and with kVectorBytes defined there.

#include "kernels/register_of_target.hpp"

#include "kernels/lane_products_of_target.hpp"

#include "kernels/lane_norms_of_target.hpp"

#include "kernels/lane_moves_of_target.hpp"

#include "expm/recurrence.hpp"

#include "expm/lane_orders_of_target.hpp"

#include "expm/lane_rings_of_target.hpp"

template <class R, class Order>
[[gnu::flatten]] void evaluate_values(const Plan& plan, const LaneWork<R>& work, const Order& order, Index block,
                                      const R* factors) {
  const Index at = block * order.numbers();
  LaneValues<R, Order> ring(order, work.room, factors);
  evaluate(plan, ring, work.B + at, work.X + at);
  if (ring.growth().begun) put(ring.growth().error, work.errors + block * kWidth<R>);
}

template <class R, class Order>
[[gnu::flatten]] void evaluate_duals(const Plan& plan, const LaneWork<R>& work, const Order& order, Index block,
                                     const R* factors) {
  using Ring = LaneDuals<R, Order>;
  const Index at = block * order.numbers();
  Ring ring(order, work.room, factors, work.directions);
  evaluate(plan, ring, typename Ring::Const{work.B + at, work.E + at},
           typename Ring::Element{work.X + at, work.L + at});
  if (ring.growth().begun) put(ring.growth().error, work.errors + block * kWidth<R>);
}

template <class R, int parts, class Order>
void evaluate_blocks(const Plan& plan, const LaneWork<R>& work, const Order& order) {
  assert(work.directions <= 1 || work.blocks == 1);
  for (Index block = 0; block < work.blocks; ++block) {
    const R* const factors = work.factors == nullptr ? nullptr : work.factors + block * parts * kWidth<R>;
    if (work.is_dual)
      evaluate_duals(plan, work, order, block, factors);
    else
      evaluate_values(plan, work, order, block, factors);
  }
}

template <class R, int parts>
void evaluate_lanes(int n, const Plan& plan, const LaneWork<R>& work) {
  if constexpr (parts == 1 && kVectorBytes >= 32) {
    if (n == 2) return evaluate_blocks<R, 1>(plan, work, FusedOrder<R, 2>{});
    if (n == 3) return evaluate_blocks<R, 1>(plan, work, FusedOrder<R, 3>{});
    if (n == 4) return evaluate_blocks<R, 1>(plan, work, FusedOrder<R, 4>{});
  }
  evaluate_blocks<R, parts>(plan, work, SettledOrder<R, parts>(n));
}

template <class R>
constexpr LaneEvaluations<R> kLaneEvaluations = {evaluate_lanes<R, 1>, evaluate_lanes<R, 2>};
