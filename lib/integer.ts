/**
 * The integer from `least` to `most` that a text is, in decimal digits alone: no sign, leading zero, point, exponent or space.
 * Undefined for any other text.
 */
export function readInteger(text: string, least: number, most: number): number | undefined {
  const value = /^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : Number.NaN
  return least <= value && value <= most ? value : undefined
}
