"""The chain of causes: what a call says of the delivery that led to it, and what is believed of that (ADR 0006)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, select

from tests.support.databases import AnyDatabase
from tests.support.world import NOW, World, append_update, make_world
from tidings.errors import Conflict
from tidings.events.causes import caused
from tidings.store.database import Tx
from tidings.store.schema import deliveries, events, server

pytestmark = pytest.mark.furnished(make=make_world)

LIMIT = 2


@pytest.fixture
def world(furniture: World) -> World:
    return furniture


def deliver_last(tx: Tx, hook_id: int, sequence: int) -> str:
    """A delivery of the newest event; its id on the wire."""
    row = {"hook_id": hook_id, "sequence": sequence, "state": "delivered", "attempts": 1, "due_at": NOW, "lease_id": 0, "created_at": NOW}
    event_id = tx.execute(select(events.c.event_id).order_by(events.c.event_id.desc()).limit(1)).scalar_one()
    tx.execute(insert(deliveries).values(**row, event_id=event_id))
    return f"msg_{tx.execute(select(server.c.instance)).scalar_one()}_{hook_id}_{sequence}"


def change(tx: Tx, world: World, revision: int = 1, *, heard: bool = True) -> int:
    append_update(tx, world, revision=revision, heard=heard)
    return revision


def told(tx: Tx) -> list[tuple[Any, ...]]:
    chosen = select(events.c.cause, events.c.depth, events.c.heard, events.c.unheard_reason).order_by(events.c.event_id)
    return [tuple(row) for row in tx.execute(chosen)]


async def test_an_event_keeps_the_delivery_that_led_to_it_and_is_one_deeper(database: AnyDatabase, world: World) -> None:
    await database.write(change, world)
    cause = await database.write(deliver_last, 5, 12)
    assert await database.write(caused, cause, LIMIT, partial(change, world=world, revision=2)) == (2, False)
    assert await database.read(told) == [(None, 0, True, None), ("5-12", 1, True, None)]


async def test_beyond_the_limit_an_event_is_written_unheard_and_says_why(database: AnyDatabase, world: World) -> None:
    await database.write(change, world)
    loops = []
    for sequence in range(1, LIMIT + 2):
        cause = await database.write(deliver_last, 5, sequence)
        loops.append((await database.write(caused, cause, LIMIT, partial(change, world=world)))[1])
    assert loops == [False, False, True]
    assert (await database.read(told))[-2:] == [("5-2", 2, True, None), ("5-3", 3, False, "loop")]


async def test_a_change_that_nobody_was_to_hear_of_is_no_loop(database: AnyDatabase, world: World) -> None:
    await database.write(change, world)
    cause = await database.write(deliver_last, 5, 1)
    assert await database.write(caused, cause, 0, partial(change, world=world, heard=False)) == (1, False)
    assert (await database.read(told))[-1] == ("5-1", 1, False, "hook=false")


@pytest.mark.parametrize(
    "said", ["", "5-1", "msg_ffffffff_5_1", "msg_{instance}_5_2", "msg_{instance}_6_1", "msg_{instance}_5_1 ", "\0", "€" * 999]
)
async def test_what_is_no_delivery_of_ours_counts_as_nothing_said(database: AnyDatabase, world: World, said: str) -> None:
    await database.write(change, world)
    known = await database.write(deliver_last, 5, 1)
    cause = said.replace("{instance}", known.split("_")[1])
    assert await database.write(caused, cause, 0, partial(change, world=world)) == (1, False)
    assert (await database.read(told))[-1] == (None, 0, True, None)


async def test_what_one_call_says_is_not_said_for_the_next(database: AnyDatabase, world: World) -> None:
    await database.write(change, world)
    cause = await database.write(deliver_last, 5, 1)

    def fail(_tx: Tx) -> None:
        raise Conflict

    with pytest.raises(Conflict):
        await database.write(caused, cause, LIMIT, fail)
    await database.write(change, world)
    assert (await database.read(told))[-1] == (None, 0, True, None)
