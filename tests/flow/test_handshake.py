"""The handshake as Podio's users write it: the receiver posts the code back from inside its own handler, before it answers."""

from __future__ import annotations

import asyncio

from tests.support.databases import Place
from tests.support.processes import serving
from tests.support.receiver import Answer, Received, receiving
from tidings.cli.seed import make_seed
from tidings.client import Client
from tidings.settings import Settings

TYPES = ("item.create", "item.update", "item.delete")


async def test_a_receiver_that_validates_before_it_answers_does_not_stop_the_server(place: Place) -> None:
    seed = await asyncio.to_thread(make_seed, Settings(data=place.data, database=place.url))

    async def validate(came: Received) -> Answer:
        if came.form["type"] == "hook.verify":
            await asyncio.to_thread(client.hooks.validate, int(came.form["hook_id"]), came.form["code"])
        return 200

    with serving(place) as server:
        client = Client(server.url, seed.client_id, seed.client_secret)
        await asyncio.to_thread(client.authenticate_with_app, seed.app_id, seed.app_token)
        async with receiving(validate) as receiver:
            for number in range(8):
                for type in TYPES:
                    await asyncio.to_thread(client.hooks.create, "app", seed.app_id, f"{receiver.url}/{number}", type)
            await receiver.wait_for_count(8 * len(TYPES), "hook.verify")
            item = await asyncio.to_thread(client.items.create, seed.app_id, {"title": "one"})
            await asyncio.to_thread(client.items.update, item["item_id"], {"title": "two"})
            await asyncio.to_thread(client.items.delete, item["item_id"])
            for type in TYPES:
                await receiver.wait_for_count(8, type)
            hooks = await asyncio.to_thread(client.hooks.list, "app", seed.app_id)
            assert {hook["status"] for hook in hooks} == {"active"}
