"""What type checkers are to know of the client: never run, but checked, by mypy and by pyright.

Every line that must not be accepted says so by an ignore; both checkers complain of an ignore that is not needed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from tidings import AsyncClient, Client
from tidings.client import NewHook
from tidings.client.delivery_objects import Delivery, LedgerEntry
from tidings.client.objects import App, Changed, Comment, File, Hook, Item, ItemPage, Replay, Space, Status, Task
from tidings.client.token_files import FileStore
from tidings.client.tokens import Tokens


def blocking() -> None:
    """With the client that blocks."""
    client = Client("https://api.podio.com", "id", "secret", store=FileStore("tokens.json"))
    assert_type(client.authenticate_with_app(5, "token"), None)
    assert_type(client.tokens, Tokens | None)

    item = client.items.create(5, {"title": "One"}, external_id="ERP-9", hook=False, silent=True)
    assert_type(item, Item)
    assert_type(item["item_id"], int)
    assert_type(item["fields"][0]["values"], list[dict[str, Any]])
    assert_type(client.items.update(42, {"title": "Two"}), Changed | None)
    assert_type(client.items.filter(5, {"status": [1]}, limit=10), ItemPage)
    assert_type(client.items.iterate(5), Iterator[Item])
    assert_type(client.items.count(5), int)
    assert_type(client.items.delete(42), None)
    assert_type(client.hooks.create("app", 5, "https://example.org/in", "item.create", order="object"), NewHook)
    assert_type(client.hooks.list("app", 5), list[Hook])
    assert_type(client.deliveries.redeliver(7, 41), None)
    assert_type(client.deliveries.list(7, states=["exhausted"])["deliveries"], list[Delivery])
    assert_type(client.deliveries.ledger(42), list[LedgerEntry])
    assert_type(client.replays.start(7, states=["exhausted"], rate=20), Replay)
    assert_type(client.apps.get(5), App)
    assert_type(client.apps.get(5).get("token"), str | None)
    assert_type(client.spaces.list(1), list[Space])
    assert_type(client.comments.create("item", 42, "Hello"), Comment)
    assert_type(client.files.upload("plan.pdf"), File)
    assert_type(client.files.download(7, "copy.pdf"), None)
    assert_type(client.files.read(7), bytes)
    assert_type(client.tasks.create("Do it", responsible=6), Task)
    assert_type(client.statuses.get(3), Status)

    client.items.get("42")  # type: ignore[arg-type]
    client.items.get(42, 43)  # type: ignore[call-arg]
    client.items.create(5, {}, hok=False)  # type: ignore[call-arg]
    item["itemid"]  # type: ignore[misc]


async def awaited() -> None:
    """With the client that is awaited: the same, by the same descriptions."""
    async with AsyncClient("https://api.podio.com", "id", "secret") as client:
        assert_type(client, AsyncClient)
        await client.authenticate_with_password("ada@example.org", "secret")
        assert_type(await client.items.get(42), Item)
        assert_type(await client.hooks.list("app", 5), list[Hook])
        assert_type(client.items.iterate(5), AsyncIterator[Item])
        async for item in client.items.iterate(5, page=500):
            assert_type(item["title"], str)
        assert_type(await client.files.read(7), bytes)
        await client.items.get("42")  # type: ignore[arg-type]
