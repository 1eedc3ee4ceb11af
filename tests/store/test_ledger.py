"""The ledger of an item, and what of an app has not arrived: who sees which hooks, and why nobody was told."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.cast import FIELDS, KEYRING, NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tests.support.line import delivered, failed, send_out, settle_all
from tests.support.world import SECOND, code_of
from tidings.delivery import undelivered as pages
from tidings.delivery.decide import Verdict
from tidings.delivery.ledger import LedgerEntry, item_ledger
from tidings.delivery.undelivered import Undelivered, undelivered
from tidings.errors import Forbidden, NotFound
from tidings.hooks import registry
from tidings.hooks.verification import validate
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.items.items import ItemChange, NewItem, create_item, delete_item, update_item

assert FIELDS[0].type == "text"
HOUR = 3600 * SECOND


@dataclass(frozen=True)
class Workshop:
    """The cast, an item of theirs, and two hooks that hear of its updates: one on the app, one on the item's title."""

    cast: Cast
    item_id: int
    hook_id: int
    field_hook_id: int


def open_workshop(tx: Tx) -> Workshop:
    """Make it; nothing waits."""
    cast = gather_cast(tx)
    title = tx.exec_driver_sql(f"SELECT min(field_id) FROM fields WHERE app_id = {cast.app_id}").scalar_one()
    hook_id = add_hook(tx, cast, "app", cast.app_id, "item.update", "http://a.example/")
    field_hook_id = add_hook(tx, cast, "app_field", title, "item.update", "http://f.example/")
    item_id = create_item(tx, cast.admin, cast.app_id, NewItem({"title": "a"}, "part-1"), now=NOW + HOUR).item_id
    settle_all(tx, *map(delivered, send_out(tx)))
    return Workshop(cast, item_id, hook_id, field_hook_id)


def add_hook(tx: Tx, cast: Cast, ref_type: str, ref_id: int, type: str, url: str, now: int = NOW) -> int:
    made = registry.create_hook(tx, cast.admin, KEYRING, ref_type, ref_id, url, type, now=now, limit=10)
    assert validate(tx, cast.admin, made.hook_id, code_of(tx, made.hook_id), now=now)
    return made.hook_id


def change(tx: Tx, workshop: Workshop, fields: dict[str, object], *, hours: int = 2, heard: bool = True) -> None:
    update_item(tx, workshop.cast.admin, workshop.item_id, ItemChange(fields), now=NOW + hours * HOUR, heard=heard)


pytestmark = pytest.mark.furnished(make=open_workshop)


async def ledger(database: AnyDatabase, workshop: Workshop, caller: Caller | None = None, **more: int) -> list[LedgerEntry]:
    return await database.read(item_ledger, caller or workshop.cast.admin, workshop.item_id, **more)


async def test_each_change_says_whom_it_was_told_and_how_that_went(database: AnyDatabase, furniture: Workshop) -> None:
    def work(tx: Tx) -> None:
        change(tx, furniture, {"title": "b"})
        on_app, on_title = send_out(tx)
        settle_all(tx, delivered(on_app), failed(on_title))

    await database.write(work)
    update, creation = await ledger(database, furniture)
    assert (update.type, update.changed, update.revision, update.created_by) == ("item.update", ["Title"], 1, furniture.cast.admin.author)
    assert [(told.hook_id, told.url, told.state, told.attempts) for told in update.deliveries] == [
        (furniture.hook_id, "http://a.example/", "delivered", 1),
        (furniture.field_hook_id, "http://f.example/", "pending", 1),
    ]
    assert update.why_none is None
    assert (creation.type, creation.deliveries) == ("item.create", [])
    assert creation.why_none == (f"The nearest is hook {furniture.field_hook_id}: it hears of item.update and not of item.create.")


async def test_why_nobody_was_told_is_said(database: AnyDatabase, furniture: Workshop) -> None:
    def work(tx: Tx) -> None:
        change(tx, furniture, {"title": "b"}, heard=False)
        registry.delete_hook(tx, furniture.cast.admin, furniture.hook_id, now=NOW + 2 * HOUR)
        change(tx, furniture, {"status": "Done"}, hours=3)
        send_out(tx)
        change(tx, furniture, {"title": "c"}, hours=4)

    await database.write(work)
    waiting, nearest, unheard, _ = await ledger(database, furniture)
    assert waiting.why_none is not None
    assert waiting.why_none.startswith("It waits")
    assert nearest.why_none is not None
    assert f"hook {furniture.hook_id}: it heard of this until it was deleted" in nearest.why_none
    assert unheard.why_none is not None
    assert "hook=false" in unheard.why_none


async def test_the_ledger_outlives_the_item_and_the_hook(database: AnyDatabase, furniture: Workshop) -> None:
    def work(tx: Tx) -> None:
        change(tx, furniture, {"title": "b"})
        settle_all(tx, *map(delivered, send_out(tx)))
        delete_item(tx, furniture.cast.admin, furniture.item_id, now=NOW + 3 * HOUR)
        registry.delete_hook(tx, furniture.cast.admin, furniture.hook_id, now=NOW + 3 * HOUR)
        send_out(tx)

    await database.write(work)
    deletion, update, _ = await ledger(database, furniture)
    assert deletion.type == "item.delete"
    assert [(told.hook_id, told.deleted) for told in update.deliveries] == [(furniture.hook_id, True), (furniture.field_hook_id, False)]


async def test_pages_of_the_ledger_join(database: AnyDatabase, furniture: Workshop) -> None:
    def work(tx: Tx) -> None:
        for number in range(3):
            change(tx, furniture, {"title": f"b{number}"})

    await database.write(work)
    first = await ledger(database, furniture, limit=2)
    second = await ledger(database, furniture, limit=2, before=first[-1].event_id)
    assert [entry.revision for entry in first + second] == [3, 2, 1, 0]


async def test_an_apps_token_sees_the_hooks_of_the_app_and_not_of_the_space(database: AnyDatabase, furniture: Workshop) -> None:
    cast = furniture.cast

    def work(tx: Tx) -> None:
        tx.exec_driver_sql(
            f"UPDATE hooks SET ref_type = 'space', ref_id = {cast.space_id}, app_id = NULL WHERE hook_id = {furniture.hook_id}"
        )
        tx.exec_driver_sql("UPDATE server SET hooks_version = hooks_version + 1")
        change(tx, furniture, {"title": "b"})
        change(tx, furniture, {"status": "Done"})
        send_out(tx)

    await database.write(work)
    status, title, _ = await ledger(database, furniture, cast.app)
    assert [told.hook_id for told in title.deliveries] == [furniture.field_hook_id]
    assert status.why_none == "Only hooks of the space heard of it, and an app's token does not see those."
    assert {row.hook_id for row in (await listed(database, furniture, cast.app)).rows} == {furniture.field_hook_id}
    assert {row.hook_id for row in (await listed(database, furniture)).rows} == {furniture.hook_id, furniture.field_hook_id}


@pytest.mark.parametrize("who", ["regular", "light", "colleague", "stranger", "nobody", "sibling", "far_app"])
async def test_only_the_admins_of_the_app_may_look(database: AnyDatabase, furniture: Workshop, who: str) -> None:
    caller = getattr(furniture.cast, who)
    with pytest.raises((NotFound, Forbidden)):
        await ledger(database, furniture, caller)
    with pytest.raises((NotFound, Forbidden)):
        await listed(database, furniture, caller)


# --- undelivered -------------------------------------------------------------------------------------------------------------


async def listed(
    database: AnyDatabase, workshop: Workshop, caller: Caller | None = None, since: int = NOW, limit: int = 100
) -> Undelivered:
    return await database.read(undelivered, caller or workshop.cast.admin, workshop.cast.app_id, since=since, limit=limit)


async def test_what_waits_or_was_given_up_is_listed_whatever_the_hook(database: AnyDatabase, furniture: Workshop) -> None:
    def work(tx: Tx) -> None:
        for hours in (2, 3, 4):
            change(tx, furniture, {"title": f"b{hours}"}, hours=hours)
        one, two, three, four, five, six = send_out(tx)
        gone, dead = Verdict("cancelled"), Verdict("exhausted")
        settle_all(tx, delivered(one), failed(two, verdict=dead), failed(three, verdict=gone), delivered(four), failed(five))
        assert six.hook_id == furniture.field_hook_id

    await database.write(work)
    found = await listed(database, furniture)
    assert [(row.hook_id, row.state, row.what) for row in found.rows] == [
        (furniture.hook_id, "pending", f"item {furniture.item_id} (part-1)"),
        (furniture.field_hook_id, "sending", f"item {furniture.item_id} (part-1)"),
        (furniture.hook_id, "cancelled", f"item {furniture.item_id} (part-1)"),
        (furniture.field_hook_id, "exhausted", f"item {furniture.item_id} (part-1)"),
    ]
    assert found.urls == {furniture.hook_id: "http://a.example/", furniture.field_hook_id: "http://f.example/"}
    assert not found.more
    assert len((await listed(database, furniture, since=NOW + 4 * HOUR)).rows) == 2
    first = await listed(database, furniture, limit=3)
    assert (len(first.rows), first.more) == (3, True)


async def test_a_long_row_of_failures_is_read_a_few_at_a_time(
    database: AnyDatabase, furniture: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(tx: Tx) -> None:
        for number in range(30):
            change(tx, furniture, {"title": f"b{number}"})
        settle_all(tx, *(failed(delivery, verdict=Verdict("exhausted")) for delivery in send_out(tx)))

    await database.write(work)
    assert len((await listed(database, furniture)).rows) == 60
    monkeypatch.setattr(pages, "LOOKED_AT", 10)
    found = await listed(database, furniture)
    assert (len(found.rows), found.more) == (20, True)
