"""What the network does to a client, and what the client makes of it: the one that blocks and the one that is awaited alike.

The other side is a server that says what a test tells it to, byte for byte.
"""

from __future__ import annotations

import asyncio
import gc
import io
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support.certificates import server_context
from tests.support.either import Either
from tests.support.scripted_server import Peer, ScriptedServer, answering, hold
from tidings import errors
from tidings.client import Client, MemoryStore, Tokens, cause
from tidings.errors import TidingsError

ITEM = b'{"item_id": 42}'


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def refusal(status: int, error: str = "x", description: str = "why", **headers: str) -> bytes:
    return answer(status, json.dumps({"error": error, "error_description": description}).encode(), **headers)


def tokens(number: int) -> bytes:
    return answer(200, json.dumps({"access_token": f"T{number}", "refresh_token": f"R{number}", "expires_in": 28800}).encode())


EXPIRED = refusal(401, "unauthorized", "expired_token")


@pytest.fixture(params=["blocking", "awaiting"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(kind: str) -> Iterator[Callable[..., Either]]:
    made: list[Either] = []

    def make_one(server: ScriptedServer, **options: Any) -> Either:
        made.append(Either(kind, server.url.removesuffix("/hook"), **options))
        return made[-1]

    yield make_one
    for each in made:
        with suppress(RuntimeError):  # its loop is over
            each.client._driver.close()


Make = Callable[..., Either]


def held(number: int = 1) -> MemoryStore:
    store = MemoryStore()
    store.save(Tokens(f"T{number}", f"R{number}"))
    return store


def get(client: Any) -> Any:
    return client.items.get(42)


def create(client: Any) -> Any:
    return client.items.create(5, {})


# --- connections -------------------------------------------------------------------------------------------------------


async def test_a_connection_is_used_again(make: Make) -> None:
    async with ScriptedServer(answering(answer(200, ITEM))) as server:
        either = make(server)
        for _ in range(3):
            assert await either(get) == {"item_id": 42}
        assert (server.connections, len(server.requests)) == (1, 3)


def has_hung_up(either: Either) -> bool:
    (connection,) = either.client._driver._idle
    return not connection.is_fresh() if either.blocks else bool(connection.has_spoken)


async def test_one_that_the_server_has_closed_meanwhile_is_not(make: Make) -> None:
    async def once(peer: Peer) -> None:
        await peer.request()
        await peer.say(answer(200, ITEM))

    async with ScriptedServer(once) as server:
        either = make(server)
        for _ in range(3):
            assert await either(create) == {"item_id": 42}
            await server.until(lambda _: has_hung_up(either))
        assert (server.connections, either.pauses) == (3, [])


async def test_one_that_is_closed_as_it_is_used_again_is_replaced_at_once_where_that_is_safe(make: Make) -> None:
    async def deaf(peer: Peer) -> None:
        await peer.request()
        await peer.say(answer(200, ITEM))
        await peer.request()  # and hangs up

    async with ScriptedServer(deaf) as server:
        either = make(server)
        await either(get)
        assert await either(get) == {"item_id": 42}
        assert (server.connections, either.pauses) == (2, [])
        with pytest.raises(errors.Unavailable):
            await either(create)


async def test_connections_that_nobody_used_for_long_are_closed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    both, gone = asyncio.Barrier(2), 0

    async def together(peer: Peer) -> None:
        nonlocal gone
        await peer.request()
        if len(server.requests) <= 2:
            await both.wait()
        await peer.say(answer(200, ITEM))
        await peer.gone()
        gone += 1

    async with ScriptedServer(together) as server:
        either = make(server)
        await either.at_once(get, 2)
        for module in ("blocking", "awaiting"):
            monkeypatch.setattr(f"tidings.client.{module}.IDLE_LIMIT", 0.0)
        await either(get)
        await server.until(lambda server: server.connections == 3 and gone == 2)


async def test_a_server_that_says_close_is_believed(make: Make) -> None:
    async with ScriptedServer(answering(answer(200, ITEM, Connection="close"))) as server:
        either = make(server)
        await either(get)
        await either(get)
        assert server.connections == 2


async def test_calls_at_the_same_time_have_a_connection_each(make: Make) -> None:
    both = asyncio.Barrier(2)

    async def together(peer: Peer) -> None:
        await peer.request()
        await both.wait()
        await peer.say(answer(200, ITEM))

    async with ScriptedServer(together) as server:
        assert await make(server).at_once(get, 2) == [{"item_id": 42}] * 2


@pytest.mark.parametrize(
    "said",
    [
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"ite\r\nA;x=y\r\nm_id": 42}\r\n0\r\nX: y\r\n\r\n',
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + ITEM,
        b"HTTP/1.0 200 OK\r\n\r\n" + ITEM,
        b"HTTP/1.1 200\r\ncontent-LENGTH:15\r\n\r\n" + ITEM,
    ],
    ids=["chunks", "words on the way", "until the end", "few words"],
)
async def test_an_answer_is_read_however_it_is_framed_and_cut(make: Make, said: bytes) -> None:
    async def drip(peer: Peer) -> None:
        await peer.request()
        for at in range(0, len(said), 7):
            await peer.say(said[at : at + 7])

    async with ScriptedServer(drip) as server:
        assert await make(server)(get) == {"item_id": 42}


# --- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nContent-Length: 3\r\n\r\n" + ITEM,
        b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\n" + ITEM,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n" + ITEM,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + ITEM,
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,
        b"HTTP/1.1 200 OK\r\n: x\r\n\r\n",
    ],
)  # fmt: skip
async def test_an_answer_that_cannot_be_read_is_unavailable(make: Make, said: bytes) -> None:
    async def say(peer: Peer) -> None:
        await peer.request()
        await peer.say(said)

    async with ScriptedServer(say) as server:
        with pytest.raises(errors.Unavailable) as caught:
            await make(server, retries=0)(get)
        assert caught.value.status is None


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"])
async def test_a_server_that_does_not_answer_in_time_is_unavailable(make: Make, begun: bytes) -> None:
    async def stall(peer: Peer) -> None:
        await peer.request()
        await peer.pour(begun)
        await peer.gone()

    async with ScriptedServer(stall) as server:
        with pytest.raises(errors.Unavailable, match=r"did not answer within 0\.1 seconds"):
            await make(server, retries=0, timeout=0.1)(get)


async def test_a_server_that_drips_does_not_hold_a_call_for_ever(make: Make) -> None:
    async def drip(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 15000\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                await peer.say(b"x")
                await asyncio.sleep(0.02)

    async with ScriptedServer(drip) as server:
        with pytest.raises(errors.Unavailable, match="within"):
            await make(server, retries=0, timeout=0.2)(get)


async def test_an_answer_that_is_too_long_is_not_kept(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.client.exchange.LONGEST_ANSWER", 1000)
    async with ScriptedServer(answering(answer(200, b"x" * 100_000))) as server:
        with pytest.raises(errors.TooLarge):
            await make(server)(get)


async def test_a_redirect_is_not_followed(make: Make) -> None:
    async with ScriptedServer(answering(answer(302, Location="http://127.0.0.1:1/"))) as server:
        with pytest.raises(TidingsError, match="HTTP 302") as caught:
            await make(server)(get)
        assert (caught.value.status, len(server.requests)) == (302, 1)


async def test_a_call_that_is_cancelled_leaves_nothing_behind(kind: str) -> None:
    async with ScriptedServer(hold) as server:
        either = Either("awaiting", server.url.removesuffix("/hook"))
        task = asyncio.create_task(either(get))
        await server.until(lambda server: bool(server.requests))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert either.client._driver._idle == []


# --- TLS ---------------------------------------------------------------------------------------------------------------


async def test_a_certificate_is_verified(kind: str) -> None:
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with ScriptedServer(answering(answer(200, ITEM)), tls=server_context(authority, "localhost")) as server:
        named = f"https://localhost:{server.port}"
        either = Either(kind, named, tls=trusting)
        assert [await either(get), await either(get)] == [{"item_id": 42}] * 2
        assert server.connections == 1
        with pytest.raises(errors.Unavailable):
            await Either(kind, named, retries=0)(get)
        with pytest.raises(errors.Unavailable):
            await Either(kind, f"https://127.0.0.1:{server.port}", tls=trusting, retries=0)(get)
        either.client._driver.close()


# --- what is repeated --------------------------------------------------------------------------------------------------


async def break_off(peer: Peer) -> None:
    await peer.request()
    peer.reset()


def once(first: Callable[[Peer], Awaitable[None]], then: bytes) -> Callable[[Peer], Awaitable[None]]:
    """`first` for the first connection, and an answer for the others."""
    seen: list[Peer] = []

    async def script(peer: Peer) -> None:
        seen.append(peer)
        await (first(peer) if len(seen) == 1 else answering(then)(peer))

    return script


async def test_a_call_that_is_safe_to_repeat_is_repeated(make: Make) -> None:
    async with ScriptedServer(once(break_off, answer(200, ITEM))) as server:
        either = make(server)
        assert await either(get) == {"item_id": 42}
        assert len(either.pauses) == 1


async def test_a_creation_of_which_nobody_knows_is_not(make: Make) -> None:
    async with ScriptedServer(once(break_off, answer(200, ITEM))) as server:
        with pytest.raises(errors.Unavailable):
            await make(server)(create)
        assert len(server.requests) == 1


async def test_an_update_that_names_a_revision_is_not_either(make: Make) -> None:
    async with ScriptedServer(once(break_off, answer(200, b'{"revision": 4}'))) as server:
        with pytest.raises(errors.Unavailable):
            await make(server)(lambda client: client.items.update(42, {}, revision=3))


async def test_a_creation_that_was_never_sent_is_repeated(kind: str) -> None:
    either = Either(kind, "http://127.0.0.1:1", retries=3)
    with pytest.raises(errors.Unavailable, match="Connection refused"):
        await either(create)
    assert len(either.pauses) == 3
    assert either.pauses == sorted(either.pauses)


async def test_a_deletion_that_is_found_done_has_succeeded(make: Make) -> None:
    async with ScriptedServer(once(break_off, refusal(410, "gone"))) as server:
        assert await make(server)(lambda client: client.items.delete(42)) is None

    async with ScriptedServer(answering(refusal(410, "gone"))) as server:
        with pytest.raises(errors.Gone):
            await make(server)(lambda client: client.items.delete(42))


async def test_an_overloaded_server_is_asked_again_as_late_as_it_says(make: Make) -> None:
    async with ScriptedServer(answering(refusal(503, Retry_After="7"), refusal(504), answer(200, ITEM))) as server:
        either = make(server)
        assert await either(get) == {"item_id": 42}
        assert either.pauses[0] == 7.0


async def test_it_gives_up_in_the_end(make: Make) -> None:
    async with ScriptedServer(answering(refusal(503))) as server:
        either = make(server, retries=2)
        with pytest.raises(errors.Unavailable) as caught:
            await either(get)
        assert (caught.value.status, len(server.requests)) == (503, 3)


async def test_a_rate_limit_is_an_error_unless_one_asks_to_wait(make: Make) -> None:
    limited = refusal(420, "rate_limit", Retry_After="120")
    async with ScriptedServer(answering(limited)) as server:
        with pytest.raises(errors.RateLimited):
            await make(server)(create)
        assert len(server.requests) == 1

    async with ScriptedServer(answering(limited, limited, answer(200, ITEM))) as server:
        either = make(server, wait_for_rate_limit=True)
        assert await either(create) == {"item_id": 42}
        assert either.pauses == [120.0, 120.0]


async def test_the_waiting_for_a_rate_limit_has_a_bound(make: Make) -> None:
    async with ScriptedServer(answering(refusal(420, "rate_limit"))) as server:
        either = make(server, wait_for_rate_limit=True, longest_wait=150)
        with pytest.raises(errors.RateLimited):
            await either(get)
        assert either.pauses == [60.0, 60.0]


# --- tokens ------------------------------------------------------------------------------------------------------------


async def test_many_calls_with_an_expired_token_are_one_refresh(make: Make) -> None:
    refreshes = 0

    async def script(peer: Peer) -> None:
        nonlocal refreshes
        while True:
            request = await peer.request()
            if request.startswith(b"POST /oauth/token"):
                refreshes += 1
                assert b"grant_type=refresh_token&refresh_token=R1" in request
                await peer.say(tokens(2))
            else:
                await peer.say(answer(200, ITEM) if b"OAuth2 T2" in request else EXPIRED)

    async with ScriptedServer(script) as server:
        either = make(server, store=held())
        assert await either.at_once(get, 10) == [{"item_id": 42}] * 10
        assert refreshes == 1
        assert either.client.tokens == Tokens("T2", "R2")


async def test_where_a_refresh_is_refused_the_grant_is_used_again(make: Make) -> None:
    said = [tokens(1), EXPIRED, refusal(400, "invalid_grant"), tokens(3), answer(200, ITEM)]
    async with ScriptedServer(answering(*said)) as server:
        either = make(server)
        await either(lambda client: client.authenticate_with_app(5, "t0ken"))
        assert await either(get) == {"item_id": 42}
        assert b"grant_type=app&app_id=5&app_token=t0ken" in server.requests[3]


async def test_a_refresh_goes_on_for_the_others_when_its_caller_gives_up() -> None:
    heard, told, refreshes = asyncio.Event(), asyncio.Event(), 0

    async def script(peer: Peer) -> None:
        nonlocal refreshes
        while True:
            request = await peer.request()
            if request.startswith(b"POST /oauth/token"):
                refreshes += 1
                heard.set()
                await told.wait()
                await peer.say(tokens(2))
            else:
                await peer.say(answer(200, ITEM) if b"OAuth2 T2" in request else EXPIRED)

    async with ScriptedServer(script) as server:
        either = Either("awaiting", server.url.removesuffix("/hook"), store=held())
        first = asyncio.create_task(either(get))
        await heard.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        told.set()
        assert await either(get) == {"item_id": 42}
        assert (refreshes, either.client.tokens) == (1, Tokens("T2", "R2"))
        either.client._driver.close()


async def test_a_connection_is_not_shared_with_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer(answering(answer(200, ITEM))) as server:
        either = Either("blocking", server.url.removesuffix("/hook"))
        await either(get)
        monkeypatch.setattr("os.getpid", lambda: -1)
        await either(get)
        assert server.connections == 2
        either.client._driver.close()


async def test_a_refresh_that_another_program_was_quicker_with_is_taken_over(make: Make) -> None:
    class Shared:
        """What another program saves to, a moment after its refresh was answered."""

        def __init__(self) -> None:
            self.looks = 0

        def load(self) -> Tokens:
            self.looks += 1
            return Tokens("T1", "R1") if self.looks <= 4 else Tokens("T2", "R2")

        def save(self, tokens: Tokens) -> None:
            raise AssertionError(tokens)

    async with ScriptedServer(answering(EXPIRED, refusal(400, "invalid_grant"), answer(200, ITEM))) as server:
        either = make(server, store=Shared())
        assert await either(get) == {"item_id": 42}
        assert either.pauses == [0.1, 0.4]
        assert b"OAuth2 T2" in server.requests[2]


async def test_a_code_is_used_once(make: Make) -> None:
    async with ScriptedServer(answering(tokens(1), EXPIRED, refusal(400, "invalid_grant", "dead"))) as server:
        either = make(server)
        await either(lambda client: client.authenticate_with_code("c0de", "https://me.example/back", code_verifier="v" * 43))
        assert (
            b"grant_type=authorization_code&code=c0de&redirect_uri=https%3A%2F%2Fme.example%2Fback&code_verifier=vvv" in server.requests[0]
        )
        with pytest.raises(errors.InvalidGrant, match="dead"):
            await either(get)
        assert len(server.requests) == 3


async def test_a_token_without_a_right_is_not_refreshed(make: Make) -> None:
    async with ScriptedServer(answering(refusal(401, "unauthorized", "invalid_request"))) as server:
        with pytest.raises(errors.Unauthorized):
            await make(server, store=held())(get)
        assert len(server.requests) == 1


# --- files -------------------------------------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_a_download_that_breaks_off_leaves_no_file(make: Make, tmp_path: Path) -> None:
    async def half(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{")

    async with ScriptedServer(half) as server:
        with pytest.raises(errors.Unavailable):
            await make(server)(lambda client: client.files.download(7, tmp_path / "x"))
        assert (names(tmp_path), len(server.requests)) == ([], 1)


async def test_a_download_that_is_refused_is_an_error_and_no_file(make: Make, tmp_path: Path) -> None:
    async with ScriptedServer(answering(refusal(404, "not_found"))) as server:
        with pytest.raises(errors.NotFound):
            await make(server)(lambda client: client.files.download(7, tmp_path / "x"))
        assert names(tmp_path) == []


async def test_what_the_disk_says_is_not_laid_to_the_network(make: Make, tmp_path: Path) -> None:
    class Full:
        def write(self, _: bytes) -> None:
            raise OSError("no space left")

    async with ScriptedServer(answering(answer(200, b"bytes"))) as server:
        with pytest.raises(OSError, match="no space left"):
            await make(server)(lambda client: client.files.download(7, Full()))
        with pytest.raises(FileNotFoundError):
            await make(server)(lambda client: client.files.upload(tmp_path / "none"))


async def test_an_upload_whose_length_nobody_knows_goes_in_chunks(make: Make) -> None:
    class Pipe:
        def __init__(self) -> None:
            self._inner = io.BytesIO(b"0123456789")

        def read(self, _: int) -> bytes:
            return self._inner.read(4)

    heard = bytearray()

    async def listen(peer: Peer) -> None:
        await peer.request()
        while not heard.endswith(b"0\r\n\r\n"):
            heard.extend(await peer._reader.read(65_536))
        await peer.say(answer(200, b'{"file_id": 7}'))

    async with ScriptedServer(listen) as server:
        assert (await make(server)(lambda client: client.files.upload(Pipe(), "x.bin")))["file_id"] == 7
        assert b"transfer-encoding: chunked" in server.requests[0].lower()
        assert b"4\r\n0123\r\n4\r\n4567\r\n2\r\n89\r\n" in heard


async def test_an_upload_is_sent_again_with_a_new_token(make: Make) -> None:
    async with ScriptedServer(answering(EXPIRED, tokens(2), answer(200, b'{"file_id": 7}'))) as server:
        source = io.BytesIO(b"--skipped--the bytes")
        source.seek(11)
        assert (await make(server, store=held())(lambda client: client.files.upload(source, "x")))["file_id"] == 7
        assert b"\r\n\r\nthe bytes\r\n--" in server.requests[0]
        assert b"\r\n\r\nthe bytes\r\n--" in server.requests[2]


async def test_a_file_that_is_refused_while_it_is_sent_is_refused_in_the_servers_words(make: Make) -> None:
    async def refuse(peer: Peer) -> None:
        await peer._reader.readuntil(b"\r\n\r\n")
        await peer.say(refusal(413, "too_large", "The file is too large", Connection="close"))
        await peer.gone()

    async with ScriptedServer(refuse) as server:
        with pytest.raises(errors.TooLarge, match="The file is too large"):
            await make(server)(lambda client: client.files.upload(b"x" * 20_000_000, "x"))


# --- what goes along ---------------------------------------------------------------------------------------------------


async def test_what_caused_a_call_is_said_with_it(make: Make) -> None:
    async with ScriptedServer(answering(answer(200, ITEM))) as server:
        either = make(server)
        mark = cause.set("msg_7.42")
        try:
            await either(get)
        finally:
            cause.reset(mark)
        await either(get)
        assert b"Tidings-Cause: msg_7.42\r\n" in server.requests[0]
        assert b"tidings-cause" not in server.requests[1].lower()


async def test_a_cause_that_no_header_can_hold_is_refused(make: Make) -> None:
    async with ScriptedServer(answering(answer(200, ITEM))) as server:
        mark = cause.set("x\r\nX-Evil: 1")
        try:
            with pytest.raises(errors.Invalid):
                await make(server)(get)
        finally:
            cause.reset(mark)
        assert server.requests == []


def create_with(value: object) -> Callable[[Any], Any]:
    return lambda client: client.items.create(5, {"title": value})


async def test_what_is_no_json_is_not_sent(make: Make) -> None:
    async with ScriptedServer(answering(answer(200, ITEM))) as server:
        either = make(server)
        for value in (float("nan"), {1, 2}, b"bytes"):
            with pytest.raises(errors.Invalid):
                await either(create_with(value))
        assert server.requests == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # each loop ends with a connection open, which is the point
async def test_a_client_may_be_used_on_one_loop_after_another() -> None:
    def twice() -> list[Any]:
        either = Either("awaiting", url)
        return [asyncio.run(either(get)), asyncio.run(either(get))]

    async with ScriptedServer(answering(answer(200, ITEM))) as server:
        url = server.url.removesuffix("/hook")
        assert await asyncio.to_thread(twice) == [{"item_id": 42}] * 2
        gc.collect()


async def test_a_client_closes_its_connections(kind: str) -> None:
    gone = asyncio.Event()

    async def note(peer: Peer) -> None:
        await peer.request()
        await peer.say(answer(200, ITEM))
        await peer.gone()
        gone.set()

    async with ScriptedServer(note) as server:
        either = Either(kind, server.url.removesuffix("/hook"))
        if kind == "blocking":
            with either.client:
                await either(get)
        else:
            async with either.client:
                await either(get)
        async with asyncio.timeout(5):
            await gone.wait()


def test_the_servers_url_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_URL", "http://127.0.0.1:8000/")
    assert Client(client_id="x").url == "http://127.0.0.1:8000"
    monkeypatch.delenv("TIDINGS_URL")
    with pytest.raises(errors.Invalid, match="TIDINGS_URL"):
        Client()


# --- proxies -----------------------------------------------------------------------------------------------------------


async def test_a_proxy_that_is_named_is_gone_through(kind: str) -> None:
    async with ScriptedServer(answering(answer(200, ITEM))) as proxy:
        either = Either(kind, "http://tidings.test:8000/base", proxy=proxy.url.removesuffix("/hook"))
        assert await either(get) == {"item_id": 42}
        assert proxy.requests[0].startswith(b"GET http://tidings.test:8000/base/item/42 HTTP/1.1\r\nHost: tidings.test:8000\r\n")
        either.client._driver.close()


async def test_tls_is_spoken_with_the_server_through_a_proxy(kind: str) -> None:
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def tunnel(peer: Peer) -> None:
        asked = await peer.request()
        assert asked.startswith(b"CONNECT tidings.test:443 HTTP/1.1\r\nHost: tidings.test:443\r\n")
        assert b"OAuth2" not in asked
        await peer.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await peer.relay(server.host, server.port)

    async with (
        ScriptedServer(answering(answer(200, ITEM)), tls=server_context(authority, "tidings.test")) as server,
        ScriptedServer(tunnel) as proxy,
    ):
        either = Either(kind, "https://tidings.test", tls=trusting, proxy=proxy.url.removesuffix("/hook"), store=held())
        assert [await either(get), await either(get)] == [{"item_id": 42}] * 2
        assert (proxy.connections, server.connections) == (1, 1)
        assert b"Authorization: OAuth2 T1" in server.requests[0]
        either.client._driver.close()


async def test_a_proxy_that_makes_no_way_is_unavailable(kind: str) -> None:
    for said, why in ((b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", "the proxy answers 407"), (b"what?\r\n\r\n", "no HTTP")):
        async with ScriptedServer(answering(said)) as proxy:
            either = Either(kind, "https://tidings.test", proxy=proxy.url.removesuffix("/hook"), retries=0)
            with pytest.raises(errors.Unavailable, match=why):
                await either(create)


# --- names -------------------------------------------------------------------------------------------------------------


async def test_a_name_that_is_not_found_in_time_holds_nobody_for_longer(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    real = socket.getaddrinfo

    def silent(host: str, *rest: Any, **options: Any) -> Any:
        if host == "tidings.test" and not options.get("flags"):
            answered.wait(30)  # as a name server that says nothing: nothing can interrupt the system's resolver
        return real(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    either = Either(kind, "http://tidings.test", timeout=0.2, retries=0)
    began = time.monotonic()
    with pytest.raises(errors.Unavailable, match=r"tidings.test cannot be reached: its name was not found within 0.2 seconds"):
        await either(create)
    assert time.monotonic() - began < 10
    answered.set()


def test_a_program_that_waits_for_no_name_any_more_can_end() -> None:
    program = """
import asyncio, socket, time
from tidings import AsyncClient, errors
real = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **options: time.sleep(60 if not options.get("flags") else 0) or real(host, *rest, **options)
async def ask():
    await AsyncClient("http://tidings.test", timeout=0.1, retries=0).items.get(1)
try:
    asyncio.run(ask())
except errors.Unavailable:
    print("told")
"""
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=30)
    assert ended.stdout == "told\n"


async def test_a_name_that_is_none_is_unavailable(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(errors.Unavailable, match="cannot be reached: Name or service not known"):
        await Either(kind, "http://tidings.test", retries=0)(create)


async def test_of_the_addresses_of_a_name_each_is_tried_in_its_share_of_the_time(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def two(host: str, *rest: Any, **options: Any) -> Any:
        if host != "tidings.test":
            return real(host, *rest, **options)
        if options.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        return [found for address in ("127.0.0.9", "127.0.0.1") for found in real(address, *rest, **options)]

    async with ScriptedServer(answering(answer(200, ITEM))) as server:  # it listens at 127.0.0.1 alone
        monkeypatch.setattr(socket, "getaddrinfo", two)
        either = Either(kind, f"http://tidings.test:{server.port}")
        assert await either(get) == {"item_id": 42}
        either.client._driver.close()


async def test_a_name_is_found_by_the_systems_own_resolver(kind: str) -> None:
    async with ScriptedServer(answering(answer(200, ITEM))) as server:
        either = Either(kind, f"http://localhost:{server.port}")  # on many machines ::1 as well, where nobody listens
        assert await either(get) == {"item_id": 42}
        either.client._driver.close()
