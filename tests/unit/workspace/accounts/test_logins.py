"""Guessing passwords: many at once, from many places, and more than there is room for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tidings.clock import MINUTE
from tidings.errors import RateLimited, Unavailable
from tidings.workspace.accounts import logins
from tidings.workspace.accounts.logins import AT_ONCE, FROM_ANYWHERE, FROM_ONE_PLACE, WAITING, Logins


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were compared: all but "right" are wrong."""
    seen: list[str] = []

    def compare(password: str, _password_hash: str | None) -> bool:
        seen.append(password)
        return password == "right"

    monkeypatch.setattr(logins, "is_password", compare)
    return seen


async def try_once(desk: Logins, password: str = "wrong", *, name: str = "ada", address: str = "a", now: int = 0) -> bool | None:
    """Whether it was right; None when it was not even compared."""
    try:
        return await desk.is_right(name, address, password, "hash", now=now)
    except RateLimited:
        return None


async def test_many_guesses_at_once_are_counted_before_they_are_compared(compared: list[str]) -> None:
    desk = Logins()
    answers = await asyncio.gather(*(try_once(desk) for _ in range(FROM_ONE_PLACE + 20)))
    assert (answers.count(False), answers.count(None)) == (FROM_ONE_PLACE, 20)
    assert len(compared) == FROM_ONE_PLACE
    assert await try_once(desk, "right") is None
    assert await try_once(desk, "right", now=15 * MINUTE) is True


async def test_who_guesses_from_one_place_locks_nobody_out_elsewhere(compared: list[str]) -> None:
    desk = Logins()
    for _ in range(FROM_ONE_PLACE + 5):
        await try_once(desk, address="thief")
    assert await try_once(desk, "right", address="home") is True
    assert await try_once(desk, "right", address="thief", name="bob") is True


async def test_guesses_from_many_places_come_to_an_end_too(compared: list[str]) -> None:
    desk = Logins()
    answers = [await try_once(desk, address=f"place {number}") for number in range(FROM_ANYWHERE + 10)]
    assert answers == [False] * FROM_ANYWHERE + [None] * 10


async def test_more_than_can_wait_are_sent_away_and_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on = threading.Event()
    monkeypatch.setattr(logins, "is_password", lambda _password, _hash: may_go_on.wait(10))
    desk = Logins()
    waiting = [asyncio.ensure_future(try_once(desk, name=f"user {number}")) for number in range(AT_ONCE + WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await desk.is_right("one more", "a", "x", None, now=0)
    may_go_on.set()
    assert await asyncio.gather(*waiting) == [True] * (AT_ONCE + WAITING)
    assert await try_once(desk, name="one more") is True
