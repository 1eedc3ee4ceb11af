"""Streams: what is told, when they end, and how many there may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest

from tidings.console import live
from tidings.console.live import MOST, MOST_OF_A_SESSION, Pieces, Stream, Streams, version
from tidings.errors import NotFound, Unavailable


def stream_of(streams: Streams, *seen: Pieces | Exception) -> AsyncIterator[str]:
    """What is told of these looks; at the last of them it stays."""
    left = list(seen)

    async def look() -> Pieces:
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, Exception):
            raise now
        return now

    body: Any = Stream(streams, "ada", look).body_iterator

    async def texts() -> AsyncIterator[str]:
        async for chunk in body:
            yield chunk.decode()

    return texts()


def read(event: str) -> Any:
    return msgspec.json.decode(event.removeprefix("event: pieces\ndata: "))


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TICK", 0.001)


async def test_only_what_differs_is_told() -> None:
    first = Pieces({"a": "one", "b": "two"}, {"rows": ["a", "b"]})
    events = stream_of(Streams(), first, first, Pieces({"a": "one", "b": "three"}, {"rows": ["a", "b"]}), NotFound())
    assert (await anext(events)).startswith("retry: ")
    assert read(await anext(events)) == {
        "html": [["a", version("one"), "one"], ["b", version("two"), "two"]],
        "lists": {"rows": ["a", "b"]},
    }
    assert read(await anext(events)) == {"html": [["b", version("three"), "three"]], "lists": {}}


async def test_an_order_that_has_changed_is_told_alone() -> None:
    html = {"a": "one", "b": "two"}
    events = stream_of(Streams(), Pieces(html, {"rows": ["a", "b"]}), Pieces(html, {"rows": ["b", "a"]}), NotFound())
    *_, last = [event async for event in events]
    assert read(last) == {"html": [], "lists": {"rows": ["b", "a"]}}


async def test_no_line_break_of_a_title_begins_a_line_of_the_stream() -> None:
    hostile = "x\n\nevent: pieces\rdata: {}\u2028\r\n\r\n"
    *_, event = [event async for event in stream_of(Streams(), Pieces({"a": hostile}), NotFound())]
    assert event.count("\n") == 3
    assert "\r" not in event
    assert read(event)["html"][0][2] == hostile


async def test_a_stream_ends_when_its_page_may_not_be_seen_any_more() -> None:
    events = [event async for event in stream_of(Streams(), Pieces({"a": "one"}), NotFound())]
    assert len(events) == 2


async def test_a_defect_ends_a_stream_and_says_nothing() -> None:
    assert [event async for event in stream_of(Streams(), ValueError("a secret"))] == ["retry: 2000\n\n"]


async def test_a_stream_ends_by_itself_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LASTS", 0.01)
    assert len([event async for event in stream_of(Streams(), Pieces({"a": "one"}))]) == 2


async def test_all_streams_end_at_once_when_the_server_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TICK", 60)
    streams = Streams()
    events = stream_of(streams, Pieces({"a": "one"}))
    await anext(events)
    await anext(events)
    streams.stop()
    async with asyncio.timeout(1):
        assert [event async for event in events] == []
    with pytest.raises(Unavailable, match="stopping"):
        streams.check("ada")


def test_a_session_and_a_server_have_so_many_streams_and_no_more() -> None:
    streams, one_more = Streams(), ExitStack()
    with one_more:
        for _ in range(MOST_OF_A_SESSION):
            streams.check("ada")
            one_more.enter_context(streams.one_more("ada"))
        with pytest.raises(Unavailable, match="Too many pages"):
            streams.check("ada")
        for number in range(MOST - MOST_OF_A_SESSION):
            one_more.enter_context(streams.one_more(f"session {number}"))
        with pytest.raises(Unavailable, match="Too many pages"):
            streams.check("bob")
    streams.check("ada")


async def test_a_stream_is_counted_while_it_is_answered() -> None:
    streams, looks = Streams(), list[str]()

    async def look() -> Pieces:
        looks.append("one")
        with pytest.raises(Unavailable):
            streams.check("ada")
        raise NotFound

    async def send(_message: Any) -> None: ...

    async def receive() -> dict[str, str]:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    with ExitStack() as others:
        for _ in range(MOST_OF_A_SESSION - 1):
            others.enter_context(streams.one_more("ada"))
        await Stream(streams, "ada", look)({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
        streams.check("ada")
    assert looks == ["one"]
