"""Builds only; all metadata is in pyproject.toml.

``BVAR_BUILD_EXT`` decides about the C extension:

* ``auto`` (default): build it; if that fails, say so once and install the package without it;
* ``require``: build it or fail;
* ``0``: do not build it.

``BVAR_WERROR=1`` turns warnings in the hand-written C into errors; ``BVAR_CYTHON_DEBUG=1`` checks bounds.
"""

import os
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

MODE = os.environ.get("BVAR_BUILD_EXT", "auto")
SOURCES = ["isa_scalar", "isa_avx2", "isa_avx512", "isa_neon", "isa", "cpu", "pool"]
HEADERS = [
    "include/bvar_kernels.h",
    *(
        f"src/{name}.h"
        for name in (
            "target",
            "swar",
            "byte_index",
            "kernels_impl",
            "step",
            "update_impl",
            "gates_wire",
            "gates_impl",
            "windows_impl",
            "rows_impl",
            "rows_avx512",
            "rows_avx2",
            "rows_neon",
        )
    ),
]
ROOT = "bvar/_cext"


def warn(reason: object) -> None:
    """Say once, where pip shows it with -v and build tools always, that NumPy will do the work."""
    print(
        f"bvar: WARNING: the C extension was not built ({reason}); the package works without it, on NumPy, "
        "slower. BVAR_BUILD_EXT=require makes this an error, BVAR_BUILD_EXT=0 skips the attempt.",
        file=sys.stderr,
    )


def extensions() -> list[Extension]:
    """Return the one extension; all instruction sets are inside, so no flag may raise the baseline."""
    from Cython.Build import cythonize

    debug = os.environ.get("BVAR_CYTHON_DEBUG") == "1"
    windows = sys.platform == "win32"
    flags = ["/O2", "/std:c11"] if windows else ["-std=c11", "-O2", "-ffp-contract=off", "-fvisibility=hidden"]
    kernels = Extension(
        "bvar._cext._kernels",
        [f"{ROOT}/_kernels.pyx", *(f"{ROOT}/src/{name}.c" for name in SOURCES)],
        include_dirs=[f"{ROOT}/include", f"{ROOT}/src"],
        depends=[f"{ROOT}/{name}" for name in HEADERS],
        extra_compile_args=flags,
        extra_link_args=[] if windows else ["-pthread"],
    )
    (made,) = cythonize(
        [kernels],
        compiler_directives={
            "language_level": 3,
            "boundscheck": debug,
            "wraparound": False,
            "initializedcheck": False,
            "cdivision": True,
            "freethreading_compatible": True,
        },
    )
    return [made]


class BuildKernels(build_ext):
    """build_ext that may fail where `BVAR_BUILD_EXT` allows it, and that is strict about our own C."""

    _failed = False

    def build_extension(self, ext: Extension) -> None:
        """Build; turn a failure into a warning in mode ``auto``."""
        if os.environ.get("BVAR_WERROR") == "1":
            self._strict()
        try:
            super().build_extension(ext)
        except Exception as error:
            if MODE == "require":
                raise
            warn(error)
            ext.optional = True  # and whoever collects the results must not miss it
            self._failed = True

    def copy_extensions_to_source(self) -> None:
        """Skip what was not built; an editable install would look for it."""
        if not self._failed:
            super().copy_extensions_to_source()

    def get_outputs(self) -> list[str]:
        """List what was built."""
        return [] if self._failed else super().get_outputs()

    def _strict(self) -> None:
        compile_one = self.compiler._compile

        def compile_strictly(obj, src, ext, cc_args, extra, options):
            strict = [] if src.endswith("_kernels.c") else ["-Wall", "-Wextra", "-Werror"]
            compile_one(obj, src, ext, cc_args, [*extra, *strict], options)

        self.compiler._compile = compile_strictly


def ext_modules() -> list[Extension]:
    """Return what to build in this mode."""
    if MODE not in ("auto", "require", "0"):
        raise SystemExit(f"BVAR_BUILD_EXT must be auto, require or 0, got {MODE!r}")
    if MODE == "0":
        return []
    try:
        return extensions()
    except Exception as error:
        if MODE == "require":
            raise
        warn(error)
        return []


setup(ext_modules=ext_modules(), cmdclass={"build_ext": BuildKernels})
