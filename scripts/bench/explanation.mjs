/** What docs/performance.md says beside figures. */
import { targetsMachine } from './targets.mjs'

// From perf record of run_batch alone with batches of 1024, from counting in recurrence.hpp, and from 100 calls one after the other.
export const limits = `### What limits batches

On one core of the Zen 5 above, float64, 1-norm 1, batches of 1024 matrices that stay in the second-level cache: shares of the core's time
by what its functions do (perf's samples, %).

| order, operation | ns a matrix | products and sums | to and from lanes | norms, plans, checks | putting plans together, calls |
|---|--:|--:|--:|--:|--:|
| 2, value | 9.3 | 25 | 11 | 21 | 40 |
| 2, VJP | 15.4 | 48 | 12 | 17 | 19 |
| 4, value | 22 | 57 | 19 | 13 | 8 |
| 4, VJP | 51 | 67 | 12 | 11 | 5 |

- **Order 2** is limited by putting matrices of one plan together: 93 % take 21+ here, 4 % 15+, 3 % 15+ after a shift (of 20 000), so that hardly
  a block is of one plan as it comes. Where nearly all have one, as at 1-norm 0.1, a value takes 4.9 ns.
- **Order 4**: 98 % take 21+, which is five products of 64 multiply-adds and 20 terms of sums of 16 that are more than a load, for as many
  matrices as a register has lanes. With eight lanes and the 134 GFLOP/s of multiply-adds that were measured this is 9.6 ns a matrix.
- **Memory**: the tables' batches are of 8 MB and come after other processes' turns. Of order 4, a value then takes 40 ns instead of 22 and a VJP 99
  instead of 51; when the same batch is computed again and again, 31 and 75. Asking for memory ahead by instructions brought nothing.
- **From order 64 on** seven tenths of the time are products, whose kernels alone reach 94 to 97 % of what the core's multiply-adds
  allow; sums, which read and write the caches beyond the first, take 12 to 19 %, norms and plans 10 %.
- **Two threads** got 1.95 to 2.07 times what one gets where calls came one after the other (medians of 100 calls each in one process: values of order 2,
  4 and 32, VJPs of 4 and 64, batches of 8 MB, 1.9 processors). In the tables, where every turn of some milliseconds follows a pause, the
  second processor was often not there in time: the column *cpu* says how much of it there was.
- **One matrix of order 2 to 8** takes lanes of which all but one are empty, so that it has the bits that it has in a batch: at order 8 an eighth of
  the work is of use. Of the 0.34 µs at order 2, 0.13 are the core's, the rest the call's.`

export const howMeasured = `## How it is measured

\`\`\`
npm run bench              # all three suites; or one of them:
npm run bench -- single
npm run bench -- derivative
npm run bench -- batch
npm run bench -- batch --orders 4 --dtypes float64 --norms 1 --operations value   # one line of a table
\`\`\`

Each suite writes \`docs/benchmarks/<suite>-<machine>.json\`, and from all such files this page and its pictures are made. A part of a
table goes to \`output/benchmarks\`; with \`--merge\` (and \`--output docs/benchmarks\`) its lines take their places in the file of the
same machine, matfun and inputs, each with its own date and load; \`--resume\` measures what such a file lacks. Peers that are not installed
are left out by name (Debian: \`apt-get install libeigen3-dev libgsl-dev libarmadillo-dev python3-scipy python3-torch\`); the
small programs in C++ are compiled for the machine when first needed, which takes a minute or two. \`npm run bench -- --help\` tells the rest.

- **The same matrices for everyone**: entries from N(0, 1), each matrix scaled to the 1-norm; directions from N(0, 1). The
  seed is drawn at each run and recorded. Results of the first matrices are compared with matfun's, and differences are reported.
- **In alternation**: every library is a process of its own; a line goes round them, each computing for some milliseconds, beginning with
  another one each time. *times it* is the median over the rounds of matfun's speed over that of the fastest peer in the same round: what
  disturbs the machine disturbs both. *spread* is half the distance between the quartiles of matfun's own speed, *cpu* how much processor
  time it had in its time: below 100 % a thread, other processes took the rest, most of it from
  those with long turns. For trying on such a machine there is \`--cpu-time\`.
- **One matrix a call**: up to 64 matrices, of 256 KB in all unless one is larger, in turn, each by a call as one would write it. matfun's is the
  whole call from JavaScript, with \`out\`, on typed arrays (array objects over them for complex dtypes); a time is that of a loop over
  all of them, often enough for the clock, divided by their number. mathjs is left out above order 128, where a call takes seconds.
- **Bounds of one matrix**: *of FMA peak* is the share that the plan's products take of the multiplications and additions that a small loop
  in registers reaches; *of gemm bound* the time that OpenBLAS takes for these products alone, over that of the whole
  call. More than 100 % is possible: matfun multiplies orders up to 1536 by kernels of its own. Both are measured in alternation with
  everyone, with as many threads. *products* are those of the plan, squarings among them; a derivative takes three for each.
- **A batch a call**, with \`out\`: at least 8 MB of matrices, so that none lies in a core's own caches from the call before. A
  library that would take much longer gets the first of the matrices (JAX always the same number, because it compiles for it); one that has no batches gets them one after the other.
- **Threads**: two of them are matfun's setting, PyTorch's and JAX's own, BLAS's for SciPy (from order 64 on). Of a batch, Eigen, GSL and
  Armadillo get a share of the matrices each, with their BLAS on one thread; of one matrix, which is measured so from order 512 on,
  BLAS's threads, and for Eigen its own. A best peer that is faster with one thread is named with (1).
- **Derivatives** come together with the value. SciPy's are \`expm_frechet\`, one matrix after the other, and answers float32 in float64;
  PyTorch's and JAX's are their forward and reverse differentiation. Eigen, GSL and Armadillo have none: theirs is the upper right block of
  the exponential of [A E; 0 A], up to order 256 where a call has one matrix.
- **A derivative beside matfun's own value**: *of the value* is the time of value and derivative over that of the value alone; *8 at once, of
  8 calls* that of one call with eight cotangents over that of eight calls; *kept, of the value* that of a derivative from
  intermediates that \`expmLinearize\` kept over that of the value. The most that each should be is in parentheses.
- **Eigen** is measured with orders known to the compiler (*fixed*) and not (*dynamic*), **GSL** and **Armadillo** with the OpenBLAS that matfun uses, all
  compiled with \`-O3\` for the machine's own instructions.
- *of target* is the share of what the project set out to reach, which was measured on another machine (${targetsMachine}).
- **matfun's core** is the same batch without Node, by Google Benchmark, with matrices of the same kind; *binding* is what the
  call through Node-API adds. It is measured where it was built: \`cmake -S . -B build/bench/native -DMATFUN_BENCH=ON && cmake --build
  build/bench/native\` (Debian: \`apt-get install libbenchmark-dev\`).
- OpenBLAS that does not know a processor takes kernels that use nothing of it. Then everyone is given
  an \`OPENBLAS_CORETYPE\` that fits, and the machine's table says so.

## Without a quiet machine

\`npm run instructions\` counts the instructions of fixed cases of the core under valgrind and compares them with the figures of
[benchmarks/instructions.json](benchmarks/instructions.json): a slow-down of what is computed shows whatever else the machine does. It
says nothing of memory, of threads and of instructions that AVX-512 saves, for valgrind does not know it: the kernels are those of x86-64-v3.`
