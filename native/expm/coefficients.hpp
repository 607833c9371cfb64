/// The numbers of the evaluation schemes and their norm bounds. scripts/check-tables.mjs rederives every one
/// of them and reads this file's text: keep each table a plain list of decimal literals.
#pragma once

#include <array>
#include <cstddef>

namespace matfun {

namespace detail {

/// A table's numbers, each rounded once to R.
template <class R, std::size_t n>
constexpr std::array<R, n> rounded(const double (&values)[n]) {
  std::array<R, n> table{};
  for (std::size_t i = 0; i < n; ++i) table[i] = static_cast<R>(values[i]);
  return table;
}

/// Stands where a table has no entry, so that asking for it does not compile.
template <class R>
constexpr std::array<R, 0> no_such_table() = delete;

}  // namespace detail

/// The Taylor polynomial of degree 8 in three products [Bader, Blanes, Casas 2019, Mathematics 7:1174]:
/// A4 = A2 (x1 A + x2 A2), A8 = (x3 A2 + A4) (x4 I + x5 A + x6 A2 + x7 A4), exp ~ I + A + y2 A2 + A8.
/// All but x3, which is free, are in Q(sqrt(177)); the paper's choice is x3 = 2/3.
template <class R>
struct T8 {
  static constexpr R x1 = R(0.1083646567852278085231);
  static constexpr R x2 = R(0.02709116419630695213077);
  static constexpr R x3 = R(0.6666666666666666666667);
  static constexpr R x4 = R(0.5467614579707240525064);
  static constexpr R x5 = R(0.1611255733954175928280);
  static constexpr R x6 = R(0.01409091715837820773081);
  static constexpr R x7 = R(0.03379279701087050414060);
  static constexpr R y2 = R(0.1354923613528506316624);
};

/// 15+ in four products [Sastre, Ibáñez, Defez 2019, Applied Mathematics and Computation 340:206], Taylor to
/// degree 15 and a term of degree 16: c[1] to c[14] with the paper's digits, c[0] unused. Rounded, they bring
/// a backward error of 1.4 u at theta in double, of 7.3 u in single precision.
template <class R>
inline constexpr std::array<R, 15> kFifteenPlus = detail::rounded<R>({
    0,
    4.018761610201036e-4,
    2.945531440279683e-3,
    -8.709066576837676e-3,
    4.017568440673568e-1,
    3.230762888122312e-2,
    5.768988513026145e0,
    2.338576034271299e-2,
    2.381070373870987e-1,
    2.224209172496374e0,
    -5.792361707073261e0,
    -4.130276365929783e-2,
    1.040801735231354e1,
    -6.331712455883370e1,
    3.484665863364574e-1,
});

/// 21+ in five products [the same paper], Taylor to degree 21 and terms of degree 22 to 24: c[1] to c[20]
/// with the paper's digits, c[0] unused. Rounded, they bring a backward error of 2.5 u at theta in double and
/// of 17 u in single precision, where the ladder therefore ends at 15+.
template <class R>
inline constexpr std::array<R, 21> kTwentyOnePlus = detail::rounded<R>({
    0,
    1.161658834444880e-6,
    4.500852739573010e-6,
    5.374708803114821e-5,
    2.005403977292901e-3,
    6.974348269544424e-2,
    9.418613214806352e-1,
    2.852960512714315e-3,
    -7.544837153586671e-3,
    1.829773504500424e0,
    3.151382711608315e-2,
    1.392249143769798e-1,
    -2.269101241269351e-3,
    -5.394098846866402e-2,
    3.112216227982407e-1,
    9.343851261938047e0,
    6.865706355662834e-1,
    3.233370163085380e0,
    -5.726379787260966e0,
    -1.413550099309667e-2,
    -1.638413114712016e-1,
});

/// The [m/m] Padé approximant p(x) / p(-x), m = 3, 5, 7, 9 or 13: p's coefficients, constant first, scaled to
/// integers with b[m] = 1 [Higham 2005, doi 10.1137/04061101X]. Double holds all of them exactly, single
/// precision those up to m = 7: rounded to single, m = 9 brings a backward error of 5 u at theta and m = 13
/// one of 250 u.
template <class R, int m>
inline constexpr auto kPade = detail::no_such_table<R>();

template <class R>
inline constexpr std::array<R, 4> kPade<R, 3> = detail::rounded<R>({120, 60, 12, 1});

template <class R>
inline constexpr std::array<R, 6> kPade<R, 5> = detail::rounded<R>({30240, 15120, 3360, 420, 30, 1});

template <class R>
inline constexpr std::array<R, 8> kPade<R, 7> =
    detail::rounded<R>({17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1});

template <class R>
inline constexpr std::array<R, 10> kPade<R, 9> =
    detail::rounded<R>({17643225600, 8821612800, 2075673600, 302702400, 30270240, 2162160, 110880, 3960, 90, 1});

template <class R>
inline constexpr std::array<R, 14> kPade<R, 13> = detail::rounded<R>({
    64764752532480000,
    32382376266240000,
    7771770303897600,
    1187353796428800,
    129060195264000,
    10559470521600,
    670442572800,
    33522128640,
    1323241920,
    40840800,
    960960,
    16380,
    182,
    1,
});

/// The largest norms at which a scheme's backward error stays within the unit roundoff, rounded down.
struct Threshold {
  /// of the Taylor polynomial, or of numerator and denominator
  int degree;
  /// for exp [Al-Mohy, Higham 2009, doi 10.1137/09074721X]
  double theta;
  /// for exp with its derivative [Al-Mohy, Higham 2009, doi 10.1137/080716426]
  double ell;
};

/// T1, T2, T4, T8, 15+ and 21+ in their ideal coefficients: u = 2^-53 for double, 2^-24 for float.
template <class R>
inline constexpr auto kPolynomialThresholds = detail::no_such_table<R>();

template <>
inline constexpr std::array<Threshold, 6> kPolynomialThresholds<double> = {{
    {1, 2.2204460e-16, 1.1102230e-16},
    {2, 2.5809568e-8, 1.4901161e-8},
    {4, 3.3971688e-4, 2.2718554e-4},
    {8, 0.049912288, 0.037958209},
    {15, 0.67642174, 0.56477645},
    {21, 1.6827156, 1.4628494},
}};

template <>
inline constexpr std::array<Threshold, 5> kPolynomialThresholds<float> = {{
    {1, 1.1920928e-7, 5.9604641e-8},
    {2, 5.9788588e-4, 3.4520739e-4},
    {4, 0.051166193, 0.034288619},
    {8, 0.58005246, 0.44508002},
    {15, 2.3462069, 1.9785087},
}};

/// The Padé approximants in their exact coefficients, u as above.
template <class R>
inline constexpr auto kPadeThresholds = detail::no_such_table<R>();

template <>
inline constexpr std::array<Threshold, 5> kPadeThresholds<double> = {{
    {3, 0.014955852, 0.010813385},
    {5, 0.25393983, 0.19980632},
    {7, 0.95041789, 0.78346084},
    {9, 2.0978479, 1.7824486},
    {13, 5.3719203, 4.7403075},
}};

template <>
inline constexpr std::array<Threshold, 5> kPadeThresholds<float> = {{
    {3, 0.42587300, 0.30803304},
    {5, 1.8801526, 1.4825326},
    {7, 3.9257248, 3.2486717},
    {9, 6.2491563, 5.3354384},
    {13, 11.248737, 9.9773896},
}};

}  // namespace matfun
