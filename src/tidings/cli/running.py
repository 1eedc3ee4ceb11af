"""A `tidings serve` as a child, for the demo: started, waited for, and stopped whatever happens.

It gets nothing of our environment's settings, since it must not come near a server that is somebody's. It is in a process
group of its own, so that Ctrl-C reaches us alone and we stop it in good order.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tidings.client import Client
from tidings.errors import TidingsError, Unavailable
from tidings.settings import ENVIRONMENT_PREFIX

FIRST_PORT, LAST_PORT = 8000, 8099
READY_WITHIN = 30.0  # seconds
ANSWER_WITHIN = 2.0  # seconds, to each question whether it is ready
STOPPED_WITHIN = 30.0  # seconds: the server's grace time and some more
LINES_SHOWN = 5  # of the server's log, when it did not come up


def choose_port(asked: int | None) -> int:
    """The port that was asked for, or the first from 8000 on that nobody listens on. Raises `Unavailable` when it is taken.

    Looked at before the child is started: whoever has it might well be another Tidings, and answer in the child's place.
    """
    ports = range(FIRST_PORT, LAST_PORT + 1) if asked is None else [asked]
    for port in ports:
        with suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            return port
    raise Unavailable(f"port {asked} is taken" if asked is not None else f"every port from {FIRST_PORT} to {LAST_PORT} is taken")


class Running:
    """The child and its log."""

    def __init__(self, url: str, child: subprocess.Popen[bytes], data: Path, log: Path) -> None:
        self.url = url
        self.data = data
        self.log = log
        self._child = child

    def wait_until_ready(self) -> None:
        """Wait for `/health/ready`. Raises `Unavailable`, with the end of its log, when it ends or takes too long."""
        client = Client(self.url, "", "", timeout=ANSWER_WITHIN)
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            self.check()
            try:
                client.request("GET", "/health/ready")
            except TidingsError:
                time.sleep(0.05)
            else:
                return
        raise Unavailable(f"the server was not ready within {READY_WITHIN:.0f} seconds; its log ends:\n{self._end_of_log()}")

    def check(self) -> None:
        """Raises `Unavailable`, with the end of its log, if it has ended."""
        if self._child.poll() is not None:
            raise Unavailable(f"the server ended with {self._child.returncode}; its log ends:\n{self._end_of_log()}")

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LINES_SHOWN:])


@contextmanager
def running(folder: Path, port: int, allow: Sequence[str]) -> Iterator[Running]:
    """A server on 127.0.0.1 with its data in `folder`. It may not be ready yet."""
    data, log = folder / "data", folder / "serve.log"
    command = [sys.executable, "-m", "tidings", "serve", "--data", str(data), "--host", "127.0.0.1", "--port", str(port)]
    for opened in allow:
        command += ["--allow", opened]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 (our own program, its arguments made above)
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, process_group=0
        )
    try:
        yield Running(f"http://127.0.0.1:{port}", child, data, log)
    finally:
        _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOPPED_WITHIN)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):  # a second Ctrl-C: somebody is in a hurry
        child.kill()
        child.wait()
