"""Through a proxy that the operator set: it resolves names, we judge URLs and literal addresses as ever."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest
import trustme

from tests.support.certificates import authority_pem, server_context
from tests.support.scripted_server import OK, Peer, Script, ScriptedServer, answering
from tests.support.sending import BOTH_LOOPS, NOTHING_OPEN, REQUEST, exchange, loopback_guard, resolving
from tidings.delivery.allow import parse_allow
from tidings.delivery.destination import Destination
from tidings.delivery.guard import Guard
from tidings.delivery.outcomes import Outcome, Reason
from tidings.delivery.sender import Sender

NAME = "receiver.test"  # which nobody here resolves: that is the proxy's business


@pytest.fixture(scope="module", params=BOTH_LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


@pytest.fixture
async def receiver() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer(answering(OK)) as server:
        yield server


def tunnelling(receiver: ScriptedServer) -> Script:
    """A proxy's script that tunnels to `receiver` whatever it is asked for."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
        await peer.relay(receiver.host, receiver.port)

    return script


async def through(proxy: ScriptedServer, *destinations: Destination, connect_timeout: float = 5.0) -> list[Outcome]:
    sender = Sender(loopback_guard(proxy=f"http://127.0.0.1:{proxy.port}"), connect_timeout=connect_timeout)
    outcomes = [await exchange(sender, destination) for destination in destinations]
    await sender.aclose()
    assert repr(sender) == NOTHING_OPEN
    return outcomes


async def test_the_proxy_is_asked_to_connect_to_the_name(receiver: ScriptedServer) -> None:
    async with ScriptedServer(tunnelling(receiver)) as proxy:
        (outcome,) = await through(proxy, Destination("http", NAME, 80))
    assert (outcome.reason, outcome.status, outcome.address) == (None, 200, "127.0.0.1")
    assert proxy.requests == [b"CONNECT receiver.test:80 HTTP/1.1\r\nHost: receiver.test:80\r\n\r\n"]
    assert receiver.requests == [REQUEST]


async def test_a_tunnel_is_kept_and_used_again(receiver: ScriptedServer) -> None:
    destination = Destination("http", NAME, 80)
    async with ScriptedServer(tunnelling(receiver)) as proxy:
        outcomes = await through(proxy, destination, destination, destination)
        assert (proxy.connections, receiver.connections) == (1, 1)
    assert {outcome.status for outcome in outcomes} == {200}


async def test_tls_goes_through_the_tunnel_and_is_verified_by_name() -> None:
    authority = trustme.CA()
    async with (
        ScriptedServer(answering(OK), tls=server_context(authority, NAME)) as receiver,
        ScriptedServer(tunnelling(receiver)) as proxy,
    ):
        ca = authority_pem(authority)
        good, bad = await through(proxy, Destination("https", NAME, 443, ca), Destination("https", "other.test", 443, ca))
    assert (good.reason, good.status) == (None, 200)
    assert good.timings.secured is not None
    assert (bad.reason, bad.detail) == (Reason.TLS, "its certificate is for another host")


@pytest.mark.parametrize(
    "destination",
    [
        Destination("http", "10.0.0.1", 80),
        Destination("http", "169.254.169.254", 80),
        Destination("http", "::1", 80),
        Destination("http", "0.0.0.0", 80),
        Destination("https", NAME, 22),
    ],
)
async def test_literal_addresses_and_ports_are_judged_before_the_proxy_hears_of_them(destination: Destination) -> None:
    async with ScriptedServer(answering(OK)) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        sender = Sender(Guard(parse_allow([]), proxy=url))
        outcome = await exchange(sender, destination)
        await sender.aclose()
        assert proxy.connections == 0
    assert outcome.reason is Reason.REFUSED_ADDRESS


async def test_the_proxy_itself_is_dialled_as_it_was_set(receiver: ScriptedServer) -> None:
    async with ScriptedServer(tunnelling(receiver)) as proxy:
        resolver = resolving({"proxy.internal": ["127.0.0.1"]})
        sender = Sender(Guard(parse_allow([]), resolver=resolver, proxy=f"http://proxy.internal:{proxy.port}"))
        outcome = await exchange(sender, Destination("http", NAME, 80))
        await sender.aclose()
    assert outcome.status == 200
    assert resolver.asked == ["proxy.internal"]


async def say_and_hold(peer: Peer, text: bytes) -> None:
    await peer.request()
    await peer.say(text)
    await peer.gone()


@pytest.mark.parametrize(
    ("script", "reason", "words"),
    [
        (lambda peer: say_and_hold(peer, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n"), Reason.CONNECT, "the proxy answered 403"),
        (lambda peer: say_and_hold(peer, b"HTTP/1.1 407 Who are you\r\n\r\n"), Reason.CONNECT, "the proxy answered 407"),
        (lambda peer: say_and_hold(peer, b"SSH-2.0-x\r\n\r\n"), Reason.CONNECT, "the proxy answered what is not HTTP"),
        (lambda peer: say_and_hold(peer, b"HTTP/1.1 200 OK\r\n\r\nand more"), Reason.CONNECT, "the proxy"),
        (lambda peer: say_and_hold(peer, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10_000), Reason.CONNECT, "the proxy gave no answer"),
        (lambda peer: peer.request(), Reason.CONNECT, "the proxy"),
        (lambda peer: peer.gone(), Reason.TIMEOUT_CONNECT, "within 0.3 seconds"),
    ],
    ids=["403", "407", "not HTTP", "more behind it", "endless", "closes", "silent"],
)
async def test_a_proxy_that_does_not_connect_is_named(script: Callable[[Peer], object], reason: Reason, words: str) -> None:
    async with ScriptedServer(script) as proxy:  # type: ignore[arg-type]
        (outcome,) = await through(proxy, Destination("http", NAME, 80), connect_timeout=0.3)
    assert outcome.reason is reason
    assert words in (outcome.detail or "")


async def test_a_proxy_that_is_not_there_is_named() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        sender = Sender(loopback_guard(proxy=f"http://127.0.0.1:{closed.getsockname()[1]}"))
        outcome = await exchange(sender, Destination("http", NAME, 80))
    await sender.aclose()
    assert outcome.reason is Reason.CONNECT
    assert (outcome.detail or "").startswith("the proxy: nobody listens")


async def test_the_environments_proxies_are_not_followed(receiver: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    sender = Sender(loopback_guard())
    outcome = await exchange(sender, Destination("http", "127.0.0.1", receiver.port))
    await sender.aclose()
    assert (outcome.status, receiver.connections) == (200, 1)


async def test_closing_in_the_middle_of_a_tunnel_leaves_nothing_open() -> None:
    told: list[Outcome] = []
    async with ScriptedServer(lambda peer: peer.gone()) as proxy:
        sender = Sender(loopback_guard(proxy=f"http://127.0.0.1:{proxy.port}"))
        sender.send(Destination("http", NAME, 80), REQUEST, told.append)
        await proxy.until(lambda proxy: proxy.connections == 1)
        await asyncio.sleep(0.01)
        await sender.aclose()
    assert repr(sender) == NOTHING_OPEN
    assert [outcome.reason for outcome in told] == [Reason.STOPPED]
