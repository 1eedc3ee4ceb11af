"""A real `tidings serve`, started, watched, stopped and killed by a test.

    with serving(place) as server:
        ... server.url ...
        server.kill()

What it prints goes to a file, so that it never waits for a reader, and a failed test can show it. It is forked from a process
that has imported the server (see `forking`), which saves most of a second for each; with `installed=True` it is the installed
program instead, for tests of just that.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.databases import Place
from tests.support.forking import Forked, fork_tidings

READY_WITHIN = 20.0  # seconds
STOPPED_WITHIN = 30.0  # seconds: the grace time and some more
_numbers = itertools.count(1)


def wait_until(condition: Callable[[], object], *, seconds: float = 10.0, step: float = 0.01) -> None:
    """Wait until `condition()` is true. Raises AssertionError, naming it, when that takes more than `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} seconds: {condition}")
        time.sleep(step)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Seeded:
    """Where a server is, and what `tidings seed --json` printed."""

    url: str
    client_id: str
    client_secret: str
    org_id: int
    space_id: int
    app_id: int
    app_token: str
    fields: dict[str, int]
    username: str
    password: str


def seed(place: Place, url: str) -> Any:
    """What `tidings seed --json` prints for a server at `url`."""
    child = fork_tidings("seed", "--json", *place.arguments, "--url", url, output=place.data / "seed.log")
    assert child.wait(STOPPED_WITHIN) == 0, child.output
    return json.loads(child.output)


class Serving:
    """One `tidings serve` and what a test does to it."""

    def __init__(
        self, place: Place, arguments: Sequence[str] = (), environment: dict[str, str] | None = None, *, installed: bool = False
    ) -> None:
        """Start it on a free port; `arguments` are added to its command line, `environment` to ours.

        It is not ready yet: see `wait_until_ready`.
        """
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        place.data.mkdir(parents=True, exist_ok=True)
        self._printed = place.data / f"serve-{next(_numbers)}.log"
        words = ["serve", *place.arguments, "--port", str(self.port), *arguments]
        start = start_installed if installed else fork_tidings
        self._child: Forked | subprocess.Popen[bytes] = start(*words, output=self._printed, environment=environment)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def output(self) -> str:
        """All that it has printed so far."""
        return self._printed.read_text(errors="replace")

    def is_ready(self) -> bool:
        """Whether `/health/ready` answers 200. Raises AssertionError with its output when it has ended instead."""
        if self._child.poll() is not None:
            raise AssertionError(f"tidings serve ended with {self._child.returncode}:\n{self.output}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        """Wait for `is_ready`. Raises AssertionError with its output when it does not come to that."""
        try:
            wait_until(self.is_ready, seconds=READY_WITHIN, step=0.05)
        except AssertionError as error:
            error.add_note(self.output)
            raise

    def kill(self) -> None:
        """`kill -9`: it gets no chance to finish anything."""
        self._child.kill()
        self._child.wait()

    def stop(self) -> int:
        """Ask it to stop, and answer its exit code once it has."""
        self._child.send_signal(signal.SIGTERM)
        return self._child.wait(STOPPED_WITHIN)


def start_installed(*words: str, output: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """The installed `tidings` with these arguments; what it prints goes to the file `output`; `environment` is added to ours."""
    command = [str(Path(sys.executable).with_name("tidings")), *words]
    with output.open("wb") as printed:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, env={**os.environ, **(environment or {})}
        )


@contextmanager
def serving(
    place: Place,
    *arguments: str,
    allow: Sequence[str] = ("127.0.0.1:*",),
    environment: dict[str, str] | None = None,
    installed: bool = False,
) -> Iterator[Serving]:
    """A ready `tidings serve` at `place`, whose hooks may call what `allow` opens. At the end it is killed if it still runs."""
    server = Serving(place, [*(word for opened in allow for word in ("--allow", opened)), *arguments], environment, installed=installed)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.kill()
