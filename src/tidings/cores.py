"""One core for the threads that run Python; another one, when others crowd it.

The problem: threads of one interpreter take turns anyway, and on several cores each turn wakes a core that sleeps and finds in its
caches nothing of what it is about. The strategy: the threads that run Python all day share one core, where a turn costs little, and
one that wakes waits for its turn (`SCHED_BATCH`). That makes them a fifth faster and more (ADR 0010). Those that mostly work without
the interpreter, in SQLite or on a password, `roam`.

What the kernel would do for a thread that may go anywhere is then ours to do: where others take much of our core while another
one is idle, all of us move there (`OneCore.look`). Linux only; elsewhere, and where there is one core, nothing is done.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

LOOK_EVERY = 5.0  # seconds
CROWDED = 0.25  # of a core's time that others may take of ours
WORTH_IT = 0.25  # of a core's time that a move must win

_STAT = Path("/proc/stat")
_TASKS = Path("/proc/self/task")
_TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds; in which the kernel counts
_CORES = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()  # those that we may use


class Load(NamedTuple):
    """Seconds of work so far, since whenever."""

    busy: dict[int, float]  # by core
    ours: float  # by the threads that keep to one


class OneCore:
    """The core that the threads of this process keep to, but for those that roam."""

    def __init__(self, core: int, read: Callable[[], Load]) -> None:
        """`core` is where they are. Raises whatever `read` raises."""
        self.core = core
        self._read = read
        self._load = read()
        self._looked_at = time.monotonic()

    def __repr__(self) -> str:
        return f"<OneCore {self.core} of {sorted(_CORES)}>"

    def look(self) -> None:
        """Move, if others have crowded our core since the last look."""
        before, self._load = self._load, self._read()
        last, self._looked_at = self._looked_at, time.monotonic()
        core = better_core(self.core, before, self._load, self._looked_at - last)
        if core == self.core:
            return
        self.core = core
        for thread in _keeping():
            with suppress(OSError):  # the thread has ended
                os.sched_setaffinity(thread, {core})


def read_load() -> Load:
    """What the kernel says of our cores, and of our threads that keep to one."""
    return Load(_busy(_STAT.read_text(), _CORES), sum(_seconds_of(thread) for thread in _keeping()))


def keep_to_one_core(read: Callable[[], Load] = read_load) -> OneCore | None:
    """Keep the calling thread, and those that it starts from now on, to the core that it is on. None: that is not possible here."""
    if not _CORES:
        return None
    try:
        core = OneCore(_core_of_caller(), read)
        os.sched_setaffinity(0, {core.core})
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # those who wake do not interrupt the one who runs
    except (OSError, LookupError, ValueError):  # a kernel, or something that stands in for one, that does not say
        return None
    return core


def roam() -> None:
    """Let the calling thread go to any core again."""
    if _CORES:
        os.sched_setaffinity(0, _CORES)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def better_core(here: int, before: Load, after: Load, seconds: float) -> int:
    """The core to be on, after a while of so many seconds between two loads: `here`, unless a move is worth it. Pure."""
    busy = {core: after.busy[core] - before.busy[core] for core in before.busy.keys() & after.busy.keys()}
    if here not in busy:
        return here
    others = busy.pop(here) - (after.ours - before.ours)
    idlest = min(sorted(busy), key=lambda core: busy[core], default=here)
    return idlest if others > CROWDED * seconds and busy.get(idlest, others) + WORTH_IT * seconds < others else here


def _busy(stat: str, cores: frozenset[int]) -> dict[int, float]:
    """See proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal, and two that are counted in user and nice already."""
    busy = {}
    for line in stat.splitlines():
        name, *ticks = line.split()
        if name.startswith("cpu") and name != "cpu" and int(name[3:]) in cores:
            user, nice, system, _idle, _waiting, *rest = map(int, ticks)
            busy[int(name[3:])] = (user + nice + system + sum(rest[:3])) * _TICK
    return busy


def _keeping() -> list[int]:
    """The threads of this process that may run on one core only."""
    keeping = []
    for task in _TASKS.iterdir():
        with suppress(OSError):  # the thread has ended
            if len(os.sched_getaffinity(int(task.name))) == 1:
                keeping.append(int(task.name))
    return keeping


def _seconds_of(thread: int) -> float:
    with suppress(OSError):
        fields = _fields(_TASKS / str(thread) / "stat")
        return (int(fields[11]) + int(fields[12])) * _TICK  # utime, stime
    return 0.0


def _core_of_caller() -> int:
    return int(_fields(Path("/proc/thread-self/stat"))[36])


def _fields(stat: Path) -> list[str]:
    """See proc_pid_stat(5), from the third field on: the second is a name, in parentheses, and may hold anything."""
    return stat.read_text().rpartition(")")[2].split()
