"""A library of Python as a contender: python3 library.py PACKAGE THREADS. What it says and is told: see contender.mjs.

Ends with exit code 3 where the package is not installed.
"""

import json
import sys
import time
import warnings

try:
    import numpy as np
except ModuleNotFoundError:
    sys.exit(3)


class NotOffered(Exception):
    pass


def scipy_line(operation, a, e, threads, one_by_one):
    from scipy.linalg import expm, expm_frechet

    if threads > 1 and a.shape[-1] < 64:
        raise NotOffered("its threads are those of BLAS, which takes none below order 64")
    if operation == "value":
        matrices = list(a)
        return (lambda count: [expm(x) for x in matrices[:count]]) if one_by_one else lambda count: expm(a[:count])

    def frechet(count):
        matrices = a[:count].conj().swapaxes(1, 2) if operation == "vjp" else a[:count]
        return [expm_frechet(x, y)[1] for x, y in zip(matrices, e[:count], strict=True)]

    return frechet


def torch_line(operation, a, e, threads, one_by_one):
    import torch
    from torch.autograd import forward_ad

    torch.set_num_threads(threads)
    a = torch.from_numpy(a)
    e = torch.from_numpy(e) if e is not None else None

    def value(a, _):
        with torch.no_grad():
            return torch.linalg.matrix_exp(a)

    def jvp(a, e):
        with forward_ad.dual_level():
            dual = torch.linalg.matrix_exp(forward_ad.make_dual(a, e))
            return forward_ad.unpack_dual(dual).tangent

    def vjp(a, e):
        variable = a.detach().requires_grad_()
        return torch.autograd.grad(torch.linalg.matrix_exp(variable), variable, e)[0]

    compute = {"value": value, "jvp": jvp, "vjp": vjp}[operation]
    directions = a if e is None else e
    if one_by_one:
        pairs = list(zip(a, directions, strict=True))
        return lambda count: [compute(x, y) for x, y in pairs[:count]]
    return lambda count: compute(a[:count], directions[:count])


def jax_line(operation, a, e, threads, one_by_one):
    import jax
    from jax.scipy.linalg import expm

    jax.config.update("jax_enable_x64", True)

    # JAX pulls back in the inner product without the conjugate: conjugated before and after, it is the others'.
    def vjp(x, y):
        value, pullback = jax.vjp(expm, x)
        return value, pullback(y.conj())[0].conj()

    functions = {
        "value": lambda x, _: (expm(x),),
        "jvp": lambda x, y: jax.jvp(expm, (x,), (y,)),
        "vjp": vjp,
    }
    if one_by_one:
        compiled = jax.jit(functions[operation])
        pairs = [(jax.numpy.asarray(x), jax.numpy.asarray(y)) for x, y in zip(a, a if e is None else e, strict=True)]
        return lambda count: [jax.block_until_ready(compiled(x, y))[-1] for x, y in pairs[:count]]

    compiled = jax.jit(jax.vmap(functions[operation]))
    # It compiles for each length of a batch, so it is given one: of some milliseconds, or some tens of them.
    limit = min(len(a), max(8, 2**16 // a.shape[-1] ** 2))
    a = jax.numpy.asarray(a[:limit])
    e = a if e is None else jax.numpy.asarray(e[:limit])

    def compute(count):
        return jax.block_until_ready(compiled(a, e))[-1][:count]

    compute.limit = limit
    return compute


LINES = {"scipy": scipy_line, "torch": torch_line, "jax": jax_line}


class Server:
    def __init__(self, package, threads):
        self.line = LINES[package]
        self.threads = threads
        self.compute = None

    def prepare(self, operation, dtype, n, count, a, e, calls):
        shape = (int(count), int(n), int(n))
        inputs = [np.fromfile(path, dtype).reshape(shape) if path else None for path in (a, e)]
        try:
            self.compute = self.line(operation, *inputs, self.threads, calls == "one")
        except NotOffered as reason:
            return {"offers": False, "why": str(reason)}
        limit = getattr(self.compute, "limit", None)
        return {"offers": True, "limit": limit, "whole": limit is not None}

    def time(self, count, passes):
        processor_start = time.process_time()
        start = time.perf_counter()
        for _ in range(int(passes)):
            self.compute(int(count))
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "processor": time.process_time() - processor_start}

    def result(self, count, path):
        computed = self.compute(int(count))
        result = np.stack([x.resolve_conj().numpy() if hasattr(x, "resolve_conj") else x for x in computed])
        result.tofile(path)
        return {"dtype": result.dtype.name}


def main(package, threads):
    warnings.simplefilter("ignore")
    try:
        module = __import__(package)
    except ModuleNotFoundError:
        return 3
    server = Server(package, int(threads))
    print(json.dumps({"version": module.__version__}), flush=True)
    for request in sys.stdin:
        verb, *arguments = request.rstrip("\n").split("\t")
        try:
            answer = getattr(server, verb)(*arguments)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(answer), flush=True)
    return 0


sys.exit(main(*sys.argv[1:]))
