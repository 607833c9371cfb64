/**
 * @typedef {object} CppText C++ source with the same length and the same lines as the original
 * @property {string} code comments and the insides of literals are spaces
 * @property {Map<number, string>} strings contents of string literals and <header> names by the offset of their first sign
 */

const spaces = (/** @type {string} */ text) => text.replace(/[^\n]/g, ' ')

/** In order of precedence: what a quote or a comment sign cannot begin in, and what it begins. */
const token = new RegExp(
  [
    String.raw`(?<comment>\/\/(?:\\\r?\n|[^\n])*|\/\*[\s\S]*?(?:\*\/|$))`,
    String.raw`(?<raw>(?<![\w])(?:u8|[uUL])?R"(?<fence>[^()\\\s]{0,16})\([\s\S]*?\)\k<fence>")`,
    String.raw`(?<number>(?<![\w])\.?\d(?:'?[\w.])*)`,
    String.raw`(?<header>(?<=#(?:[ \t]|\\\r?\n)*include(?:_next)?(?:[ \t]|\\\r?\n)*)<[^>\n]*>)`,
    String.raw`(?<string>"(?:\\[\s\S]|[^"\\\n])*"?)`,
    String.raw`(?<character>'(?:\\[\s\S]|[^'\\\n])*'?)`,
  ].join('|'),
  'g',
)

/**
 * Takes C++ source apart, so that nothing in a comment or literal is mistaken for code, or hides code.
 * @param {string} source
 * @returns {CppText}
 */
export function separateCpp(source) {
  /** @type {Map<number, string>} */
  const strings = new Map()
  const code = source.replace(token, (text, ...rest) => {
    const groups = rest.at(-1)
    const offset = /** @type {number} */ (rest.at(-3))
    if (groups.comment) return spaces(text)
    if (groups.number) return text
    const quote = text.search(/["'<]/)
    if (groups.string || groups.header) strings.set(offset, text.slice(1, -1))
    return text.slice(0, quote + 1) + spaces(text.slice(quote + 1, -1)) + text.slice(-1)
  })
  return { code, strings }
}

/**
 * @typedef {object} Include
 * @property {string} target what stands between the quotes or angle brackets; empty for a macro
 * @property {boolean} quoted
 * @property {number} offset
 */

/**
 * @param {CppText} text
 * @returns {Include[]}
 */
export function includesOf({ code, strings }) {
  const directive = /^[ \t]*#(?:[ \t]|\\\r?\n)*include(?:_next)?(?:[ \t]|\\\r?\n)*(["<])?/gm
  return [...code.matchAll(directive)].map((match) => {
    const end = match.index + match[0].length
    const offset = match.index + match[0].indexOf('#')
    return { target: strings.get(end - 1)?.trim() ?? '', quoted: match[1] === '"', offset }
  })
}
