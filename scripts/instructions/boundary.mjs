// The case of the boundary: `expm` of one matrix with `out`, from JavaScript. usage: node boundary.mjs CALLS
import { expm } from 'matfun'

const A = Float64Array.from({ length: 16 }, (_, k) => ((7 * k) % 5) / 16)
const options = { out: new Float64Array(16) }
for (let left = Number(process.argv[2]); left > 0; left--) expm(A, options)
