"""`kill -9` at any moment: whatever was acknowledged is delivered, by the next process or by the one beside it (promise 2).

Real processes, real sockets, a real receiver. The moments are random; what must hold is not.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import ExitStack

import pytest

from tests.support.databases import Place
from tests.support.processes import Serving, serving
from tests.support.receiver import Answer, Received, receiving
from tests.support.work import QUICK, Work, arrived, verified_hook, writing
from tidings.cli.seed import make_seed
from tidings.settings import Settings


async def started(stack: ExitStack, place: Place) -> Serving:
    """A ready server at `place`, killed when `stack` ends if it still runs."""
    return await asyncio.to_thread(lambda: stack.enter_context(serving(place, environment=QUICK)))


async def slow(_: Received) -> Answer:
    await asyncio.sleep(random.uniform(0, 0.02))
    return 200


async def test_what_was_acknowledged_before_kill_9_is_delivered_after_it(place: Place) -> None:
    seed = await asyncio.to_thread(make_seed, Settings(data=place.data, database=place.url))
    async with receiving(slow) as receiver:
        with ExitStack() as stack:
            first = await started(stack, place)
            work = Work(seed, [first])
            await verified_hook(work, receiver)
            async with writing(work):
                for _ in range(2):
                    await work.until_more(random.randint(15, 40))
                    work.servers[0].kill()
                    work.servers[0] = await started(stack, place)
                await work.until_more(15)
            await receiver.wait_for(lambda: work.acknowledged <= arrived(receiver), 30)
            repeated = len(receiver.forms("item.create")) - len(arrived(receiver))
            assert repeated <= 2 * 50  # a kill repeats what was under way, and what was not settled yet


@pytest.mark.parametrize("place", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
async def test_of_two_servers_on_one_database_the_other_takes_over_what_the_killed_one_held(place: Place) -> None:
    seed = await asyncio.to_thread(make_seed, Settings(data=place.data, database=place.url))
    async with receiving(slow) as receiver:
        with ExitStack() as stack:
            servers = [await started(stack, place) for _ in range(2)]
            work = Work(seed, servers)
            await verified_hook(work, receiver)
            async with writing(work):
                await work.until_more(40)
                work.servers.pop().kill()
                await work.until_more(20)
            await receiver.wait_for(lambda: work.acknowledged <= arrived(receiver), 30)


@pytest.mark.parametrize("place", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
async def test_what_was_acknowledged_survives_a_restart_of_the_database(place: Place) -> None:
    assert place.postgres is not None
    seed = await asyncio.to_thread(make_seed, Settings(data=place.data, database=place.url))
    async with receiving(slow) as receiver:
        with ExitStack() as stack:
            server = await started(stack, place)
            work = Work(seed, [server])
            await verified_hook(work, receiver)
            async with writing(work):
                await work.until_more(20)
                await asyncio.to_thread(place.postgres.stop)
                await asyncio.sleep(0.2)
                await asyncio.to_thread(place.postgres.start)
                await work.until_more(20)
            await receiver.wait_for(lambda: work.acknowledged <= arrived(receiver), 30)
