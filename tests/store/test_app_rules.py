"""What the config and the status of an app keep from happening to its items, and from being heard, on both engines."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tests.support.cast import NOW
from tests.support.databases import AnyDatabase
from tests.support.hanging import story, upload
from tests.support.rights import who_may
from tests.support.tasks import LATER, Tasks, make_item, make_tasks, written
from tidings.errors import Conflict
from tidings.store.database import Tx
from tidings.store.schema import events
from tidings.workspace import apps, forms, tags
from tidings.workspace.apps import AppConfig, app_rights, get_app, item_rights, set_app_status, update_app
from tidings.workspace.comments import NewComment, create_comment, delete_comment
from tidings.workspace.fields import fields
from tidings.workspace.fields.fields import NewField
from tidings.workspace.forms import FormParts
from tidings.workspace.items import clearing, items, reverts
from tidings.workspace.items.enclosures import Enclosed
from tidings.workspace.items.items import ItemChange, NewItem
from tidings.workspace.tasks.parts import TaskParts
from tidings.workspace.tasks.tasks import create_tasks

pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


def configure(tx: Tx, tasks: Tasks, config: dict[str, Any]) -> None:
    for app_id in (tasks.app_id, tasks.cast.app_id):
        update_app(tx, tasks.cast.owner, app_id, config, now=NOW)


# --- what is refused ---------------------------------------------------------------------------------------------------


async def test_an_inactive_app_takes_no_new_items_and_lets_the_others_be_changed(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks, {"title": "A"})
    await database.write(set_app_status, tasks.cast.owner, tasks.app_id, "inactive", now=NOW)
    before = await database.read(written)
    for operation in (
        lambda tx: items.create_item(tx, tasks.cast.owner, tasks.app_id, NewItem(), now=NOW),
        lambda tx: items.create_items(tx, tasks.token, tasks.app_id, [NewItem()], now=NOW),
    ):
        with pytest.raises(Conflict, match=f"The app with id {tasks.app_id} is inactive, and takes no new items"):
            await database.write(operation)
    assert await database.read(written) == before
    await database.write(items.update_values, tasks.regular, item_id, {"title": "B"}, now=LATER)
    await database.write(items.delete_item, tasks.regular, item_id, now=LATER)
    await database.write(set_app_status, tasks.cast.owner, tasks.app_id, "active", now=NOW)
    await database.write(make_item, tasks)


async def test_an_app_may_keep_new_items_to_its_admins(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(configure, tasks, {"allow_create": False})
    app_id = tasks.cast.app_id
    for operation in (
        lambda tx, who: items.create_item(tx, who, app_id, NewItem(), now=NOW),
        lambda tx, who: items.create_items(tx, who, app_id, [NewItem()], now=NOW),
    ):
        assert await who_may(database, tasks.cast, operation) == "ok ok 403 403 403 404 404 ok 403 404"


async def test_an_app_may_keep_changes_to_its_admins(database: AnyDatabase, tasks: Tasks) -> None:
    def prepare(tx: Tx) -> int:
        item_id = items.create_item(tx, tasks.regular, tasks.cast.app_id, NewItem({"title": "A"}), now=NOW).item_id
        configure(tx, tasks, {"allow_edit": False})
        return item_id

    item_id, app_id = await database.write(prepare), tasks.cast.app_id
    for operation in (
        lambda tx, who: items.update_values(tx, who, item_id, {"title": "B"}, now=LATER),
        lambda tx, who: items.update_item(tx, who, item_id, ItemChange(enclosed=Enclosed(["a"])), now=LATER),
        lambda tx, who: items.delete_item(tx, who, item_id, now=LATER),
        lambda tx, who: items.delete_items(tx, who, app_id, [item_id], now=LATER),
        lambda tx, who: clearing.delete_matching(tx, who, app_id, {"title": "A"}, now=LATER),
        lambda tx, who: reverts.revert_to(tx, who, item_id, 0, now=LATER),
    ):
        assert await who_may(database, tasks.cast, operation) == "ok ok 403 403 403 404 404 ok 403 404"
    create = await who_may(database, tasks.cast, lambda tx, who: items.create_item(tx, who, app_id, NewItem(), now=NOW))
    assert create == "ok ok ok 403 403 404 404 ok 403 404"


async def test_rights_say_what_the_config_and_the_status_leave(database: AnyDatabase, tasks: Tasks) -> None:
    def may_add(tx: Tx) -> tuple[bool, bool]:
        seen = (get_app(tx, caller, tasks.app_id) for caller in (tasks.cast.owner, tasks.regular))
        admin, regular = ("add_item" in app_rights(app) for app in seen)
        return admin, regular

    assert await database.read(may_add) == (True, True)
    await database.write(configure, tasks, {"allow_create": False})
    assert await database.read(may_add) == (True, False)
    await database.write(set_app_status, tasks.cast.owner, tasks.app_id, "inactive", now=NOW)
    assert await database.read(may_add) == (False, False)
    kept = AppConfig("A", allow_edit=False)
    assert [item_rights(role, kept) for role in ("light", "regular", "admin")] == [("view",), ("view",), ("view", "update", "delete")]
    assert item_rights("regular", AppConfig("A")) == ("view", "update", "delete")


# --- what is not heard -------------------------------------------------------------------------------------------------


def live_through(tx: Tx, tasks: Tasks) -> int:
    """Something of every kind happens in the app; answers an item of it."""
    regular, owner, app_id = tasks.regular, tasks.cast.owner, tasks.app_id
    new = NewItem({"title": "A"}, enclosed=Enclosed(["a"], [upload(tx, regular)]))
    item_id = items.create_item(tx, regular, app_id, new, now=NOW).item_id
    items.update_values(tx, regular, item_id, {"title": "B"}, now=NOW)
    tags.add_tags(tx, regular, "item", item_id, ["b"], now=NOW)
    said = create_comment(tx, regular, "item", item_id, NewComment("Hm"), now=NOW)
    delete_comment(tx, regular, said.comment.comment_id, now=NOW)
    items.delete_item(tx, regular, item_id, now=NOW)
    form = forms.create_form(tx, owner, app_id, FormParts(), now=NOW)
    forms.delete_form(tx, owner, form.form_id, now=NOW)
    fields.create_field(tx, owner, app_id, NewField("text", {"label": "More"}), now=NOW)
    return item_id


def heard(tx: Tx, app_id: int) -> dict[str, bool]:
    """Of the events of an app, by type: whether hooks heard of the last one."""
    rows = tx.execute(select(events).where(events.c.app_id == app_id).order_by(events.c.event_id))
    return {row.type: bool(row.heard) for row in rows}


async def test_an_app_that_silences_notifications_tells_nobody_and_records_all(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        configure(tx, tasks, {"disable_notifications": True})
        item_id = live_through(tx, tasks)
        kinds = {"item.create", "file.change", "tag.add", "item.update", "comment.create", "comment.delete", "item.delete"}
        assert {kind for kind, _, _ in story(tx, item_id)} == kinds
        apps.delete_app(tx, tasks.cast.owner, tasks.app_id, now=NOW)
        told = heard(tx, tasks.app_id)
        assert set(told) == {*kinds, "form.create", "form.delete", "app.create", "app.update", "app.delete"}
        assert [kind for kind, was_heard in told.items() if was_heard] == ["app.create"]
        why = select(events.c.unheard_reason).where(events.c.app_id == tasks.app_id, events.c.type != "app.create").distinct()
        assert tx.scalars(why).all() == ["quiet"]

    await database.write(run)


async def test_an_app_that_speaks_again_is_heard_from_that_change_on(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        configure(tx, tasks, {"disable_notifications": True})
        assert heard(tx, tasks.app_id)["app.update"] is False
        configure(tx, tasks, {"disable_notifications": False})
        assert heard(tx, tasks.app_id)["app.update"] is True
        live_through(tx, tasks)
        assert all(heard(tx, tasks.app_id).values())

    await database.write(run)


async def test_what_a_spaces_hooks_hear_is_not_silenced_by_an_app(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        configure(tx, tasks, {"disable_notifications": True})
        parts = TaskParts(text="Do it", ref_type="app", ref_id=tasks.app_id)
        create_tasks(tx, tasks.regular, parts, now=NOW)
        assert heard(tx, tasks.app_id)["task.create"] is True

    await database.write(run)
