#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <span>

#include "expm/engine.hpp"
#include "kernels/combine.hpp"
#include "kernels/kernels.hpp"
#include "linalg/workspace.hpp"

namespace matfun {

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
  /// A Growth for each lane.
  using Watched = std::array<Growth<R>, 64>;

  /// mu  the shift of each lane, one element, or null where no lane has one.
  LaneEngine(int n, Index blocks, const R* mu)
      : kernels_(&kernels::lane_kernels<R>()),
        n_(n),
        blocks_(blocks),
        width_(kernels_->width),
        width_bits_(std::countr_zero(static_cast<unsigned>(width_))),
        mu_(mu) {}

  Index lanes() const { return blocks_ * width_; }
  /// Numbers that an element takes in one block.
  Index run() const { return kIsComplex<T> ? 2 * width_ : width_; }

  View<R> take(Workspace& work, Index count) const { return work.take<R>(run(), n_ * n_ * blocks_ * count); }
  Index width() const { return width_; }
  /// Room for `elements` of each lane.
  R* take_elements(Workspace& work, Index elements) const { return work.take<R>(run(), elements * blocks_).data; }
  Pivot* take_pivots(Workspace&) const { return nullptr; }
  template <class U>
  View<U> block(View<U> stack, Index k) const {
    return {stack.column(k * n_ * n_ * blocks_), stack.rows, n_ * n_ * blocks_, stack.ld};
  }

  /// Lane l of element e, of `elements` in all.
  T at(const R* X, Index elements, Index e, Index l) const {
    const R* const x = X + place(elements, e, l);
    if constexpr (kIsComplex<T>)
      return {x[0], x[width_]};
    else
      return *x;
  }
  void put(R* X, Index elements, Index e, Index l, T value) const {
    R* const x = X + place(elements, e, l);
    x[0] = std::real(value);
    if constexpr (kIsComplex<T>) x[width_] = std::imag(value);
  }
  /// Entry (i, j) of lane l.
  T at(View<const R> X, int i, int j, Index l) const { return at(X.data, n_ * n_, i + j * n_, l); }
  void put(View<R> X, int i, int j, Index l, T value) const { put(X.data, n_ * n_, i + j * n_, l, value); }

  void multiply(View<const R> A, View<const R> B, View<R> C) const {
    assert(!overlap(A, C) && !overlap(B, C));
    (kIsComplex<T> ? kernels_->complex_multiply : kernels_->multiply)[order()](A.data, B.data, C.data, blocks_);
  }
  void multiply_add(View<const R> A, View<const R> B, View<R> C) const {
    assert(!overlap(A, C) && !overlap(B, C));
    (kIsComplex<T> ? kernels_->complex_multiply_add : kernels_->multiply_add)[order()](A.data, B.data, C.data, blocks_);
  }
  void multiply_subtract(View<const R>, View<const R>, View<R>) const { assert(false && "lanes have no quotient"); }

  void combine(std::span<const Term<R>> terms, R mu, View<R> Y) const {
    std::array<R, kernels::kMaxTerms> c{};
    std::array<const R*, kernels::kMaxTerms> x{};
    for (std::size_t t = 0; t < terms.size(); ++t) {
      c[t] = terms[t].c;
      x[t] = terms[t].X.data;
    }
    kernels_->combine(c.data(), x.data(), static_cast<int>(terms.size()), Y.data, Y.rows * Y.columns);
    if (mu == 0) return;
    for (Index block = 0; block < blocks_; ++block)
      for (int i = 0; i < n_; ++i) {
        R* const diagonal = Y.column(block * n_ * n_ + i + i * n_);
        for (Index l = 0; l < width_; ++l) diagonal[l] += mu;
      }
  }

  /// X = e^(mu / 2^k) X by each lane's own mu; the plan's is not used.
  void shift(T, int k, View<R> X) const {
    if (mu_ == nullptr) return;
    const R power = std::ldexp(R(1), -k);
    const Index elements = n_ * n_;
    for (Index l = 0; l < lanes(); ++l) {
      const T mu = at(mu_, 1, 0, l);
      if (mu == T(0)) continue;
      const T factor = std::exp(mu * power);
      for (Index e = 0; e < X.columns / blocks_; ++e) {
        R* const stack = X.data + e / elements * elements * blocks_ * run();
        put(stack, elements, e % elements, l, at(stack, elements, e % elements, l) * factor);
      }
    }
  }
  void recompute(View<const R>, T, int, View<R>) const { assert(false && "lanes hold no triangular matrices"); }
  Status factor_solve(View<R>, Pivot*, View<R>) const { return Status::singular; }
  void solve(View<const R>, const Pivot*, View<R>) const {}

  /// B = A^H for one matrix of lanes; B must not overlap A.
  void conjugate_transpose(View<const R> A, View<R> B) const {
    for (Index block = 0; block < blocks_; ++block)
      for (int j = 0; j < n_; ++j)
        for (int i = 0; i < n_; ++i) {
          const R* const from = A.column(block * n_ * n_ + i + j * n_);
          R* const to = B.column(block * n_ * n_ + j + i * n_);
          std::copy_n(from, width_, to);
          if constexpr (kIsComplex<T>)
            for (Index l = width_; l < 2 * width_; ++l) to[l] = -from[l];
        }
  }

  /// |A|_1, |A|_inf and the smaller of them, one number a lane.
  void norms(View<const R> A, R* one, R* infinity, R* smaller) const {
    (kIsComplex<T> ? kernels_->complex_norms : kernels_->norms)[order()](A.data, blocks_, one, infinity, smaller);
  }
  /// 0 for each lane of a matrix that is finite, else NaN.
  void probe(View<const R> X, R* result) const {
    kernels_->probe(X.data, X.columns / blocks_ * (kIsComplex<T> ? 2 : 1), blocks_, result);
  }
  void watch(View<const R> X, Watched& watched) const {
    std::array<R, 64> sizes;
    (kIsComplex<T> ? kernels_->complex_sizes : kernels_->sizes)[order()](X.data, blocks_, sizes.data());
    for (Index l = 0; l < lanes(); ++l) watched[static_cast<std::size_t>(l)].add(sizes[static_cast<std::size_t>(l)]);
  }

 private:
  std::size_t order() const { return static_cast<std::size_t>(n_); }
  Index place(Index elements, Index e, Index l) const {
    return ((l >> width_bits_) * elements + e) * run() + (l & (width_ - 1));
  }

  const kernels::LaneKernels<R>* kernels_;
  int n_;
  Index blocks_;
  Index width_;  // a power of two
  int width_bits_;
  const R* mu_;
};

}  // namespace matfun
