/** A value of a `.npy` header's dictionary, with its source text for messages. */
export type Literal =
  | { readonly kind: 'string'; readonly text: string; readonly value: string }
  | { readonly kind: 'boolean'; readonly text: string; readonly value: boolean }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'tuple' | 'list'; readonly text: string; readonly items: readonly Literal[] }

const deepest = 16
const number = /[+-]?\.?[0-9][0-9A-Za-z_.]*/y
const string = /'([^'\\\n]*)'|"([^"\\\n]*)"/y
const word = /[A-Za-z_]+/y
const blank = /[ \t\r\n]*/y

/**
 * Reads the small part of Python's literals that headers are made of: one dictionary with string keys, whose values
 * are strings without escapes, True, False, numbers (kept as text), tuples and lists. Nothing is evaluated.
 * Errors: SyntaxError with the place and what was expected there; a key that comes twice is one too.
 */
export function parseDictionary(text: string): Map<string, Literal> {
  const cursor = new Cursor(text)
  const entries = new Map<string, Literal>()
  cursor.expect('{')
  while (!cursor.take('}')) {
    const key = cursor.value(0)
    if (key.kind !== 'string') throw new SyntaxError(`a key must be a string, got ${shorten(key.text)}`)
    if (entries.has(key.value)) throw new SyntaxError(`key ${shorten(key.text)} comes twice`)
    cursor.expect(':')
    entries.set(key.value, cursor.value(0))
    if (!cursor.take(',')) {
      cursor.expect('}')
      break
    }
  }
  cursor.end()
  return entries
}

/** Text short enough for a message. */
export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

class Cursor {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Steps over blanks and then over `mark`, if it is there. */
  take(mark: string): boolean {
    this.#match(blank)
    if (!this.#text.startsWith(mark, this.#at)) return false
    this.#at += mark.length
    return true
  }

  expect(mark: string): void {
    if (!this.take(mark)) this.#fail(`'${mark}'`)
  }

  end(): void {
    this.#match(blank)
    if (this.#at < this.#text.length) this.#fail('nothing after the dictionary')
  }

  value(depth: number): Literal {
    if (depth > deepest) throw new SyntaxError(`nested more than ${deepest} deep`)
    const open = this.take('(') ? ')' : this.take('[') ? ']' : undefined
    if (open !== undefined) return this.#sequence(open, depth)
    const quoted = this.#match(string)
    if (quoted) return { kind: 'string', text: quoted[0], value: quoted[1] ?? quoted[2] }
    const digits = this.#match(number)
    if (digits) return { kind: 'number', text: digits[0] }
    const name = this.#match(word)?.[0]
    if (name === 'True' || name === 'False') return { kind: 'boolean', text: name, value: name === 'True' }
    this.#at -= name?.length ?? 0
    return this.#fail('a string, True, False, a number, a tuple or a list')
  }

  #sequence(close: ')' | ']', depth: number): Literal {
    const from = this.#at - 1
    const items: Literal[] = []
    let comma = false
    while (!this.take(close)) {
      if (items.length > 0 && !comma) this.#fail(`',' or '${close}'`)
      items.push(this.value(depth + 1))
      comma = this.take(',')
    }
    // As in Python, (3) is a number in parentheses and (3,) a tuple.
    if (close === ')' && items.length === 1 && !comma) return items[0]
    return { kind: close === ')' ? 'tuple' : 'list', text: this.#text.slice(from, this.#at), items }
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found) this.#at += found[0].length
    return found
  }

  #fail(expected: string): never {
    const came = this.#text.slice(this.#at, this.#at + 20)
    throw new SyntaxError(
      `expected ${expected} at character ${this.#at}, got ${came === '' ? 'its end' : JSON.stringify(came)}`,
    )
  }
}
