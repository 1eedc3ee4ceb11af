"""Where the threads that run Python are better off, decided from what the kernel counts."""

from __future__ import annotations

import pytest

from tidings.cores import Load, better_core

SECONDS = 10.0
BEFORE = Load({0: 100.0, 1: 200.0, 2: 300.0}, 7.0)


def after(*busy: float, ours: float) -> Load:
    """The load `SECONDS` later: how long each core was busy meanwhile, and how long of that we were, on the first."""
    return Load({core: BEFORE.busy[core] + seconds for core, seconds in enumerate(busy)}, BEFORE.ours + ours)


@pytest.mark.parametrize(
    ("busy", "ours", "core"),
    [
        pytest.param((10.0, 0.0, 0.0), 10.0, 0, id="all of the work on our core is our own"),
        pytest.param((10.0, 0.0, 0.0), 8.0, 0, id="others take little of it"),
        pytest.param((10.0, 3.0, 1.0), 5.0, 2, id="others take half of it, and two cores are idle: the idlest"),
        pytest.param((10.0, 9.0, 10.0), 5.0, 0, id="others take half of it, and it is no better anywhere else"),
        pytest.param((10.0, 3.0, 3.0), 5.0, 0, id="a move would win too little"),
        pytest.param((3.0, 0.0, 0.0), 0.0, 1, id="others take some of it while we rest"),
    ],
)
def test_we_move_where_others_crowd_us_and_a_core_is_idle(busy: tuple[float, ...], ours: float, core: int) -> None:
    assert better_core(0, BEFORE, after(*busy, ours=ours), SECONDS) == core


def test_we_stay_where_the_kernel_says_nothing_of_our_core() -> None:
    assert better_core(5, BEFORE, after(0.0, 0.0, 0.0, ours=0.0), SECONDS) == 5


def test_we_stay_where_there_is_no_other_core() -> None:
    assert better_core(0, Load({0: 1.0}, 0.0), Load({0: 9.0}, 0.0), SECONDS) == 0
