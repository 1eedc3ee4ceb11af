"""The server's threads on the cores of a real machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.databases import Place
from tests.support.processes import serving
from tidings.cores import Load, keep_to_one_core, roam

ALL = os.sched_getaffinity(0)
BUSY = 3  # threads that run Python all day: the loop, the writer, the engine

pytestmark = pytest.mark.skipif(len(ALL) < 2, reason="there is one core, and nothing to choose")


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    """A thread of its own, so that whatever it keeps to ends with it."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def cores_of_threads(pid: int) -> list[set[int]]:
    """Where each thread of a process may run."""
    return [os.sched_getaffinity(int(task.name)) for task in Path(f"/proc/{pid}/task").iterdir()]


def test_the_threads_that_run_python_share_one_core_and_readers_roam(tmp_path: Path) -> None:
    with serving(Place(tmp_path)) as server:
        cores = cores_of_threads(server.pid)
    keeping = [core for core in cores if len(core) == 1]
    assert len(keeping) >= BUSY
    assert len(set(map(frozenset, keeping))) == 1
    assert ALL in cores


def test_who_asks_for_all_cores_gets_them(tmp_path: Path) -> None:
    with serving(Place(tmp_path), environment={"TIDINGS_CORES": "all"}) as server:
        assert all(cores == ALL for cores in cores_of_threads(server.pid))


def test_threads_move_away_from_a_crowded_core(thread: ThreadPoolExecutor) -> None:
    def crowded() -> tuple[set[int], set[int]]:
        seconds = dict.fromkeys(ALL, 0.0)
        core = keep_to_one_core(lambda: Load(dict(seconds), 0.0))
        assert core is not None
        seconds[core.core] = 1e9  # and none of it is ours
        before = os.sched_getaffinity(0)
        core.look()
        return before, os.sched_getaffinity(0)

    before, after = thread.submit(crowded).result()
    assert len(before) == len(after) == 1
    assert before != after


def test_a_thread_that_roams_may_go_wherever_the_process_may(thread: ThreadPoolExecutor) -> None:
    def standing() -> tuple[set[int], int]:
        return os.sched_getaffinity(0), os.sched_getscheduler(0)

    def keep_and_roam() -> list[tuple[set[int], int]]:
        before = standing()
        keep_to_one_core()
        kept = standing()
        roam()
        return [before, kept, standing()]

    before, kept, roaming = thread.submit(keep_and_roam).result()
    assert before == roaming == (ALL, os.SCHED_OTHER)
    assert (len(kept[0]), kept[1]) == (1, os.SCHED_BATCH)
