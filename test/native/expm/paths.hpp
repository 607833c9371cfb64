#pragma once

#include "expm/gallery.hpp"
#include "expm/generators.hpp"
#include "expm/plan.hpp"
#include "linalg/workspace.hpp"

/// Matrices and options that take an evaluation along every path, and memory that tells what was written.
namespace matfun::test {

/// Workspace of more than enough, all of one pattern, so that afterwards it shows how far it was written.
class Watched {
 public:
  explicit Watched(std::size_t room) : work_(room) {
    pattern_ = work_.take<std::uint64_t>(static_cast<Index>(room / 8) - 64, 1);
    fill(pattern_, kUntouched);
    work_.reset();
  }

  Workspace& work() { return work_; }

  /// Bytes from the beginning to the last that was written; at most those that were taken, less the last padding.
  std::size_t written_bytes() const {
    Index last = pattern_.rows;
    while (last > 0 && pattern_(last - 1, 0) == kUntouched) --last;
    return static_cast<std::size_t>(last) * 8;
  }

 private:
  static constexpr std::uint64_t kUntouched = 0x7ff4'dead'beef'cafe;
  Workspace work_;
  View<std::uint64_t> pattern_;
};

/// Every option there is.
inline std::vector<Options> choices() {
  std::vector<Options> all;
  for (Method method : {Method::polynomial, Method::pade})
    for (Choice shift : {Choice::automatic, Choice::always})
      for (Choice balance : {Choice::automatic, Choice::never, Choice::always}) all.push_back({method, shift, balance});
  return all;
}

/// H A H with a reflection H, so that no diagonal similarity can undo what A is.
template <class T>
BasicMatrix<T> hidden(const BasicMatrix<T>& A) {
  const Index n = A.view().rows;
  auto H = identity<T>(n);
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) H(i, j) -= T(static_cast<Real<T>>(2.0 / static_cast<double>(n)));
  return multiply(multiply(H, A), H);
}

/// Matrices that take every path: full, triangular, Schur, shifted, balanced, without negative entries, huge.
template <class T>
std::vector<BasicMatrix<T>> of_every_path(Index n) {
  const double huge = std::is_same_v<Real<T>, double> ? 1e280 : 1e33;
  std::vector<BasicMatrix<T>> all;
  for (double scale : {1e-20, 1e-10, 1e-5, 0.01, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, huge, 2 * huge}) {
    const auto A = random_matrix<T>(n, n, scale, 15);
    all.push_back(A);
    all.push_back(shifted(A, T(static_cast<Real<T>>(100 * scale))));
    all.push_back(random_triangle<T>(n, scale, scale, 16));
    const auto strong = hidden(scaled(strongly_non_normal<T>(n, 18), static_cast<Real<T>>(scale)));
    all.push_back(strong);
    all.push_back(shifted(strong, T(static_cast<Real<T>>(1000 * scale))));
    if (scale > 10) continue;  // whose sums are infinite
    const auto moduli = [](const BasicMatrix<T>& X) { return map<T>(X, [](T x) { return T(std::abs(x)); }); };
    all.push_back(moduli(A));
    all.push_back(moduli(random_triangle<T>(n, scale, scale, 16)));
    all.push_back(moduli(strongly_non_normal<T>(n, 18)));
    if constexpr (!kIsComplex<T>) all.push_back(one_way<T>(n, scale));
  }
  return all;
}

/// f(A, options) for all of these with all choices, and for generators as such.
template <class T, class F>
void on_every_path(Index n, F f) {
  for (const auto& A : of_every_path<T>(n))
    for (const Options& options : choices()) f(A, options);
  if constexpr (!kIsComplex<T>)
    for (double rate : {1e-20, 1e-10, 1e-5, 0.01, 0.3, 1.0, 4.0, 50.0, 1e6, 1e30})
      for (const auto& Q : {birth_and_death<T>(n, rate), one_way<T>(n, rate), generator<T>(n, rate, 2, 19)})
        f(Q, Options{.structure = Structure::generator});
}

}  // namespace matfun::test
