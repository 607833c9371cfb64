import { describe } from '../errors.ts'
import { ZarrError } from './error.ts'

/** A part of a zarr.json, and how to say where it stands when it is not what it should be. */
export class JsonNode {
  readonly path: string
  readonly name: string
  readonly value: unknown

  constructor(path: string, name: string, value: unknown) {
    this.path = path
    this.name = name
    this.value = value
  }

  /** An error that says what was expected here. */
  unexpected(expected: string): ZarrError {
    return new ZarrError(this.path, `${this.name} must be ${expected}, got ${describe(this.value)}`)
  }

  /** The member of this object with that name; its value is undefined where there is none. */
  member(key: string): JsonNode {
    const value = this.#object()
    const name = this.name === 'zarr.json' ? key : `${this.name}.${key}`
    return new JsonNode(this.path, name, Object.hasOwn(value, key) ? value[key] : undefined)
  }

  /** The same place with another value. */
  with(value: unknown): JsonNode {
    return new JsonNode(this.path, this.name, value)
  }

  /** This object's own keys. */
  keys(): string[] {
    return Object.keys(this.#object())
  }

  get isMissing(): boolean {
    return this.value === undefined || this.value === null
  }

  /** This array's items. */
  items(): JsonNode[] {
    if (!Array.isArray(this.value)) throw this.unexpected('a list')
    if (this.value.length > longestList) throw this.unexpected(`a list of at most ${longestList}`)
    return this.value.map((item, k) => new JsonNode(this.path, `${this.name}[${k}]`, item))
  }

  /** One of some strings. */
  oneOf<T extends string>(...names: readonly T[]): T {
    const found = names.find((name) => name === this.value)
    if (found === undefined) throw this.unexpected(names.map((name) => JSON.stringify(name)).join(' or '))
    return found
  }

  string(): string {
    if (typeof this.value !== 'string') throw this.unexpected('a string')
    return this.value
  }

  /** Integers from `least` on. */
  integers(least: number): number[] {
    return this.items().map((item) => {
      const { value } = item
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
      throw item.unexpected(`an integer from ${least} to 2^53 - 1`)
    })
  }

  #object(): Readonly<Record<string, unknown>> {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value))
      throw this.unexpected('an object')
    return this.value as Record<string, unknown>
  }
}

/** More than any list of a zarr.json that is read can need. */
const longestList = 64
