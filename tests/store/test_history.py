"""What a hook was told, as people ask for it: by state, type, time and object, a page at a time; and one delivery, whole."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from tests.support.databases import AnyDatabase
from tests.support.line import delivered, failed, send_out, settle_all
from tests.support.world import KEYRING, NOW, SECOND, World, append_update, code_of, make_hook, make_world
from tidings.delivery import history
from tidings.delivery.allow import parse_allow
from tidings.delivery.curl import fresh_curl
from tidings.delivery.decide import Verdict
from tidings.delivery.history import Asked, Listed, list_deliveries, newest, rows_of
from tidings.delivery.showing import Split, get_delivery
from tidings.errors import Forbidden, Invalid, NotFound
from tidings.store.database import Tx

HOUR = 3600 * SECOND


def ten_updates(tx: Tx) -> tuple[World, int]:
    """A hook that was told of ten updates an hour apart, of items 1 to 5 twice over: 2 exhausted, 3 cancelled, 9 and 10 waiting.

    Its verification is its first delivery, so the updates are numbered from 2 on.
    """
    world = make_world(tx)
    hook_id = make_hook(tx, world)
    for number in range(10):
        append_update(tx, world, item_id=1 + number % 5, at=NOW + (number + 1) * HOUR)
    leased = {delivery.sequence - 1: delivery for delivery in send_out(tx)}
    endings = {2: failed(leased[2], verdict=Verdict("exhausted")), 3: failed(leased[3], verdict=Verdict("cancelled"))}
    endings |= {9: failed(leased[9])}
    settle_all(tx, *(endings.get(number) or delivered(delivery) for number, delivery in leased.items() if number != 10))
    return world, hook_id


pytestmark = pytest.mark.furnished(make=ten_updates)

Told = tuple[World, int]


async def listed(database: AnyDatabase, furniture: Told, *, limit: int = 50, **asked: Any) -> Listed:
    world, hook_id = furniture
    return await database.read(list_deliveries, world.user, hook_id, Asked(**asked), limit=limit)


def updates(page: Listed) -> list[int]:
    return [row.sequence - 1 for row in page.rows]


async def test_the_newest_come_first_and_pages_join(database: AnyDatabase, furniture: Told) -> None:
    first = await listed(database, furniture, limit=4)
    assert updates(first) == [10, 9, 8, 7]
    second = await listed(database, furniture, limit=4, before=first.next_before)
    third = await listed(database, furniture, limit=4, before=second.next_before)
    assert updates(second) + updates(third) == [6, 5, 4, 3, 2, 1, 0]
    assert (third.next_before, third.looked_back_to) == (None, None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"states": ("pending",)}, [9]),
        ({"states": ("sending",)}, [10]),
        ({"states": ("pending", "sending")}, [10, 9]),
        ({"states": ("exhausted",)}, [2]),
        ({"states": ("exhausted", "cancelled", "pending", "sending")}, [10, 9, 3, 2]),
        ({"states": ("delivered",), "types": ("item.update",)}, [8, 7, 6, 5, 4, 1]),
        ({"types": ("hook.verify",)}, [0]),
        ({"types": ("item.create",)}, []),
        ({"since": NOW + 4 * HOUR, "until": NOW + 7 * HOUR}, [6, 5, 4]),
        ({"since": NOW + 4 * HOUR, "states": ("pending", "sending", "exhausted")}, [10, 9]),
        ({"until": NOW + 3 * HOUR, "states": ("exhausted", "cancelled")}, [2]),
        ({"object": ("item", 3)}, [8, 3]),
        ({"object": ("item", 3), "states": ("cancelled",)}, [3]),
        ({"object": ("item", 3), "before": 9}, [3]),
        ({"object": ("item", 3), "since": NOW + 4 * HOUR}, [8]),
        ({"object": ("task", 3)}, []),
    ],
)
async def test_what_is_asked_for_is_found_and_nothing_else(
    database: AnyDatabase, furniture: Told, asked: dict[str, Any], found: list[int]
) -> None:
    page = await listed(database, furniture, **asked)
    assert updates(page) == found
    assert (page.next_before, page.looked_back_to) == (None, None)


@pytest.mark.parametrize("asked", [{"types": ("hook.verify",)}, {"states": ("delivered",)}, {"object": ("item", 2)}])
async def test_looking_ends_early_and_says_where_to_go_on(
    database: AnyDatabase, furniture: Told, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = updates(await listed(database, furniture, **asked))
    monkeypatch.setattr(history, "BUDGET", 3)
    pages = [await listed(database, furniture, **asked)]
    while pages[-1].next_before is not None:
        assert pages[-1].looked_back_to is not None
        pages.append(await listed(database, furniture, **asked, before=pages[-1].next_before))
    assert [number for page in pages for number in updates(page)] == whole
    assert len(pages) > 1 or asked == {"object": ("item", 2)}


async def test_a_state_or_type_that_there_is_not_is_refused_by_name(database: AnyDatabase, furniture: Told) -> None:
    with pytest.raises(Invalid, match="lost"):
        await listed(database, furniture, states=("lost",))
    with pytest.raises(Invalid, match=r"item\.lost"):
        await listed(database, furniture, types=("item.lost",))


async def test_a_row_says_how_the_last_attempt_went(database: AnyDatabase, furniture: Told) -> None:
    world, hook_id = furniture
    waiting, exhausted = await database.read(rows_of, world.user, hook_id, [3, 11, 99])
    assert (exhausted.what, exhausted.state, exhausted.reason, exhausted.status, exhausted.took) == (
        "item 2",
        "exhausted",
        "status",
        500,
        30_000,
    )
    assert (waiting.sequence, waiting.state, waiting.status, waiting.took, waiting.ended_at) == (11, "sending", None, None, None)


async def test_newer_ones_than_a_number_are_the_newest(database: AnyDatabase, furniture: Told) -> None:
    world, hook_id = furniture
    assert [row.sequence for row in await database.read(newest, world.user, hook_id, 6, 3)] == [11, 10, 9]
    assert await database.read(newest, world.user, hook_id, 11) == []


async def test_who_may_not_change_the_hook_sees_nothing_of_it(database: AnyDatabase, furniture: Told) -> None:
    _, hook_id = furniture
    stranger = (await database.write(make_world, "two")).user
    for look in (
        lambda tx: list_deliveries(tx, stranger, hook_id, Asked()),
        lambda tx: rows_of(tx, stranger, hook_id, [2]),
        lambda tx: newest(tx, stranger, hook_id, 0),
        lambda tx: get_delivery(tx, stranger, hook_id, 2),
        lambda tx: fresh_curl(tx, stranger, KEYRING, hook_id, 2, server_url="", allow=parse_allow(()), now=NOW),
    ):
        with pytest.raises((NotFound, Forbidden)):
            await database.read(look)


# --- one, whole ----------------------------------------------------------------------------------------------------------


async def test_one_is_shown_with_its_event_and_its_attempts(database: AnyDatabase, furniture: Told) -> None:
    world, hook_id = furniture
    shown = await database.read(get_delivery, world.user, hook_id, 10)
    assert (shown.row.state, shown.next_at, shown.event.parameters["item_id"]) == ("pending", NOW + 60 * SECOND, "4")
    [attempt] = shown.attempts
    assert (attempt.sent_head, attempt.sent_body) == ("POST /in HTTP/1.1\r\nHost: a.example", "item_id=42")
    assert (attempt.answer_body, attempt.status, attempt.detail, attempt.took) == ("oh", 500, "answered 500", 30_000)
    assert attempt.split == Split(dns=1_000, connect=4_000, first_byte=24_000, rest=1_000)
    with pytest.raises(NotFound):
        await database.read(get_delivery, world.user, hook_id, 99)


async def test_bytes_that_are_no_text_are_shown_as_text_all_the_same(database: AnyDatabase, furniture: Told) -> None:
    world, hook_id = furniture

    def answer(tx: Tx) -> None:
        tx.exec_driver_sql(f"UPDATE attempts SET answer_body = {_bytes(tx)} WHERE hook_id = {hook_id} AND sequence = 3")

    await database.write(answer)
    [attempt] = (await database.read(get_delivery, world.user, hook_id, 3)).attempts
    assert attempt.answer_body == "<\ufffd\0>"


def _bytes(tx: Tx) -> str:
    return "x'3cff003e'" if tx.dialect.name == "sqlite" else "'\\x3cff003e'::bytea"


async def test_the_code_of_a_verification_is_shown_nowhere(database: AnyDatabase, furniture: Told) -> None:
    world = furniture[0]

    def echo(tx: Tx) -> tuple[int, str]:
        hook_id = make_hook(tx, world, url="http://echo.example/", active=False)
        code = code_of(tx, hook_id)
        [delivery] = send_out(tx)
        settle_all(tx, failed(delivery, answer=f"you said CODE={code.upper()} and {code[:30]}".encode()))
        return hook_id, code

    hook_id, code = await database.write(echo)
    shown = await database.read(get_delivery, world.user, hook_id, 1)
    assert shown.event.parameters == {"code": "(hidden)"}
    assert shown.attempts[0].answer_body == "you said CODE=(hidden) and (hidden)"
    kept = await database.read(lambda tx: tx.exec_driver_sql(f"SELECT last_answer FROM hook_health WHERE hook_id = {hook_id}").scalar_one())
    assert code[:8] not in bytes(kept).decode().lower()


async def test_the_line_for_a_shell_sends_the_same_body_signed_anew(database: AnyDatabase, furniture: Told) -> None:
    world, hook_id = furniture

    def line(tx: Tx, sequence: int) -> str | None:
        return fresh_curl(tx, world.user, KEYRING, hook_id, sequence, server_url="http://t.example", allow=parse_allow(()), now=NOW)

    said = await database.read(line, 3)
    assert said is not None
    words = shlex.split(said)
    assert words[:6] == ["curl", "--globoff", "--path-as-is", "-X", "POST", "http://a.example/in"]
    assert words[-2:] == ["--data-raw", f"item_id=2&item_revision_id=1&external_id=&type=item.update&hook_id={hook_id}"]
    assert f"webhook-timestamp: {NOW // SECOND}" in words
    assert not [word for word in words if word.lower().startswith(("host:", "content-length:"))]
    assert await database.read(line, 1) is None


# --- by which index ------------------------------------------------------------------------------------------------------


@pytest.mark.only("sqlite", reason="it is SQLite that takes the primary key, and walks over all that a hook was ever told")
@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("SELECT sequence FROM deliveries WHERE hook_id = 1 AND ended_at IS NULL ORDER BY sequence DESC LIMIT 9", "waiting"),
        (
            "SELECT 1 FROM deliveries WHERE hook_id = 1 AND lane = 'item:1' AND lane IS NOT NULL AND ended_at IS NULL AND sequence < 9",
            "lane",
        ),
    ],
)
async def test_what_waits_is_found_without_walking_over_what_has_ended(database: AnyDatabase, question: str, index: str) -> None:
    plan = await database.read(lambda tx: tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}").all())
    assert f"COVERING INDEX ix_deliveries_{index} (hook_id=?" in str(plan)
