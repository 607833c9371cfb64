#include "expm/lane_evaluations.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <complex>
#include <vector>

#include "expm/evaluate.hpp"
#include "expm/lane_layout.hpp"
#include "kernels/targets.hpp"

namespace matfun::test {
namespace {

/// W matrices of order n and their K directions, in lanes and as they were before.
template <class T>
struct Stack {
  using R = Real<T>;

  Stack(Index n, Index blocks, Index matrices, double size, unsigned seed)
      : layout(n, blocks),
        numbers(random_numbers<R>(static_cast<std::size_t>(layout.lanes() * matrices * layout.numbers()), seed)),
        lanes(layout.lanes() * matrices * layout.numbers()) {
    for (R& x : numbers) x *= static_cast<R>(size);
    for (Index k = 0; k < matrices; ++k) {
      layout.kernels().load(numbers.data() + k * layout.lanes() * layout.numbers(), layout.numbers(), layout.numbers(),
                            places_up_to(layout.lanes()).data(), lanes.data + k * layout.lanes() * layout.numbers(),
                            blocks);
    }
  }
  /// Matrix k of lane l.
  View<const T> item(Index n, Index k, Index l) const {
    return square(reinterpret_cast<const T*>(numbers.data() + (k * layout.lanes() + l) * layout.numbers()), n);
  }

  LaneLayout<T> layout;
  std::vector<R> numbers;
  Lanes<R> lanes;
};

/// The worst distance, in the greatest entry, of matrices in lanes from what `expected(k, l)` is, relative to that.
template <class T, class Expected>
double distance(const LaneLayout<T>& layout, Index n, Index matrices, const Real<T>* lanes, Expected expected) {
  using R = Real<T>;
  double worst = 0;
  std::vector<T> result(static_cast<std::size_t>(layout.lanes() * n * n));
  for (Index k = 0; k < matrices; ++k) {
    layout.kernels().store(lanes + k * layout.lanes() * layout.numbers(), layout.numbers(),
                           reinterpret_cast<R*>(result.data()), layout.numbers(), places_up_to(layout.lanes()).data(),
                           layout.lanes());
    for (Index l = 0; l < layout.lanes(); ++l) {
      const View<const T> Y = expected(k, l);
      double apart = 0, size = 0;
      for (Index j = 0; j < n; ++j)
        for (Index i = 0; i < n; ++i) {
          apart = std::max(apart, double(std::abs(result[static_cast<std::size_t>(l * n * n + i + j * n)] - Y(i, j))));
          size = std::max(size, double(std::abs(Y(i, j))));
        }
      worst = std::max(worst, apart / size);
    }
  }
  return worst;
}

/// A plan of every kind that lanes carry out.
template <class R>
std::vector<Plan> plans() {
  std::vector<Plan> all;
  for (const Threshold& row : kPolynomialLadder<R>.rows) all.push_back({Scheme::polynomial, row.degree, 0});
  for (const int squarings : {1, 2, 3, 6})
    all.push_back({Scheme::polynomial, kPolynomialLadder<R>.rows.back().degree, squarings});
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("every plan in lanes agrees with the recurrence over one matrix, on every target", T, double, float,
                   std::complex<double>, std::complex<float>) {
  using R = Real<T>;
  const double u = std::numeric_limits<R>::epsilon() / 2;
  on_each_target([&] {
    for (Index n = 2; n <= kernels::kMaxLaneOrder; ++n)
      for (const Plan& plan : plans<R>())
        for (const Index wanted : {-1, 0, 1, 3}) {  // -1: values alone
          const bool is_dual = wanted >= 0;
          const Index directions = std::max<Index>(wanted, 0);
          const Index blocks = directions > 1 ? 1 : 3;
          // Within every row's bound for all entries below 1/2, and not so small that the scheme makes no difference.
          const double size = std::ldexp(plan.degree == 1   ? 1e-8
                                         : plan.degree == 2 ? 1e-3
                                                            : 0.1,
                                         plan.squarings) /
                              double(n);
          const Stack<T> A(n, blocks, 1, size, unsigned(n)),
              E(n, blocks, std::max<Index>(directions, 1), 1, unsigned(n) + 50);
          const LaneLayout<T>& layout = A.layout;
          const Index each = layout.lanes() * layout.numbers(), block = layout.kernels().width * layout.numbers();
          Lanes<R> X(each), L(each * std::max<Index>(directions, 1)), errors(layout.lanes());
          Lanes<R> room(kLaneElements * (1 + directions) * block), factors(layout.lanes() * LaneLayout<T>::kParts);
          const T factor = T(R(0.75));
          for (Index l = 0; l < layout.lanes(); ++l) layout.put(factors.data, l, factor);
          lane_evaluation<R>(kIsComplex<T>)(int(n), plan,
                                            {.blocks = blocks,
                                             .is_dual = is_dual,
                                             .directions = directions,
                                             .B = A.lanes.data,
                                             .factors = plan.squarings == 1 ? factors.data : nullptr,
                                             .X = X.data,
                                             .E = E.lanes.data,
                                             .L = L.data,
                                             .room = room.data,
                                             .errors = errors.data});
          // The same by matrices: with X for e^mu where one squaring follows, (3/4)^2.
          Workspace work(std::size_t(1) << 22);
          const R multiple = plan.squarings == 1 ? R(0.5625) : R(1);
          const Index K = std::max<Index>(directions, 1);
          std::vector<View<T>> values, tangents(static_cast<std::size_t>(layout.lanes() * K));
          std::vector<double> growth;
          for (Index l = 0; l < layout.lanes(); ++l) {
            const View<T> B = work.take<T>(n, n), F = work.take<T>(n, n * K), Y = work.take<T>(n, n),
                          M = work.take<T>(n, n * K);
            copy(A.item(n, 0, l), B);
            for (Index k = 0; k < K; ++k) copy(E.item(n, k, l), F.block(k));
            const std::size_t mark = work.used_bytes();
            Dual<MatrixEngine<T>> ring({n, work}, K, work);
            evaluate<Dual<MatrixEngine<T>>>(plan, ring, {B, F}, {Y, M});
            growth.push_back(double(ring.watched().error()));
            work.rewind(mark);
            scale(T(multiple), Y);
            scale(T(multiple), M);
            values.push_back(Y);
            for (Index k = 0; k < K; ++k) tangents[static_cast<std::size_t>(k * layout.lanes() + l)] = M.block(k);
          }
          INFO("order ", n, ", degree ", plan.degree, ", squarings ", plan.squarings, ", directions ", directions);
          const double most = 40.0 * double(n) * std::ldexp(1.0, plan.squarings) * u;
          CHECK(distance(layout, n, 1, X.data, [&](Index, Index l) { return values[std::size_t(l)]; }) <= most);
          if (directions > 0)
            CHECK(distance(layout, n, directions, L.data, [&](Index k, Index l) {
                    return tangents[static_cast<std::size_t>(k * layout.lanes() + l)];
                  }) <= most);
          if (is_watched(plan))
            for (Index l = 0; l < layout.lanes(); ++l)
              CHECK(double(errors.data[l]) == doctest::Approx(growth[std::size_t(l)]).epsilon(1e4 * u));
        }
  });
}

}  // namespace matfun::test
