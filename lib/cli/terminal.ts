/** As much of a stream as the command line writes to. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** The control sequence that empties the line that the cursor is in. */
const clearLine = '\r\u001b[K'

/**
 * Cleans all text on its way to an {@link Output}. File names and the contents of files and queues can come from anyone, so control
 * characters become U+FFFD.
 */
export class Terminal {
  readonly isTTY: boolean
  readonly #output: Output

  constructor(output: Output) {
    this.#output = output
    this.isTTY = output.isTTY ?? false
  }

  /** Undefined if unknown. It changes with the window. */
  get columns(): number | undefined {
    return this.#output.columns || undefined
  }

  /** Writes text. Of control characters only line feeds and tabs remain. */
  write(text: string): void {
    this.#output.write(printable(text))
  }

  /** Writes a value as one line of JSON. Escapes the control characters from U+007F on, too, which JSON.stringify does not. */
  writeJson(value: unknown): void {
    const codeOf = (character: string): string => character.charCodeAt(0).toString(16).padStart(4, '0')
    this.write(`${JSON.stringify(value).replace(/\p{Cc}/gu, (character) => `\\u${codeOf(character)}`)}\n`)
  }

  /** Writes text in the place of the line that the cursor is in. */
  replaceLine(text: string): void {
    this.#output.write(clearLine + printable(text))
  }
}

function printable(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, '\ufffd')
}
