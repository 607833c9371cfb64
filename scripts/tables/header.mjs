/**
 * Reads the literals out of coefficients.hpp. It knows the exact form of each table and takes no other.
 */

const number = String.raw`-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?`

/**
 * @param {string} source
 * @returns {string} without comments, every run of white space one blank, none inside parentheses
 */
export function plainText(source) {
  return source
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/\( | (?=\))/g, (found) => found.trim())
    .trim()
}

/**
 * @param {string} text
 * @param {string} table
 * @param {string} opening
 * @param {string} closing
 * @returns {string} what stands between the two, which must occur once
 */
function between(text, table, opening, closing) {
  const start = text.indexOf(opening)
  if (start < 0) throw new Error(`${table} not found: no "${opening}"`)
  if (text.indexOf(opening, start + 1) >= 0) throw new Error(`${table} is there twice`)
  const from = start + opening.length
  const end = text.indexOf(closing, from)
  if (end < 0) throw new Error(`${table} has no end: no "${closing}"`)
  return text.slice(from, end)
}

/**
 * @param {string} table
 * @param {string} list
 * @param {string} item the pattern of one item
 * @param {string} separator
 * @param {number} count
 * @returns {RegExpMatchArray[]} the items of a list that holds nothing else
 */
function itemsOf(table, list, item, separator, count) {
  const entries = list.split(separator).map((entry) => entry.trim())
  if (entries.at(-1) === '') entries.pop()
  if (entries.length !== count) throw new Error(`${table} has ${entries.length} entries instead of ${count}`)
  return entries.map((entry, i) => {
    const match = new RegExp(`^${item}$`).exec(entry)
    if (!match) throw new Error(`${table}: entry ${i} is not of the expected form: "${entry}"`)
    return match
  })
}

/**
 * @param {string} text from `plainText`
 * @param {string} table such as `kPade<R, 3>`
 * @param {number} count
 * @returns {string[]} the literals of an array of coefficients
 */
export function readArray(text, table, count) {
  const list = between(
    text,
    table,
    `inline constexpr std::array<R, ${count}> ${table} = detail::rounded<R>({`,
    '});',
  )
  return itemsOf(table, list, `(${number})`, ',', count).map((match) => match[1])
}

/**
 * @param {string} text from `plainText`
 * @param {string} table the struct's name
 * @param {readonly string[]} names its members, in order
 * @returns {string[]} their literals
 */
export function readMembers(text, table, names) {
  const list = between(text, table, `struct ${table} {`, '};')
  const item = String.raw`static constexpr R (\w+) = R\((${number})\)`
  return itemsOf(table, list, item, ';', names.length).map(([, name, literal], i) => {
    if (name !== names[i]) throw new Error(`${table}: ${name} stands where ${names[i]} should`)
    return literal
  })
}

/**
 * @param {string} text from `plainText`
 * @param {string} table such as `kPadeThresholds<double>`
 * @param {readonly number[]} degrees of its rows, in order
 * @returns {{ theta: number, ell: number }[]}
 */
export function readThresholds(text, table, degrees) {
  const opening = `inline constexpr std::array<Threshold, ${degrees.length}> ${table} = {{`
  const rows = between(text, table, opening, '}};').replace(/,\s*$/, '').replace(/\}$/, '')
  const item = String.raw`\{(\d+), (${number}), (${number})`
  return itemsOf(table, rows, item, '},', degrees.length).map(([, degree, theta, ell], i) => {
    if (Number(degree) !== degrees[i]) {
      throw new Error(`${table}: degree ${degree} stands where ${degrees[i]} should`)
    }
    return { theta: Number(theta), ell: Number(ell) }
  })
}
