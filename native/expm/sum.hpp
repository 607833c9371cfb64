#pragma once

#include <cassert>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>

#include "kernels/kernels.hpp"

namespace matfun {

/// A scheme combines no more terms than kernels do.
using kernels::kMaxTerms;

/// sum c_t X_t + mu I, a factor or an addend of a product. Term has a coefficient c and an operand X.
template <class Term>
class Sum {
 public:
  using Coefficient = decltype(Term::c);
  using Operand = decltype(Term::X);

  /// 0.
  constexpr Sum() = default;
  /// X as it stands.
  template <std::convertible_to<Operand> X>
  constexpr Sum(const X& operand) {
    add({1, operand});
  }
  constexpr Sum(std::initializer_list<Term> terms, Coefficient mu = 0) : mu_(mu) {
    for (const Term& term : terms) add(term);
  }

  constexpr void add(const Term& term) {
    assert(count_ < kMaxTerms);
    std::construct_at(&room_.terms[count_++], term);
  }

  constexpr std::span<const Term> terms() const { return {room_.terms, count_}; }
  constexpr Coefficient mu() const { return mu_; }
  constexpr bool is_zero() const { return count_ == 0 && mu_ == 0; }
  /// True where the sum is one operand as it stands, which nobody need compute.
  constexpr bool is_operand() const { return count_ == 1 && room_.terms[0].c == 1 && mu_ == 0; }

 private:
  // Not initialized: tiny products would feel it.
  union Room {
    constexpr Room() {}
    Term terms[kMaxTerms];
  };
  static_assert(std::is_trivially_destructible_v<Term> && std::is_trivially_copyable_v<Term>);

  Room room_;
  std::size_t count_ = 0;
  Coefficient mu_ = 0;
};

}  // namespace matfun
