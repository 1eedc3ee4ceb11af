"""Where the parts meet: what a house refuses, when a server is ready, and who may serve beside whom."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import uvloop

from tests.support.databases import Place, place_on_postgres
from tests.support.house import open_api
from tests.support.in_process import InProcess
from tests.support.postgres import Postgres
from tests.support.processes import serving
from tidings.errors import Invalid, Unavailable
from tidings.server import build_app, handles, make_engine, open_house
from tidings.settings import Settings
from tidings.telemetry.facts import Telemetry


def test_a_house_cannot_be_opened_with_settings_that_make_no_sense(tmp_path: Path) -> None:
    wrong = (
        Settings(data=tmp_path, allow=("[",)),
        Settings(data=tmp_path, proxy="https://proxy:1"),
        Settings(data=tmp_path, key="short"),
        Settings(data=tmp_path, database="mysql://x"),
    )
    for settings in wrong:
        with pytest.raises(Invalid):
            open_house(settings)


def test_a_house_whose_database_is_away_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        open_house(Settings(data=tmp_path, database="postgresql://nobody@127.0.0.1:1/none"))


async def test_it_is_ready_while_the_engine_delivers_and_the_database_answers(place: Place) -> None:
    async with open_api(place.open()) as api:
        engine = make_engine(api.house, Telemetry())
        app = build_app(api.house, engine)

        async def status_of(path: str) -> int:
            async with httpx.AsyncClient(transport=InProcess(app), base_url="http://x") as http:
                return (await http.get(path)).status_code

        assert await status_of("/health/ready") == 503
        async with app.router.lifespan_context(app):
            async with asyncio.timeout(10):
                while await status_of("/health/ready") == 503:  # noqa: ASYNC110  as a balancer asks
                    await asyncio.sleep(0.01)
            assert [await status_of(path) for path in ("/health/live", "/health/ready", "/metrics")] == [200, 200, 200]
        assert [await status_of(path) for path in ("/health/live", "/health/ready", "/metrics")] == [200, 503, 200]


async def test_a_scrape_says_how_much_waits(place: Place) -> None:
    database = place.open()
    async with open_api(database) as api:
        assert "tidings_events_waiting 2.0" in (await api.get("/metrics", access=None)).text  # its app.create, its first member.add
        await api.post(f"/hook/app/{api.people.app_id}", {"url": "https://example.org/", "type": "item.create"})
        answer = await api.get("/metrics", access=None)
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert "tidings_events_waiting 3.0" in answer.text
    await database.close()


def test_64_clients_who_come_at_once_are_let_in_within_a_few_turns_of_the_loop() -> None:
    let_in: list[asyncio.BaseTransport] = []

    class Guest(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            let_in.append(transport)

    async def count_turns() -> int:
        listener, turns = socket.create_server(("127.0.0.1", 0), backlog=64), 0
        with ExitStack() as clients:
            for _ in range(64):
                clients.enter_context(socket.create_connection(listener.getsockname()))
            servers = [await asyncio.get_running_loop().create_server(Guest, sock=each) for each in handles(listener)]
            while len(let_in) < 64 and turns < 1_000:
                await asyncio.sleep(0)
                turns += 1
            for server in servers:
                server.close()
            for transport in let_in:
                transport.close()
        return turns

    assert uvloop.run(count_turns()) < 16
    assert len(let_in) == 64


@pytest.mark.postgresql
def test_a_second_server_on_one_postgresql_is_welcome(postgres: Postgres, tmp_path: Path) -> None:
    with place_on_postgres(postgres, tmp_path) as place, serving(place) as first, serving(place) as second:
        assert first.is_ready()
        assert second.is_ready()
