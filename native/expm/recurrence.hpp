// The one recurrence: every scheme and the squarings, each written once, over rings (algebra.hpp).
// A, X, Y, y0 ... are elements of the ring; the letters are the papers'.
//
// evaluate.hpp includes this for all rings but those whose elements are in registers: it is compiled again for each target of
// those, inside the target's namespace (lanes_of_target.hpp). So no include guard, and no includes.

/// So many squarings and more are watched for what they lose. The failures that were looked at took seven and more.
inline constexpr int kWatchedSquarings = 3;

inline bool is_watched(const Plan& plan) {
  return plan.form == Form::full && plan.scheme != Scheme::nonnegative && plan.squarings >= kWatchedSquarings;
}

/// False for rings that are never given a nonnegative matrix's plan, and spare themselves compiling it.
template <class Ring>
inline constexpr bool kHasNonnegative = true;

template <class Ring>
using ElementOf = typename Ring::Element;
template <class Ring>
using ConstOf = typename Ring::Const;

namespace detail {

/// X = I + A.
template <class Ring>
void taylor1(Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  ring.combine({{{1, A}}, 1}, X);
}

/// X = I + A + A^2/2.
template <class Ring>
void taylor2(Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  const auto A2 = ring.square(A);
  ring.combine({{{1, A}, {Real<typename Ring::Scalar>(0.5), A2}}, 1}, X);
}

/// X = A^2 (A/6 + A^2/24 + I/2) + A + I.
template <class Ring>
void taylor4(Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  using R = Real<typename Ring::Scalar>;
  const auto A2 = ring.square(A);
  ring.multiply(A2, {{{R(1) / 6, A}, {R(1) / 24, A2}}, R(0.5)}, {{{1, A}}, 1}, X);
}

/// T8 in three products.                                        [Bader, Blanes & Casas 2019, section 3.1]
template <class Ring>
void taylor8(Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  using C = T8<Real<typename Ring::Scalar>>;
  const auto A2 = ring.square(A);
  const auto A4 = ring.take();
  ring.multiply(A2, {{C::x1, A}, {C::x2, A2}}, A4);
  // X = (x3 A2 + A4) (x4 I + x5 A + x6 A2 + x7 A4) + y2 A2 + A + I
  ring.multiply({{C::x3, A2}, {1, A4}}, {{{C::x5, A}, {C::x6, A2}, {C::x7, A4}}, C::x4}, {{{1, A}, {C::y2, A2}}, 1}, X);
}

/// 15+ in four products.                                        [Sastre, Ibáñez & Defez 2019]
template <class Ring>
void fifteen_plus(Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  const auto& c = kFifteenPlus<Real<typename Ring::Scalar>>;
  const auto A2 = ring.square(A);
  const auto y0 = ring.take(), y1 = ring.take();
  ring.multiply(A2, {{c[1], A2}, {c[2], A}}, y0);
  // y1 = (y0 + c3 A2 + c4 A) (y0 + c5 A2) + c6 y0 + c7 A2
  ring.multiply({{1, y0}, {c[3], A2}, {c[4], A}}, {{1, y0}, {c[5], A2}}, {{c[6], y0}, {c[7], A2}}, y1);
  // X = (y1 + c8 A2 + c9 A) (y1 + c10 y0 + c11 A) + c12 y1 + c13 y0 + c14 A2 + A + I
  ring.multiply({{1, y1}, {c[8], A2}, {c[9], A}}, {{1, y1}, {c[10], y0}, {c[11], A}},
                {{{c[12], y1}, {c[13], y0}, {c[14], A2}, {1, A}}, 1}, X);
}

/// 21+ in five products.                                        [Sastre, Ibáñez & Defez 2019]
template <class Ring>
void twenty_one_plus(Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  const auto& c = kTwentyOnePlus<Real<typename Ring::Scalar>>;
  const auto A2 = ring.square(A);
  const auto A3 = ring.take(), y0 = ring.take(), y1 = ring.take();
  ring.multiply(A2, A, A3);
  ring.multiply(A3, {{c[1], A3}, {c[2], A2}, {c[3], A}}, y0);
  // y1 = (y0 + c4 A3 + c5 A2 + c6 A) (y0 + c7 A3 + c8 A2) + c9 y0 + c10 A3 + c11 A2
  ring.multiply({{1, y0}, {c[4], A3}, {c[5], A2}, {c[6], A}}, {{1, y0}, {c[7], A3}, {c[8], A2}},
                {{c[9], y0}, {c[10], A3}, {c[11], A2}}, y1);
  // X = (y1 + c12 A3 + c13 A2 + c14 A) (y1 + c15 y0 + c16 A) + c17 y1 + c18 y0 + c19 A3 + c20 A2 + A + I
  ring.multiply({{1, y1}, {c[12], A3}, {c[13], A2}, {c[14], A}}, {{1, y1}, {c[15], y0}, {c[16], A}},
                {{{c[17], y1}, {c[18], y0}, {c[19], A3}, {c[20], A2}, {1, A}}, 1}, X);
}

/// 1 / k!
template <class R>
constexpr R inverse_factorial(int k) {
  R factorial = 1;  // exact to 18! in double and to 13! in single precision; beyond, the terms are small
  for (int i = 2; i <= k; ++i) factorial *= static_cast<R>(i);
  return 1 / factorial;
}

/// Taylor's polynomial of a degree that is a multiple of 4, in 2 + degree / 4 products, all coefficients positive.
///                                                                                   [Paterson & Stockmeyer 1973, doi 10.1137/0202007]
template <int degree, class Ring>
void taylor_of_nonnegative(Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  using R = Real<typename Ring::Scalar>;
  static_assert(degree % 4 == 0);
  const auto A2 = ring.square(A);
  const auto A3 = ring.take(), A4 = ring.take(), Y = ring.take(), Z = ring.take();
  ring.multiply(A2, A, A3);
  ring.multiply(A2, A2, A4);
  // The polynomial is that of p(A) A4 + (c3 A3 + c2 A2 + c1 A + c0 I), repeatedly, with p's first coefficient c16.
  constexpr auto c = inverse_factorial<R>;
  ring.combine({{{c(degree), A4}, {c(degree - 1), A3}, {c(degree - 2), A2}, {c(degree - 3), A}}, c(degree - 4)}, Y);
  ElementOf<Ring> from = Y, to = Z;
  for (int k = degree - 8; k > 0; k -= 4) {
    ring.multiply(from, A4, {{{c(k + 3), A3}, {c(k + 2), A2}, {c(k + 1), A}}, c(k)}, to);
    from = std::exchange(to, from);
  }
  ring.multiply(from, A4, {{{c(3), A3}, {c(2), A2}, {1, A}}, 1}, X);
}

/// X = (V - U)^-1 (V + U), where U holds the odd and V the even powers of the [m/m] numerator.   [Higham 2005, (2.2)]
template <class Ring>
void quotient(Ring& ring, ElementOf<Ring> U, ElementOf<Ring> V, ElementOf<Ring> X) {
  ring.combine({{1, V}, {1, U}}, X);
  ring.combine({{1, V}, {-1, U}}, V);
  ring.solve(V, X);
}

/// b / 2^k with b[0] / 2^k in [1, 2): exact, the quotient is the same, and it overflows only where its own parts do. As
/// integers the coefficients reach 6.5e16.
template <class R, std::size_t count>
constexpr std::array<R, count> normalized(std::array<R, count> b) {
  R power = 1;
  while (b[0] / power >= 2) power *= 2;
  for (R& coefficient : b) coefficient /= power;
  return b;
}

/// [m/m] Padé for m = 3, 5, 7, 9: U = A (b1 I + b3 A2 + ...), V = b0 I + b2 A2 + ...   [Higham 2005, section 2]
template <int m, class Ring>
void pade(Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  static_assert(m == 3 || m == 5 || m == 7 || m == 9);
  static constexpr auto b = normalized(kPade<Real<typename Ring::Scalar>, m>);
  const auto A2 = ring.square(A);
  const auto U = ring.take(), V = ring.take(), W = ring.take();
  ring.combine({{{b[3], A2}}, b[1]}, W);
  ring.combine({{{b[2], A2}}, b[0]}, V);
  ElementOf<Ring> power = A2;
  for (std::size_t k = 4; k < m; k += 2) {
    const auto next = ring.take();
    ring.multiply(power, A2, next);
    ring.combine({{1, W}, {b[k + 1], next}}, W);
    ring.combine({{1, V}, {b[k], next}}, V);
    power = next;
  }
  ring.multiply(A, W, U);
  quotient(ring, U, V, X);
}

/// [13/13] Padé in six products.                                [Higham 2005, (2.4)]
template <class Ring>
void pade13(Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  static constexpr auto b = normalized(kPade<Real<typename Ring::Scalar>, 13>);
  const auto A2 = ring.take(), A4 = ring.take(), A6 = ring.take();
  const auto U = ring.take(), V = ring.take(), W = ring.take();
  ring.multiply(A, A, A2);
  ring.multiply(A2, A2, A4);
  ring.multiply(A4, A2, A6);
  // U = A (A6 (b13 A6 + b11 A4 + b9 A2) + b7 A6 + b5 A4 + b3 A2 + b1 I)
  ring.multiply(A6, {{b[13], A6}, {b[11], A4}, {b[9], A2}}, {{{b[7], A6}, {b[5], A4}, {b[3], A2}}, b[1]}, W);
  ring.multiply(A, W, U);
  // V = A6 (b12 A6 + b10 A4 + b8 A2) + b6 A6 + b4 A4 + b2 A2 + b0 I
  ring.multiply(A6, {{b[12], A6}, {b[10], A4}, {b[8], A2}}, {{{b[6], A6}, {b[4], A4}, {b[2], A2}}, b[0]}, V);
  quotient(ring, U, V, X);
}

template <class Ring>
void evaluate_polynomial(int degree, Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  switch (degree) {
    case 1:
      return taylor1(ring, A, X);
    case 2:
      return taylor2(ring, A, X);
    case 4:
      return taylor4(ring, A, X);
    case 8:
      return taylor8(ring, A, X);
    case 15:
      return fifteen_plus(ring, A, X);
    case 21:
      return twenty_one_plus(ring, A, X);
    default:
      assert(false && "no polynomial scheme of this degree");
  }
}

template <class Ring>
void evaluate_nonnegative(int degree, Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  switch (degree) {
    case 12:
      return taylor_of_nonnegative<12>(ring, A, X);
    case 16:
      return taylor_of_nonnegative<16>(ring, A, X);
    case 20:
      return taylor_of_nonnegative<20>(ring, A, X);
    default:
      return evaluate_polynomial(degree, ring, A, X);  // T1 to T8 have positive coefficients
  }
}

template <class Ring>
void evaluate_pade(int degree, Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  switch (degree) {
    case 3:
      return pade<3>(ring, A, X);
    case 5:
      return pade<5>(ring, A, X);
    case 7:
      return pade<7>(ring, A, X);
    case 9:
      return pade<9>(ring, A, X);
    case 13:
      return pade13(ring, A, X);
    default:
      assert(false && "no Padé scheme of this degree");
  }
}

}  // namespace detail

/// X = the plan's scheme at A, without squarings. A must be within the scheme's bound.
template <class Ring>
void evaluate_scheme(const Plan& plan, Ring& ring, ConstOf<Ring> A, ElementOf<Ring> X) {
  if constexpr (requires {
                  ring.solve(X, X);
                  ring.exponential(A, X);
                }) {  // not all rings come to these
    if (plan.scheme == Scheme::scalar) return ring.exponential(A, X);
    if (plan.scheme == Scheme::pade) return detail::evaluate_pade(plan.degree, ring, A, X);
  }
  if constexpr (kHasNonnegative<Ring>)
    if (plan.scheme == Scheme::nonnegative) return detail::evaluate_nonnegative(plan.degree, ring, A, X);
  assert(plan.scheme == Scheme::polynomial);
  detail::evaluate_polynomial(plan.degree, ring, A, X);
}

/// X = exp(B + shift I) by the plan: the scheme at B / 2^s, times e^(shift / 2^s), then X <- X^2 s times. The factor comes
/// before the squarings: at the end, e^shift exp(B) would be 0 times infinity where B has large eigenvalues.
/// B     not modified; X must not be B.
/// cost  the scheme's products + s products, and one pass to scale where s > 0.
/// From kWatchedSquarings on, the ring is shown what is squared, unless the plan's form makes squarings harmless.
template <class Ring>
void evaluate(const Plan& plan, Ring& ring, ConstOf<Ring> B, ElementOf<Ring> X) {
  using T = typename Ring::Scalar;
  using R = Real<T>;
  if (plan.scheme == Scheme::zero) return ring.combine({}, X);
  const T shift = part<T>(Complex<T>(plan.shift));
  // Y approximates exp(B / 2^k), or is e^(shift / 2^k) times that, by whatever came before.
  const auto settle = [&](int k, ElementOf<Ring> Y) {
    if constexpr (kHasNonnegative<Ring>)
      if (plan.form == Form::generator) return ring.conserve(plan.constrains, Y);
    if (plan.form != Form::full) ring.recompute(B, shift, k, Y);
  };
  const auto begin = [&](ConstOf<Ring> scaled, ElementOf<Ring> Y) {
    evaluate_scheme(plan, ring, scaled, Y);
    ring.shift(shift, plan.squarings, Y);
    settle(plan.squarings, Y);
  };
  if (plan.squarings == 0) return begin(B, X);
  const auto scaled = ring.take();
  ring.combine({{std::ldexp(R(1), -plan.squarings), B}}, scaled);
  // A product may not write what it reads, so the squarings go to and fro, and begin where they will end in X.
  auto from = plan.squarings % 2 == 0 ? X : ring.take();
  auto to = plan.squarings % 2 == 0 ? scaled : X;
  begin(scaled, from);
  const bool watched = is_watched(plan);
  if (watched) ring.watch(from);
  for (int s = 0; s < plan.squarings; ++s) {
    ring.multiply(from, from, to);
    settle(plan.squarings - s - 1, to);
    if (watched) ring.watch(to);
    // `scaled` is free once the scheme is done; it takes the place of what was just squared.
    from = std::exchange(to, s == 0 && plan.squarings % 2 == 1 ? scaled : from);
  }
}

/// L(A, E_k) of a generator, whose rates are the variables, for cotangents E_k: the rings' elements are tangents alone, beside a tape. The
/// squarings come first, from the last one to the first, and the scheme at last. All are linear maps that commute, so the result is the
/// same; but differences between states that exchange fast are damped by the short steps, and rounding errors of the long steps with
/// them. The other way round, cotangents of fast rates lose up to 1e9 units.   docs/decisions/0019
/// E  has differences (take_differences); lost.
template <class Ring>
void pull_back(const Plan& plan, Ring& ring, ElementOf<Ring> E, ElementOf<Ring> X) {
  using T = typename Ring::Scalar;
  ElementOf<Ring> from = E, to = X;
  for (int s = plan.squarings - 1; s >= 0; --s) {
    ring.seek_back(2 * (plan.squarings - s));  // each leaves a product and a conserved matrix
    ring.multiply(from, from, to);
    ring.take_differences(to);
    from = std::exchange(to, from);
  }
  const auto scaled = ring.take(), result = ring.take();
  ring.combine({{std::ldexp(Real<T>(1), -plan.squarings), from}}, scaled);
  ring.seek_start();
  evaluate_scheme(plan, ring, scaled, result);
  ring.shift(part<T>(Complex<T>(plan.shift)), plan.squarings, result);
  ring.take_differences(result);
  ring.combine({{1, result}}, X);
}
