// The kernels of one target for a matrix in each lane. Included once by each file of `targets`, before matrix_of_target.hpp, and
// like register_of_target.hpp.

#include "kernels/register_of_target.hpp"

#include "kernels/lane_products_of_target.hpp"

#include "kernels/lane_norms_of_target.hpp"

#include "kernels/lane_moves_of_target.hpp"

template <class R, int n, int parts>
constexpr LaneOrder<R> kLaneOrder = {
    square<R, n, parts>,
    examine<R, n, parts>,
    parts == 1 ? look_at_rates<R, n> : nullptr,
    parts == 1 ? complete_rates<R, n> : nullptr,
    parts == 1 ? take_differences<R, n> : nullptr,
    norms<R, n, parts>,
    lesser_triangle<R, n, parts>,
    transpose_lanes<R, n, parts>,
    shift_diagonal<R, n, parts>,
};

template <class R>
constexpr LaneKernels<R> kLaneKernels = {
    kWidth<R>,
    {{{},
      {},
      kLaneOrder<R, 2, 1>,
      kLaneOrder<R, 3, 1>,
      kLaneOrder<R, 4, 1>,
      kLaneOrder<R, 5, 1>,
      kLaneOrder<R, 6, 1>,
      kLaneOrder<R, 7, 1>,
      kLaneOrder<R, 8, 1>}},
    {{{},
      {},
      kLaneOrder<R, 2, 2>,
      kLaneOrder<R, 3, 2>,
      kLaneOrder<R, 4, 2>,
      kLaneOrder<R, 5, 2>,
      kLaneOrder<R, 6, 2>,
      kLaneOrder<R, 7, 2>,
      kLaneOrder<R, 8, 2>}},
    extreme<R>,
    load<R>,
    store<R>,
};
