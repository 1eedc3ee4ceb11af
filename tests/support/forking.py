"""Programs that have imported everything before they start.

A `tidings serve` imports for a second, which is more than most tests of it take, and the suite starts a hundred programs. So
they are forked from a parent that has imported what they need and done nothing else (`multiprocessing`'s forkserver): one for
each of pytest's workers, started for the first test that asks. The child runs what the installed program runs,
`tidings.cli.main` with its own `sys.argv`, and has its own pid, environment, output and exit code; it is killed, and asked to
stop, as any other. That the installed program starts at all is shown where it is what the test is about: `serving(...,
installed=True)`, the demo, the examples.

A child ends when whoever started it does, even if that was by `kill -9`.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tidings import cli

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.support.preloaded"])


class Forked:
    """A running child, which a test may use as a `subprocess.Popen`."""

    def __init__(self, run: Callable[..., object], *arguments: object, output: Path, environment: dict[str, str] | None = None) -> None:
        """Have it do `run(*arguments)`; what it prints goes to the file `output`; `environment` is added to ours."""
        self._output = output
        self._output.touch()
        told = (run, arguments, output, {**os.environ, **(environment or {})})
        self._child = _FORKS.Process(target=_run, args=told, daemon=True)
        self._child.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._child.pid is not None
        return self._child.pid

    @property
    def output(self) -> str:
        """All that it has printed so far."""
        return self._output.read_text(errors="replace")

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative when a signal ended it; None while it runs."""
        return self._child.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self._child.exitcode

    def kill(self) -> None:
        """`kill -9`: it gets no chance to finish anything."""
        self._child.kill()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end: the exit code. Raises TimeoutError when that takes longer."""
        self._child.join(seconds)
        if self._child.exitcode is None:
            raise TimeoutError(f"{self.pid} still runs after {seconds} seconds:\n{self.output}")
        return self._child.exitcode


def fork_tidings(*arguments: str, output: Path, environment: dict[str, str] | None = None) -> Forked:
    """`tidings` with these arguments."""
    return Forked(_tidings, arguments, output=output, environment=environment)


def _tidings(arguments: Sequence[str]) -> None:
    sys.argv = ["tidings", *arguments]
    cli.main()


def _run(run: Callable[..., object], arguments: Sequence[object], output: Path, environment: dict[str, str]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    nothing, printed = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_TRUNC)
    for number, opened in ((0, nothing), (1, printed), (2, printed)):
        os.dup2(opened, number)
    run(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
