"""What ``docs/howto/command-line.md`` shows is what its commands print, but for times."""

import csv
import re
import shlex
from pathlib import Path
from random import Random

import pytest

from bvar import backends

PAGE = Path(__file__).parents[2] / "docs/howto/command-line.md"
SESSIONS = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.M | re.S)
TABLE = re.search(r"^```text\n(name,.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.M | re.S)[1]


def people():
    """Make 300 people whose pay depends on their age and job; the first three stand on the page."""
    random = Random(0)
    for i in range(300):
        age, job = random.randrange(18, 80), random.choice(["cook", "pilot", "smith", ""])
        pay = round(3 * age + 150 * (job == "pilot") + 20 * random.random(), 1)
        born, post = f"{2026 - age}-{random.randrange(1, 13):02d}-15", random.choice(["00501", "10115", "75001"])
        shown = random.choice(["", "NA"]) if i % 20 == 1 else age
        yield [f"p{i + 1}", born, post, shown, job, pay, "yes" if pay > 200 else "no"]


def commands():
    for session in SESSIONS:
        for block in re.split(r"^\$ ", session, flags=re.M)[1:]:
            line, _, output = block.partition("\n")
            yield shlex.split(line), output


def same_everywhere(text):
    """Leave out what depends on the machine: times, and sizes of files, which name the backend."""
    return re.sub(r"\d+ bytes$", "? bytes", re.sub(r"in \d+\.\d s$", "in ? s", text, flags=re.M), flags=re.M)


def test_the_page_is_true(tmp_path, monkeypatch, run):
    """All commands in their order, in one folder; the model is the same on every backend, and the numbers too."""
    monkeypatch.chdir(tmp_path)
    with open("people.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "born", "zip", "age", "job", "pay", "rich"])
        writer.writerows(people())
    text = Path("people.csv").read_text()
    assert text.startswith(TABLE)
    Path("semicolons.csv").write_text(text.replace(",", ";"))
    Path("units.csv").write_text(text.replace(",yes\n", " EUR,yes\n", 1))
    told = list(commands())
    assert len(told) >= 7
    for (python, _, bvar, *arguments), expected in told:
        assert (python, bvar) == ("python", "bvar")
        head = arguments.index("|") if "|" in arguments else None
        code, output, errors = run(*arguments[:head])
        if head is not None:
            assert arguments[head:-1] == ["|", "head", "-n"]
            output = "".join(output.splitlines(keepends=True)[: int(arguments[-1])])
        assert code == (2 if expected.startswith("bvar: error") else 0)
        expected = expected.replace("c-avx512", backends.current())
        assert same_everywhere(output + errors) == same_everywhere(expected)


@pytest.mark.parametrize("command", ["train", "predict"])
def test_every_option_is_on_the_page(command, capsys):
    from bvar.__main__ import main

    with pytest.raises(SystemExit):
        main([command, "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert {"--id", "--delimiter"} <= options
    assert not {option for option in options if option not in PAGE.read_text(encoding="utf-8")}
