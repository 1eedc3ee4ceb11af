"""Users test their functions with the samples and the fixtures, without a server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tidings.receiver import Answer, Event, Receiver, fixtures
from tidings.receiver.testing import SECRET, sample

deliver, deliver_async = fixtures.deliver, fixtures.deliver_async


def test_a_sample_is_delivered_from_a_plain_test(deliver: Callable[..., Answer]) -> None:
    hooks, heard = Receiver(secret=SECRET), list[Event]()
    hooks.on("item.create")(heard.append)

    assert deliver(hooks, "item.create", item_id=1).status == 204
    assert [event.item_id for event in heard] == [1]


async def test_a_sample_is_delivered_from_an_async_test(deliver_async: Callable[..., Awaitable[Answer]]) -> None:
    hooks, heard = Receiver(secret=SECRET), list[Event]()

    @hooks.on("task.*")
    async def hear(event: Event) -> None:
        heard.append(event)

    assert (await deliver_async(hooks, "task.update", task_id=8)).status == 204
    assert [event.task_id for event in heard] == [8]


def test_each_sample_is_another_message_unless_it_is_named() -> None:
    ids = [sample("item.create")[0]["webhook-id"] for _ in range(2)]

    assert ids[0] != ids[1]
    assert sample("item.create", message_id="m")[0]["webhook-id"] == "m"
