"""Circuits as JSON: for programs in other languages, and for people with a text editor."""

from __future__ import annotations

import json
from typing import Any

from bvar.circuit.netlist import Netlist, TableGate, check_netlist
from bvar.circuit.truth import MAX_FAN_IN

__all__ = ["parse", "to_json"]

_FORMAT, _VERSION = "bvar-circuit", 1
_KEYS = {"format", "version", "n_inputs", "n_groups", "gates", "outputs"}


def to_json(circuit: Netlist) -> str:
    r"""Write a circuit as JSON.

    Parameters
    ----------
    circuit : Circuit
        Any circuit.

    Returns
    -------
    str
        An object with the keys `format`, which is ``"bvar-circuit"``, `version`, which is 1, `n_inputs`,
        `n_groups`, `gates` and `outputs`. A gate is a line: its table and the signals it reads. Character a of the
        table, counted from 0, is the output at address a, to which input i adds ``2**i``.

    See Also
    --------
    from_json : The way back.

    Examples
    --------
    >>> from bvar.circuit import Circuit, to_json
    >>> print(to_json(Circuit(2, [(0b0010, (0, 1))], outputs=[2])))
    {"format": "bvar-circuit", "version": 1, "n_inputs": 2, "n_groups": 1,
    "gates": [
    ["0100", [0, 1]]
    ],
    "outputs": [2]}
    """
    check_netlist(circuit)
    gates = ",\n".join(json.dumps([_table_text(table, len(inputs)), inputs]) for table, inputs in circuit.gates)
    head = {"format": _FORMAT, "version": _VERSION, "n_inputs": circuit.n_inputs, "n_groups": circuit.n_groups}
    return f'{json.dumps(head)[:-1]},\n"gates": [\n{gates}\n],\n"outputs": {json.dumps(circuit.outputs)}}}'


def parse(text: str) -> tuple[int, tuple[TableGate, ...], tuple[int, ...], int]:
    """Return the arguments of the circuit that a text is, see :func:`bvar.circuit.from_json`."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, got {type(text).__name__}")
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=_refuse_number, parse_constant=_refuse_number
        )
    except RecursionError:
        raise ValueError("text is no circuit: it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"text is no circuit: {error}") from None
    _check_head(value)
    gates = [_gate(gate, f"gates[{g}]") for g, gate in enumerate(value["gates"])]
    return value["n_inputs"], tuple(gates), tuple(value["outputs"]), value["n_groups"]


def _check_head(value: Any) -> None:
    if not isinstance(value, dict) or value.get("format") != _FORMAT:
        raise ValueError(f'text is no circuit: it must be an object with "format": "{_FORMAT}"')
    if type(value.get("version")) is not int or value["version"] != _VERSION:
        raise ValueError(f"version must be {_VERSION}, got {value.get('version')!r}; a newer bvar may read it")
    if value.keys() != _KEYS:
        raise ValueError(f"keys must be {', '.join(sorted(_KEYS))}, got {', '.join(sorted(value))}")
    for key in ("gates", "outputs"):
        if not isinstance(value[key], list):
            raise ValueError(f"{key} must be an array, got {type(value[key]).__name__}")


def _gate(value: Any, name: str) -> TableGate:
    """Read the table; the rest is checked by `Circuit`."""
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], list):
        raise ValueError(f"{name} must be a pair of a table and an array of signals")
    bits, inputs = value
    if len(inputs) > MAX_FAN_IN:
        raise ValueError(f"{name} must have at most {MAX_FAN_IN} inputs, got {len(inputs)}")
    if not isinstance(bits, str) or len(bits) != 2 ** len(inputs) or not set(bits) <= {"0", "1"}:
        raise ValueError(f"{name} must have a table of {2 ** len(inputs)} characters 0 and 1")
    return TableGate(int(bits[::-1], 2), tuple(inputs))


def _table_text(table: int, k: int) -> str:
    return f"{table:0{1 << k}b}"[::-1]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key comes twice")
    return result


def _refuse_number(text: str) -> None:
    raise ValueError(f"numbers must be integers, got {text}")
