import { uniform } from '../support/matrices.ts'

/** Seeded choices. Each call of the fuzzer has its own, so that it can be repeated without those before it. */
export class Random {
  readonly #next: () => number

  constructor(seed: number, call: number) {
    this.#next = uniform(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(call + 1, 0xc2b2ae35))
  }

  /** In [from, to). */
  real(from: number, to: number): number {
    return from + (to - from) * this.#next()
  }

  /** From `from` to `to`, both included. */
  integer(from: number, to: number): number {
    return from + Math.floor((to - from + 1) * this.#next())
  }

  chance(probability: number): boolean {
    return this.#next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)]
  }

  /** One of a list, as often as its weight says; undefined as often as `rest` says. */
  weighted<T extends { readonly weight: number }>(list: readonly T[], rest = 0): T | undefined {
    let at = this.real(
      0,
      list.reduce((sum, { weight }) => sum + weight, rest),
    )
    for (const item of list) {
      at -= item.weight
      if (at < 0) return item
    }
    return undefined
  }

  shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list]
    return list.map(() => rest.splice(this.integer(0, rest.length - 1), 1)[0])
  }
}
