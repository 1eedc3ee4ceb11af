"""A receiver that changes what it was told of is told of that, and changes it again: such a loop ends, and says why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.databases import AnyDatabase
from tests.support.house import Api, have_people, keep_tokens, open_api, serving_app
from tests.support.receiver import Answer, Received, Receiver, receiving
from tidings.client import Client, cause
from tidings.clock import system_clock
from tidings.delivery.engine import Engine
from tidings.store.database import Tx
from tidings.store.schema import events
from tidings.telemetry.facts import LoopStopped, Telemetry
from tidings.wire.message_ids import read_message_id

pytestmark = pytest.mark.furnished(make=have_people)

LIMIT = 3


@dataclass
class Loop:
    """A server on a real port, and a receiver that answers each update of an item with an update of it."""

    api: Api
    receiver: Receiver
    item_id: int
    stopped: list[LoopStopped] = field(default_factory=list)


@pytest.fixture
async def loop(database: AnyDatabase) -> AsyncIterator[Loop]:
    async with looping(database) as opened:
        yield opened


@asynccontextmanager
async def looping(database: AnyDatabase) -> AsyncIterator[Loop]:
    async def answer(came: Received) -> Answer:
        if came.form["type"] == "hook.verify":
            await api.post(f"/hook/{came.form['hook_id']}/verify/validate", {"code": came.form["code"]})
        else:
            await asyncio.to_thread(change_again, came)
        return 200

    def change_again(came: Received) -> None:
        """What a receiver does around the user's function; the client then says what caused its calls."""
        token = cause.set(came.headers["webhook-id"])
        try:
            client.items.update(int(came.form["item_id"]), {"title": f"after {came.form['item_revision_id']}"})
        finally:
            cause.reset(token)

    settings = {"retention": 10_000.0, "cause_limit": LIMIT}
    async with open_api(database, allow=["127.0.0.1:*"], settings=settings) as api, receiving(answer) as receiver:
        people, telemetry = api.people, Telemetry()
        engine = Engine(database, api.house.keyring, api.house.settings, api.house.allow, clock=system_clock, telemetry=telemetry)
        with serving_app(api) as port:
            client = Client(f"http://127.0.0.1:{port}", people.client.client_id, people.client.client_secret)
            await asyncio.to_thread(client.authenticate_with_app, people.app_id, people.app_token)
            made = await api.post(f"/item/app/{people.app_id}", {"fields": {"title": "A"}})
            opened = Loop(api, receiver, made.json()["item_id"])
            telemetry.listen(LoopStopped, opened.stopped.append)
            await keep_tokens(database)
            await engine.start()
            await hook(opened)
            yield opened
            await engine.stop()
            client.close()


async def hook(loop: Loop) -> None:
    place = f"/hook/app/{loop.api.people.app_id}"
    await loop.api.post(place, {"url": loop.receiver.url, "type": "item.update"})
    async with asyncio.timeout(20):
        while (await loop.api.get(place)).json()[0]["status"] != "active":  # noqa: ASYNC110  another loop makes it so
            await asyncio.sleep(0.01)


def updates(tx: Tx) -> list[tuple[Any, ...]]:
    chosen = select(events.c.cause, events.c.depth, events.c.heard, events.c.unheard_reason)
    return [tuple(row) for row in tx.execute(chosen.where(events.c.type == "item.update").order_by(events.c.event_id))]


async def update(loop: Loop, title: str, **headers: str) -> Any:
    return await loop.api.put(f"/item/{loop.item_id}", {"fields": {"title": title}}, headers=headers)


async def until_it_ends(loop: Loop) -> None:
    async with asyncio.timeout(20):
        while not loop.stopped:  # noqa: ASYNC110  another thread tells
            await asyncio.sleep(0.01)


async def test_a_loop_ends_at_the_depth_that_is_set_and_the_record_says_why(loop: Loop) -> None:
    assert "tidings-unheard" not in (await update(loop, "B")).headers
    await until_it_ends(loop)
    names = [read_message_id(each.headers["webhook-id"]) for each in loop.receiver.received if each.form["type"] == "item.update"]
    causes = [None, *(f"{name.hook_id}-{name.sequence}" for name in names if name)]
    assert await loop.api.house.database.read(updates) == [
        (causes[0], 0, True, None),
        (causes[1], 1, True, None),
        (causes[2], 2, True, None),
        (causes[3], 3, True, None),
        (causes[4], 4, False, "loop"),
    ]
    assert [(fact.event_type, fact.depth) for fact in loop.stopped] == [("item.update", LIMIT + 1)]
    depths = [each.headers.get("tidings-depth") for each in loop.receiver.received if each.form["type"] == "item.update"]
    assert depths == [None, "1", "2", "3"]
    item = (await loop.api.get(f"/item/{loop.item_id}/basic")).json()
    assert item["title"] == f"after {LIMIT + 1}"  # the change itself stands


async def test_the_answer_of_the_call_that_went_unheard_says_so(loop: Loop) -> None:
    await update(loop, "B")
    await until_it_ends(loop)
    last = loop.receiver.received[-1].headers["webhook-id"]
    answer = await update(loop, "once more", **{"tidings-cause": last})
    assert (answer.status_code, answer.headers["tidings-unheard"]) == (200, "loop")
    nothing_new = await update(loop, "once more", **{"tidings-cause": last})
    assert "tidings-unheard" not in nothing_new.headers
