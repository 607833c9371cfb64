// Runs matfun and every peer found on this machine on the committed hard cases; prints how wrong each is and
// writes docs/accuracy.md with its pictures.
// usage: node scripts/accuracy.mjs   (npm run accuracy)

import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { dtypes, openInputs, openTruth, quantities, readCases } from './accuracy/cases.mjs'
import { drawProfiles, factors } from './accuracy/chart.mjs'
import { documentOf, verdict } from './accuracy/document.mjs'
import { machine } from './accuracy/machine.mjs'
import { planInWords, runMatfun } from './accuracy/matfun.mjs'
import { runMathjs, runPythonPeers } from './accuracy/peers.mjs'
import { remarks } from './accuracy/remarks.mjs'
import { caseTable, overview, shortName, tables } from './accuracy/report.mjs'
import { bound, performanceProfile, scoresOf } from './accuracy/scores.mjs'

/** @typedef {import('./accuracy/cases.mjs').Case} Case */
/** @typedef {import('./accuracy/cases.mjs').Quantity} Quantity */
/** @typedef {import('./accuracy/peers.mjs').Method} Method */
/** @typedef {import('./accuracy/scores.mjs').Score} Score */

const docs = fileURLToPath(new URL('../docs/', import.meta.url))

/** @type {Record<Quantity, string>} */
const panels = { value: 'exp(A)', tangent: 'Tangent L(A, E)', cotangent: 'Cotangent L(Aᴴ, W)' }

const precisions = {
  double: ['float64', 'complex128'],
  single: ['float32', 'complex64'],
}

async function main() {
  const cases = readCases()
  const inputs = Object.fromEntries(dtypes.map((dtype) => [dtype, openInputs(dtype)]))
  const truth = Object.fromEntries(dtypes.map((dtype) => [dtype, openTruth(dtype)]))
  /** @param {Case} example */
  const inputsOf = (example) => [0, 1, 2].map((k) => inputs[example.dtype](example, k))
  /** @param {Case} example */
  const truthOf = (example) => {
    const [value, tangent, cotangent] = [0, 1, 2].map((k) => truth[example.dtype](example, k))
    return { value, tangent, cotangent }
  }
  const { methods, absent } = await runAll(cases, inputsOf)
  const scores = scoresOf(methods, cases, truthOf)
  const planned = scores
    .filter(({ method }) => method === methods[0])
    .sort((a, b) => b.error - a.error)
    .map((score) => ({
      ...score,
      plan: planInWords(score.example, score.quantity, inputsOf(score.example)[0]),
    }))
  const findings = {
    cases,
    methods,
    absent,
    scores,
    worst: planned.slice(0, 10),
    notHeld: planned.filter(({ error }) => error > bound),
    remarks,
    machine: machine(),
  }
  await write(findings)
  print(findings)
}

/**
 * @param {Case[]} cases
 * @param {(example: Case) => import('./accuracy/cases.mjs').Numbers[]} inputsOf
 */
async function runAll(cases, inputsOf) {
  say(`matfun on ${cases.length} cases ...`)
  const matfun = runMatfun(cases, inputsOf)
  const { methods, absent } = runPythonPeers(cases, say)
  const mathjs = await runMathjs(cases, (example) => inputsOf(example)[0], say)
  if (!mathjs) absent.push('mathjs')
  for (const name of absent) say(`${name}: not found`)
  return { methods: [matfun, ...methods, ...(mathjs ? [mathjs] : [])], absent }
}

/** @param {import('./accuracy/document.mjs').Findings} findings */
async function write(findings) {
  mkdirSync(docs, { recursive: true })
  for (const [precision, own] of Object.entries(precisions)) {
    const chosen = findings.scores.filter(({ example }) => own.includes(example.dtype))
    const count = findings.cases.filter(({ dtype }) => own.includes(dtype)).length
    const svg = await drawProfiles(profilePoints(chosen), {
      title: `How often each method comes close to the best one, in ${precision} precision`,
      subtitle: [
        `Share of ${count} hard matrices (${own.join(' and ')}) ` +
          "where a method's error is at most τ times the least error of all methods",
      ],
    })
    writeFileSync(`${docs}accuracy-${precision}.svg`, `${svg}\n`)
  }
  writeFileSync(`${docs}accuracy.md`, documentOf(findings))
}

/**
 * What the pictures show; not what was computed in a wider dtype.
 *
 * @param {Score[]} scores of one precision
 */
function profilePoints(scores) {
  return quantities.flatMap((quantity) => {
    const own = scores.filter((s) => s.quantity === quantity && !s.method.widened(s.example.dtype, quantity))
    return performanceProfile(own, factors).map(({ method, factor, share }) => ({
      panel: panels[quantity],
      method: method.name,
      factor,
      share,
    }))
  })
}

/** @param {import('./accuracy/document.mjs').Findings} findings */
function print(findings) {
  const { scores, methods, worst, notHeld } = findings
  console.log(`\n${tables(scores, methods)}`)
  console.log(`\nResults above ${bound} max(cond, 1) u:\n\n${overview(scores, methods)}`)
  console.log(`\nmatfun's worst results:\n\n${caseTable(worst)}`)
  if (notHeld.length > 0) console.log(`\nCases that are not held:\n\n${caseTable(notHeld)}`)
  const held = new Set(notHeld.flatMap(({ example }) => [example.name, shortName(example)]))
  const stale = Object.keys(remarks).filter((name) => !held.has(name))
  for (const name of stale) say(`scripts/accuracy/remarks.mjs: ${name} needs no remark any more`)
  console.log(
    `\n${verdict(findings)}\nWritten: docs/accuracy.md, docs/accuracy-double.svg, docs/accuracy-single.svg`,
  )
}

/** @param {string} line */
function say(line) {
  console.error(`accuracy: ${line}`)
}

await main()
