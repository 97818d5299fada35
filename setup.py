"""Builds the compiled loops: every `hot*.py` below `src/lapwing` is Cython in pure-Python mode.

Where no C compiler is present the build goes on without them and the plain-Python twins serve, slower.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

LIMITED_API = "0x030B0000"  # one abi3 wheel for CPython 3.11 and later; typed memoryviews need 3.11

# `make setup` installs the package first and compiles in place afterwards: once, not twice.
compiles = os.environ.get("LAPWING_COMPILE", "1") != "0"
sources = sorted(Path("src/lapwing").glob("*/hot*.py")) if compiles else []
extensions = [
    Extension(
        ".".join(source.relative_to("src").with_suffix("").parts),
        [str(source)],
        define_macros=[
            ("Py_LIMITED_API", LIMITED_API),
            # Small readers take a memoryview struct of 200 bytes by value, so they must inline.
            ("CYTHON_INLINE", "inline __attribute__((always_inline))"),
        ],
        extra_compile_args=["-O3", "-g0", "-fno-strict-aliasing"],
        py_limited_api=True,
    )
    for source in sources
]
modules = cythonize(
    extensions,
    build_dir="build/cython",
    compiler_directives={"language_level": 3, "boundscheck": True, "wraparound": False, "cdivision": True},
)
for module in modules:
    module.optional = True  # set on the result: cythonize() drops it when it is passed in

setup(
    ext_modules=modules,
    options={"bdist_wheel": {"py_limited_api": "cp311"}, "build_ext": {"parallel": os.cpu_count() or 1}},
)
