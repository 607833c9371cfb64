// Products of sums of matrices in lanes, of one order, for one target: what stands under the rings. Included by
// lanes_of_target.hpp, and like it. What the sums are made of is known where a product is compiled.

/// sum c[t] x[t] + mu I of matrices in lanes.
template <class R>
class LaneSum {
 public:
  struct Term {
    R c;
    const R* x;
  };

  /// 0.
  constexpr LaneSum() = default;
  /// x as it stands.
  constexpr LaneSum(const R* operand) : is_operand_(true) { add({1, operand}); }
  constexpr LaneSum(std::initializer_list<Term> list, R multiple = 0) : mu_(multiple) {
    for (const Term& term : list) add(term);
  }
  constexpr void add(const Term& term) { terms_[count_++] = term; }

  constexpr R mu() const { return mu_; }
  constexpr bool has_no_terms() const { return count_ == 0; }
  constexpr bool is_zero() const { return count_ == 0 && mu_ == 0; }
  constexpr bool is_operand() const { return is_operand_; }
  constexpr const R* operand() const { return terms_[0].x; }

  /// Register number `at`, without the multiple of I.
  [[gnu::always_inline]] V<R> at(Index at) const {
    if (count_ == 0) return V<R>{};
    V<R> sum = terms_[0].c * get(terms_[0].x + at);
#pragma GCC unroll 6
    for (std::size_t t = 1; t < count_; ++t) sum += terms_[t].c * get(terms_[t].x + at);
    return sum;
  }

 private:
  Term terms_[kMaxTerms];
  std::size_t count_ = 0;
  R mu_ = 0;
  bool is_operand_ = false;
};

/// Columns j and on of a sum.
template <class R, int n, int columns>
[[gnu::always_inline]] inline void columns_of(const LaneSum<R>& S, int j, V<R> (*x)[n]) {
  unroll<columns>([&](auto q) __attribute__((always_inline)) {
    unroll<n>([&](auto i) __attribute__((always_inline)) {
      x[q][i] = S.at(((j + q) * n + i) * kWidth<R>);
      if (S.mu() != 0 && i == j + q) x[q][i] += S.mu();
    });
  });
}

/// c[q] = c[q] + S, the multiple of the identity last.
template <class R, int n, int columns>
[[gnu::always_inline]] inline void add_columns_of(const LaneSum<R>& S, int j, V<R> (*c)[n]) {
  unroll<columns>([&](auto q) __attribute__((always_inline)) {
    unroll<n>([&](auto i) __attribute__((always_inline)) {
      if (!S.has_no_terms()) c[q][i] = S.at(((j + q) * n + i) * kWidth<R>) + c[q][i];
      if (S.mu() != 0 && i == j + q) c[q][i] += S.mu();
    });
  });
}

/// c[q] += A b[q].
template <class R, int n, int columns>
[[gnu::always_inline]] inline void multiply_columns(const R* A, const V<R> (*b)[n], V<R> (*c)[n]) {
  unroll<n>([&](auto k)
                __attribute__((always_inline)) { add_outer<R, n, 1, columns, n>(A + k * n * kWidth<R>, k, b, c); });
}

/// body(j, columns) for all columns, two at a time where registers allow it: A is then read once for both, while their sums
/// stay in registers.
template <class R, int n, class Body>
[[gnu::always_inline]] inline void for_columns(const Body& body) {
  constexpr int kMost = n * 2 <= (kVectorBytes == 64 ? 16 : 8) ? 2 : 1;
  int end = n - n % kMost;
  if constexpr (n == 4)
    asm("" : "+r"(end));  // keeps the loop, which the compiler would unroll: twice the code, no faster
  for (int j = 0; j < end; j += kMost) body(j, std::integral_constant<int, kMost>{});
  if constexpr (n % kMost != 0) body(n - n % kMost, std::integral_constant<int, n % kMost>{});
}

/// X = f X, with an f for each lane, in one block of so many elements.
template <class R, int parts>
void scale_block(Index elements, R* X, const R* f) {
  constexpr Index W = kWidth<R>;
  for (Index e = 0; e < elements; ++e, X += parts * W) {
    const V<R> re = get(X);
    if constexpr (parts == 1) {
      put(re * get(f), X);
    } else {
      const V<R> im = get(X + W);
      put(re * get(f) - im * get(f + W), X);
      put(re * get(f + W) + im * get(f), X + W);
    }
  }
}

/// X = X + mu I in one block of matrices of order n.
template <class R, int parts>
[[gnu::always_inline]] inline void add_identity(R mu, Index n, R* X) {
  if (mu == 0) return;
  for (Index i = 0; i < n; ++i) {
    R* const diagonal = X + (i + i * n) * parts * kWidth<R>;
    put(get(diagonal) + mu, diagonal);
  }
}

/// Y = S in one block; Y may be one of the operands.
template <class R, int parts>
[[gnu::always_inline]] inline void combine_block(const LaneSum<R>& S, Index n, R* Y) {
  constexpr Index W = kWidth<R>;
  for (Index at = 0; at < n * n * parts * W; at += W) put(S.at(at), Y + at);
  add_identity<R, parts>(S.mu(), n, Y);
}

/// C = C + S in one block, the multiple of the identity last.
template <class R, int parts>
[[gnu::always_inline]] inline void add_to_block(const LaneSum<R>& S, Index n, R* C) {
  constexpr Index W = kWidth<R>;
  if (!S.has_no_terms())
    for (Index at = 0; at < n * n * parts * W; at += W) put(S.at(at) + get(C + at), C + at);
  add_identity<R, parts>(S.mu(), n, C);
}

/// The columns of X, a transition matrix in each lane, made to sum to 1 (conserve in nonnegative.hpp).
template <class R>
inline void conserve_block(Index n, R* X) {
  constexpr Index W = kWidth<R>;
  for (Index j = 0; j < n; ++j) {
    R* const column = X + j * n * W;
    V<R> sum{};
    for (Index i = 0; i < n; ++i)
      if (i != j) sum += get(column + i * W);
    const V<R> factor = 2 - (sum + get(column + j * W));
    for (Index i = 0; i < n; ++i) put(get(column + i * W) * factor, column + i * W);
  }
}

/// The tangents of that (project in nonnegative.hpp).
template <class R>
inline void project_block(Index n, const R* P, R* L) {
  constexpr Index W = kWidth<R>;
  for (Index j = 0; j < n; ++j, P += n * W, L += n * W) {
    V<R> sum{}, most{};
    for (Index i = 0; i < n; ++i) {
      const V<R> p = get(P + i * W);
      const Mask<R> is_most = p > R(kMostOfColumn);
      sum += is_most ? V<R>{} : get(L + i * W);
      most = is_most ? p : most;
    }
    for (Index i = 0; i < n; ++i) {
      const V<R> p = get(P + i * W), x = get(L + i * W);
      const V<R> along = most == 0 ? x - sum * p : x;
      put((most != 0) & (p == most) ? -sum : along, L + i * W);
    }
  }
}

/// Products of real matrices of order n whose sums are made column by column as a product needs them, and stay in registers.
/// At order 4 a value takes 22 ns instead of 36 (Zen 5, float64, 1-norm 1, in cache). It needs more than 16 registers' numbers.
template <class R, int n>
struct FusedOrder {
  using Scalar = R;

  constexpr Index numbers() const { return n * n * kWidth<R>; }
  [[gnu::always_inline]] void combine(const LaneSum<R>& S, R* Y) const { combine_block<R, 1>(S, n, Y); }
  /// C = A B + S. B is left in `right` unless it is an operand.
  [[gnu::always_inline]] void multiply_add(const R* A, const LaneSum<R>& B, const LaneSum<R>& S, R* C, R* right) const {
    for_columns<R, n>([&](int j, auto columns) __attribute__((always_inline)) {
      V<R> b[columns][n], c[columns][n] = {};
      columns_of<R, n, columns>(B, j, b);
      if (!B.is_operand()) put_columns<R, n, columns>(b, right + j * n * kWidth<R>);
      multiply_columns<R, n, columns>(A, b, c);
      add_columns_of<R, n, columns>(S, j, c);
      put_columns<R, n, columns>(c, C + j * n * kWidth<R>);
    });
  }
  /// C = A1 B1 + A2 B2 + S.
  [[gnu::always_inline]] void multiply_add_pair(const R* A1, const LaneSum<R>& B1, const R* A2, const R* B2,
                                                const LaneSum<R>& S, R* C, R*) const {
    for_columns<R, n>([&](int j, auto columns) __attribute__((always_inline)) {
      V<R> b[columns][n], c[columns][n] = {};
      columns_of<R, n, columns>(B1, j, b);
      multiply_columns<R, n, columns>(A1, b, c);
      get_columns<R, n, columns>(B2 + j * n * kWidth<R>, b);
      multiply_columns<R, n, columns>(A2, b, c);
      add_columns_of<R, n, columns>(S, j, c);
      put_columns<R, n, columns>(c, C + j * n * kWidth<R>);
    });
  }
  void scale(R* X, const R* f) const { scale_block<R, 1>(n * n, X, f); }
  void conserve(R* X) const { conserve_block<R>(n, X); }
  void project(const R* P, R* L) const { project_block<R>(n, P, L); }
  void take_differences(R* G) const { take_differences_of<R>(G, n); }
  V<R> size(const R* X) const { return size_of_block<R, n, 1>(X); }
};

/// What is compiled for each order that SettledOrder takes.
template <class R>
struct BlockKernels {
  void (*multiply)(const R* A, const R* B, R* C);      ///< C = A B
  void (*multiply_add)(const R* A, const R* B, R* C);  ///< C = C + A B
  V<R> (*size)(const R* X);
};
template <class R, int n, int parts>
constexpr BlockKernels<R> kBlockKernels = {multiply_block<R, n, parts, false>, multiply_block<R, n, parts, true>,
                                           size_of_block<R, n, parts>};
template <class R, int parts>
constexpr BlockKernels<R> kBlockKernelsByOrder[] = {
    {},
    {},
    kBlockKernels<R, 2, parts>,
    kBlockKernels<R, 3, parts>,
    kBlockKernels<R, 4, parts>,
    kBlockKernels<R, 5, parts>,
    kBlockKernels<R, 6, parts>,
    kBlockKernels<R, 7, parts>,
    kBlockKernels<R, 8, parts>,
};

/// Products of any order whose sums are made as matrices first. Compiled once for all orders.
template <class R, int parts>
class SettledOrder {
 public:
  using Scalar = std::conditional_t<parts == 1, R, std::complex<R>>;

  explicit SettledOrder(int n) : n_(n), kernels_(kBlockKernelsByOrder<R, parts>[n]) {}

  Index numbers() const { return n_ * n_ * parts * kWidth<R>; }
  [[gnu::always_inline]] void combine(const LaneSum<R>& S, R* Y) const { combine_block<R, parts>(S, n_, Y); }
  [[gnu::always_inline]] void multiply_add(const R* A, const LaneSum<R>& B, const LaneSum<R>& S, R* C, R* right) const {
    if (!B.is_operand()) combine(B, right);
    const R* const b = B.is_operand() ? B.operand() : right;
    kernels_.multiply(A, b, C);
    add_to_block<R, parts>(S, n_, C);
  }
  [[gnu::always_inline]] void multiply_add_pair(const R* A1, const LaneSum<R>& B1, const R* A2, const R* B2,
                                                const LaneSum<R>& S, R* C, R* room) const {
    multiply_add(A1, B1, {}, C, room);
    kernels_.multiply_add(A2, B2, C);
    add_to_block<R, parts>(S, n_, C);
  }
  void scale(R* X, const R* f) const { scale_block<R, parts>(n_ * n_, X, f); }
  // Of real matrices.
  void conserve(R* X) const { conserve_block<R>(n_, X); }
  void project(const R* P, R* L) const { project_block<R>(n_, P, L); }
  void take_differences(R* G) const { take_differences_of<R>(G, n_); }
  V<R> size(const R* X) const { return kernels_.size(X); }

 private:
  Index n_;
  BlockKernels<R> kernels_;
};
