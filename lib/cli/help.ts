/** What `matfun --help` prints. */
export const help = `matfun: the matrix exponential and its derivatives, for stacks of matrices in .npy files

  matfun expm A.npy -o Y.npy                        Y = exp(A)
  matfun jvp  A.npy E.npy -o L.npy [--value Y.npy]  L = L(A, E), the derivative of exp at A in direction E
  matfun vjp  A.npy W.npy -o G.npy [--value Y.npy]  G = L(A^H, W), the gradient W pulled back through exp at A
  matfun cond A.npy -o K.npy                        K = the relative condition number of exp at A, in the 1-norm
  matfun plan A.npy                                 what expm would do for each matrix, without doing it
  matfun info                                       versions, BLAS, processor; a self-check, and advice where one helps

Files hold stacks of shape (..., n, n): float64, float32, complex128 or complex64, in either byte order, in C or Fortran
order. A and E or W have the same dtype and equal leading dimensions, or one of them is a single matrix, which then
meets each of the other's. Results have A's dtype; only K is float64 always, of shape (...). What is written is
little-endian, in C order, and takes its name only when it is whole. Jobs run in chunks of 32 MB, or of one matrix
where that is larger.

  -o, --out FILE    where to write the result
  --value FILE      also write exp(A), of A's shape
  --method METHOD   auto (default), polynomial or pade
  --shift WHEN      take the mean of the diagonal off before: auto (default, where that helps), on or off
  --balance WHEN    balance the matrix before: auto (default, where that helps), on or off
  --resume          continue where an earlier run of the same job ended, however it did; keep what is done if this one ends
  --take-over       with --resume: also a run of another machine or container, where you know that it is over
  --threads N       use at most so many threads (default: MATFUN_NUM_THREADS, or as many as can run at once)
  --purpose WHAT    plan for the value (default) or the derivative
  --json            print the summary as one JSON object
  -h, --help        print this
  --version         print the version

Exit codes
  0  all done
  1  some matrices cannot be done (not finite, overflow, singular): the summary names them, counted from 0 in
     row-major order; they are NaN in the output, and the others are done. Of info: the self-check failed
  2  wrong use, an input that cannot be read, or an output that cannot be written: nothing is written, but with --resume
     what is done is kept
`
