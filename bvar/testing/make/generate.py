"""The vectors: for each function a file of inputs at the seams, with the answers of the oracle.

Everything here is deterministic and uses no backend.  ``python -m bvar.testing.make.generate`` writes the files
anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bvar.testing.make.cases import CASES
from bvar.testing.make.draw import Draw
from bvar.testing.subjects.oracle import Oracle
from bvar.testing.subjects.protocol import FORMATS, FUNCTIONS, Function

__all__ = ["NOTES", "VERSION", "schema", "vector_file", "write"]

VERSION = 1
"""Of the vectors; it rises when a result changes."""

NOTES = {
    "AllOnes": "Rows of T only: counters that are too narrow overflow, and signs that are mixed up show.",
    "Beta": "The share of old evidence is that of the step before; using that of this step gives another model.",
    "Branches": "Sums of branches add up, and a signal on the total is a signal on each.",
    "Concatenation": "Inner layers see F where an input is missing, what stands beside them sees nothing there.",
    "Centered": "Two roundings with halves up, also below zero: truncation and halves to even differ.",
    "Age": "The rest walks on with every step that is taken, whatever the schedule.",
    "Clip": "A neuron whose votes are loud together gets a lower eta: a quotient of integers, rounded down.",
    "EmptyBatch": "No sample: votes are zero, and nothing may move, not even beta.",
    "Equality": "Evidence of exactly the bar flips; comparing with > instead of >= does not.",
    "EtaShare": "Eta is divided by 127 times the number of samples.",
    "Gate": "All sixteen gates, among them or, whose variation has the sign of the input, not its opposite.",
    "HalfAway": "Halves round away from zero; halves to even, halves up and truncation differ.",
    "HalfEven": "Halves round to even; halves up and truncation differ.",
    "HalfUp": "Halves round up, also below zero.",
    "Image": "Patches in the order row, column, channel; votes go back to the pixel that the tap saw.",
    "LargeProduct": "Products and quotients next to a half, beyond what float32 or int32 can tell.",
    "LargeSum": "Sums beyond int8, int16 or 2**24: narrow counters wrap, and float32 cannot hold them.",
    "LastBit": "Another order of the same operations, equal on paper, gives another integer.",
    "LongRow": "Rows of 511 to 513, 1023 to 1025 and 4097 bits: unrolled loops lose what is behind whole vectors.",
    "ManyUnits": "Samples, neurons, units or gates beyond one word, or two: planes of 64 begin anew.",
    "MissingValue": "The 0 of M adds nothing to a sum and gives no vote; it is neither F nor T.",
    "NoRows": "A matrix without rows still has a width.",
    "Offset": "Whole steps are taken, towards 0 what is left waits, and no offset leaves the range of its sum.",
    "Outside": "What lies outside an image is the 0 of M, or F if that is asked for; the two differ.",
    "PaddingDirty": "Bits beyond the row are no part of it: they are not read, and zero in what is written.",
    "Random": "No seam, only many values at once.",
    "RaggedTail": "The row ends inside a word: tails of 193 to 196 bits are where vector loops lose some.",
    "Reset": "A weight that flipped starts from 0 again; the others keep what they have.",
    "Rounding": "Sums are rounded down once, after a rest that walks from weight to weight and step to step.",
    "SampleWeight": "A sample counts for less than one: its signals are rounded, and eta is shared by the total.",
    "Saturation": "Beyond +-127 (+-32767 for gates) a signal stays there; the sum is complete before it is cut.",
    "TableEnd": "Beyond the last entry of a table the last entry counts.",
    "TieAtThreshold": "A sum that equals the threshold is T.",
    "TieInPool": "Of equal sums the first pixel of the square wins.",
    "TieInWire": "Of candidates that ask to be read the lowest vote wins, of equals the first.",
    "Trajectory": "A whole training run: weights, beta, clip, rounding and the order of everything.",
    "WireOrder": "The first wire is the least significant bit of the address.",
    "ZeroWord": "Rows of F only.",
}


def vector_file(name: str) -> dict[str, Any]:
    """Make the file of one function."""
    function = FUNCTIONS[name]
    right = getattr(Oracle(), name)
    cases = list(CASES[name](Draw(name)))
    tests = [
        {
            "id": f"{name}-{number}",
            "comment": case.comment,
            "flags": case.flags,
            "inputs": {argument: case.inputs[argument] for argument in function.arguments},
            "result": right(**case.inputs),
        }
        for number, case in enumerate(cases, start=1)
    ]
    flags = {flag for case in cases for flag in case.flags}
    return {
        "kernel": name,
        "level": function.level,
        "schema": "schema.json",
        "version": VERSION,
        "source": "bvar.testing.oracle.definitions",
        "notes": {flag: note for flag, note in NOTES.items() if flag in flags},
        "number_of_tests": len(tests),
        "tests": tests,
    }


def schema() -> dict[str, Any]:
    """Make the JSON Schema of all files: what a test holds depends on the function."""
    text = {"type": "string"}
    properties = {
        "kernel": {"enum": list(FUNCTIONS)},
        "level": {"type": "integer", "minimum": 0, "maximum": 6},
        "schema": {"const": "schema.json"},
        "version": {"const": VERSION},
        "source": text,
        "notes": {"type": "object", "propertyNames": {"enum": list(NOTES)}, "additionalProperties": text},
        "number_of_tests": {"type": "integer", "minimum": 1},
        "tests": {"type": "array", "minItems": 1},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Vectors of the conformance kit of bvar",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        "oneOf": [_file_schema(function) for function in FUNCTIONS.values()],
        "$defs": FORMATS,
    }


def _file_schema(function: Function) -> dict[str, Any]:
    def formatted(name: str) -> dict[str, str]:
        return {"$ref": f"#/$defs/{name}"}

    inputs = {name: formatted(kind) for name, kind in function.arguments.items()}
    test = {
        "id": {"type": "string", "pattern": f"^{function.name}-[0-9]+$"},
        "comment": {"type": "string", "minLength": 1},
        "flags": {"type": "array", "items": {"enum": list(NOTES)}, "minItems": 1},
        "inputs": {
            "type": "object",
            "properties": inputs,
            "required": list(inputs),
            "additionalProperties": False,
        },
        "result": formatted(function.result),
    }
    items = {"type": "object", "properties": test, "required": list(test), "additionalProperties": False}
    return {
        "properties": {
            "kernel": {"const": function.name},
            "level": {"const": function.level},
            "tests": {"items": items},
        }
    }


def text_of(file: dict[str, Any]) -> str:
    """Write a file with one test a line, so that people and diffs can read it."""
    head = {key: value for key, value in file.items() if key != "tests"}
    lines = ",\n".join("  " + json.dumps(test) for test in file["tests"])
    return json.dumps(head, indent=1)[:-2] + f',\n "tests": [\n{lines}\n ]\n}}\n'


def write(directory: Path) -> list[Path]:
    """Write the schema and a file for each function; return the paths."""
    paths = [directory / "schema.json"]
    paths[0].write_text(json.dumps(schema(), indent=1) + "\n", encoding="utf-8")
    for function in FUNCTIONS.values():
        paths.append(directory / f"{function.level}-{function.name}.json")
        paths[-1].write_text(text_of(vector_file(function.name)), encoding="utf-8")
    return paths


if __name__ == "__main__":
    write(Path(__file__).parents[1] / "vectors")
