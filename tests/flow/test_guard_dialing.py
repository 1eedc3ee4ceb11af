"""What is dialled is what was judged: names that change their answers, answers that mix, lookups that hang."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.scripted_server import OK, ScriptedServer, answering
from tests.support.sending import BOTH_LOOPS, LOOPBACK, NOTHING_OPEN, REQUEST, exchange, loopback_guard, resolving, to
from tidings.delivery.allow import parse_allow
from tidings.delivery.destination import Destination
from tidings.delivery.dial import ADDRESSES_TRIED
from tidings.delivery.guard import Guard, judge_url
from tidings.delivery.lookups import Lookups, Resolver
from tidings.delivery.outcomes import NoConnection, Outcome, Reason
from tidings.delivery.sender import Sender

NAME = "receiver.test"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module", params=BOTH_LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer(answering(CLOSING)) as made:
        yield made


def in_turn(*answers: list[str]) -> Resolver:
    """A resolver that gives `answers` one after the other, the last one again and again."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


async def sent(resolver: Resolver, destination: Destination, times: int = 1, allow: list[str] | None = None) -> list[Outcome]:
    sender = Sender(Guard(LOOPBACK if allow is None else parse_allow(allow), resolver=resolver))
    outcomes = [await exchange(sender, destination) for _ in range(times)]
    await sender.aclose()
    assert repr(sender) == NOTHING_OPEN
    return outcomes


_listeners: list[list[str]] = []


def _hear_connects(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        for heard in _listeners:
            heard.append(str(arguments[1]))


sys.addaudithook(_hear_connects)  # which cannot be taken away again


@contextmanager
def connects() -> Iterator[list[str]]:
    """Every address that this program connects a socket to, as Python's audit events tell them."""
    heard: list[str] = []
    _listeners.append(heard)
    try:
        yield heard
    finally:
        _listeners.remove(heard)


# --- names that change, and answers that mix ---


async def test_a_name_that_turns_to_a_private_address_is_refused_at_the_next_connection(server: ScriptedServer) -> None:
    with connects() as connected:
        first, second = await sent(in_turn(["127.0.0.1"], ["10.0.0.1"]), to(server, NAME), 2)
    assert (first.status, first.address) == (200, "127.0.0.1")
    assert (second.reason, second.address) == (Reason.REFUSED_ADDRESS, "10.0.0.1")
    assert "receiver.test resolves to 10.0.0.1, which is a private network" in (second.detail or "")
    assert connected == [f"('127.0.0.1', {server.port})"]


async def test_a_name_is_resolved_once_for_a_connection(server: ScriptedServer) -> None:
    server.script = answering(CLOSING, CLOSING)
    resolver = resolving({NAME: ["127.0.0.1"]})
    await sent(resolver, to(server, NAME), 3)
    assert resolver.asked == [NAME] * 3
    server.script = answering(OK)
    await sent(resolver, to(server, NAME), 3)
    assert resolver.asked == [NAME] * 4


async def test_an_address_is_resolved_by_nobody(server: ScriptedServer) -> None:
    resolver = resolving({})
    await sent(resolver, to(server))
    assert resolver.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1", "10.0.0.1"],
        ["10.0.0.1", "127.0.0.1"],
        ["127.0.0.1", "127.0.0.1", "169.254.169.254"],
        ["127.0.0.1", "::ffff:127.0.0.1"],
        ["127.0.0.1", "::"],
        ["127.0.0.1", "fe80::1%lo"],
        ["127.0.0.1"] * ADDRESSES_TRIED + ["192.168.0.1"],
        [f"127.0.0.{n}" for n in range(1, 200)] + ["fd00:ec2::254"],
    ],
)
async def test_one_bad_address_of_an_answer_refuses_the_name(server: ScriptedServer, answer: list[str]) -> None:
    (outcome,) = await sent(lambda _: answer, to(server, NAME))
    assert (outcome.reason, server.connections) == (Reason.REFUSED_ADDRESS, 0)
    assert outcome.address not in (None, "127.0.0.1")


@pytest.mark.parametrize("host", ["10.1.2.3", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1", "0.0.0.0", "::", "100.64.0.1"])
async def test_a_literal_address_is_judged_at_the_connection_too(host: str) -> None:
    with connects() as connected:
        (outcome,) = await sent(resolving({}), Destination("http", host, 80))
    assert (outcome.reason, outcome.address, connected) == (Reason.REFUSED_ADDRESS, host, [])


@pytest.mark.parametrize(("opened", "reached"), [("0.0.0.0", "127.0.0.1"), ("::", "::1")])
async def test_the_address_that_answers_is_the_one_that_was_judged(opened: str, reached: str) -> None:
    async with ScriptedServer(answering(OK), host=reached) as server:
        allow = [f"[{opened}]:*" if ":" in opened else f"{opened}:*"]
        (outcome,) = await sent(resolving({}), Destination("http", opened, server.port), allow=allow)
        assert server.requests == []
    assert outcome.reason is Reason.REFUSED_ADDRESS
    assert f"{opened} was dialled, but {reached} was reached" in (outcome.detail or "")


async def test_another_address_does_not_make_up_for_one_that_was_not_reached(server: ScriptedServer) -> None:
    (outcome,) = await sent(lambda _: ["0.0.0.0", "127.0.0.1"], to(server, NAME), allow=["127.0.0.1:*", "0.0.0.0:*"])
    assert (outcome.reason, outcome.address, server.requests) == (Reason.REFUSED_ADDRESS, "0.0.0.0", [])


ANSWERS = [
    "127.0.0.1",
    "127.0.0.2",
    "10.0.0.1",
    "169.254.169.254",
    "::ffff:127.0.0.1",
    "::1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::1",
    "0.0.0.0",
]


@given(st.lists(st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=3), min_size=1, max_size=6))
@settings(max_examples=25)
async def test_no_connection_is_ever_opened_to_an_address_that_was_not_judged(answers: list[list[str]]) -> None:
    async with ScriptedServer(answering(CLOSING)) as server:
        with connects() as connected:
            outcomes = await sent(in_turn(*answers), to(server, NAME), len(answers), allow=["127.0.0.1:*"])
    fine = [set(answer) == {"127.0.0.1"} for answer in answers]
    assert [outcome.reason is None for outcome in outcomes] == fine
    assert connected == [f"('127.0.0.1', {server.port})"] * sum(fine)


# --- what an operator opened ---


async def test_a_name_that_is_opened_goes_wherever_it_resolves_to_and_its_address_stays_closed(server: ScriptedServer) -> None:
    names = resolving({NAME: ["127.0.0.1"], "other.test": ["127.0.0.1"]})
    allow = [f"{NAME}:{server.port}"]
    (opened,) = await sent(names, Destination("http", NAME, server.port), allow=allow)
    (other,) = await sent(names, Destination("http", "other.test", server.port), allow=allow)
    (address,) = await sent(names, Destination("http", "127.0.0.1", server.port), allow=allow)
    assert (opened.reason, other.reason, address.reason) == (None, Reason.REFUSED_ADDRESS, Reason.REFUSED_ADDRESS)


async def test_a_destination_by_ipv6_is_reached() -> None:
    async with ScriptedServer(answering(OK), host="::1") as server:
        (outcome,) = await sent(resolving({}), judge_url(server.url, LOOPBACK))
        (by_name,) = await sent(resolving({NAME: ["::1"]}), Destination("http", NAME, server.port))
    assert (outcome.status, outcome.address) == (200, "::1")
    assert (by_name.status, by_name.address) == (200, "::1")


# --- several addresses ---


async def test_the_next_address_is_tried_when_nobody_listens_at_the_first(server: ScriptedServer) -> None:
    (outcome,) = await sent(lambda _: ["::1", "127.0.0.2", "127.0.0.1"], to(server, NAME))
    assert (outcome.status, outcome.address) == (200, "127.0.0.1")


async def test_the_next_address_is_tried_when_the_first_does_not_answer(server: ScriptedServer) -> None:
    with full_queue("127.0.0.2", server.port):
        sender = Sender(Guard(LOOPBACK, resolver=lambda _: ["127.0.0.2", "127.0.0.1"]), connect_timeout=0.4)
        outcome = await exchange(sender, to(server, NAME))
        await sender.aclose()
    assert (outcome.status, outcome.address) == (200, "127.0.0.1")


async def test_only_the_first_few_addresses_are_tried(server: ScriptedServer) -> None:
    with connects() as connected:
        (outcome,) = await sent(lambda _: [f"127.0.0.{n}" for n in range(2, 30)], to(server, NAME))
    assert (outcome.reason, outcome.address, len(connected)) == (Reason.CONNECT, f"127.0.0.{ADDRESSES_TRIED + 1}", ADDRESSES_TRIED)


@contextmanager
def full_queue(host: str, port: int) -> Iterator[None]:
    """A listener that takes no more connections: whoever connects waits."""
    with socket.socket() as full:
        full.bind((host, port))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex((host, port))
        yield
        for each in waiting:
            each.close()


# --- names that do not resolve, or not in time ---


@pytest.mark.parametrize(
    ("resolver", "words"),
    [
        (resolving({}), "receiver.test does not resolve: Name or service not known"),
        (lambda _: [], "receiver.test does not resolve: it has no address"),
        (lambda _: 1 / 0, "receiver.test does not resolve"),
    ],
)
async def test_a_name_that_does_not_resolve_is_a_dns_failure(resolver: Resolver, words: str) -> None:
    (outcome,) = await sent(resolver, Destination("http", NAME, 80))
    assert (outcome.reason, outcome.address) == (Reason.DNS, None)
    assert words in (outcome.detail or "")
    assert (outcome.timings.resolved, outcome.timings.connected) == (None, None)


async def test_the_systems_resolver_reads_the_hosts_file(server: ScriptedServer) -> None:
    sender = Sender(Guard(LOOPBACK))
    outcome = await exchange(sender, Destination("http", "localhost", server.port))
    await sender.aclose()
    assert outcome.status == 200


class Hanging:
    """A resolver whose first name hangs until it is let go."""

    def __init__(self, *hanging: str) -> None:
        self.hanging = hanging
        self.asked: list[str] = []
        self.let_go = threading.Event()

    def __call__(self, host: str) -> Iterable[str]:
        self.asked.append(host)
        if host in self.hanging:
            self.let_go.wait(5)
        return ["127.0.0.1"]


async def test_a_lookup_that_hangs_is_a_timeout_and_holds_up_nobody_else(server: ScriptedServer) -> None:
    resolver = Hanging("slow.test")
    sender = Sender(Guard(LOOPBACK, resolver=resolver), connect_timeout=0.5)
    slow = [asyncio.ensure_future(exchange(sender, to(server, "slow.test"))) for _ in range(50)]
    others = [await exchange(sender, to(server, f"fast{n}.test")) for n in range(10)]
    outcomes = await asyncio.gather(*slow)
    resolver.let_go.set()
    await sender.aclose()
    assert {outcome.status for outcome in others} == {200}
    assert {outcome.reason for outcome in outcomes} == {Reason.TIMEOUT_CONNECT}
    assert outcomes[0].detail == "its name did not resolve within 0.5 seconds"
    assert resolver.asked.count("slow.test") == 1


async def test_closing_while_a_lookup_hangs_does_not_wait_for_it(server: ScriptedServer) -> None:
    resolver = Hanging(NAME)
    sender = Sender(Guard(LOOPBACK, resolver=resolver))
    told: list[Outcome] = []
    sender.send(to(server, NAME), REQUEST, told.append)
    await server.until(lambda _: bool(resolver.asked))
    await sender.aclose()
    assert [outcome.reason for outcome in told] == [Reason.STOPPED]
    assert repr(sender) == NOTHING_OPEN
    resolver.let_go.set()


async def test_lookups_of_one_name_share_an_answer() -> None:
    resolver = Hanging(NAME)
    lookups = Lookups(resolver)
    asked = [asyncio.ensure_future(lookups.addresses(NAME)) for _ in range(3)]
    await asyncio.sleep(0)
    asked[0].cancel()
    resolver.let_go.set()
    assert await asyncio.gather(*asked[1:]) == [("127.0.0.1",)] * 2
    assert resolver.asked == [NAME]
    assert await lookups.addresses(NAME) == ("127.0.0.1",)
    assert len(resolver.asked) == 2


async def test_an_address_that_is_answered_twice_counts_once() -> None:
    lookups = Lookups(lambda _: ["127.0.0.2", "127.0.0.1", "127.0.0.2"])
    assert await lookups.addresses(NAME) == ("127.0.0.2", "127.0.0.1")


async def test_no_more_lookups_run_at_once_than_their_bound_and_the_rest_take_turns() -> None:
    resolver = Hanging("a.test", "b.test")
    lookups = Lookups(resolver, at_once=2)
    asked = [asyncio.ensure_future(lookups.addresses(name)) for name in ("a.test", "b.test", "c.test", "d.test")]
    await asyncio.sleep(0.02)
    assert (resolver.asked, repr(lookups)) == (["a.test", "b.test"], "<Lookups 2 running, 2 queued>")
    asked[2].cancel()
    await asyncio.sleep(0.02)
    assert repr(lookups) == "<Lookups 2 running, 1 queued>"
    resolver.let_go.set()
    assert await asyncio.gather(*asked, return_exceptions=True)
    assert set(resolver.asked) == {"a.test", "b.test", "d.test"}
    assert repr(lookups) == "<Lookups 0 running, 0 queued>"


async def test_a_system_without_threads_left_is_a_dns_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    lookups = Lookups(resolving({NAME: ["127.0.0.1"]}))
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(OSError, match="thread"):
            await lookups.addresses(NAME)
    assert await lookups.addresses(NAME) == ("127.0.0.1",)


def test_a_lookup_that_ends_after_its_loop_is_heard_by_nobody() -> None:
    resolver = Hanging(NAME)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await Lookups(resolver).addresses(NAME)

    asyncio.run(give_up())
    resolver.let_go.set()
    for thread in threading.enumerate():
        if thread.name == "tidings-lookup":
            thread.join(5)


async def test_a_route_can_be_asked_for_without_sending() -> None:
    guard = loopback_guard({NAME: ["10.0.0.1"]})
    with pytest.raises(NoConnection) as refused:
        await guard.route(Destination("http", NAME, 80))
    assert (refused.value.reason, refused.value.address) == (Reason.REFUSED_ADDRESS, "10.0.0.1")
