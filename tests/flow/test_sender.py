"""One exchange with a destination, on real sockets: what it may answer, how it may fail, and which connection it takes."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable

import pytest

from tests.support.scripted_server import OK, Peer, Script, ScriptedServer, answering, hold
from tests.support.sending import (
    BOTH_LOOPS,
    NOTHING_OPEN,
    REQUEST,
    TurnedClock,
    exchange,
    loopback_guard,
    open_sockets,
    to,
    until_sockets_are,
)
from tidings.delivery.connections import INTERIM_CAP, KNOWN_CAP, WIRE_CAP, Connection
from tidings.delivery.destination import Destination
from tidings.delivery.exchange import Exchange
from tidings.delivery.outcomes import BODY_CAP, HEAD_CAP, Outcome, Reason
from tidings.delivery.sender import Sender

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
LARGE_REQUEST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n" + bytes(20_000_000)  # more than a socket takes


@pytest.fixture(scope="module", params=BOTH_LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def sender(clock: TurnedClock) -> AsyncIterator[Sender]:
    made = Sender(loopback_guard(), monotonic=clock)
    yield made
    await made.aclose()
    assert repr(made) == NOTHING_OPEN
    assert made._idle == {}


async def answered(sender: Sender, script: Script) -> Outcome:
    async with ScriptedServer(script) as server:
        return await exchange(sender, to(server))


def then_close(*pieces: bytes) -> Script:
    """Hear the request, say `pieces` one after the other, and close."""

    async def script(peer: Peer) -> None:
        await peer.request()
        for piece in pieces:
            await peer.say(piece)

    return script


def then_reset(*pieces: bytes) -> Script:
    async def script(peer: Peer) -> None:
        await then_close(*pieces)(peer)
        peer.reset()

    return script


def then_hold(*pieces: bytes) -> Script:
    async def script(peer: Peer) -> None:
        await then_close(*pieces)(peer)
        await peer.gone()

    return script


# --- what a destination may answer ---


async def test_a_2xx_is_a_success_and_is_kept_to_the_byte(sender: Sender) -> None:
    before = time.time_ns() // 1000
    async with ScriptedServer(answering(b"HTTP/1.1 202 Taken\r\nX-Thing:  a\r\nContent-Length: 2\r\n\r\nok")) as server:
        outcome = await exchange(sender, to(server))
    assert (outcome.reason, outcome.detail, outcome.status, outcome.retry_after) == (None, None, 202, None)
    assert outcome.answer_head == b"HTTP/1.1 202 Taken\r\nX-Thing:  a\r\nContent-Length: 2\r\n\r\n"
    assert outcome.answer_body == b"ok"
    assert outcome.sent == REQUEST
    assert server.requests == [REQUEST]
    assert outcome.address == "127.0.0.1"
    assert before <= outcome.started_at <= time.time_ns() // 1000


async def test_the_moments_of_an_exchange_are_in_order(sender: Sender) -> None:
    timings = (await answered(sender, answering(OK))).timings
    assert timings.resolved is not None
    assert timings.connected is not None
    assert timings.answered is not None
    assert 0 <= timings.resolved <= timings.connected <= timings.answered <= timings.ended < 5_000_000
    assert timings.secured is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *[(status, None) for status in (200, 201, 204, 226, 299)],
        *[(status, Reason.REDIRECTED) for status in (300, 301, 302, 304, 307, 308, 399)],
        *[(status, Reason.STATUS) for status in (400, 404, 410, 429, 500, 503, 599, 600, 999)],
    ],
)
async def test_only_a_2xx_is_a_success(sender: Sender, status: int, reason: Reason | None) -> None:
    outcome = await answered(sender, answering(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status))
    assert (outcome.status, outcome.reason) == (status, reason)
    assert outcome.detail is None if reason is None else outcome.detail is not None


@pytest.mark.parametrize(("status", "wait"), [(429, 7), (503, 7), (500, None), (302, None), (200, None)])
async def test_a_wait_is_heard_with_429_and_503_only(sender: Sender, status: int, wait: int | None) -> None:
    outcome = await answered(sender, answering(b"HTTP/1.1 %d X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n" % status))
    assert (outcome.status, outcome.retry_after) == (status, wait)


async def test_a_redirect_is_never_followed(sender: Sender) -> None:
    async with ScriptedServer(answering(OK)) as other:
        outcome = await answered(sender, answering(b"HTTP/1.1 307 X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % other.url.encode()))
    assert outcome.reason is Reason.REDIRECTED
    assert other.connections == 0


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", id="length"),
        pytest.param(CHUNKED, b"ok", id="chunks"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nTrailer: 1\r\n\r\n", b"ok", id="trailer"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nok", b"ok", id="until the end"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nok", b"ok", id="HTTP/1.0"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", id="HTTP/1.0, length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", b"ok", id="close"),
        pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"", id="close, empty"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", b"ok", id="other coding"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", b"\x1f\x8b", id="never inflated"),
        pytest.param(b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nok", b"ok", id="upgrade offered"),
        pytest.param(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok", id="no phrase"),
        pytest.param(b"HTTP/1.1 204 No Content\r\nContent-Length: 10\r\n\r\n", b"", id="204"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: \xff\xfe\r\nContent-Length: 2\r\n\r\nok", b"ok", id="bytes in a header"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n\r\ncontent-length: 9\r\nok", b"\r\ncontent-length: 9\r\nok", id="a length in the body"),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 1000])
async def test_an_answer_is_read_however_it_is_delimited_and_cut(sender: Sender, answer: bytes, body: bytes, piece: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        for start in range(0, len(answer), piece):
            await peer.pour(answer[start : start + piece])
            await asyncio.sleep(0)

    outcome = await answered(sender, script)
    assert (outcome.reason, outcome.answer_body) == (None, body)
    assert answer.startswith(outcome.answer_head or b"-")
    assert (outcome.answer_head or b"").endswith(b"\r\n\r\n")


async def test_answers_of_1xx_only_announce_the_one_that_counts(sender: Sender) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 4\r\n\r\n"
    outcome = await answered(sender, answering(interim + OK))
    assert (outcome.status, outcome.reason, outcome.answer_body) == (200, None, b"ok")
    assert outcome.answer_head == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


async def test_answers_of_1xx_may_come_one_by_one(sender: Sender) -> None:
    outcome = await answered(sender, then_close(*[b"HTTP/1.1 102 Busy\r\n\r\n"] * INTERIM_CAP, OK))
    assert (outcome.status, outcome.reason) == (200, None)


async def test_endless_answers_of_1xx_are_cut(sender: Sender) -> None:
    outcome = await answered(sender, then_hold(b"HTTP/1.1 100 Continue\r\n\r\n" * (INTERIM_CAP + 1)))
    assert (outcome.reason, outcome.status) == (Reason.TOO_LARGE, None)


async def test_an_answer_may_come_before_the_request_was_read(sender: Sender) -> None:
    async def script(peer: Peer) -> None:
        await peer.some()
        await peer.say(b"HTTP/1.1 413 Too large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        await peer.gone()

    async with ScriptedServer(script) as server:
        outcome = await exchange(sender, to(server), LARGE_REQUEST)
    assert (outcome.reason, outcome.status) == (Reason.STATUS, 413)


async def test_a_connection_whose_request_was_answered_half_written_is_not_kept(sender: Sender) -> None:
    async def script(peer: Peer) -> None:
        await peer.some()
        await peer.say(OK)
        await peer.gone()

    async with ScriptedServer(script) as server:
        outcome = await exchange(sender, to(server), LARGE_REQUEST)
        assert outcome.status == 200
        assert " 0 idle" in repr(sender)


# --- bounds ---


async def test_a_body_over_the_cap_is_cut_and_the_status_counts(sender: Sender) -> None:
    outcome = await answered(sender, then_hold(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * (BODY_CAP + 1)))
    assert (outcome.reason, outcome.status) == (None, 200)
    assert outcome.answer_body == b"x" * BODY_CAP
    assert " 0 idle" in repr(sender)


async def test_a_body_of_just_the_cap_is_whole(sender: Sender) -> None:
    async with ScriptedServer(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY_CAP + b"x" * BODY_CAP)) as server:
        outcome = await exchange(sender, to(server))
        assert " 1 idle" in repr(sender)
    assert (outcome.reason, len(outcome.answer_body or b"")) == (None, BODY_CAP)


async def test_a_failure_with_a_body_over_the_cap_is_a_failure(sender: Sender) -> None:
    outcome = await answered(sender, then_hold(b"HTTP/1.1 500 X\r\n\r\n" + b"x" * (BODY_CAP + 1)))
    assert (outcome.reason, outcome.status, len(outcome.answer_body or b"")) == (Reason.STATUS, 500, BODY_CAP)


async def test_chunks_that_are_all_wrapping_are_cut(sender: Sender) -> None:
    chunk = b"1;" + b"y" * 1000 + b"\r\nx\r\n"
    outcome = await answered(sender, then_hold(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk * (WIRE_CAP // 1000 + 2)))
    assert (outcome.reason, outcome.status) == (None, 200)
    assert 0 < len(outcome.answer_body or b"") < BODY_CAP


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: " + b"y" * HEAD_CAP, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (HEAD_CAP // 6)])
async def test_a_head_over_the_cap_is_too_large(sender: Sender, head: bytes) -> None:
    outcome = await answered(sender, then_hold(head))
    assert (outcome.reason, outcome.status) == (Reason.TOO_LARGE, None)
    assert outcome.answer_head == head[:HEAD_CAP]


async def test_a_whole_head_over_the_cap_is_too_large(sender: Sender) -> None:
    outcome = await answered(sender, answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + b"y" * HEAD_CAP + b"\r\n\r\n"))
    assert outcome.reason is Reason.TOO_LARGE
    assert len(outcome.answer_head or b"") == HEAD_CAP


# --- what goes wrong ---


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX\x00: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnope\r\n",
        b"RTSP/1.0 200 OK\r\n\r\n",
        b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_a_protocol_failure(sender: Sender, answer: bytes) -> None:
    outcome = await answered(sender, then_hold(answer))
    assert outcome.reason is Reason.PROTOCOL
    assert outcome.answer_head
    assert answer.startswith(outcome.answer_head)
    assert " 0 idle" in repr(sender)


async def test_a_server_that_speaks_first_is_no_http_server(sender: Sender) -> None:
    async def script(peer: Peer) -> None:
        await peer.say(b"220 mail.test ESMTP\r\n")
        await peer.gone()

    outcome = await answered(sender, script)
    assert outcome.reason is Reason.PROTOCOL
    assert outcome.answer_head == b"220 mail.test ESMTP\r\n"


@pytest.mark.parametrize("script", [then_close(), then_reset()], ids=["closed", "reset"])
async def test_no_answer_at_all_is_a_reset(sender: Sender, script: Script) -> None:
    outcome = await answered(sender, script)
    assert (outcome.reason, outcome.status, outcome.answer_head) == (Reason.RESET, None, None)
    assert outcome.timings.answered is None


async def test_a_connection_closed_at_once_is_a_reset(sender: Sender) -> None:
    async def script(peer: Peer) -> None:
        peer.reset()

    outcome = await answered(sender, script)
    assert outcome.reason in (Reason.RESET, Reason.CONNECT)


async def test_a_connection_lost_before_its_first_exchange_is_a_reset(sender: Sender) -> None:
    told: list[Outcome] = []
    destination = Destination("http", "127.0.0.1", 80)
    lost = Connection(sender, destination, "127.0.0.1", time.monotonic)
    lost.begin(Exchange(destination, REQUEST, told.append, 0, time.monotonic(), time.monotonic()))
    assert [outcome.reason for outcome in told] == [Reason.RESET]


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ((b"HTTP/1.1 200 OK\r\nX: y",), None),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",), 200),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",), 200),
        ((b"HTTP/1.1 100 Continue\r\n\r\n",), None),
    ],
)
@pytest.mark.parametrize("end", [then_close, then_reset])
async def test_an_answer_that_breaks_off_is_a_reset_even_with_a_2xx(
    sender: Sender, pieces: tuple[bytes, ...], status: int | None, end: Callable[..., Script]
) -> None:
    outcome = await answered(sender, end(*pieces))
    assert (outcome.reason, outcome.status) == (Reason.RESET, status)


async def test_a_body_until_the_end_that_is_reset_is_not_whole(sender: Sender) -> None:
    outcome = await answered(sender, then_reset(b"HTTP/1.1 200 OK\r\n\r\nok"))
    assert (outcome.reason, outcome.status, outcome.answer_body) == (Reason.RESET, 200, b"ok")


async def test_a_half_close_ends_a_body_and_nothing_else(sender: Sender) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\n\r\nok")
        peer.end()
        await peer.gone()

    assert (await answered(sender, script)).answer_body == b"ok"


async def test_nobody_listening_is_a_connect_failure(sender: Sender) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        outcome = await exchange(sender, Destination("http", "127.0.0.1", closed.getsockname()[1]))
    assert (outcome.reason, outcome.address) == (Reason.CONNECT, "127.0.0.1")
    assert "refused" in (outcome.detail or "")


# --- deadlines ---


@pytest.mark.parametrize(
    ("script", "status"),
    [
        pytest.param(hold, None, id="nothing"),
        pytest.param(then_hold(b"HTTP/1.1 200 OK\r\nX:"), None, id="half a head"),
        pytest.param(then_hold(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok"), 200, id="half a body"),
        pytest.param(then_hold(b"HTTP/1.1 200 OK\r\n\r\nok"), 200, id="a body without an end"),
        pytest.param(then_hold(b"HTTP/1.1 100 Continue\r\n\r\n"), None, id="an announcement"),
    ],
)
async def test_the_deadline_cuts_an_answer_that_is_not_whole(
    sender: Sender, clock: TurnedClock, script: Script, status: int | None
) -> None:
    async with ScriptedServer(script) as server:
        ending = asyncio.ensure_future(exchange(sender, to(server)))
        await server.until(lambda server: len(server.requests) == 1)
        await asyncio.sleep(0.02)
        clock.turned = 14.0
        await asyncio.sleep(0.12)
        assert not ending.done()
        clock.turned = 15.0
        outcome = await ending
    assert (outcome.reason, outcome.status) == (Reason.TIMEOUT_RESPONSE, status)
    assert outcome.timings.ended >= 15_000_000


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"], ids=["of the head", "of the body"])
async def test_a_slow_drip_does_not_move_the_deadline(head: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(head)
        for letter in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10_000:
            await peer.say(bytes([letter]))

    sender = Sender(loopback_guard(), exchange_timeout=0.2)
    outcome = await answered(sender, script)
    await sender.aclose()
    assert outcome.reason is Reason.TIMEOUT_RESPONSE
    assert 200_000 <= outcome.timings.ended < 5_000_000


async def test_no_connection_in_time_is_a_timeout_of_its_own() -> None:
    sender = Sender(loopback_guard(), connect_timeout=0.1)
    with socket.socket() as full:  # a queue of one: what comes after the second is not answered
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        full.setblocking(False)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        outcome = await exchange(sender, Destination("http", "127.0.0.1", full.getsockname()[1]))
        for each in waiting:
            each.close()
    await sender.aclose()
    assert (outcome.reason, outcome.address) == (Reason.TIMEOUT_CONNECT, "127.0.0.1")
    assert outcome.timings.resolved is not None
    assert outcome.timings.connected is None


# --- which connection ---


@pytest.mark.parametrize(
    "answer", [OK, CHUNKED, b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"]
)
async def test_a_connection_is_kept_and_used_again(sender: Sender, answer: bytes) -> None:
    async with ScriptedServer(answering(answer)) as server:
        outcomes = [await exchange(sender, to(server)) for _ in range(4)]
        assert server.connections == 1
        assert repr(sender) == "<Sender 0 dialling, 0 busy, 1 idle, 1 connections>"
    assert [outcome.reason for outcome in outcomes] == [None] * 4
    first, *others = [outcome.timings for outcome in outcomes]
    assert first.connected is not None
    for timings in others:
        assert (timings.resolved, timings.connected, timings.secured) == (None, None, None)
        assert timings.answered is not None
    assert {(outcome.answer_head, outcome.answer_body, outcome.address) for outcome in outcomes} == {
        (outcomes[0].answer_head, outcomes[0].answer_body, "127.0.0.1")
    }


async def test_answers_that_differ_on_one_connection_are_told_apart(sender: Sender) -> None:
    other = b"HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nbad"
    async with ScriptedServer(answering(OK, OK, other, other, OK)) as server:
        outcomes = [await exchange(sender, to(server)) for _ in range(6)]
        assert server.connections == 1
    assert [(outcome.status, outcome.answer_body) for outcome in outcomes] == [
        (200, b"ok"), (200, b"ok"), (500, b"bad"), (500, b"bad"), (200, b"ok"), (200, b"ok"),
    ]  # fmt: skip


async def test_an_answer_that_is_only_the_last_piece_of_the_one_before_is_none(sender: Sender) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK[:-2])
        await peer.say(OK[-2:])
        await peer.request()
        await peer.say(OK[-2:])
        await peer.gone()

    async with ScriptedServer(script) as server:
        assert (await exchange(sender, to(server))).status == 200
        assert (await exchange(sender, to(server))).reason is Reason.PROTOCOL
        assert server.connections == 1


async def test_a_long_answer_is_not_kept_in_memory(sender: Sender) -> None:
    async with ScriptedServer(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % KNOWN_CAP + b"x" * KNOWN_CAP)) as server:
        for _ in range(2):
            assert (await exchange(sender, to(server))).answer_body == b"x" * KNOWN_CAP
        (connection,) = sender._idle[to(server)]
        assert (connection._again, connection._known) == (b"", (0, b"", b""))


async def test_an_answer_that_begins_like_the_last_one_is_read_to_its_own_end(sender: Sender) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        await peer.request()
        await peer.say(OK[:17])
        await peer.say(b"Content-Length: 4\r\n\r\nokok")
        await peer.gone()

    async with ScriptedServer(script) as server:
        await exchange(sender, to(server))
        outcome = await exchange(sender, to(server))
        assert server.connections == 1
    assert outcome.answer_body == b"okok"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"x",
        OK + b"HTTP/1.1 200 OK\r\n",
        OK + OK,
        CHUNKED + b"0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nokmore",
        b"HTTP/1.1 204 No Content\r\n\r\nbody",
    ],
)
async def test_a_connection_is_not_kept_after_an_answer_that_is_the_last_or_has_something_behind_it(sender: Sender, answer: bytes) -> None:
    async with ScriptedServer(answering(answer)) as server:
        outcomes = [await exchange(sender, to(server)) for _ in range(2)]
        assert server.connections == 2
        assert " 0 idle" in repr(sender)
    assert {outcome.reason for outcome in outcomes} == {None}
    assert {outcome.answer_body for outcome in outcomes} <= {b"ok", b""}


async def test_bytes_that_come_while_idle_close_the_connection(sender: Sender) -> None:
    more = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        await more.wait()
        await peer.say(b"HTTP/1.1 500 Not asked for\r\nContent-Length: 0\r\n\r\n")
        await peer.gone()
        more.clear()

    async with ScriptedServer(script) as server:
        await exchange(sender, to(server))
        more.set()
        await server.until(lambda _: not more.is_set())
        assert repr(sender) == NOTHING_OPEN
        more.set()
        assert (await exchange(sender, to(server))).status == 200
        assert server.connections == 2


async def test_a_connection_that_the_server_closes_while_idle_is_dropped_at_once(sender: Sender) -> None:
    async with ScriptedServer(then_close(OK)) as server:
        assert (await exchange(sender, to(server))).status == 200
        await server.until(lambda _: repr(sender) == NOTHING_OPEN)


async def test_an_idle_connection_is_taken_by_nobody_once_its_end_was_heard(sender: Sender) -> None:
    async with ScriptedServer(answering(OK)) as server:
        await exchange(sender, to(server))
        sender._idle[to(server)][0].eof_received()  # over TLS, much may lie between this and the loss of the connection
        assert " 0 idle" in repr(sender)


@pytest.mark.parametrize("end", [Peer.reset, Peer.end])
async def test_a_request_that_meets_a_closing_connection_goes_out_again_at_once(sender: Sender, end: Callable[[Peer], None]) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        await peer.request()
        end(peer)
        await peer.gone()

    async with ScriptedServer(script) as server:
        await exchange(sender, to(server))
        server.script = answering(OK)
        outcome = await exchange(sender, to(server))
    assert (outcome.status, server.connections) == (200, 2)
    assert server.requests == [REQUEST] * 3
    assert outcome.timings.connected is not None


async def test_it_goes_out_again_once_and_not_for_ever(sender: Sender) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if not server.requests[1:]:
            await peer.say(OK)
            await peer.request()

    async with ScriptedServer(script) as server:
        await exchange(sender, to(server))
        outcome = await exchange(sender, to(server))
    assert outcome.reason is Reason.RESET
    assert (server.connections, len(server.requests)) == (2, 3)


async def test_a_request_whose_answer_began_does_not_go_out_again(sender: Sender) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        await peer.request()
        await peer.say(b"HTTP/1.1 2")

    async with ScriptedServer(script) as server:
        await exchange(sender, to(server))
        outcome = await exchange(sender, to(server))
        assert server.connections == 1
    assert outcome.reason is Reason.RESET


async def test_an_idle_connection_is_closed_after_its_time(sender: Sender, clock: TurnedClock) -> None:
    async with ScriptedServer(answering(OK)) as server:
        await exchange(sender, to(server))
        clock.turned = 19.0
        await asyncio.sleep(0.12)
        assert " 1 idle" in repr(sender)
        clock.turned = 20.0
        await server.until(lambda _: repr(sender) == NOTHING_OPEN)


async def test_a_connection_is_not_kept_beyond_its_greatest_age(sender: Sender, clock: TurnedClock) -> None:
    async with ScriptedServer(answering(OK)) as server:
        for turned in range(0, 301, 15):
            clock.turned = turned
            assert (await exchange(sender, to(server))).status == 200
        assert server.connections == 1
        await server.until(lambda _: repr(sender) == NOTHING_OPEN)


async def test_idle_connections_of_one_destination_are_bounded() -> None:
    sender = Sender(loopback_guard(), idle_each=2)
    async with ScriptedServer(answering(OK)) as one, ScriptedServer(answering(OK)) as other:
        await asyncio.gather(*[exchange(sender, to(server)) for server in (one, other) for _ in range(5)])
        assert " 4 idle" in repr(sender)
    await sender.aclose()


async def test_no_connection_is_kept_while_too_many_are_open() -> None:
    sender = Sender(loopback_guard(), kept=3)
    async with ScriptedServer(answering(OK)) as one, ScriptedServer(answering(OK)) as other:
        await asyncio.gather(*[exchange(sender, to(one)) for _ in range(3)])
        assert " 3 idle, 3 connections" in repr(sender)
        await asyncio.gather(*[exchange(sender, to(other)) for _ in range(2)])
        await one.until(lambda _: " 3 idle, 3 connections" in repr(sender))
    await sender.aclose()


async def test_the_connection_used_last_is_used_next(sender: Sender) -> None:
    async with ScriptedServer(answering(OK)) as server:
        await asyncio.gather(*[exchange(sender, to(server)) for _ in range(3)])
        last = repr(sender._idle[to(server)][-1])
        for _ in range(5):
            await exchange(sender, to(server))
        assert server.connections == 3
        assert [repr(connection) for connection in sender._idle[to(server)]][-1] == last.replace("carried 1", "carried 6")


async def test_destinations_do_not_share_connections(sender: Sender) -> None:
    async with ScriptedServer(answering(OK)) as server:
        await exchange(sender, to(server))
        await exchange(sender, to(server, ca="other certificates"))
        assert server.connections == 2


# --- how it is told ---


async def test_done_is_called_once_and_after_send_has_returned(sender: Sender) -> None:
    told: list[Outcome] = []
    async with ScriptedServer(answering(OK)) as server:
        refused = Destination("http", "10.0.0.1", 80)
        for destination in (to(server), to(server), refused):
            before = len(told)
            sender.send(destination, REQUEST, told.append)
            assert len(told) == before
            await server.until(lambda _: len(told) > before)  # noqa: B023 (it is awaited within the loop)
        await asyncio.sleep(0.02)
    assert [outcome.reason for outcome in told] == [None, None, Reason.REFUSED_ADDRESS]


async def test_done_may_send_the_next_which_takes_the_same_connection(sender: Sender) -> None:
    left = 20
    ended = asyncio.Event()

    def done(outcome: Outcome) -> None:
        nonlocal left
        left -= 1
        if left:
            sender.send(destination, REQUEST, done)
        else:
            ended.set()

    async with ScriptedServer(answering(OK)) as server:
        destination = to(server)
        sender.send(destination, REQUEST, done)
        await asyncio.wait_for(ended.wait(), 5)
        assert (server.connections, len(server.requests)) == (1, 20)


async def test_a_done_that_fails_harms_no_other_exchange(sender: Sender) -> None:
    heard: list[object] = []
    loop = asyncio.get_running_loop()
    usual = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: heard.append(context.get("exception")))

    def done(outcome: Outcome) -> None:
        raise ValueError("mine")

    async with ScriptedServer(answering(OK)) as server:
        sender.send(to(server), REQUEST, done)
        await server.until(lambda _: bool(heard))
        assert (await exchange(sender, to(server))).status == 200
        assert server.connections == 1
    loop.set_exception_handler(usual)
    assert [str(error) for error in heard] == ["mine"]


# --- the end ---


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(hold, id="waiting"),
        pytest.param(then_hold(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), id="reading"),
        pytest.param(answering(OK), id="idle"),
    ],
)
async def test_closing_leaves_nothing_open_and_tells_everyone(script: Script) -> None:
    sockets = open_sockets()
    told: list[Outcome] = []
    async with ScriptedServer(script) as server:
        sender = Sender(loopback_guard())
        for _ in range(3):
            sender.send(to(server), REQUEST, told.append)
        await server.until(lambda server: len(server.requests) == 3)
        await asyncio.sleep(0.02)
        sender.send(to(server), REQUEST, told.append)  # still dialling, or on its way
        await sender.aclose()
        assert repr(sender) == NOTHING_OPEN
        assert len(told) == 4
        assert {outcome.reason for outcome in told} <= {None, Reason.STOPPED}
        assert told[-1].reason is Reason.STOPPED
    await until_sockets_are(sockets)


async def test_closing_at_any_step_of_dialling_and_beyond_tells_everyone() -> None:
    told: list[Outcome] = []
    async with ScriptedServer(hold) as server:
        for turns in range(40):
            sender = Sender(loopback_guard())
            sender.send(to(server), REQUEST, told.append)
            for _ in range(turns):
                await asyncio.sleep(0)
            await asyncio.wait_for(sender.aclose(), 5)
            assert repr(sender) == NOTHING_OPEN
            assert [outcome.reason for outcome in told] == [Reason.STOPPED] * (turns + 1)


async def test_a_closed_sender_sends_nothing(sender: Sender) -> None:
    async with ScriptedServer(answering(OK)) as server:
        await sender.aclose()
        assert (await exchange(sender, to(server))).reason is Reason.STOPPED
        assert server.connections == 0


async def test_ten_thousand_exchanges_leave_nothing_behind(sender: Sender) -> None:
    sockets, left, told = open_sockets(), 10_000, 0
    ended = asyncio.Event()

    def done(outcome: Outcome) -> None:
        nonlocal left, told
        assert outcome.reason is None
        told += 1
        if left:
            left -= 1
            sender.send(destination, REQUEST, done)
        elif told == 10_010:
            ended.set()

    class Answers(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:  # noqa: ARG002 (asyncio's name)
            self.transport.write(OK)  # type: ignore[attr-defined]

    server = await asyncio.get_running_loop().create_server(Answers, "127.0.0.1", 0)
    destination = Destination("http", "127.0.0.1", server.sockets[0].getsockname()[1])
    gc.collect()
    blocks = sys.getallocatedblocks()
    for _ in range(10):
        sender.send(destination, REQUEST, done)
    await asyncio.wait_for(ended.wait(), 30)
    assert repr(sender) == "<Sender 0 dialling, 0 busy, 10 idle, 10 connections>"
    await sender.aclose()
    server.close()
    await until_sockets_are(sockets)
    gc.collect()
    assert sys.getallocatedblocks() - blocks < 5_000
