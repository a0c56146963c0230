"""Install the package in every mode of BVAR_BUILD_EXT, with a failing compiler, into temporary directories.

Uses the build tools of the environment that runs it, if it has them; otherwise pip fetches them.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WARNING = "bvar: WARNING: the C extension was not built ("
TRAIN = """
import numpy as np, bvar.backends as b
from bvar import kernels
b.show()
x = kernels.pack(np.eye(5, dtype=bool))
print(kernels.gate_sum(x, x).trace(), b.available())
"""


def tools_are_here() -> bool:
    """Whether this environment can build the package without isolation."""
    try:
        major = int(version("setuptools").split(".")[0])
        return major >= 77 and bool(version("cython"))
    except PackageNotFoundError:
        return False


def install(work: Path, name: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Copy the tree, so that nothing built before helps, and install it."""
    source, target = work / f"{name}-source", work / name
    ignore = shutil.ignore_patterns(".*", "*.so", "_kernels.c", "build", "_build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, source, ignore=ignore)
    command = [sys.executable, "-m", "pip", "install", "-v", "--no-deps", "--target", str(target), str(source)]
    if tools_are_here():
        command.append("--no-build-isolation")
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | environment
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    return done, target


def use(target: Path) -> str:
    """Import what was installed, with warnings as errors, and compute something."""
    env = {**os.environ, "PYTHONPATH": str(target), "BVAR_BACKEND": ""}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", TRAIN], capture_output=True, text=True, env=env, cwd=target
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ships(target: Path) -> None:
    """Check that the contract of the kernels is installed and that nothing they were made from is."""
    files = [path.relative_to(target).as_posix() for path in (target / "bvar").rglob("*")]
    assert "bvar/_cext/include/bvar_kernels.h" in files, files
    assert any(re.fullmatch(r"bvar/testing/.*vectors/\w+\.json", name) for name in files), files
    assert "bvar/py.typed" in files, files
    sources = [name for name in files if name.endswith((".c", ".pyx")) or name.startswith("bvar/_cext/src")]
    assert not sources, f"the wheel ships {sources}"


def main() -> None:
    """Run all modes."""
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)

        done, target = install(work, "auto", CC="false", BVAR_BUILD_EXT="auto")
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        assert said.count(WARNING) == 1, said
        shown = use(target)
        assert "25 ('numpy',)" in shown, shown
        assert "the extension was not built" in shown, shown
        print("auto without a compiler: installed, warned once, runs on numpy")

        done, _ = install(work, "require", CC="false", BVAR_BUILD_EXT="require")
        assert done.returncode != 0, "require must fail without a compiler"
        print("require without a compiler: refused")

        done, target = install(work, "none", BVAR_BUILD_EXT="0")
        assert done.returncode == 0, done.stderr
        assert WARNING not in done.stdout + done.stderr
        assert "25 ('numpy',)" in use(target)
        ships(target)
        print("0: installed without a warning, runs on numpy, without sources")

        if not shutil.which(os.environ.get("CC", "cc")):
            print("SKIPPED require with a compiler: there is none")
            return
        done, target = install(work, "built", BVAR_BUILD_EXT="require", BVAR_WERROR="1")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "c-scalar" in use(target)
        ships(target)
        print("require with a compiler: built without a warning of the compiler, runs, without sources")


if __name__ == "__main__":
    main()
