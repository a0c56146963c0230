"""The conformance kit: its vectors are the oracle's, its laws hold for every backend, and it finds faults."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bvar import backends
from bvar.__main__ import main
from bvar.testing import (
    FUNCTIONS,
    LAWS,
    LEVELS,
    Expectations,
    Port,
    PortError,
    Unsupported,
    check_backend,
    check_port,
    load_vectors,
    write_vectors,
)
from bvar.testing.kit import features
from bvar.testing.kit.compare import same
from bvar.testing.make import generate
from bvar.testing.subjects import process
from bvar.testing.subjects.bvar import Builtin
from bvar.testing.subjects.oracle import Oracle
from bvar.testing.subjects.protocol import FORMATS

# ---------------------------------------------------------------------------------------------------- vectors


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The vectors as a user gets them."""
    directory = tmp_path_factory.mktemp("vectors")
    write_vectors(directory)
    return directory


@pytest.mark.parametrize("name", FUNCTIONS)
def test_vectors_are_those_of_the_oracle(name, shipped):
    """Made anew and compared as text; ``python -m bvar.testing.make.generate`` writes them."""
    file = shipped / f"{FUNCTIONS[name].level}-{name}.json"
    assert file.read_text(encoding="utf-8") == generate.text_of(generate.vector_file(name))


def test_vectors_fit_their_schema(shipped):
    jsonschema = pytest.importorskip("jsonschema_rs")  # the one in pure Python takes half a minute
    schema = json.loads((shipped / "schema.json").read_text(encoding="utf-8"))
    assert schema == generate.schema()
    assert jsonschema.meta.is_valid(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for name in FUNCTIONS:
        validator.validate(load_vectors(name))
    wrong = json.loads(json.dumps(load_vectors("gate_table")))
    wrong["tests"][0]["result"] = "01u0"  # a missing value where there is none
    assert not validator.is_valid(wrong)


def test_vectors_are_small_and_complete(shipped):
    files = list(shipped.iterdir())
    assert len(files) == len(FUNCTIONS) + 1
    assert sum(file.stat().st_size for file in files) < 5e6
    used = {flag for name in FUNCTIONS for test in load_vectors(name)["tests"] for flag in test["flags"]}
    assert used == set(generate.NOTES)


def test_numbers_fit_a_double():
    """No integer beyond 2**53: JavaScript reads every vector as it is."""

    def largest(value):
        if isinstance(value, dict | list):
            return max(map(largest, value.values() if isinstance(value, dict) else value), default=0)
        return abs(value) if isinstance(value, int) else 0

    assert max(largest(load_vectors(name)["tests"]) for name in FUNCTIONS) < 2**53


def test_the_functions_and_levels_are_one_table():
    assert {function.level for function in FUNCTIONS.values()} == set(range(len(LEVELS)))
    assert [f.level for f in FUNCTIONS.values()] == sorted(f.level for f in FUNCTIONS.values())
    assert {law.inputs for law in LAWS.values()} == set(FUNCTIONS)
    assert all(law.level == max(FUNCTIONS[f].level for f in law.functions) for law in LAWS.values())


# ------------------------------------------------------------------------------------------------------ runs


class Together:
    """All backends at once: the answer that they agree on, or that of the first one which differs."""

    def __getattr__(self, name):
        function = getattr(Builtin(), name)

        def ask(**arguments):
            answers = []
            for backend in backends.available():
                with backends.use(backend):
                    answers.append(function(**arguments))
            return next((answer for answer in answers if not same(answer, answers[0])), answers[0])

        return ask


@pytest.mark.parametrize("name", backends.available())
def test_every_backend_passes_the_vectors_of_all_levels(name):
    report = check_backend(name, examples=0)
    assert report.ok, str(report)
    assert report.subject == name
    assert set(report.passed) == set(range(len(LEVELS)))


def test_the_laws_of_all_levels_hold_on_every_backend():
    """Drawn once for all, which is nearly all of the work."""
    report = check_backend(Together(), examples=25)
    assert report.ok, str(report)
    assert set(report.passed) == set(range(len(LEVELS)))


def test_one_backend_that_differs_fails_the_laws_of_all(monkeypatch):
    monkeypatch.setattr(Builtin, "count_rows", count_rows_of_all_but_the_last)
    report = check_backend(Together(), levels=[2], examples=25)
    assert {failure.name for failure in report.failures} >= {"count_rows agrees with the oracle"}


def test_the_oracle_passes_its_own_laws():
    assert check_backend(Oracle(), levels=range(6), examples=25).ok


def count_rows_of_all_but_the_last(self, rows):
    counts = [row.count("1") for row in rows]
    last = backends.current() == backends.available()[-1]
    return [count + 1 for count in counts] if last else counts


class Wrong:
    """A subject that is right but for one function."""

    def __init__(self, name, change):
        self.name, self.change = name, change

    def __getattr__(self, name):
        right = getattr(Oracle(), name)
        if name != self.name:
            return right
        return lambda **arguments: self.change(right, arguments)


def count_all(right, arguments):
    return [row.count("1") + row.count("u") for row in arguments["rows"]]


def test_a_law_shrinks_to_the_smallest_input():
    report = check_backend(Wrong("count_rows", count_all), levels=[2])
    (finding,) = [f for f in report.failures if f.name == "count_rows agrees with the oracle"]
    assert (finding.level, finding.inputs, finding.expected, finding.given) == (2, {"rows": ["u"]}, [0], [1])
    assert not report.ok


def test_of_many_failures_the_first_are_told_and_the_others_counted():
    report = check_backend(Wrong("gate_table", lambda right, arguments: "0000"), levels=[1], examples=5)
    text = str(report)
    assert len(report.failures) == 16
    assert [f"gate_table-{n}\n" in text for n in (2, 3, 4, 5)] == [True, True, True, False]
    assert "level 1, gate_table: and 12 more" in text
    assert "gate_table agrees with the oracle" in text


def test_the_kit_leaves_nothing_behind(tmp_path):
    """Hypothesis keeps a directory of its own where a program stands; the kit keeps it away."""
    options = ["check-port", "--level", "1", "--examples", "9", "--backend", "numpy"]
    subprocess.run([sys.executable, "-m", "bvar", *options], cwd=tmp_path, check=True, capture_output=True)
    assert not list(tmp_path.iterdir())


def raises(right, arguments):
    raise KeyError("no such row")


def test_an_exception_is_a_finding_and_the_run_goes_on():
    report = check_backend(Wrong("count_rows", raises), levels=[2], examples=5)
    assert {f.name.split("-")[0] for f in report.failures} == {"count_rows", "count_rows agrees with the oracle"}
    assert "no such row" in str(report)
    assert report.passed[2] > 50


def test_a_missing_function_fails_its_own_tests_only():
    def absent(right, arguments):
        raise Unsupported("negate")

    report = check_backend(Wrong("negate", absent), levels=[2], examples=5)
    assert report.missing == {"negate": 2}
    assert not report.failures
    assert not report.ok
    assert "missing: negate" in str(report)


def test_expectations_skip_and_forgive(tmp_path):
    file = tmp_path / "expect.json"
    file.write_text(json.dumps({"skip": {"negate": "not yet"}, "fail": {"count_rows": "counts missing values"}}))
    expect = Expectations.read(file)
    report = check_backend(Wrong("count_rows", count_all), levels=[2], examples=5, expect=expect)
    assert report.ok
    assert report.skipped == len(load_vectors("negate")["tests"]) + 2  # and two laws
    assert report.expected_failures > 0
    passes = check_backend(Oracle(), levels=[2], examples=5, expect=expect)
    assert passes.unexpected_passes == ["count_rows"]
    assert not passes.ok


def test_expectations_must_name_something(tmp_path):
    with pytest.raises(ValueError, match="'count_row', which is no function, law or id"):
        Expectations(skip={"count_row": "a typing mistake"})
    file = tmp_path / "expect.json"
    file.write_text("[]")
    with pytest.raises(ValueError, match='must hold an object with "skip" and "fail"'):
        Expectations.read(file)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="each of levels must be"):
        check_backend("numpy", levels=[7])
    with pytest.raises(ValueError, match="examples must be"):
        check_backend("numpy", examples=-1)
    with pytest.raises(ValueError, match=r"function must be one of connective, .*, got 'gate'"):
        load_vectors("gate")


def test_results_are_compared_with_their_types():
    assert same([1, {"a": "0"}], [1, {"a": "0"}])
    assert not same(True, 1)
    assert not same(1.0, 1)
    assert not same([1], [1, 2])
    assert not same({"a": 1}, {"a": 1, "b": 2})


def test_a_subject_that_changes_its_mind_has_failed():
    calls = []

    def every_fifth(right, arguments):
        calls.append(arguments)
        return right(**arguments) if len(calls) % 5 else []

    report = check_backend(Wrong("count_rows", every_fifth), levels=[2], examples=50)
    assert "count_rows agrees with the oracle" in {finding.name for finding in report.failures}


# ------------------------------------------------------------------------------------------------ live ports

ANSWER = """
import json, sys, time, os
for line in sys.stdin:
    request = json.loads(line)
    number, function, arguments = request["id"], request["function"], request["arguments"]
    answer = {{"id": number, "error": "unsupported"}}
    if function == "gate_table":
        answer = {{"id": number, "result": f"{{arguments['gate']:04b}}"}}
        {fault}
    print(json.dumps(answer), flush=True)
"""


def port(fault="pass"):
    return [sys.executable, "-c", ANSWER.format(fault=fault)]


def test_a_port_answers_lines_of_json():
    report = check_port(port(), levels=[1], examples=10)
    assert report.missing == {"gate_variations": 1, "table_values": 1}
    assert not report.failures
    assert report.passed[1] == len(load_vectors("gate_table")["tests"]) + 10


FAULTS = {
    "wrong": ('if arguments["gate"] == 7: answer["result"] = "1000"', "1000"),
    "crash": ('if arguments["gate"] == 7: os._exit(3)', "the port ended with exit code 3"),
    "words": ('if arguments["gate"] == 7: sys.exit("out of gates")', "it said: out of gates"),
    "slow": ('if arguments["gate"] == 7: time.sleep(60)', "gave no answer within 5 seconds"),
    "noise": ('if arguments["gate"] == 7: print("debugging ...")', "answered what is no JSON"),
    "twice": ('if arguments["gate"] == 6: print(json.dumps(answer))', "the answer must have id 8, got 7"),
    "number": ('if arguments["gate"] == 7: answer["id"] = 0', "the answer must have id"),
    "form": ('if arguments["gate"] == 7: del answer["result"]', 'with "id" and "result" or "error"'),
    "error": ('if arguments["gate"] == 7: answer = {{"id": number, "error": "no or"}}', "the port says: no or"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_port_fails_one_check_and_is_told(name):
    fault, told = FAULTS[name]
    report = check_port(port(fault.replace("{{", "{").replace("}}", "}")), levels=[1], examples=0, timeout=5)
    assert next(f.name for f in report.failures) == "gate_table-8"
    assert told in str(report)
    assert report.passed[1] == 15  # also behind a line too much: its answer comes late, and is passed over


def test_a_port_that_always_talks_fails_every_check_and_ends():
    report = check_port(port('print("debugging ...")'), levels=[1], examples=0)
    assert report.passed[1] == 0
    assert len(report.failures) == len(load_vectors("gate_table")["tests"])


def test_a_port_that_never_answers_is_no_port(monkeypatch):
    monkeypatch.setattr(process, "_MOST_RESTARTS", 5)
    with pytest.raises(PortError, match="ended with exit code 9, before it gave an answer"):
        check_port([sys.executable, "-c", "raise SystemExit(9)"], levels=[1])
    with pytest.raises(PortError, match="ended with exit code 3, for the 6th time: given up"):
        check_port(port("if number > 1: os._exit(3)"), levels=[1])
    with pytest.raises(PortError, match="cannot be started"):
        Port(["./there-is-no-such-port"])
    with pytest.raises(ValueError, match="command must name a program"):
        Port([])


# -------------------------------------------------------------------------------------------- command line


def test_check_port_on_the_command_line(capsys, tmp_path):
    options = ["check-port", "--level", "1", "--examples", "5"]
    assert main([*options, "--backend", "numpy"]) == 0
    assert "0 failed" in capsys.readouterr().out
    assert main([*options, "--", *port()]) == 1
    assert "missing: gate_variations, table_values" in capsys.readouterr().out
    file = tmp_path / "expect.json"
    file.write_text('{"skip": {"gate_variations": "later", "table_values": "later"}}')
    assert main([*options, "--expect", str(file), "--", *port()]) == 0


def test_mistakes_on_the_command_line_are_told(capsys):
    assert main(["check-port", "--level", "1"]) == 2
    assert "needs the program of a port behind --" in capsys.readouterr().err
    assert main(["check-port", "--", "./there-is-no-such-port"]) == 2
    assert "cannot be started" in capsys.readouterr().err


def test_vectors_on_the_command_line(capsys, tmp_path):
    assert main(["vectors", str(tmp_path / "here")]) == 0
    assert capsys.readouterr().out.startswith(f"{len(FUNCTIONS) + 1} files, ")
    assert (tmp_path / "here" / "6-train.json").exists()


# ---------------------------------------------------------------------------------------------------- the page

PAGE = Path(__file__).parents[2] / "docs/reference/conformance.md"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_page_lists_every_function(name):
    function = FUNCTIONS[name]
    signature = ", ".join(f"{argument}: {kind}" for argument, kind in function.arguments.items())
    summary = function.summary.replace("|", "\\|")
    row = f"| `{name}({signature})` | {function.result} | {summary} |"
    text = PAGE.read_text(encoding="utf-8")
    assert row in text.partition(f"### Level {function.level}")[2].partition("\n### Level")[0]


def test_the_page_names_every_law_and_format():
    text = PAGE.read_text(encoding="utf-8")
    assert all(law.name in text for law in LAWS.values() if "agrees with the oracle" not in law.name)
    assert all(re.search(rf"^\|[^|]*\b{name}\b", text, re.M) for name in FORMATS)


# ------------------------------------------------------------------------------------- what training runs have


@pytest.fixture(scope="module")
def shares():
    """Shares of 300 draws of the law of `train`, as ``python -m bvar.testing.kit.features 300`` tells them."""
    return {name: n / 300 for name, n in features.drawn(300).items()}


@pytest.mark.parametrize("name", features.FEATURES)
def test_every_feature_of_training_is_drawn_and_in_a_vector(name, shares):
    assert shares.get(name, 0) >= 0.01
    assert any(name in features.features_of(test["inputs"]) for test in load_vectors("train")["tests"])
