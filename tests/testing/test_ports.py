"""The ports of tutorials/ports pass all levels, each where its tools are installed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bvar.testing import LEVELS, check_port, load_vectors

PORTS = Path(__file__).parents[2] / "tutorials/ports"


def check(command):
    report = check_port([str(part) for part in command], timeout=60, examples=10)  # all vectors, and some laws
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
    strict = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run([compiler, *strict, "-o", program, PORTS / "c/bvar_port.c", "-lm"], check=True)
    check([program])


def test_the_port_in_javascript_passes():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no JavaScript: node is not installed")
    check([node, PORTS / "javascript/bvar_port.js"])


def test_the_port_in_rust_passes(tmp_path):
    compiler = shutil.which("rustc")  # which may be a chooser of toolchains that has none to choose
    if compiler is None or subprocess.run([compiler, "--version"], capture_output=True).returncode:
        pytest.skip("no Rust: rustc is not installed, or has no toolchain")
    program = tmp_path / "bvar_port"
    strict = ["--edition", "2021", "-O", "-D", "warnings"]
    subprocess.run([compiler, *strict, "-o", program, PORTS / "rust/bvar_port.rs"], check=True)
    check([program])


def test_a_layer_in_verilog_passes_what_it_has():
    if shutil.which("iverilog") is None:
        pytest.skip("no Verilog: iverilog is not installed")
    command = [sys.executable, str(PORTS / "verilog/bvar_port.py")]
    report = check_port(command, levels=[3], examples=0)
    assert not report.failures, str(report)
    assert report.passed[3] == sum(len(load_vectors(name)["tests"]) for name in ("gate_sum", "gate_bits"))


def test_the_ports_need_no_library():
    c = (PORTS / "c/bvar_port.c").read_text(encoding="utf-8")
    standard = {"math", "setjmp", "stdarg", "stdint", "stdio", "stdlib", "string"}
    assert set(re.findall(r"#include <(\w+)\.h>", c)) == standard
    assert '#include "' not in c
    script = (PORTS / "javascript/bvar_port.js").read_text(encoding="utf-8")
    assert set(re.findall(r"require\(\"(.*?)\"\)", script)) == {"node:crypto", "node:readline"}
    rust = (PORTS / "rust/bvar_port.rs").read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:use|extern crate) (\w+)", rust, re.M)) == {"std"}


def test_the_port_of_the_page_does_what_the_page_says(tmp_path):
    page = (PORTS.parents[1] / "docs/howto/write-a-port.md").read_text(encoding="utf-8")
    program = tmp_path / "my_port.py"
    program.write_text(re.search(r"^```python\n(.*?)^```", page, re.M | re.S)[1], encoding="utf-8")
    report = check_port([sys.executable, str(program)], levels=[1])
    assert "\n".join(str(report).splitlines()[1:]) in page
