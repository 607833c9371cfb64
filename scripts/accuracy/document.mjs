/** docs/accuracy.md around its tables. */
import { markdownTable } from '../reports/markdown-table.mjs'
import { caseTable, overview, tables } from './report.mjs'
import { bound } from './scores.mjs'

/** @typedef {import('./cases.mjs').Case} Case */
/** @typedef {import('./peers.mjs').Method} Method */
/** @typedef {import('./report.mjs').Planned} Planned */
/** @typedef {import('./scores.mjs').Score} Score */

/**
 * @typedef {object} Findings
 * @property {Case[]} cases
 * @property {Method[]} methods matfun first
 * @property {string[]} absent peers that were not found
 * @property {Score[]} scores
 * @property {Planned[]} worst matfun's worst results
 * @property {Planned[]} notHeld matfun's results above the bound
 * @property {Record<string, import('./remarks.mjs').Remark>} remarks by case
 * @property {[string, string][]} machine
 */

/** @param {Findings} findings */
export function documentOf(findings) {
  const { cases, methods, scores, worst, machine } = findings
  return `# How accurate matfun is

${verdict(findings)}

Results with an error above ${bound} units, by every method that was found${absentInWords(findings.absent)}:

${overview(scores, methods)}

![Performance profiles in double precision](accuracy-double.svg)

![Performance profiles in single precision](accuracy-single.svg)

How to read the pictures: for every case the method with the least error is the best one there; a curve tells in what share
of the cases its method's error is at most τ times that of the best. At τ = 1 it begins with the share of cases in which
the method is the best, a quarter of a unit counting as no error at all; a case that a method fails is never reached.
A method is drawn where it computes all cases of a picture in their own precision${undrawn(methods)}.

This page and its pictures are written by

\`\`\`
npm run accuracy
\`\`\`

A second run on the same machine writes the same text. Python's libraries are looked for under \`python3\` and
\`/usr/bin/python3\` (Debian: \`apt-get install python3-scipy python3-torch\`).

## What is measured

The error of a result X is |X - T| / |T| in the Frobenius norm, T being the truth, in units of max(cond, 1) u. There u is the
unit roundoff of the dtype, 2⁻⁵³ or 2⁻²⁴, and cond the relative condition number of the exponential at A: when A changes by u
relatively, exp(A) may change by cond u relatively. A method that gives the exact exponential of a matrix that is A but for a last
rounding may be wrong by one unit; an error of many units is the method's own doing. The derivatives are measured in
the same unit.

The ${cases.length} cases are those of [test/fixtures](../test/fixtures/README.md): each a matrix A with a direction E and a
cotangent W in one dtype, most of a kind on which some method is known to fail. Their truth was computed in ball arithmetic
from the very numbers that the methods are given, at a precision at which the balls prove it to 2⁻⁸⁰ of its norm, and then
rounded once to double.

- **exp(A)** is \`expm\`; SciPy's \`scipy.linalg.expm\`, PyTorch's \`torch.linalg.matrix_exp\`, mathjs's \`expm\`, JAX's
  \`jax.scipy.linalg.expm\`.
- **Tangent L(A, E)** is \`expmJVP\`; SciPy's \`expm_frechet(A, E)\`, and forward differentiation in PyTorch and JAX.
- **Cotangent L(Aᴴ, W)** is \`expmVJP\`; SciPy's \`expm_frechet(A^H, W)\`, and reverse differentiation in PyTorch and JAX (JAX's
  conjugated, which is its other convention).
- Every method gets each matrix alone, in the case's dtype, with one thread. A method that throws, or whose result has
  a NaN or an Inf in it, has failed there: that is an infinite error in every column. A result in a wider dtype than the case's is
  rounded to it; such rows name the dtype that was computed in, and say little about methods that keep to the narrow one.
- *median* and *90 %* are the errors that so many of the cases do not exceed; *above 1*, *10* and *100* count the cases.

## The machine

${markdownTable([['', ''], ...machine, ...methods.slice(1).map(ranOn)], [])}

## Every dtype and quantity

${tables(scores, methods)}

## matfun's worst results

What matfun did there is told as \`expmPlan\` tells it: method and degree, squarings, the form in which the matrix was
evaluated, and, where they took place, balancing and shift.

${caseTable(worst)}

## Cases that are not held

${notHeldInWords(findings)}

## Failures

${failures(methods, scores)}
`
}

/** @param {Findings} findings */
export function verdict({ methods, scores, notHeld }) {
  const own = scores.filter(({ method }) => method === methods[0])
  const promise = `matfun promises at most ${bound} max(cond, 1) u for the value and both derivatives`
  const results = `the ${own.length} results of this report`
  if (notHeld.length === 0) return `${promise}, and holds it in all ${own.length} results of this report.`
  return `${promise}. It holds that in ${own.length - notHeld.length} of ${results}; the others are listed below.`
}

/** @param {string[]} absent */
function absentInWords(absent) {
  return absent.length === 0 ? '' : ` (not found on this machine: ${absent.join(', ')})`
}

/** @param {Method[]} methods */
function undrawn(methods) {
  const name = methods.find(({ widened }) => widened('float32', 'tangent'))?.name.split(' ')[0]
  return name ? `, which leaves ${name}'s single-precision derivatives out` : ''
}

/**
 * @param {Method} method
 * @returns {[string, string]}
 */
function ranOn({ name, about }) {
  return [name, about.join(', ')]
}

/** @param {Findings} findings */
function notHeldInWords({ notHeld, remarks }) {
  if (notHeld.length === 0) return 'There are none.'
  const examples = [...new Set(notHeld.map(({ example }) => example))]
  const notes = examples.map((example) => {
    const remark = remarks[example.name]?.why ?? 'Not explained yet.'
    return `- **${example.name}**: ${remark}`
  })
  return `${caseTable(notHeld)}\n\n${notes.join('\n')}`
}

/**
 * @param {Method[]} methods
 * @param {Score[]} scores
 */
function failures(methods, scores) {
  const lines = methods.map((method) => {
    const failed = scores.filter((score) => score.method === method && score.error === Infinity)
    if (failed.length === 0) return `- **${method.name}**: none.`
    const thrown = Object.values(method.threw).flatMap((messages) => Object.entries(messages))
    const times = thrown.reduce((sum, [, count]) => sum + count, 0)
    const without = failed.length - times
    const parts = [
      ...(without > 0 ? [`a NaN or an Inf in ${without} results`] : []),
      ...merged(thrown).map(([message, count]) => `threw \`${message}\` ${count} times`),
    ]
    return `- **${method.name}**: ${parts.join('; ')}.`
  })
  return lines.join('\n')
}

/**
 * The counts of equal messages added up.
 *
 * @param {[string, number][]} thrown
 * @returns {[string, number][]}
 */
function merged(thrown) {
  /** @type {Record<string, number>} */
  const counts = {}
  for (const [message, count] of thrown) counts[message] = (counts[message] ?? 0) + count
  return Object.entries(counts)
}
