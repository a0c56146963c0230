"""A headless Chromium, if this machine has one, driven through a pipe by its debugging protocol."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time

PATIENCE = 180  # seconds: a machine may be busy with other tests
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe")

# the protocol is spoken over descriptors 3 and 4; first both are copied to others, for one may be 3 or 4 already
CONNECT = """
import fcntl, os, sys
copies = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for copy, number in zip(copies, (3, 4)):
    os.dup2(copy, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find():
    """Path of a browser, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """A page of a browser that runs; messages are JSON and end with a zero byte."""

    def __init__(self, read, write):
        self.read, self.write, self.number, self.rest, self.session = read, write, 0, b"", {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.session = {"sessionId": session}

    def call(self, method, **params):
        """Call a method of the protocol and return its result; events in between are dropped."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params, **self.session}
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _next(self):
        while b"\0" not in self.rest:
            if not select.select([self.read], [], [], PATIENCE)[0]:
                raise TimeoutError(f"the browser has not answered for {PATIENCE} seconds")
            read = os.read(self.read, 1 << 16)
            if not read:
                raise EOFError("the browser has ended")
            self.rest += read
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def evaluate(self, expression):
        """Value of an expression of JavaScript."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait(self, expression, seconds=PATIENCE):
        """Wait until an expression holds."""
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            if time.monotonic() > end:
                raise TimeoutError(expression)
            time.sleep(0.1)


@contextlib.contextmanager
def page(home):
    """Start a browser with a profile in the folder home, and give a page of it."""
    (from_us, to_browser), (from_browser, to_us) = os.pipe(), os.pipe()

    command = [sys.executable, "-c", CONNECT, str(from_us), str(to_us), find(), *FLAGS, f"--user-data-dir={home}"]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(from_us, to_us)
    )
    for end in (from_us, to_us):
        os.close(end)
    try:
        yield Page(from_browser, to_browser)
    finally:
        process.terminate()
        process.wait(20)
        os.close(to_browser)
        os.close(from_browser)
