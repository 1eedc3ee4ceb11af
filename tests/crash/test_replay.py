"""`kill -9` while a replay runs: it goes on with the next process, and each delivery that was meant arrives."""

from __future__ import annotations

import asyncio
import random
from contextlib import ExitStack

from tests.support.databases import Place
from tests.support.past import make_past
from tests.support.processes import Serving, serving
from tests.support.receiver import Receiver, receiving
from tests.support.work import QUICK, Work, verified_hook
from tests.support.world import World
from tidings.cli.seed import make_seed
from tidings.clock import DAY, system_clock
from tidings.settings import Settings
from tidings.workspace.access import Caller

MEANT, RATE = 90, 60


async def started(stack: ExitStack, place: Place) -> Serving:
    return await asyncio.to_thread(lambda: stack.enter_context(serving(place, environment=QUICK)))


def came(receiver: Receiver) -> list[int]:
    """The numbers of the deliveries that came as part of a replay."""
    return [int(each.headers["tidings-sequence"]) for each in receiver.received if "tidings-redelivery" in each.headers]


async def test_a_replay_goes_on_after_kill_9_and_each_delivery_that_was_meant_arrives(place: Place) -> None:
    seed = await asyncio.to_thread(make_seed, Settings(data=place.data, database=place.url))
    async with receiving() as receiver:
        with ExitStack() as stack:
            work = Work(seed, [await started(stack, place)])
            await verified_hook(work, receiver)
            await have_missed(place, work)
            client = await asyncio.to_thread(work.client)
            replay_id = (await asyncio.to_thread(client.replays.start, 1, rate=RATE))["replay_id"]
            await receiver.wait_for(lambda: len(came(receiver)) >= random.randint(5, MEANT // 2))
            work.servers[0].kill()
            work.servers[0] = await started(stack, place)
            await receiver.wait_for(lambda: set(came(receiver)) == set(range(2, MEANT + 2)), 30)
            client = await asyncio.to_thread(work.client)
            async with asyncio.timeout(10):
                while (replay := await asyncio.to_thread(client.replays.get, replay_id))["delivered"] < MEANT:  # noqa: ASYNC110  it tells nobody
                    await asyncio.sleep(0.05)
            assert (replay["state"], replay["total"], replay["released"]) == ("finished", MEANT, MEANT)
            assert len(came(receiver)) <= MEANT + RATE  # a kill repeats what was under way, and what was not settled yet


async def have_missed(place: Place, work: Work) -> None:
    """Give hook 1 deliveries that were given up yesterday."""
    seed = work.seed
    world = World(Caller("app", seed.app_id, 1), seed.org_id, seed.space_id, seed.app_id, 0)
    database = place.open()
    await database.write(make_past, world, 1, *["exhausted"] * MEANT, at=system_clock() - DAY)
    await database.close()
