"""Who runs where while we measure: what is measured on all cores but the last, what loads it on that one.

Where the two shared a core, each request that is sent could interrupt its sender, or not, as the kernel likes; figures of the same
code then differed by a third. On one core they do share it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.support.databases import Place
from tests.support.processes import Serving, serving

ALL = frozenset(os.sched_getaffinity(0))
LOAD = frozenset({max(ALL)})
MEASURED = ALL - LOAD or LOAD
QUIET = {"TIDINGS_LOG_DELIVERIES": "failures"}


@contextmanager
def starting_on(cores: frozenset[int]) -> Iterator[None]:
    """Have what is started meanwhile run on `cores`."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def measured_server(place: Place, **environment: str) -> Iterator[Serving]:
    """The installed `tidings serve`, to be measured."""
    with ExitStack() as stack:
        with starting_on(MEASURED):
            server = stack.enter_context(serving(place, environment={**QUIET, **environment}, installed=True))
        yield server
