"""What a library of Python is and what it runs on.

python3 describe.py PACKAGE: prints its version, that of NumPy, its BLAS libraries and the kernels that each of them
chose as a JSON line, or ends with exit code 3 where it is not installed.
"""

import ctypes
import importlib
import json
import re
import sys
from pathlib import Path


def blas_libraries():
    """The paths of those in this process, where the system tells (Linux)."""
    try:
        paths = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    except OSError:
        return []
    libraries = (path for path in paths if re.match(r"lib.*(blas|mkl).*\.so", Path(path).name))
    return sorted(libraries, key=lambda path: Path(path).name)


def openblas_core(path):
    """The processor whose kernels an OpenBLAS chose; None where it is no OpenBLAS."""
    library = ctypes.CDLL(path)
    for name in (f"{prefix}openblas_get_corename{suffix}" for prefix in ("", "scipy_") for suffix in ("", "64_", "_64")):
        function = getattr(library, name, None)
        if function is not None:
            function.restype = ctypes.c_char_p
            return function().decode()
    return None


def about(package, module):
    if package == "torch":
        blas = re.search(r"BLAS_INFO=([^,]+)", module.__config__.show())
        return [f"BLAS {blas[1]}"] if blas else []
    return [Path(path).name for path in blas_libraries()] if package == "scipy" else []


def main(package):
    try:
        import numpy

        module = importlib.import_module(package)
        if package == "scipy":
            importlib.import_module("scipy.linalg")
    except ModuleNotFoundError:
        return 3
    told = {
        # without the kind of build, such as +cpu
        "version": module.__version__.split("+")[0],
        "about": [*about(package, module), f"NumPy {numpy.__version__}"],
        "cores": sorted({core for core in map(openblas_core, blas_libraries()) if core}),
    }
    print(json.dumps(told))
    return 0


sys.exit(main(*sys.argv[1:]))
