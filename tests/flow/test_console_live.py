"""A hook's page while somebody looks at it: what happens appears on it, and no open page holds up a server that stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from html import unescape
from typing import Any

import httpx
import msgspec
import pytest

from tests.support.browsing import Browser
from tests.support.databases import AnyDatabase, Place
from tests.support.house import PASSWORD, Api, open_api, serving_app
from tests.support.processes import serving
from tests.support.receiver import Answer, Received, receiving
from tidings.cli.seed import Seed, make_seed
from tidings.client import Client
from tidings.console.live import MOST_OF_A_SESSION
from tidings.settings import Settings


class Watched:
    """What a page with this stream has been told, piece by piece."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.html: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}

    async def until(self, piece: str, words: str) -> str:
        """Wait until `piece` says `words`, and answer it."""
        async with asyncio.timeout(20):
            while words not in unescape(self.html.get(piece, "")):
                await self.more()
        return self.html[piece]

    async def end(self) -> None:
        """Wait until the stream has ended."""
        async with asyncio.timeout(20):
            with suppress(StopAsyncIteration):
                while True:
                    await self.more()

    async def more(self) -> None:
        """Take in one more event. Raises StopAsyncIteration at the end of the stream."""
        while not (line := await anext(self._lines)).startswith("data: "):
            pass
        told: Any = msgspec.json.decode(line.removeprefix("data: "))
        self.html |= {name: html for name, _version, html in told["html"]}
        self.lists |= told["lists"]


@asynccontextmanager
async def watching(browser: Browser, path: str) -> AsyncIterator[Watched]:
    """The stream at `path`."""
    async with browser.http.stream("GET", path) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        yield Watched(answer.aiter_lines())


@asynccontextmanager
async def browsing(url: str, username: str, password: str) -> AsyncIterator[Browser]:
    """Somebody's browser, signed in."""
    async with httpx.AsyncClient(base_url=url, timeout=20) as http:
        browser = Browser(http)
        page = await browser.open("/sign-in")
        assert (await browser.send(page, "/sign-in", username=username, password=password)).status == 200
        yield browser


async def client_of(seed: Seed, url: str) -> Client:
    client = Client(url, seed.client_id, seed.client_secret)
    await asyncio.to_thread(client.authenticate_with_app, seed.app_id, seed.app_token)
    return client


@pytest.mark.only("sqlite", reason="it is about the page")
async def test_from_sign_in_to_deliveries_that_appear_on_an_open_page(place: Place) -> None:
    seed = await asyncio.to_thread(make_seed, Settings(data=place.data, database=place.url))
    codes = list[str]()

    async def answers(came: Received) -> Answer:
        codes.extend([came.form["code"]] if "code" in came.form else [])
        return b"HTTP/1.1 500 No\r\nContent-Length: 8\r\n\r\n<script>" if "Broken" in came.form.get("external_id", "") else 200

    with serving(place) as server:
        client = await client_of(seed, server.url)
        async with browsing(server.url, seed.username, seed.password) as ada, receiving(answers) as receiver:
            page = await ada.open(f"/console/apps/{seed.app_id}/developer")
            made = await ada.send(page, f"/console/apps/{seed.app_id}/hooks", url=f"{receiver.url}/in", type="item.create")
            async with watching(ada, "/console/hooks/1/live") as hook:
                await hook.until("standing", "Your receiver has it")
                verified = await ada.send(made, "/console/hooks/1/validate", code=codes[0])
                assert "Verified" in verified.words
                assert "Not verified" not in await hook.until("standing", "Send a test")
                await asyncio.to_thread(client.items.create, seed.app_id, {"title": "one"})
                assert "item 1" in await hook.until("delivery-2", "Delivered")
                assert hook.lists["deliveries"] == ["delivery-2", "delivery-1"]
                await asyncio.to_thread(client.items.create, seed.app_id, {"title": "two"}, external_id="Broken")
                await hook.until("delivery-3", "answered 500")
                await hook.until("health", "Last success")
            async with watching(ada, "/console/hooks/1/deliveries/3/live") as delivery:
                assert "&lt;script&gt;" in await delivery.until("delivery", "1 attempt")
                shown = await ada.open("/console/hooks/1/deliveries/3")
                await ada.send(shown, "/console/hooks/1/deliveries/3/redeliver")
                await delivery.until("delivery", "2 attempts")
                began = time.monotonic()
                assert await asyncio.to_thread(server.stop) == 0
                assert time.monotonic() - began < 5
                await delivery.end()


async def test_a_session_has_so_many_streams_and_a_stop_ends_them_all_at_once(sqlite: AnyDatabase) -> None:
    async with open_api(sqlite) as api, AsyncExitStack() as later:
        await _make_hook(api)
        with serving_app(api) as port:
            ada = await later.enter_async_context(browsing(f"http://127.0.0.1:{port}", "ada@example.org", PASSWORD))
            watched = [await later.enter_async_context(watching(ada, "/console/hooks/1/live")) for _ in range(MOST_OF_A_SESSION)]
            for hook in watched:
                await hook.until("standing", "Not verified")
            assert (await ada.http.head("/console/hooks/1/live")).headers["cache-control"] == "no-store"  # and is at an end
            refused = await ada.open("/console/hooks/1/live")
            assert (refused.status, "Too many pages are open" in refused.words) == (503, True)
            began = time.monotonic()
        assert time.monotonic() - began < 5


async def test_a_stream_ends_with_the_session(sqlite: AnyDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.console.live.TICK", 0.01)
    async with open_api(sqlite) as api:
        await _make_hook(api)
        with serving_app(api) as port:
            async with browsing(f"http://127.0.0.1:{port}", "ada@example.org", PASSWORD) as ada:
                page = await ada.open("/console")
                async with watching(ada, "/console/hooks/1/live") as hook:
                    await hook.until("standing", "Not verified")
                    await ada.send(page, "/sign-out")
                    await hook.end()


async def _make_hook(api: Api) -> None:
    await api.post(f"/hook/app/{api.people.app_id}", {"url": "https://example.org/", "type": "item.create"})
