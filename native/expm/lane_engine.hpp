#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cmath>

#include "expm/engine.hpp"
#include "kernels/kernels.hpp"
#include "linalg/workspace.hpp"

namespace matfun {

/// So many matrices are in lanes together at most.
inline constexpr Index kMostLanes = 64;

/// Growth for each lane.
template <class R>
class LaneGrowth {
 public:
  void add(const std::array<R, kMostLanes>& sizes, Index lanes) {
    if (!begun_) error_.fill(1);
    for (std::size_t l = 0; begun_ && l < static_cast<std::size_t>(lanes); ++l)
      error_[l] = (2 * error_[l] + 1) * (sizes_[l] / sizes[l]) * sizes_[l];
    begun_ = true;
    sizes_ = sizes;
  }
  /// True where nothing was added: then errors are 1.
  bool is_empty() const { return !begun_; }
  R error(Index l) const { return error_[static_cast<std::size_t>(l)]; }

 private:
  bool begun_ = false;
  std::array<R, kMostLanes> sizes_, error_;
};

/// Matrices of one small order, each in its own SIMD lane (kernels.hpp says how they lie). A matrix of lanes is a view of W
/// rows, or 2 W where T is complex, and a column for each element of each block. Each lane gets the bits that it would get
/// with any others beside it.
template <class T>
class LaneEngine {
 public:
  using Scalar = T;
  using Entry = Real<T>;
  using R = Real<T>;
  using Pivot = int;
  using Watched = LaneGrowth<R>;
  using Addends = Sum<Term<R>>;

  static constexpr int kParts = kIsComplex<T> ? 2 : 1;

  /// mu  the shift of each lane, one element, or null where no lane has one.
  LaneEngine(int n, Index blocks, const R* mu)
      : kernels_(&kernels::lane_kernels<R>()),
        order_(&(kIsComplex<T> ? kernels_->complex : kernels_->real)[static_cast<std::size_t>(n)]),
        n_(n),
        blocks_(blocks),
        width_(kernels_->width),
        width_bits_(std::countr_zero(static_cast<unsigned>(width_))),
        mu_(mu) {}

  Index lanes() const { return blocks_ * width_; }
  /// Numbers of a matrix.
  Index numbers() const { return n_ * n_ * kParts; }
  const kernels::LaneOrder<R>& order() const { return *order_; }

  View<R> take(Workspace& work, Index count) const {
    const Index columns = n_ * n_ * blocks_ * count;
    return {work.take<R>(run() * columns, 1).data, run(), columns, run()};
  }
  /// Room for an element of each lane.
  R* take_element(Workspace& work) const { return work.take<R>(run() * blocks_, 1).data; }
  Pivot* take_pivots(Workspace&) const { return nullptr; }
  Factors<R> take_factors(Workspace& work) const { return {take(work, 1), take(work, 1)}; }
  template <class U>
  View<U> block(View<U> stack, Index k) const {
    return {stack.column(k * n_ * n_ * blocks_), stack.rows, n_ * n_ * blocks_, stack.ld};
  }

  /// The element of lane l, of one element a lane.
  T at(const R* x, Index l) const {
    const R* const here = x + place(l);
    if constexpr (kIsComplex<T>)
      return {here[0], here[width_]};
    else
      return *here;
  }
  void put(R* x, Index l, T value) const {
    R* const here = x + place(l);
    here[0] = std::real(value);
    if constexpr (kIsComplex<T>) here[width_] = std::imag(value);
  }

  Factors<const R> multiply(const Addends& A, const Addends& B, const Addends& S, View<R> C,
                            const Factors<R>& room) const {
    order_->product(in_lanes(A), in_lanes(B), in_lanes(S), C.data, room.left.data, room.right.data, blocks_);
    return {A.is_operand() ? A.terms()[0].X : room.left, B.is_operand() ? B.terms()[0].X : room.right};
  }
  void multiply_pair(View<const R> A1, const Addends& B1, const Addends& A2, View<const R> B2, const Addends& S,
                     View<R> C, const Factors<R>&) const {
    order_->product_pair(A1.data, in_lanes(B1), in_lanes(A2), B2.data, in_lanes(S), C.data, blocks_);
  }
  void multiply_subtract(View<const R>, View<const R>, View<R>) const { assert(false && "lanes have no quotient"); }
  /// Y = S, one matrix; or a stack, where S has no multiple of I.
  void combine(const Addends& S, View<R> Y) const {
    kernels_->combine(in_lanes(S), Y.data, Y.rows * Y.columns);
    if (S.mu() == 0) return;
    for (Index block = 0; block < blocks_; ++block)
      for (int i = 0; i < n_; ++i) {
        R* const diagonal = Y.column(block * n_ * n_ + i + i * n_);
        for (Index l = 0; l < width_; ++l) diagonal[l] += S.mu();
      }
  }

  /// X = e^(mu / 2^k) X by each lane's own mu; the plan's is not used.
  void shift(T, int k, View<R> X) const {
    if (mu_ == nullptr) return;
    std::array<R, kMostLanes * kParts> factors;
    const R power = std::ldexp(R(1), -k);
    for (Index l = 0; l < lanes(); ++l) put(factors.data(), l, std::exp(at(mu_, l) * power));
    for (Index m = 0; m < X.columns / (n_ * n_ * blocks_); ++m)
      order_->scale(block(X, m).data, factors.data(), blocks_);
  }
  void recompute(View<const R>, T, int, View<R>) const { assert(false && "lanes hold no triangular matrices"); }
  Status factor_solve(View<R>, Pivot*, View<R>) const { return Status::singular; }
  void solve(View<const R>, const Pivot*, View<R>) const {}

  /// B = A^H for one matrix of lanes; B must not overlap A.
  void conjugate_transpose(View<const R> A, View<R> B) const { order_->conjugate_transpose(A.data, B.data, blocks_); }
  void watch(View<const R> X, Watched& watched) const {
    std::array<R, kMostLanes> sizes;
    order_->sizes(X.data, blocks_, sizes.data());
    watched.add(sizes, lanes());
  }

 private:
  /// Numbers that an element takes in one block.
  Index run() const { return kParts * width_; }
  Index place(Index l) const { return (l >> width_bits_) * run() + (l & (width_ - 1)); }

  static kernels::LaneSum<R> in_lanes(const Addends& sum) {
    static_assert(kMaxTerms <= kernels::kMaxTerms);
    kernels::LaneSum<R> result;
    result.terms = static_cast<int>(sum.terms().size());
    result.mu = sum.mu();
    result.is_operand = sum.is_operand();
    for (std::size_t t = 0; t < sum.terms().size(); ++t) {
      result.c[t] = sum.terms()[t].c;
      result.x[t] = sum.terms()[t].X.data;
    }
    return result;
  }

  const kernels::LaneKernels<R>* kernels_;
  const kernels::LaneOrder<R>* order_;
  int n_;
  Index blocks_;
  Index width_;  // a power of two
  int width_bits_;
  const R* mu_;
};

}  // namespace matfun
