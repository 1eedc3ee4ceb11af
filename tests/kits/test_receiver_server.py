"""The receiver and the client, as users have them, with a real server between them."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import wait_until
from tests.support.serving import serve_wsgi, serving_on_this_loop
from tidings.cli.seed import Seed
from tidings.client import AsyncClient, Client
from tidings.errors import Conflict
from tidings.receiver import Event, Receiver
from tidings.receiver.asgi import app
from tidings.receiver.inbox import Inbox
from tidings.receiver.repeats import Repeats


def is_active(client: Client, seed: Seed, hook_id: int) -> bool:
    return any(hook["hook_id"] == hook_id and hook["status"] == "active" for hook in client.hooks.list("app", seed.app_id))


@pytest.mark.parametrize("options", [{}, {"format": "json"}, {"format": "cloudevents"}, {"format": "cloudevents-binary"}], ids=str)
def test_a_hook_is_made_verified_and_heard_in_each_format(client: Client, seed: Seed, tmp_path: Path, options: dict[str, Any]) -> None:
    heard: list[Event] = []
    receiver = Receiver(client, inbox=Inbox(tmp_path / "inbox.db"))
    receiver.on("item.create", app=seed.app_id)(heard.append)

    with serve_wsgi(receiver) as port:
        made = receiver.create("app", seed.app_id, f"http://127.0.0.1:{port}/in", "item.create", **options)
        wait_until(lambda: is_active(client, seed, made.hook_id))
        item = client.items.create(seed.app_id, {"title": "Hello"})
        wait_until(lambda: heard)
        client.hooks.delete(made.hook_id)
    receiver.stop()

    (event,) = heard
    assert (event.type, event.hook_id, event.item_id, event.app_id) == ("item.create", made.hook_id, item["item_id"], seed.app_id)
    assert (event.attempt, event.depth) == (1, 0)
    assert event.fields == ({"title": [{"value": "Hello"}]} if options else None)
    assert event.changed == ({"title": ([], [{"value": "Hello"}])} if options else None)


async def test_an_async_client_answers_from_inside_the_function_and_its_loop_ends(url: str, seed: Seed, client: Client) -> None:
    depths: list[int] = []
    mine = AsyncClient(url, seed.client_id, seed.client_secret)
    await mine.authenticate_with_app(seed.app_id, seed.app_token)
    receiver = Receiver(mine)

    @receiver.on("item.update")
    async def change_it_again(event: Event) -> None:
        depths.append(event.depth)
        await mine.items.update(event.item_id, {"title": f"Changed {event.item_revision_id}"})

    async with serving_on_this_loop(app(receiver)) as port:
        made = await receiver.create_async("app", seed.app_id, f"http://127.0.0.1:{port}/in", "item.update")
        await asyncio.to_thread(wait_until, lambda: is_active(client, seed, made.hook_id))
        item = await mine.items.create(seed.app_id, {"title": "Hello"})
        await mine.items.update(item["item_id"], {"title": "Begin"})
        await asyncio.to_thread(wait_until, lambda: len(depths) == 9)
        await mine.hooks.delete(made.hook_id)
    await mine.close()

    assert depths == list(range(9))  # the change that the ninth makes is one too deep


def test_the_servers_public_keys_check_what_it_signs(url: str, client: Client, seed: Seed) -> None:
    heard: list[Event] = []
    first = client.hooks.create("app", seed.app_id, "http://127.0.0.1:1/in", "item.delete", signing="ed25519")
    with urllib.request.urlopen(f"{url}/.well-known/tidings-keys") as answer:
        keys = [key["whpk"] for key in json.load(answer)["keys"]]
    client.hooks.delete(first.hook_id)
    receiver = Receiver(client, public_keys=keys)
    receiver.on("item.create")(heard.append)

    with serve_wsgi(receiver) as port:
        made = receiver.create("app", seed.app_id, f"http://127.0.0.1:{port}/in", "item.create", signing="ed25519")
        wait_until(lambda: is_active(client, seed, made.hook_id))
        client.items.create(seed.app_id, {"title": "Hello"})
        wait_until(lambda: heard)
        client.hooks.delete(made.hook_id)
    receiver.stop()

    assert heard[0].hook_id == made.hook_id


def is_sent_again(client: Client, event: Event) -> bool:
    try:
        client.request("POST", f"/hook/{event.hook_id}/delivery/{event.sequence}/redeliver", {})
    except Conflict:  # its end has not been written down yet
        return False
    return True


def test_a_test_delivery_and_a_redelivery_say_what_they_are(client: Client, seed: Seed) -> None:
    heard: list[Event] = []
    receiver = Receiver(client)
    receiver.on("item.create")(heard.append)

    with serve_wsgi(receiver) as port:
        made = receiver.create("app", seed.app_id, f"http://127.0.0.1:{port}/in", "item.create")
        wait_until(lambda: is_active(client, seed, made.hook_id))
        client.hooks.test(made.hook_id)
        wait_until(lambda: heard)
        client.items.create(seed.app_id, {"title": "Hello"})
        wait_until(lambda: len(heard) == 2)
        receiver._repeats = Repeats()  # as after a restart: what it remembers, it drops
        wait_until(lambda: is_sent_again(client, heard[1]))
        wait_until(lambda: len(heard) == 3)
        client.hooks.delete(made.hook_id)
    receiver.stop()

    assert [(event.test, event.redelivery) for event in heard] == [(True, None), (False, None), (False, "single")]
    assert heard[1].id == heard[2].id
