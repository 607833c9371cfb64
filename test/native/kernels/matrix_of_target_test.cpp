#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/targets.hpp"
#include "linalg/norms.hpp"

namespace matfun::test {
namespace {

using Long = std::complex<long double>;

constexpr int kOrders[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,  18,
                           19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,  36,
                           37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53,  54,
                           55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 128, 129};

/// A matrix of n rows of `parts` numbers each (2: complex), without padding.
template <class R>
struct Plain {
  Plain(Index order, Index width, int parts_of_each, unsigned seed)
      : n(order),
        columns(width),
        parts(parts_of_each),
        numbers(random_numbers<R>(static_cast<std::size_t>(n * columns * parts), seed)) {}
  R& number(Index row, Index j) { return numbers[static_cast<std::size_t>(row + j * n * parts)]; }
  R number(Index row, Index j) const { return numbers[static_cast<std::size_t>(row + j * n * parts)]; }
  std::complex<R> operator()(Index i, Index j) const {
    return parts == 1 ? std::complex<R>(number(i, j)) : std::complex<R>(number(2 * i, j), number(2 * i + 1, j));
  }
  Index n, columns;
  int parts;
  std::vector<R> numbers;
};

/// The same with columns `ld` numbers apart, and NaN between them.
template <class R>
struct Padded {
  Padded(const Plain<R>& A, Index ld_numbers)
      : rows(A.n * A.parts), columns(A.columns), ld(ld_numbers), memory(ld * columns) {
    for (Index j = 0; j < columns; ++j)
      for (Index i = 0; i < rows; ++i) memory.data[i + j * ld] = A.number(i, j);
  }
  operator kernels::Strided<const R>() const { return {memory.data, ld}; }
  operator kernels::Strided<R>() const { return {memory.data, ld}; }
  std::vector<R> numbers(Index first, Index count) const {
    std::vector<R> all;
    for (Index j = first; j < first + count; ++j)
      all.insert(all.end(), memory.data + j * ld, memory.data + j * ld + rows);
    return all;
  }
  Index rows, columns, ld;
  Lanes<R> memory;
};

template <class R>
Index whole_registers(Index rows) {
  const Index W = kernels::matrix_kernels<R>().width;
  return (rows + W - 1) / W * W;
}

/// 0: C = A B, 1: C = C + A B, 2: C = C - A B.
template <class R>
kernels::MatrixProduct<R> product(int kind, int parts) {
  const auto& kernel = kernels::matrix_kernels<R>();
  const kernels::MatrixProduct<R> real[] = {kernel.multiply, kernel.multiply_add, kernel.multiply_subtract};
  const kernels::MatrixProduct<R> complex[] = {kernel.complex_multiply, kernel.complex_multiply_add,
                                               kernel.complex_multiply_subtract};
  return parts == 1 ? real[kind] : complex[kind];
}

/// A number of C as the kernels have it, to the bit: multiply-adds, fused or not, over runs of k, the runs added, C last.
template <class R>
R summed(int kind, bool fused, const Plain<R>& A, const Plain<R>& B, const Plain<R>& C, Index row, Index j) {
  constexpr Index kRun = 32;
  const auto multiply_add = [fused](R a, R b, R sum) {
    volatile R product = a * b;
    return fused ? std::fma(a, b, sum) : static_cast<R>(product + sum);
  };
  /// The sum over k of A's numbers in `row_of_A` and B's in every row p of its elements.
  const auto sum = [&](Index row_of_A, Index p) {
    R total = 0;
    for (Index from = 0; from < A.n; from += kRun) {
      R run = 0;
      for (Index k = from; k < std::min(A.n, from + kRun); ++k)
        run = multiply_add(A.number(row_of_A, k), B.number(k * A.parts + p, j), run);
      total = from == 0 ? run : total + run;
    }
    return total;
  };
  R product = sum(row, 0);
  if (A.parts == 2) product = row % 2 == 0 ? product - sum(row ^ 1, 1) : product + sum(row ^ 1, 1);
  if (kind == 0) return product;
  return kind == 1 ? C.number(row, j) + product : C.number(row, j) - product;
}

template <class R>
void check_product(int kind, int parts, Index n) {
  const Plain<R> A(n, n, parts, 1), B(n, n, parts, 2), C(n, n, parts, 3);
  const double u = std::numeric_limits<R>::epsilon() / 2;
  std::vector<R> fused, separate;
  for (Index j = 0; j < n; ++j)
    for (Index row = 0; row < n * parts; ++row) {
      fused.push_back(summed(kind, true, A, B, C, row, j));
      separate.push_back(summed(kind, false, A, B, C, row, j));
    }
  std::vector<long double> exact, bounds;
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) {
      Long sum = kind == 0 ? Long(0) : Long(C(i, j));
      long double moduli = std::abs(sum);
      for (Index k = 0; k < n; ++k) {
        const Long a(A(i, k)), b(B(k, j));
        sum += kind == 2 ? -(a * b) : a * b;
        moduli += std::abs(a) * std::abs(b);
      }
      exact.push_back(sum.real());
      if (parts == 2) exact.push_back(sum.imag());
      bounds.insert(bounds.end(), static_cast<std::size_t>(parts),
                    static_cast<long double>(n + 1) * u * moduli * (parts == 2 ? 2.83L : 1.01L));
    }
  on_each_target([&] {
    // One register more than needed between columns; B with any leading dimension.
    const Index ld = whole_registers<R>(n * parts) + kernels::matrix_kernels<R>().width;
    const Padded<R> a(A, ld), b(B, n * parts + 3), c(C, ld);
    product<R>(kind, parts)(a, b, c, n, n);
    const std::vector<R> result = c.numbers(0, n);
    bool near = true;
    for (std::size_t e = 0; e < result.size(); ++e) near = near && std::abs(result[e] - exact[e]) <= bounds[e];
    CAPTURE(n);
    CAPTURE(parts);
    CAPTURE(kind);
    CHECK(near);
    CHECK((result == fused || result == separate));
  });
}

}  // namespace

TEST_CASE_TEMPLATE(
    "products of one matrix are sums of runs of multiply-adds, near the exact product, whatever the padding holds", R,
    float, double) {
  for (const Index n : kOrders)
    for (const int parts : {1, 2})
      for (const int kind : {0, 1, 2}) {
        if (n > 40 && kind != 0) continue;  // C is added in the same way at every order
        check_product<R>(kind, parts, n);
      }
}

TEST_CASE_TEMPLATE("a column's bits depend neither on the columns beside it nor on their number", R, float, double) {
  on_each_target([] {
    for (const Index n : {1, 5, 8, 12, 13, 16, 24, 27})
      for (const int parts : {1, 2})
        for (const int kind : {0, 1}) {
          const Index ld = whole_registers<R>(n * parts), wide = 2 * n + 7;
          const Plain<R> A(n, n, parts, 4), B(n, wide, parts, 5), C(n, wide, parts, 6);
          const Padded<R> a(A, ld), b(B, n * parts), all(C, ld);
          product<R>(kind, parts)(a, b, all, n, wide);
          bool same = true;
          for (Index count = 1; count <= wide; count += count < 26 ? 1 : 5)
            for (const Index first : {Index(0), (wide - count) / 2, wide - count}) {
              const Padded<R> c(C, ld);
              product<R>(kind, parts)(a, {b.memory.data + first * b.ld, b.ld}, {c.memory.data + first * ld, ld}, n,
                                      count);
              same = same && c.numbers(first, count) == all.numbers(first, count);
              // Nothing beside these columns is written.
              same = same && c.numbers(0, first) == Padded<R>(C, ld).numbers(0, first);
              same = same && c.numbers(first + count, wide - first - count) ==
                                 Padded<R>(C, ld).numbers(first + count, wide - first - count);
            }
          CAPTURE(n);
          CAPTURE(parts);
          CHECK(same);
        }
  });
}

TEST_CASE_TEMPLATE("norms and size of one matrix are those of the definition, whatever the padding holds", R, float,
                   double) {
  const double u = std::numeric_limits<R>::epsilon() / 2;
  std::vector<int> orders(std::begin(kOrders), std::end(kOrders));
  orders.push_back(kernels::kMaxMatrixOrder);
  on_each_target([&] {
    const auto& kernel = kernels::matrix_kernels<R>();
    for (const Index n : orders)
      for (const int parts : {1, 2}) {
        const Plain<R> A(n, n, parts, 7);
        const Padded<R> a(A, whole_registers<R>(n * parts) + kernel.width);
        std::vector<double> columns(static_cast<std::size_t>(n)), rows(columns), column_squares(columns),
            row_squares(columns);
        double total = 0;
        for (Index j = 0; j < n; ++j)
          for (Index i = 0; i < n; ++i) {
            const double x = std::abs(std::complex<double>(A(i, j)));
            columns[static_cast<std::size_t>(j)] += x;
            rows[static_cast<std::size_t>(i)] += x;
            column_squares[static_cast<std::size_t>(j)] += x * x;
            row_squares[static_cast<std::size_t>(i)] += x * x;
            total += x * x;
          }
        const auto greatest = [](const std::vector<double>& sums) { return *std::ranges::max_element(sums); };
        R one = 0, infinity = 0;
        (parts == 1 ? kernel.norms : kernel.complex_norms)(a.memory.data, a.ld, n, &one, &infinity);
        const R size = (parts == 1 ? kernel.square_of_size : kernel.complex_square_of_size)(a.memory.data, a.ld, n);
        const double squares =
            std::max({greatest(column_squares), greatest(row_squares), total / static_cast<double>(n)});
        const double error = static_cast<double>(n + 3) * u * 1.01;
        CAPTURE(n);
        CAPTURE(parts);
        CHECK(std::abs(one - greatest(columns)) <= error * greatest(columns));
        CHECK(std::abs(infinity - greatest(rows)) <= error * greatest(rows));
        CHECK(std::abs(size - squares) <= 2 * error * squares);
      }
  });
}

TEST_CASE_TEMPLATE("the greatest column or row counts wherever it stands, and so does NaN", R, float, double) {
  on_each_target([] {
    const auto& kernel = kernels::matrix_kernels<R>();
    for (const Index n : {1, 3, 8, 13, 33})
      for (const int parts : {1, 2})
        for (Index at = 0; at < n * n * parts; ++at) {
          const auto norms_with = [&](R value) {
            Plain<R> A(n, n, parts, 8);
            A.numbers[static_cast<std::size_t>(at)] = value;
            const Padded<R> a(A, whole_registers<R>(n * parts));
            std::vector<R> results(3);
            (parts == 1 ? kernel.norms : kernel.complex_norms)(a.memory.data, a.ld, n, &results[0], &results[1]);
            results[2] = (parts == 1 ? kernel.square_of_size : kernel.complex_square_of_size)(a.memory.data, a.ld, n);
            return results;
          };
          const R large = R(1 << 20);
          const auto with_large = norms_with(large);
          const R most = large + static_cast<R>(2 * n);
          bool right = with_large[0] >= large && with_large[0] <= most && with_large[1] >= large &&
                       with_large[1] <= most && with_large[2] >= large * large && with_large[2] <= most * most;
          for (const R x : norms_with(std::numeric_limits<R>::quiet_NaN())) right = right && std::isnan(x);
          for (const R x : norms_with(std::numeric_limits<R>::infinity())) right = right && !std::isfinite(x);
          CAPTURE(n);
          CAPTURE(at);
          CHECK(right);
        }
  });
}

TEST_CASE_TEMPLATE("the conjugate transpose is exact, with any leading dimensions, and nothing beside it is written", R,
                   float, double) {
  on_each_target([] {
    const auto& kernel = kernels::matrix_kernels<R>();
    for (const Index n : kOrders)
      for (const int parts : {1, 2}) {
        const Plain<R> A(n, n, parts, 9);
        const Index ldb = n * parts + 5;
        std::vector<R> a, b(static_cast<std::size_t>(ldb * n), R(7));
        for (Index j = 0; j < n; ++j) {
          for (Index row = 0; row < n * parts; ++row) a.push_back(A.number(row, j));
          if (j + 1 < n) a.push_back(std::numeric_limits<R>::quiet_NaN());
        }
        (parts == 1 ? kernel.transpose : kernel.conjugate_transpose)(a.data(), n * parts + 1, b.data(), ldb, n);
        bool right = true;
        for (Index j = 0; j < n; ++j)
          for (Index row = 0; row < ldb; ++row) {
            const R there = b[static_cast<std::size_t>(row + j * ldb)];
            const std::complex<R> x = row < n * parts ? std::conj(A(j, row / parts)) : std::complex<R>(7, 7);
            right = right && there == (parts == 2 && row % 2 == 1 ? x.imag() : x.real());
          }
        CAPTURE(n);
        CAPTURE(parts);
        CHECK(right);
      }
  });
}

}  // namespace matfun::test
