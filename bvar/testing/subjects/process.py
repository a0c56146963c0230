"""Ports in any language: a process that answers JSON lines.

One request is one line on its standard input, ``{"id": 7, "function": "gate_table", "arguments": {"gate": 7}}``.
One answer is one line on its standard output, ``{"id": 7, "result": "0111"}`` or ``{"id": 7, "error": "..."}``.
The error "unsupported" says that the port does not have the function.  End of input ends the port.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any

from bvar._describe import Described
from bvar._validation import check_real
from bvar.testing.subjects.protocol import FUNCTIONS, Unsupported

__all__ = ["Port", "PortError"]

_MOST_RESTARTS = 50


class PortError(ConnectionError):
    """The port cannot be started, or fails again and again: there is nothing to compare."""


class Port(Described):
    r"""A subject whose functions are answered by another process.

    A port that crashes or is silent for too long fails the request, and is started again for the next.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    timeout : float, default=60.0
        Seconds to wait for one answer.

    Raises
    ------
    PortError
        If the program cannot be started; later, if it ends before its first answer, or too often.

    Examples
    --------
    >>> import sys
    >>> from bvar.testing import Port, Unsupported
    >>> program = 'import sys\nfor line in sys.stdin: print(\'{"id": 1, "error": "unsupported"}\', flush=True)'
    >>> with Port([sys.executable, "-c", program]) as port:
    ...     try:
    ...         port.gate_table(gate=7)
    ...     except Unsupported as error:
    ...         print("no", error)
    no gate_table
    """

    def __init__(self, command: Sequence[str], *, timeout: float = 60.0) -> None:
        if not command:
            raise ValueError("command must name a program")
        self.command, self.timeout = list(command), check_real(timeout, "timeout", low=0, strict=True)
        self._n_requests = self._n_answers = self._n_restarts = 0
        self._owed: set[int] = set()  # requests that something else than their answer was read for
        self._given_up: PortError | None = None
        self._start()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Give any function of the protocol."""
        if name not in FUNCTIONS:
            raise AttributeError(name)
        return partial(self._request, name)

    def __enter__(self) -> Port:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the port."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            try:
                if stream is not None:
                    stream.close()
            except BrokenPipeError:
                pass  # what was still to be written does not matter any more

    def _start(self) -> None:
        self._owed.clear()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the port)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._errors}
        try:
            self._process = subprocess.Popen(self.command, text=True, encoding="utf-8", bufsize=1, **pipes)  # type: ignore[call-overload]
        except OSError as error:
            self._errors.close()
            raise PortError(f"the port {self.command[0]!r} cannot be started: {error.strerror}") from None

    def _request(self, function: str, **arguments: Any) -> Any:
        if self._given_up is not None:
            raise self._given_up
        self._n_requests += 1
        request = {"id": self._n_requests, "function": function, "arguments": arguments}
        answer = self._read(self._exchange(json.dumps(request) + "\n"))
        self._n_answers += 1
        if "error" in answer:
            if answer["error"] == "unsupported":
                raise Unsupported(function)
            raise RuntimeError(f"the port says: {answer['error']}")
        return answer["result"]

    def _exchange(self, request: str) -> str:
        """Write a line, or nothing, and read one; whoever is too slow is killed."""
        late = threading.Event()
        process = self._process

        def kill() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self.timeout, kill)
        timer.start()
        try:
            process.stdin.write(request)
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timer.cancel()
        if line.endswith("\n"):
            return line
        raise self._gone(
            f"gave no answer within {self.timeout:g} seconds (is its output flushed after every line?)"
            if late.is_set()
            else ""
        )

    def _gone(self, why: str) -> Exception:
        """Say how the port ended, and start it again unless that is hopeless."""
        code = self._process.wait()
        why = why or (f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}")
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        text = f"the port {why}" + (f"; it said: {said[-1]}" if said else "")
        self.close()
        self._n_restarts += 1
        if not self._n_answers:
            self._given_up = PortError(f"{text}, before it gave an answer")
        elif self._n_restarts > _MOST_RESTARTS:
            self._given_up = PortError(f"{text}, for the {self._n_restarts}th time: given up")
        else:
            self._start()
        return self._given_up or RuntimeError(text)

    def _read(self, line: str) -> dict[str, Any]:
        """Understand an answer; one that comes late, behind a line too much, is passed over."""
        answer = _parsed(line)
        while isinstance(answer, dict) and (late := answer.get("id")) in self._owed:
            self._owed.discard(late)
            line = self._exchange("")
            answer = _parsed(line)
        if not isinstance(answer, dict) or answer.get("id") != self._n_requests:
            self._owed.add(self._n_requests)
        if isinstance(answer, ValueError):
            raise answer
        if not isinstance(answer, dict) or ("result" in answer) == ("error" in answer):
            raise ValueError(f'the answer must be an object with "id" and "result" or "error", got {line[:200]!r}')
        if answer.get("id") != self._n_requests:
            raise ValueError(f"the answer must have id {self._n_requests}, got {answer.get('id')!r}")
        return answer


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return ValueError(f"the port answered what is no JSON: {line[:200]!r}")
