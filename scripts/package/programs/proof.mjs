// @ts-nocheck: runs where the package is installed, not here
// What every proof of the installed package computes: values and gradients along each path through the addon, held to the
// portable reference. Prints one line of JSON, and throws where anything is wrong.

/** Entries that look irregular, and are the same everywhere. */
const entry = (k) => Math.sin(12.9898 * (k + 1))

/** [1 b; 0 -1], turned so that it is not triangular. */
function nonNormal(b) {
  const [c, s] = [0.8, 0.6]
  return [
    c * c - s * s - c * s * b,
    -2 * c * s + c * c * b,
    -2 * c * s - s * s * b,
    s * s - c * c + c * s * b,
  ]
}

/** By name: a small kernel, one unpacked, Padé's linear systems by LAPACK, a Schur form by LAPACK, and single precision. */
const cases = {
  small: { n: 3, scale: 1 },
  lanes: { n: 4, count: 40, scale: 2 },
  middle: { n: 24, scale: 0.5 },
  pade: { n: 20, scale: 1, options: { method: 'pade' } },
  schur: { n: 2, entries: nonNormal(1e6), options: { balance: false } },
  single: { n: 6, scale: 1, kind: Float32Array },
}

function inputOf({ n, count = 1, scale, entries, kind = Float64Array }) {
  const data = kind.from({ length: count * n * n }, (_, k) => entries?.[k] ?? scale * entry(k))
  return { data, shape: [count, n, n] }
}

/** The greatest difference in units of the greatest entry. */
function distance(X, Y) {
  const scale = Y.data.reduce((most, y) => Math.max(most, Math.abs(y)), 0)
  return X.data.reduce((most, x, k) => Math.max(most, Math.abs(x - Y.data[k])), 0) / scale
}

export function prove({ expm, expmVJP, expmCond, expmPlan, info }, reference) {
  const errors = {}
  for (const [name, spec] of Object.entries(cases)) {
    const { n, kind = Float64Array, options = {} } = spec
    const A = inputOf(spec)
    const W = { data: A.data.map((_, k) => entry(k + 7)), shape: A.shape }
    const exact = (X) => ({ data: Float64Array.from(X.data), shape: X.shape })
    const value = expm(A, options)
    const { cotangent } = expmVJP(A, W, options)
    const truth = reference.expmVJP(exact(A), exact(W))
    const u = kind === Float32Array ? 2 ** -24 : 2 ** -53
    const bound = 10 * n * Math.max(1, ...expmCond(A)) * u
    const found = [distance(value, truth.value), distance(cotangent, truth.cotangent)]
    if (!found.every((error) => error <= bound)) throw new Error(`${name}: errors ${found}, bound ${bound}`)
    errors[name] = Math.max(...found)
  }
  const { form } = expmPlan(inputOf(cases.schur), cases.schur.options)[0]
  if (form !== 'schur') throw new Error('no Schur form was computed, so LAPACK is not proven')
  const { addon, blas, version } = info()
  const { bun, deno } = process.versions
  const runtime = bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${process.version}`
  console.log(JSON.stringify({ runtime, version, addon, blas, errors }))
}
