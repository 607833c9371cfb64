/** What `matfun --help` prints. */
export const help = `matfun: the matrix exponential and its derivatives, for stacks of matrices in .npy files

  matfun expm A.npy -o Y.npy                        Y = exp(A)
  matfun jvp  A.npy E.npy -o L.npy [--value Y.npy]  L = L(A, E), the derivative of exp at A in direction E
  matfun vjp  A.npy W.npy -o G.npy [--value Y.npy]  G = L(A^H, W), the gradient W pulled back through exp at A
  matfun cond A.npy -o K.npy                        K = the relative condition number of exp at A, in the 1-norm
  matfun plan A.npy                                 what expm would do for each matrix, without doing it
  matfun run OPERATION --a A.zarr [--direction E.zarr] -o Y.zarr [--value V.zarr]
                                                    the same of Zarr arrays, chunk by chunk; again, it continues
  matfun convert A.npy -o A.zarr                    copy a stack to a Zarr array, or back
  matfun worker --queue redis://host:port           compute chunks of jobs that are on a queue, until it is told to end
  matfun status [JOB] --queue redis://host:port     how far such jobs are; --follow shows one until it ends
  matfun cancel JOB --queue redis://host:port       take a job off a queue
  matfun info                                       versions, BLAS, processor; a self-check, and advice where one helps

Files hold stacks of shape (..., n, n): float64, float32, complex128 or complex64, in either byte order, in C or Fortran
order. A and E or W have the same dtype and equal leading dimensions, or one of them is a single matrix, which then
meets each of the other's. Results have A's dtype; only K is float64 always, of shape (...). What is written is
little-endian, in C order, and takes its name only when it is whole. Jobs run in chunks of 32 MB, or of one matrix
where that is larger.

Zarr arrays (version 3) have shape (count, n, n) and are cut along the first axis; run also takes .npy files as inputs. A and
the direction are cut alike, or one of them is a single matrix. Each chunk is written when it is done and takes its name
when it is whole, so that a job that was interrupted continues where it was: by the same command, on any machine.

  --a FILE          A of run; --direction FILE is its E or W
  --chunk N         matrices of a chunk, where an input is a .npy file (default: about a second's work, 32 MiB at most)
  --root DIR        the folder that run's files lie below (default: the current one); see docs/zarr.md
  --queue ADDRESS   run the job by workers on any number of hosts: redis://host:port/db, or rediss:// for TLS. Default of
                    worker, status and cancel: MATFUN_QUEUE; user and password: MATFUN_QUEUE_USERNAME, MATFUN_QUEUE_PASSWORD
  --follow          show progress until the job ends: exit code 2 where chunks could not be done
  --retry-failed    try chunks again that have failed for good
  --concurrency N   chunks that a worker is at at once (default: 2); their arrays are what it takes of memory
  --lock SECONDS    after which others take up the chunks of a worker that is gone (default: 30)
  --max-order N     refuse matrices of a higher order (default: 8192); --max-chunk BYTES: chunks that take more memory (1 GiB)
  --verbose         tell of each chunk; see docs/distributed.md
  -o, --out FILE    where to write the result
  --value FILE      also write exp(A), of A's shape
  --method METHOD   auto (default), polynomial or pade
  --shift WHEN      take the mean of the diagonal off before: auto (default, where that helps), on or off
  --balance WHEN    plan by the norms of the balanced matrix: auto (default, where that helps), on or off
  --structure WHAT  auto (default), general, or generator: rates off the diagonal, rows that sum to 0
  --resume          continue where an earlier run of the same job ended, however it did; keep what is done if this one ends
  --take-over       with --resume: also a run of another machine or container, where you know that it is over
  --threads N       use at most so many threads (default: MATFUN_NUM_THREADS, or as many as can run at once)
  --purpose WHAT    plan for the value (default) or the derivative
  --json            print the summary as one JSON object
  -h, --help        print this
  --version         print the version

Exit codes
  0  all done
  1  some matrices cannot be done (not finite, overflow, singular, uncertain, no generator): the summary names them, counted from 0 in
     row-major order; they are NaN in the output, and the others are done. Of info: the self-check failed
  2  wrong use, an input that cannot be read, or an output that cannot be written: nothing is written, but what run or
     --resume have done is kept. Also if the results are written and the summary cannot be (a full disk)
`
