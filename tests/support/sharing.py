"""Unit tests on all cores, without workers: pytest collects once, then forks, and each process runs its share.

They wait for nothing, and there are thousands. To a worker of xdist each costs more than it takes, since the worker collects
everything once more and tells of each test as it ends. A forked child has what was collected, and tells of its share at its end.
It has no terminal: what it tells is shown as if it had happened here. A child that breaks off fails the run, whatever it told.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Sequence
from typing import IO, Any

import pytest

WORTH_IT = 200  # tests; fewer are done before a child would be
EXAMPLES = 20  # that hypothesis tries of one test


def share_tests(session: pytest.Session, processes: int) -> None:
    """Run the tests of `session` in `processes`, this one among them, and tell of all here. Raises `session.Interrupted`
    where one of the others broke off."""
    shares = split(session.items, processes)
    children = [_fork(session, share) for share in shares[1:]]
    _run(session, shares[0])
    for child, pipe in children:
        with pipe:
            told = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status:
            raise session.Interrupted(f"a process that ran a share of the tests ended with {status}\n{told.decode(errors='replace')}")
        for report in pickle.loads(told):
            _tell(session.config, report)


def split(items: Sequence[pytest.Item], shares: int) -> list[list[pytest.Item]]:
    """`items` in so many parts, each file in one of them: the longest first, to whoever has least."""
    files: dict[object, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    parts: list[list[pytest.Item]] = [[] for _ in range(shares)]
    for of_file in sorted(files.values(), key=_work, reverse=True):
        min(parts, key=_work).extend(of_file)
    return parts


def _work(items: Sequence[pytest.Item]) -> int:
    """About how long they take, in plain tests; one of hypothesis is many."""
    return sum(EXAMPLES if getattr(getattr(item, "obj", None), "is_hypothesis_test", False) else 1 for item in items)


def _fork(session: pytest.Session, share: Sequence[pytest.Item]) -> tuple[int, IO[bytes]]:
    """A child that runs `share`: its process id, and where it tells of it."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child:
        os.close(writing)
        return child, os.fdopen(reading, "rb")
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        try:
            told = _Told(session.config)
            session.config.pluginmanager.unregister(name="terminalreporter")
            session.config.pluginmanager.register(told)
            _run(session, share)
            pickle.dump(told.reports, pipe)
            status = 0
        except BaseException:  # noqa: BLE001  the parent tells it
            pipe.write(traceback.format_exc().encode())
            status = 1
    os._exit(status)  # without what the parent will do at its end


class _Told:
    """Keeps what a terminal would show."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.reports: list[dict[str, Any]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            self.reports.append(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))


def _tell(config: pytest.Config, report: dict[str, Any]) -> None:
    config.hook.pytest_runtest_logreport(report=config.hook.pytest_report_from_serializable(config=config, data=report))


def _run(session: pytest.Session, items: Sequence[pytest.Item]) -> None:
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
