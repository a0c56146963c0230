"""The pool of threads, tested in C: compiled and run here, and under ThreadSanitizer by ``check.sh``."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CC = shutil.which("cc")


@pytest.mark.skipif(CC is None, reason="no C compiler: cc")
def test_every_item_is_done_once_and_nobody_waits_for_what_has_not_begun(tmp_path):
    sources = [ROOT / "tests/cext/pool.c", ROOT / "bvar/_cext/src/pool.c"]
    flags = ["-std=c11", "-O2", "-pthread", f"-I{ROOT / 'bvar/_cext/include'}"]
    subprocess.run([CC, *flags, *sources, "-o", tmp_path / "pool"], check=True)
    ran = subprocess.run([tmp_path / "pool", "5"], capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout) == (0, "pool: every item once, 5 rounds\n"), ran.stderr
