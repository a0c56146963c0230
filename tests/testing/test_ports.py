"""The ports of tutorials/ports pass all levels, each where its tools are installed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bvar.testing import LEVELS, check_port

PORTS = Path(__file__).parents[2] / "tutorials/ports"


def check(command):
    report = check_port([str(part) for part in command], timeout=30, examples=10)  # all vectors, and some laws
    assert report.ok, str(report)
    assert set(report.passed) == set(range(len(LEVELS)))


def test_the_port_in_plain_python_passes():
    check([sys.executable, PORTS / "python/bvar_port.py"])


def test_the_port_in_plain_python_needs_no_numpy():
    lines = (PORTS / "python/bvar_port.py").read_text(encoding="utf-8").splitlines()
    imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
    assert imported
    assert imported <= sys.stdlib_module_names


def test_the_port_in_c_passes(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: cc is not installed")
    program = tmp_path / "bvar_port"
    strict = ["-std=c99", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run([compiler, *strict, "-o", program, PORTS / "c/bvar_port.c", "-lm"], check=True)
    check([program])


def test_the_port_in_javascript_passes():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no JavaScript: node is not installed")
    check([node, PORTS / "javascript/bvar_port.js"])


def test_the_ports_need_no_library():
    c = (PORTS / "c/bvar_port.c").read_text(encoding="utf-8")
    standard = {"float", "math", "setjmp", "stdarg", "stdint", "stdio", "stdlib", "string"}
    assert set(re.findall(r"#include <(\w+)\.h>", c)) == standard
    assert '#include "' not in c
    script = (PORTS / "javascript/bvar_port.js").read_text(encoding="utf-8")
    assert set(re.findall(r"require\(\"(.*?)\"\)", script)) == {"node:crypto", "node:readline"}


def test_the_port_of_the_page_does_what_the_page_says(tmp_path):
    page = (PORTS.parents[1] / "docs/howto/write-a-port.md").read_text(encoding="utf-8")
    program = tmp_path / "my_port.py"
    program.write_text(re.search(r"^```python\n(.*?)^```", page, re.M | re.S)[1], encoding="utf-8")
    report = check_port([sys.executable, str(program)], levels=[1])
    assert "\n".join(str(report).splitlines()[1:]) in page
