"""Any bytes at all may come as an answer: there is one outcome, no exception, and never somebody else's answer."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.scripted_server import Peer, ScriptedServer
from tests.support.sending import BOTH_LOOPS, NOTHING_OPEN, REQUEST, loopback_guard, to
from tidings.delivery.outcomes import BODY_CAP, HEAD_CAP, Outcome, Reason
from tidings.delivery.sender import Sender


@pytest.fixture(scope="module", params=BOTH_LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


PARTS = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.0 503 No\r\n", b"HTTP/1.1 101 X\r\n",
    b"HTTP/1.1 204 X\r\n", b"HTTP/1.1 304 X\r\n", b"HTTP/1.1 429 X\r\nRetry-After: 99999999999999999999\r\n",
    b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Content-Length: 18446744073709551615\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"Retry-After: -1\r\n", b"X: \xff\x00\r\n", b" folded\r\n", b"\r\n", b"\n",
    b"5\r\n", b"hello", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"\x00", b"H", b"X" * 40_000,
]  # fmt: skip
pieces = st.lists(st.one_of(st.sampled_from(PARTS), st.binary(max_size=30)), max_size=9)


@given(pieces=pieces, end=st.sampled_from([Peer.reset, Peer.end, None]), cut=st.booleans())
@settings(max_examples=150)
async def test_whatever_comes_back_is_one_outcome_and_never_an_exception(pieces: list[bytes], end: object, cut: bool) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        for piece in pieces if cut else [b"".join(pieces)]:
            await peer.pour(piece)
            await asyncio.sleep(0)
        if callable(end):
            end(peer)

    told: list[Outcome] = []
    async with ScriptedServer(script) as server:
        sender = Sender(loopback_guard(), exchange_timeout=1.0)
        sender.send(to(server), REQUEST, told.append)
        await server.until(lambda _: bool(told))
        await asyncio.sleep(0)
        await sender.aclose()
    assert repr(sender) == NOTHING_OPEN
    (outcome,) = told
    check(outcome, b"".join(pieces))


def check(outcome: Outcome, answer: bytes) -> None:
    """What is true of every outcome, whatever `answer` was."""
    head, body = outcome.answer_head or b"", outcome.answer_body or b""
    assert len(head) <= HEAD_CAP
    assert len(body) <= BODY_CAP
    assert head in answer
    assert outcome.timings.ended >= 0
    assert outcome.retry_after is None or (0 <= outcome.retry_after < 2**31 and outcome.status in (429, 503))
    if outcome.reason is None:
        assert outcome.status is not None
        assert 200 <= outcome.status < 300
        assert outcome.detail is None
        assert head.startswith(b"HTTP/1.")
        assert head.endswith(b"\r\n\r\n")
    else:
        assert outcome.reason in (
            Reason.RESET, Reason.PROTOCOL, Reason.TOO_LARGE, Reason.STATUS, Reason.REDIRECTED, Reason.TIMEOUT_RESPONSE,
        )  # fmt: skip
        assert outcome.detail


SECOND = b"HTTP/1.1 299 Second\r\nContent-Length: 6\r\n\r\nsecond"


@given(pieces=pieces)
@settings(max_examples=100)
async def test_what_stands_behind_an_answer_is_never_taken_for_the_next_one(pieces: list[bytes]) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if server.connections == 1 and len(server.requests) == 1:
            await peer.pour(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + b"".join(pieces))
            await peer.request()
        await peer.pour(SECOND)
        await peer.gone()

    told: list[Outcome] = []
    async with ScriptedServer(script) as server:
        sender = Sender(loopback_guard(), exchange_timeout=1.0)
        for count in (1, 2):
            sender.send(to(server), REQUEST, told.append)
            await server.until(lambda _: len(told) == count)  # noqa: B023 (it is awaited within the loop)
            for _ in range(6):  # what stands behind it arrives, if not in one piece with it
                await asyncio.sleep(0)
        await sender.aclose()
    first, second = told
    assert (first.status, first.answer_body) == (200, b"ok")
    assert (second.status, second.answer_body) == (299, b"second")
