"""One peer on all cases.

python3 peer.py PACKAGE FIXTURES FOLDER: writes FOLDER/<dtype>-<quantity>.npy for every dtype and quantity (1-D,
the cases one after the other; NaN where the peer threw) and prints a JSON line of what it threw and how often, and
of the dtypes that its results had. Ends with exit code 3 where the package is not installed.
"""

import json
import sys
import warnings
from collections import Counter
from pathlib import Path

try:
    import numpy as np
except ModuleNotFoundError:
    sys.exit(3)

QUANTITIES = ("value", "tangent", "cotangent")


def scipy_peer():
    from scipy.linalg import expm, expm_frechet

    def frechet(a, direction):
        return expm_frechet(a, direction, compute_expm=False)

    return {
        "value": lambda a, e, w: expm(a),
        "tangent": lambda a, e, w: frechet(a, e),
        "cotangent": lambda a, e, w: frechet(a.conj().T, w),
    }


def torch_peer():
    import torch
    from torch.autograd import forward_ad

    torch.set_num_threads(1)

    def tensor(x):
        return torch.from_numpy(x.copy())

    def value(a, e, w):
        return torch.linalg.matrix_exp(tensor(a)).numpy()

    def tangent(a, e, w):
        with forward_ad.dual_level():
            dual = torch.linalg.matrix_exp(forward_ad.make_dual(tensor(a), tensor(e)))
            return forward_ad.unpack_dual(dual).tangent.resolve_conj().numpy()

    def cotangent(a, e, w):
        variable = tensor(a).requires_grad_()
        (gradient,) = torch.autograd.grad(torch.linalg.matrix_exp(variable), variable, tensor(w))
        return gradient.resolve_conj().numpy()

    return {"value": value, "tangent": tangent, "cotangent": cotangent}


def jax_peer():
    import jax
    from jax.scipy.linalg import expm

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)

    # JAX pulls back in the inner product without the conjugate: conjugated before and after, it is the others'.
    def cotangent(a, e, w):
        return jax.vjp(expm, a)[1](w.conj())[0].conj()

    return {
        "value": lambda a, e, w: expm(a),
        "tangent": lambda a, e, w: jax.jvp(expm, (a,), (e,))[1],
        "cotangent": cotangent,
    }


PEERS = {"scipy": scipy_peer, "torch": torch_peer, "jax": jax_peer}


def compute(function, inputs, cases, threw):
    """Every case's result in the inputs' dtype, and the dtypes in which they came."""
    results = np.full(inputs.size // 3, np.nan, inputs.dtype)
    computed_in = set()
    for case in cases:
        n, offset = case["n"], case["offset"]
        at = slice(3 * offset, 3 * (offset + n * n))
        try:
            result = np.asarray(function(*inputs[at].reshape(3, n, n)))
        except Exception as error:
            threw[f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"] += 1
            continue
        computed_in.add(result.dtype.name)
        results[offset : offset + n * n] = result.ravel()
    return results, sorted(computed_in)


def run(functions, fixtures, folder):
    cases = json.loads(Path(fixtures, "cases.json").read_text(encoding="utf8"))
    threw = {quantity: Counter() for quantity in QUANTITIES}
    computed_in = {}
    for dtype in ("float64", "float32", "complex128", "complex64"):
        inputs = np.load(Path(fixtures, f"inputs-{dtype}.npy"))
        chosen = [case for case in cases if case["dtype"] == dtype]
        for quantity in QUANTITIES:
            results, names = compute(functions[quantity], inputs, chosen, threw[quantity])
            computed_in[f"{dtype}-{quantity}"] = names
            np.save(Path(folder, f"{dtype}-{quantity}.npy"), results)
    return {"threw": threw, "computedIn": computed_in}


def main(package, fixtures, folder):
    warnings.simplefilter("ignore")
    try:
        functions = PEERS[package]()
    except ModuleNotFoundError:
        return 3
    np.seterr(all="ignore")
    print(json.dumps(run(functions, fixtures, folder)))
    return 0


sys.exit(main(*sys.argv[1:]))
