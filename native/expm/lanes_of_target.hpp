// Evaluations of matrices in lanes for one target. Included once by each file of
// `targets`, inside the target's namespace and with kVectorBytes defined there.

#include "kernels/register_of_target.hpp"

#include "kernels/lane_products_of_target.hpp"

#include "kernels/lane_norms_of_target.hpp"

#include "kernels/lane_moves_of_target.hpp"

#include "expm/recurrence.hpp"

#include "expm/lane_orders_of_target.hpp"

#include "expm/lane_rings_of_target.hpp"

// Nonnegative matrices are real, and go by SettledOrder at every order: as FusedOrder, their long schemes take minutes to compile.
template <class R, int n>
inline constexpr bool kHasNonnegative<LaneValues<R, FusedOrder<R, n>>> = false;
template <class R, int n>
inline constexpr bool kHasNonnegative<LaneDuals<R, FusedOrder<R, n>>> = false;
template <class R>
inline constexpr bool kHasNonnegative<LaneValues<R, SettledOrder<R, 2>>> = false;
template <class R>
inline constexpr bool kHasNonnegative<LaneDuals<R, SettledOrder<R, 2>>> = false;

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

/// exp(B) of generators, and the pullback of E, which has differences: pull_back (recurrence.hpp) beside the powers that the value leaves.
template <class R, class Order>
void pull_back_block(const Plan& plan, const LaneWork<R>& work, const Order& order, Index block, const R* factors) {
  const Index numbers = order.numbers(), at = block * numbers, all = work.directions * numbers;
  R* next = work.room;
  const auto take = [&](Index count) { return std::exchange(next, next + count); };
  R* const powers = take((plan.squarings + 1) * numbers);
  R *const scaled = take(numbers), *const value = take(numbers), *const spare = take(numbers);
  R *from = take(all), *to = take(all);
  {
    LanePowers<R, Order> ring(order, powers, next, factors);
    evaluate(plan, ring, work.B + at, work.X + at);
  }
  for (Index e = 0; e < all; e += kWidth<R>) put(get(work.E + at + e), from + e);
  for (int s = plan.squarings - 1; s >= 0; --s) {
    const R* const P = powers + s * numbers;
    for (Index k = 0; k < all; k += numbers) {
      order.multiply_add_pair(P, from + k, from + k, P, {}, to + k, spare);
      order.take_differences(to + k);
    }
    from = std::exchange(to, from);
  }
  const R power = R(1) / static_cast<R>(std::uint64_t(1) << plan.squarings);
  order.combine({{power, work.B + at}}, scaled);
  for (Index k = 0; k < all; k += numbers) order.combine({{power, from + k}}, from + k);
  using Ring = LaneDuals<R, Order>;
  Ring ring(order, next, factors, work.directions);
  const typename Ring::Element result{value, work.L + at};
  evaluate_scheme(plan, ring, typename Ring::Const{scaled, from}, result);
  ring.shift(0, plan.squarings, result);
  for (Index k = 0; k < all; k += numbers) order.take_differences(work.L + at + k);
}

template <class R, int parts, class Order>
void evaluate_blocks(const Plan& plan, const LaneWork<R>& work, const Order& order) {
  assert(work.directions <= 1 || work.blocks == 1);
  for (Index block = 0; block < work.blocks; ++block) {
    const R* const factors = work.factors == nullptr ? nullptr : work.factors + block * parts * kWidth<R>;
    if constexpr (std::is_same_v<Order, SettledOrder<R, 1>>)
      if (plan.constrains && work.pulls) {
        pull_back_block(plan, work, order, block, factors);
        continue;
      }
    if (work.is_dual)
      evaluate_duals(plan, work, order, block, factors);
    else
      evaluate_values(plan, work, order, block, factors);
  }
}

template <class R, int parts>
void evaluate_lanes(int n, const Plan& plan, const LaneWork<R>& work) {
  const bool is_fused = plan.scheme != Scheme::nonnegative;
  if constexpr (parts == 1 && kVectorBytes >= 32) {
    if (n == 2 && is_fused) return evaluate_blocks<R, 1>(plan, work, FusedOrder<R, 2>{});
    if (n == 3 && is_fused) return evaluate_blocks<R, 1>(plan, work, FusedOrder<R, 3>{});
    if (n == 4 && is_fused) return evaluate_blocks<R, 1>(plan, work, FusedOrder<R, 4>{});
  }
  evaluate_blocks<R, parts>(plan, work, SettledOrder<R, parts>(n));
}

template <class R>
constexpr LaneEvaluations<R> kLaneEvaluations = {evaluate_lanes<R, 1>, evaluate_lanes<R, 2>};
