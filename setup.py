"""Builds the compiled modules: Cython in pure-Python mode, from Python files.

- Every `hot*.py` below `src/lapwing` is a loop over bytes and rows that runs only compiled; its plain twin stands
  beside it.
- Every other module with a `.pxd` of its name beside it handles objects. The `.pxd` gives types to what the Python
  file defines, and where there is no compiler the same file runs as it is.

Where no C compiler is present the build goes on without them, and Lapwing runs slower. The modules are made for one
version of Python each: docs/decisions/0011 has the reason.
"""

import os
import sys
from pathlib import Path
from typing import Any

from Cython.Build import cythonize
from setuptools import Extension, setup

LOOPS = {"boundscheck": True, "wraparound": False, "cdivision": True}
OBJECTS = {"annotation_typing": False, "binding": False}  # types come from the .pxd alone, and Python's rules hold


# Small readers of the loops take a memoryview struct of 200 bytes by value, so they must inline. Elsewhere that would
# only make many copies of long helpers, which push each other out of the processor's cache.
INLINE = "-DCYTHON_INLINE=inline __attribute__((always_inline))"
# And GCC may take so large a struct apart. Otherwise every slice is copied whole, 16 bytes at a time right after 8 of
# them were written, and the wait for these is a sixth of decoding.
APART = ("--param", "sra-max-scalarization-size-Ospeed=2048") if sys.platform == "linux" else ()
FAST = ("-O3", INLINE, *APART)
# A login runs through a hundred kilobytes of code, more than the processor's cache of it holds: calls of Python's own
# functions go there directly, not over a stub of each module.
DIRECT = ("-fno-plt",) if sys.platform == "linux" else ()


def extension(source: Path, *options: str) -> Extension:
    """One compiled module."""
    return Extension(
        ".".join(source.relative_to("src").with_suffix("").parts),
        [str(source)],
        # The warnings left out are about generated code.
        libraries=[] if sys.platform == "win32" else ["m"],  # named, or old entries with error handling are bound
        extra_compile_args=["-g0", "-fno-strict-aliasing", "-Wno-sign-compare", "-Wno-pointer-sign", *options],
    )


def compiled(sources: list[Path], directives: dict[str, Any], *options: str) -> list[Extension]:
    """The modules of `sources`, as C to be compiled with `options`."""
    modules: list[Extension] = cythonize(
        [extension(source, *options) for source in sources],
        build_dir="build/cython",
        compiler_directives={"language_level": 3, **directives},
    )
    for module in modules:
        module.optional = True  # set on the result: cythonize() drops it when it is passed in
    return modules


# `make setup` installs the package first and compiles in place afterwards: once, not twice.
compiles = os.environ.get("LAPWING_COMPILE", "1") != "0"
package = Path("src/lapwing")
loops = sorted(package.rglob("hot*.py"))
objects = sorted(path for path in package.rglob("*.py") if path.with_suffix(".pxd").exists() and path not in loops)
modules = [*compiled(loops, LOOPS, *FAST), *compiled(objects, OBJECTS, "-O2", *DIRECT)] if compiles else []

setup(ext_modules=modules, options={"build_ext": {"parallel": os.cpu_count() or 1}})
