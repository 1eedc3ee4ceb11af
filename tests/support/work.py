"""Writers at work on real servers, and what those acknowledged: what a crash must not lose."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.processes import Serving
from tests.support.receiver import Receiver
from tidings.cli.seed import Seed
from tidings.client import Client
from tidings.errors import TidingsError

QUICK = {"TIDINGS_LEASE": "2", "TIDINGS_SCHEDULE": "0.2,0.5,1,2", "TIDINGS_LOG_DELIVERIES": "failures"}
WRITERS = 4


@dataclass
class Work:
    """What writers did: the external_ids that the server acknowledged, and the servers that there are at the moment."""

    seed: Seed
    servers: list[Serving]
    acknowledged: set[str] = field(default_factory=set)

    def client(self) -> Client:
        """A client of one of the servers."""
        client = Client(random.choice(self.servers).url, self.seed.client_id, self.seed.client_secret)
        client.authenticate_with_app(self.seed.app_id, self.seed.app_token)
        return client

    def write_one(self, client: Client) -> None:
        """Create one item, and note it once it is acknowledged."""
        external_id = uuid.uuid4().hex
        client.items.create(self.seed.app_id, {"title": "one"}, external_id=external_id)
        self.acknowledged.add(external_id)

    async def until_more(self, count: int) -> None:
        """Wait until `count` items more are acknowledged."""
        wanted = len(self.acknowledged) + count
        async with asyncio.timeout(30):
            while len(self.acknowledged) < wanted:  # noqa: ASYNC110  other threads fill it
                await asyncio.sleep(0.005)

    async def write_until(self, stop: asyncio.Event) -> None:
        """Create items until told to stop, whatever happens to the server."""
        while not stop.is_set():
            try:
                client = await asyncio.to_thread(self.client)
                while not stop.is_set():
                    await asyncio.to_thread(self.write_one, client)
            except TidingsError:
                await asyncio.sleep(0.05)  # it was killed: that write was not acknowledged


@asynccontextmanager
async def writing(work: Work) -> AsyncIterator[None]:
    """Writers at work, beside the block."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(WRITERS):
            tasks.create_task(work.write_until(stop))
        try:
            yield
        finally:
            stop.set()


async def verified_hook(work: Work, receiver: Receiver) -> None:
    """A hook on item.create of the seeded app, made active."""

    def make() -> None:
        client = work.client()
        hook = client.hooks.create("app", work.seed.app_id, receiver.url, "item.create")
        hooks.append(hook.hook_id)

    hooks: list[int] = []
    await asyncio.to_thread(make)
    await receiver.wait_for_count(1, "hook.verify")
    code = receiver.forms("hook.verify")[0]["code"]
    await asyncio.to_thread(lambda: work.client().hooks.validate(hooks[0], code))


def arrived(receiver: Receiver) -> set[str]:
    """The external_ids of the creations that the receiver was told of."""
    return {form["external_id"] for form in receiver.forms("item.create")}
