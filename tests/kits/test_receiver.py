"""What a receiver does with a delivery: who is called, what is answered, which hooks are confirmed."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.processes import wait_until
from tidings.errors import Invalid
from tidings.receiver import Answer, Event, Gap, Receiver, Unavailable
from tidings.receiver.testing import SECRET, deliver_to, deliver_to_async, sample
from tidings.wire.cause import cause
from tidings.wire.signing import new_secret


@dataclass
class Made:
    """A new hook, as a client answers it."""

    hook_id: int
    secret: str


@dataclass
class Calls:
    """The hooks of a client: what was asked of them."""

    validated: list[tuple[int, str]] = field(default_factory=list)
    raises: Exception | None = None
    before: Callable[[], Any] = lambda: None

    def validate(self, hook_id: int, code: str) -> None:
        if self.raises:
            raise self.raises
        self.validated.append((hook_id, code))

    def create(self, *of_what: object) -> Made:
        assert of_what == ("app", 5, "https://example.org/in", "item.create")
        self.before()
        return Made(9, "whsec_" + "QUJD" * 8)


@dataclass
class TestClient:
    """A client that reaches nobody."""

    __test__ = False
    hooks: Calls = field(default_factory=Calls)


class AsyncCalls(Calls):
    async def validate(self, hook_id: int, code: str) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        super().validate(hook_id, code)

    async def create(self, *of_what: object) -> Made:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().create(*of_what)


@dataclass
class Ears:
    """A function that notes what it hears, `async` or not."""

    is_async: bool = False
    fails: int = 0
    heard: list[Event] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    @property
    def function(self) -> Callable[[Event], Any]:
        return self._hear_async if self.is_async else self._hear

    def _hear(self, event: Event) -> None:
        self.threads.add(threading.current_thread().name)
        if self.fails:
            self.fails -= 1
            raise RuntimeError("not today")
        self.heard.append(event)

    async def _hear_async(self, event: Event) -> None:
        await asyncio.sleep(0)
        self._hear(event)


Deliver = Callable[..., Awaitable[Answer]]


async def in_a_thread(receiver: Receiver, type: str, /, **options: Any) -> Answer:
    return await asyncio.to_thread(deliver_to, receiver, type, **options)


@pytest.fixture(params=[in_a_thread, deliver_to_async], ids=["thread", "loop"])
def deliver(request: pytest.FixtureRequest) -> Deliver:
    """Deliver a sample from a thread, and on the event loop."""
    chosen: Deliver = request.param
    return chosen


@pytest.fixture(params=[False, True], ids=["plain", "async"])
def ears(request: pytest.FixtureRequest) -> Ears:
    """Ears of both kinds."""
    return Ears(request.param)


def listening(ears: Ears, *patterns: str, **options: Any) -> Receiver:
    receiver = Receiver(**{"secret": SECRET, **options})
    receiver.on(*(patterns or ("*",)))(ears.function)
    return receiver


# --- who is called --------------------------------------------------------------------------------------------------


async def test_a_function_hears_of_its_type_and_the_sender_is_told_so(deliver: Deliver, ears: Ears) -> None:
    receiver = listening(ears, "item.create")

    assert await deliver(receiver, "item.create", item_id=1) == Answer(204)
    assert await deliver(receiver, "item.update", item_id=2) == Answer(204)

    assert [event.item_id for event in ears.heard] == [1]


async def test_all_that_hear_it_are_called_in_their_order(deliver: Deliver) -> None:
    receiver, called = Receiver(secret=SECRET), []
    receiver.on("item.*")(lambda _: called.append("first"))
    receiver.on("task.create", "item.create")(lambda _: called.append("second"))
    receiver.on("*", app=6)(lambda _: called.append("of another app"))
    receiver.on("*", app=5, hook=7)(lambda _: called.append("third"))

    await deliver(receiver, "item.create")

    assert called == ["first", "second", "third"]


async def test_a_plain_function_does_not_hold_up_the_event_loop() -> None:
    ears = Ears()
    await deliver_to_async(listening(ears), "item.create")

    assert threading.current_thread().name not in ears.threads


def test_async_functions_of_a_thread_share_one_loop() -> None:
    receiver, loops = Receiver(secret=SECRET), []

    @receiver.on("*")
    async def note(event: Event) -> None:
        loops.append(asyncio.get_running_loop())

    deliver_to(receiver, "item.create")
    deliver_to(receiver, "item.create")
    receiver.stop()

    assert loops[0] is loops[1]


async def test_while_a_function_runs_its_delivery_is_the_cause_of_what_it_does(deliver: Deliver) -> None:
    receiver, causes = Receiver(secret=SECRET), list[str | None]()
    receiver.on("item.*")(lambda _: causes.append(cause.get()))

    @receiver.on("item.*")
    async def note(event: Event) -> None:
        await asyncio.sleep(0)
        causes.append(cause.get())

    await deliver(receiver, "item.create", message_id="msg_a_7_1")

    assert causes == ["msg_a_7_1", "msg_a_7_1"]
    assert cause.get() is None


async def test_a_function_that_fails_is_a_500_and_is_called_again_when_it_comes_again(
    deliver: Deliver, ears: Ears, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = listening(ears)
    ears.fails = 1

    first = await deliver(receiver, "item.create", message_id="m")
    second = await deliver(receiver, "item.create", message_id="m")

    assert (first.status, second.status, len(ears.heard)) == (500, 204, 1)
    assert "not today" not in first.sentence
    assert "not today" in caplog.text


async def test_who_is_done_is_not_called_again_because_another_failed(deliver: Deliver) -> None:
    receiver, called = Receiver(secret=SECRET), []
    receiver.on("*")(lambda _: called.append("first"))
    failing = Ears(fails=1)
    receiver.on("*")(failing.function)

    for _ in range(2):
        await deliver(receiver, "item.create", message_id="m")

    assert (called, len(failing.heard)) == (["first"], 1)


async def test_a_function_may_ask_for_it_to_come_again(deliver: Deliver) -> None:
    receiver = Receiver(secret=SECRET)

    @receiver.on("*")
    def closed(event: Event) -> None:
        raise Unavailable("the shop is closed")

    assert await deliver(receiver, "item.create") == Answer(503, "the shop is closed")


async def test_a_test_delivery_and_one_that_was_sent_again_can_be_told_apart(deliver: Deliver, ears: Ears) -> None:
    receiver = listening(ears)

    await deliver(receiver, "item.create")
    await deliver(receiver, "item.create", test=True)
    await deliver(receiver, "item.create", redelivery="replay-7")

    assert [(event.test, event.redelivery) for event in ears.heard] == [(False, None), (True, None), (False, "replay-7")]
    assert ["test=True" in repr(event) for event in ears.heard] == [False, True, False]


async def test_a_repeat_is_answered_and_dropped(deliver: Deliver, ears: Ears) -> None:
    receiver = listening(ears)

    answers = [await deliver(receiver, "item.create", message_id="m") for _ in range(3)]

    assert ([answer.status for answer in answers], len(ears.heard)) == ([204, 204, 204], 1)


async def test_what_is_being_dealt_with_is_not_begun_twice_and_is_to_come_again() -> None:
    receiver, begun, go_on = Receiver(secret=SECRET), asyncio.Event(), asyncio.Event()

    @receiver.on("*")
    async def slow(event: Event) -> None:
        begun.set()
        await go_on.wait()

    first = asyncio.create_task(deliver_to_async(receiver, "item.create", message_id="m"))
    await begun.wait()
    assert (await deliver_to_async(receiver, "item.create", message_id="m")).status == 503
    go_on.set()
    assert (await first).status == 204


async def test_a_sender_that_hangs_up_leaves_nothing_locked() -> None:
    receiver, begun, heard = Receiver(secret=SECRET), asyncio.Event(), []

    @receiver.on("*")
    async def slow(event: Event) -> None:
        heard.append(event)
        begun.set()
        if len(heard) == 1:
            await asyncio.Event().wait()

    first = asyncio.create_task(deliver_to_async(receiver, "item.create", message_id="m"))
    await begun.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    assert (await deliver_to_async(receiver, "item.create", message_id="m")).status == 204
    assert len(heard) == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"webhook-signature": ""}, 401),
        ({"webhook-signature": "v1,AAAA"}, 401),
        ({"webhook-timestamp": "1"}, 401),
        ({"webhook-timestamp": "now"}, 400),
        ({"content-type": "text/html"}, 415),
        ({"content-encoding": "gzip"}, 415),
    ],
)
async def test_what_cannot_be_taken_is_answered_by_its_status_and_heard_by_nobody(
    deliver: Deliver, headers: dict[str, str], status: int
) -> None:
    ears = Ears()
    receiver = listening(ears)
    right, body = sample("item.create")

    answer = await asyncio.to_thread(receiver.receive, right | headers, body)

    assert (answer.status, bool(answer.sentence), ears.heard) == (status, True, [])
    assert SECRET not in answer.sentence + repr(receiver)


# --- verification ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("calls", [Calls, AsyncCalls])
async def test_a_hook_that_is_expected_is_validated_in_one_call(deliver: Deliver, calls: type[Calls]) -> None:
    client = TestClient(calls())
    receiver = Receiver(client, secret=SECRET, expect=[7])

    assert await deliver(receiver, "hook.verify", code="c0de") == Answer(204)

    assert client.hooks.validated == [(7, "c0de")]


async def test_a_hook_that_nobody_expects_is_not_validated(deliver: Deliver) -> None:
    client = TestClient()
    receiver = Receiver(client, secret=SECRET, expect=[8])

    answer = await deliver(receiver, "hook.verify", code="c0de")

    assert (answer.status, client.hooks.validated) == (403, [])
    assert "hook 7" in answer.sentence
    assert "c0de" not in answer.sentence


async def test_without_a_client_a_function_may_hear_the_code_and_else_it_is_refused(deliver: Deliver) -> None:
    receiver, codes = Receiver(secret=SECRET, expect=[7]), []
    assert (await deliver(receiver, "hook.verify")).status == 403

    receiver.on("hook.verify")(lambda event: codes.append(event.parameters["code"]))
    assert (await deliver(receiver, "hook.verify", code="c0de")).status == 204
    assert codes == ["c0de"]


async def test_a_validation_that_fails_is_to_be_asked_for_again(deliver: Deliver, caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(Calls(raises=Invalid("wrong code c0de")))

    answer = await deliver(Receiver(client, secret=SECRET, expect=[7]), "hook.verify", code="c0de")

    assert answer == Answer(503, "the hook could not be validated: Invalid")
    assert "c0de" not in caplog.text


async def test_a_verification_without_a_code_is_unreadable(deliver: Deliver) -> None:
    assert (await deliver(Receiver(TestClient(), secret=SECRET, expect=[7]), "hook.verify", code="")).status == 400


async def test_a_hook_that_the_receiver_makes_is_expected_and_its_secret_is_known(deliver: Deliver) -> None:
    receiver = Receiver(TestClient())
    made = receiver.create("app", 5, "https://example.org/in", "item.create")

    assert (await deliver(receiver, "hook.verify", hook_id=made.hook_id, secret=made.secret)).status == 204
    assert (await deliver(receiver, "hook.verify", hook_id=made.hook_id, secret=new_secret())).status == 401

    lent = Receiver(TestClient(AsyncCalls()))
    made = await asyncio.to_thread(lent.create, "app", 5, "https://example.org/in", "item.create")
    assert (await deliver(lent, "hook.verify", hook_id=made.hook_id, secret=made.secret)).status == 204
    lent.stop()

    other = Receiver(TestClient(AsyncCalls()))
    made = await other.create_async("app", 5, "https://example.org/in", "item.create")
    assert (await deliver(other, "hook.verify", hook_id=made.hook_id, secret=made.secret)).status == 204


async def test_a_code_that_is_here_before_the_hooks_secret_waits_for_it(deliver: Deliver) -> None:
    client, secret = TestClient(), "whsec_" + "QUJD" * 8
    receiver, early = Receiver(client), list[asyncio.Task[Answer]]()
    loop, asked = asyncio.get_running_loop(), threading.Event()

    async def come_early() -> None:
        early.append(asyncio.create_task(deliver(receiver, "hook.verify", hook_id=9, secret=secret)))  # type: ignore[arg-type]
        await asyncio.sleep(0.02)
        asked.set()

    def before() -> None:
        asyncio.run_coroutine_threadsafe(come_early(), loop)
        assert asked.wait(10)

    client.hooks.before = before
    await asyncio.to_thread(receiver.create, "app", 5, "https://example.org/in", "item.create")

    assert (await early[0]).status == 204


async def test_podio_itself_is_answered_for_the_hooks_that_are_expected(deliver: Deliver) -> None:
    client, ears = TestClient(), Ears()
    receiver = listening(ears, client=client, secret=None, allow_unsigned=True, expect=[7])

    assert (await deliver(receiver, "hook.verify", secret=None, code="b9079247")).status == 204
    assert (await deliver(receiver, "hook.verify", secret=None, hook_id=8)).status == 403
    for _ in range(2):
        assert (await deliver(receiver, "item.create", secret=None, item_id=42)).status == 204

    assert (client.hooks.validated, [event.item_id for event in ears.heard]) == ([(7, "b9079247")], [42])


# --- gaps -----------------------------------------------------------------------------------------------------------


async def test_what_is_missing_is_told_once_it_is_late(deliver: Deliver) -> None:
    now, gaps = [time.time()], list[Gap]()
    receiver = Receiver(secret=SECRET, gap_wait=60, clock=lambda: now[0])
    receiver.on_gap(gaps.append)

    @receiver.on_gap
    async def failing(gap: Gap) -> None:
        raise RuntimeError

    for number in (1, 3, 6):
        await deliver(receiver, "item.create", sequence=number)
    await deliver(receiver, "item.create", sequence=2)
    assert gaps == []
    now[0] += 61

    assert (await deliver(receiver, "item.create", sequence=7)).status == 204

    assert gaps == [Gap(7, 4, 5)]


async def test_what_is_missing_is_told_though_nothing_comes_any_more(deliver: Deliver) -> None:
    gaps = list[Gap]()
    receiver = Receiver(secret=SECRET, gap_wait=0.02)
    receiver.on_gap(gaps.append)

    for number in (1, 3):
        await deliver(receiver, "item.create", sequence=number)
    await asyncio.to_thread(wait_until, lambda: gaps)
    await receiver.stop_async()

    assert gaps == [Gap(7, 2, 2)]


async def test_a_verification_has_its_number_too(deliver: Deliver) -> None:
    now, gaps = [time.time()], list[Gap]()
    receiver = Receiver(TestClient(), secret=SECRET, expect=[7], gap_wait=60, clock=lambda: now[0])
    receiver.on_gap(gaps.append)

    await deliver(receiver, "item.create", sequence=1)
    await deliver(receiver, "hook.verify", sequence=2)
    await deliver(receiver, "item.create", sequence=3)
    now[0] += 61
    await deliver(receiver, "item.create", sequence=4)

    assert gaps == []


# --- what it costs --------------------------------------------------------------------------------------------------


def test_the_kit_is_small_to_import_and_brings_no_server() -> None:
    seen = "import sys, json, tidings.receiver, tidings.receiver.testing; print(json.dumps(sorted(sys.modules)))"
    modules = set(json.loads(subprocess.run([sys.executable, "-c", seen], capture_output=True, check=True).stdout))

    ours = {name.partition(".")[2].partition(".")[0] for name in modules if name.startswith("tidings.")}
    assert ours == {"receiver", "wire"}
    assert not modules & {"asyncio", "sqlite3", "cryptography", "sqlalchemy", "starlette", "msgspec", "ssl", "pytest"}


def test_a_log_says_nothing_of_what_was_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    receiver = listening(Ears(fails=1))
    deliver_to(receiver, "item.create", external_id="a private matter")

    assert "a private matter" not in caplog.text
    assert SECRET not in caplog.text
