// The rings whose elements are matrices of one small order, one in each lane of a block, for one target. Included by
// lanes_of_target.hpp, and like it.

/// Growth (engine.hpp) of each lane.
template <class R>
struct GrowthOfLanes {
  V<R> size{}, error{};
  bool begun = false;

  void add(V<R> next) {
    error = begun ? (2 * error + 1) * (size / next) * size : V<R>{} + R(1);
    begun = true;
    size = next;
  }
};

/// What both rings have: room, shifts, and what is watched.
template <class R, class Order>
class LaneRing {
 public:
  using Scalar = typename Order::Scalar;

  /// room     for all that is taken, one matrix of the block after the other.
  /// factors  e^(mu / 2^s) of each lane's shift mu, or null.
  LaneRing(const Order& order, R* room, const R* factors) : order_(order), next_(room), factors_(factors) {}

  const GrowthOfLanes<R>& growth() const { return growth_; }

 protected:
  R* take_matrices(Index count) { return std::exchange(next_, next_ + count * order_.numbers()); }
  /// The matrix that a sum is: itself, or in `room`.
  [[gnu::always_inline]] const R* settle(const LaneSum<R>& S, R* room) const {
    if (S.is_operand()) return S.operand();
    order_.combine(S, room);
    return room;
  }
  void shift_value(R* X) const {
    if (factors_ != nullptr) order_.scale(X, factors_);
  }
  void watch_value(const R* X) { growth_.add(order_.size(X)); }

  const Order order_;

 private:
  R* next_;
  const R* factors_;
  GrowthOfLanes<R> growth_;
};

/// Matrices in lanes: the recurrence gives exp(A) of each.
template <class R, class Order>
class LaneValues : public LaneRing<R, Order> {
 public:
  using typename LaneRing<R, Order>::Scalar;
  using Element = R*;
  using Const = const R*;
  using Addends = LaneSum<R>;

  LaneValues(const Order& order, R* room, const R* factors)
      : LaneRing<R, Order>(order, room, factors), left_(take()), right_(take()) {}

  Element take() { return this->take_matrices(1); }
  void multiply(const Addends& A, const Addends& B, const Addends& S, Element C) {
    this->order_.multiply_add(this->settle(A, left_), B, S, C, right_);
  }
  void multiply(const Addends& A, const Addends& B, Element C) { multiply(A, B, {}, C); }
  Element square(Const A) {
    const Element A2 = take();
    multiply(A, A, A2);
    return A2;
  }
  void combine(const Addends& S, Element Y) { this->order_.combine(S, Y); }
  void shift(Scalar, int, Element X) { this->shift_value(X); }
  void recompute(Const, Scalar, int, Element) {}
  void conserve(bool, Element X) { this->order_.conserve(X); }
  void watch(Const X) { this->watch_value(X); }

 private:
  R *left_, *right_;
};

/// The same, which keeps what is squared: transition matrices, one after the other.
template <class R, class Order>
class LanePowers : public LaneValues<R, Order> {
 public:
  /// powers  room for a matrix more than there are squarings.
  LanePowers(const Order& order, R* powers, R* room, const R* factors)
      : LaneValues<R, Order>(order, room, factors), next_(powers) {}

  void conserve(bool, R* X) {
    this->order_.conserve(X);
    this->order_.combine(X, next_);
    next_ += this->order_.numbers();
  }

 private:
  R* next_;
};

/// Dual numbers over them (algebra.hpp): the recurrence gives exp(A) and L(A, E_1) ... L(A, E_K) of each.
template <class R, class Order>
class LaneDuals : public LaneRing<R, Order> {
 public:
  using typename LaneRing<R, Order>::Scalar;
  struct Const {
    const R* value;
    const R* tangents;
  };
  struct Element {
    R* value;
    R* tangents;
    operator Const() const { return {value, tangents}; }
  };
  struct Term {
    R c;
    Const X;
  };
  using Addends = Sum<Term>;

  LaneDuals(const Order& order, R* room, const R* factors, Index directions)
      : LaneRing<R, Order>(order, room, factors),
        directions_(directions),
        left_(this->take_matrices(1)),
        right_(this->take_matrices(1)),
        d_left_(this->take_matrices(1)),
        d_right_(this->take_matrices(1)) {}

  Element take() { return {this->take_matrices(1), this->take_matrices(directions_)}; }
  /// d(A B + S) = A dB + dA B + dS.
  void multiply(const Addends& A, const Addends& B, const Addends& S, Element C) {
    const R* const left = this->settle(values(A), left_);
    this->order_.multiply_add(left, values(B), values(S), C.value, right_);
    const R* const right = B.is_operand() ? B.terms()[0].X.value : right_;
    for (Index k = 0; k < directions_; ++k)
      this->order_.multiply_add_pair(left, tangents(B, k), this->settle(tangents(A, k), d_left_), right, tangents(S, k),
                                     tangent(C.tangents, k), d_right_);
  }
  void multiply(const Addends& A, const Addends& B, Element C) { multiply(A, B, {}, C); }
  Element square(Const A) {
    const Element A2 = take();
    multiply(A, A, A2);
    return A2;
  }
  void combine(const Addends& S, Element Y) {
    this->order_.combine(values(S), Y.value);
    for (Index k = 0; k < directions_; ++k) this->order_.combine(tangents(S, k), tangent(Y.tangents, k));
  }
  void shift(Scalar, int, Element X) {
    this->shift_value(X.value);
    for (Index k = 0; k < directions_; ++k) this->shift_value(tangent(X.tangents, k));
  }
  void recompute(Const, Scalar, int, Element) {}
  void conserve(bool tangents_too, Element X) {
    this->order_.conserve(X.value);
    for (Index k = 0; tangents_too && k < directions_; ++k) this->order_.project(X.value, tangent(X.tangents, k));
  }
  void watch(Const X) { this->watch_value(X.value); }

 private:
  template <class Number>
  Number* tangent(Number* tangents, Index k) const {
    return tangents + k * this->order_.numbers();
  }
  static LaneSum<R> values(const Addends& S) {
    if (S.is_operand()) return S.terms()[0].X.value;
    LaneSum<R> sum({}, S.mu());
    for (const Term& term : S.terms()) sum.add({term.c, term.X.value});
    return sum;
  }
  LaneSum<R> tangents(const Addends& S, Index k) const {
    // The tangent of X + mu I is that of X.
    if (S.terms().size() == 1 && S.terms()[0].c == 1) return tangent(S.terms()[0].X.tangents, k);
    LaneSum<R> sum;
    for (const Term& term : S.terms()) sum.add({term.c, tangent(term.X.tangents, k)});
    return sum;
  }

  Index directions_;
  R *left_, *right_, *d_left_, *d_right_;
};
