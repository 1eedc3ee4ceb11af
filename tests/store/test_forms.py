"""Web forms of an app, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from tests.support.cast import NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tidings.errors import Forbidden, Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import events, forms
from tidings.workspace.access import Caller
from tidings.workspace.apps import delete_app
from tidings.workspace.fields.fields import delete_field, load_fields
from tidings.workspace.forms import (
    CONFIG_LIMIT,
    DOMAIN_LIMIT,
    Form,
    FormField,
    FormParts,
    FormText,
    create_form,
    delete_form,
    get_form,
    list_forms,
    set_form_status,
    update_form,
)

WHOLE = {
    "settings": {"captcha": True, "text": {"submit": "Send", "success": "Thanks"}, "theme": "clean", "css": "a {}"},
    "domains": [" example.org "],
    "fields": [{"external_id": "title"}, {"external_id": "status", "settings": {"contact_field_types": ["name"]}}],
    "attachments": True,
}


pytestmark = pytest.mark.furnished(make=gather_cast)


@pytest.fixture
def cast(furniture: Cast) -> Cast:
    return furniture


def parts(**said: Any) -> FormParts:
    return msgspec.convert(said, FormParts)


def make(tx: Tx, cast: Cast, /, **said: Any) -> Form:
    return create_form(tx, cast.admin, cast.app_id, parts(**said), now=NOW)


def field_ids(tx: Tx, app_id: int) -> dict[str, int]:
    return {field.external_id: field.field_id for field in load_fields(tx, app_id)}


def form_events(tx: Tx) -> list[tuple[str, bool]]:
    rows = tx.execute(select(events).where(events.c.object_type == "form").order_by(events.c.event_id))
    return [(row.type, bool(row.heard)) for row in rows]


# --- making and reading ---


async def test_a_form_is_made_and_read(database: AnyDatabase, cast: Cast) -> None:
    form = await database.write(make, cast, **WHOLE)
    assert form == await database.read(get_form, cast.app, form.form_id)
    ids = await database.read(field_ids, cast.app_id)
    assert (form.app_id, form.space_id, form.status, form.created_by, form.created_at) == (
        cast.app_id,
        cast.space_id,
        "active",
        cast.admin.author,
        NOW,
    )
    config = form.config
    assert (config.settings.captcha, config.settings.text, config.settings.theme, config.settings.css) == (
        True,
        FormText("Send", "Thanks"),
        "clean",
        "a {}",
    )
    assert (config.domains, config.attachments) == (("example.org",), True)
    assert config.fields == (FormField(ids["title"]), FormField(ids["status"], {"contact_field_types": ["name"]}))


async def test_its_event_is_of_the_app_and_says_both_ids(database: AnyDatabase, cast: Cast) -> None:
    form = await database.write(make, cast)
    event = await database.read(lambda tx: tx.execute(select(events).order_by(events.c.event_id.desc()).limit(1)).mappings().one())
    assert (event["type"], event["object_type"], event["object_id"]) == ("form.create", "form", form.form_id)
    assert (event["app_id"], event["created_by"], event["created_at"]) == (cast.app_id, cast.admin.author, NOW)
    assert list(msgspec.json.decode(event["parameters"]).items()) == [("form_id", str(form.form_id)), ("app_id", str(cast.app_id))]


async def test_fields_are_named_in_every_way(database: AnyDatabase, cast: Cast) -> None:
    ids = await database.read(field_ids, cast.app_id)
    for said in (
        {"fields": [ids["title"], "status"]},
        {"fields": [{"field_id": ids["title"]}, {"field_id": "status", "settings": None}]},
        {"field_ids": [ids["title"], str(ids["status"])]},
    ):
        form = await database.write(make, cast, **said)
        assert [field.field_id for field in form.config.fields] == [ids["title"], ids["status"]]


async def test_the_forms_of_an_app_are_listed_oldest_first_without_the_deleted(database: AnyDatabase, cast: Cast) -> None:
    made = [await database.write(make, cast, **said) for said in ({}, WHOLE, {"attachments": True})]
    await database.write(delete_form, cast.admin, made[0].form_id, now=NOW)
    assert await database.read(list_forms, cast.admin, cast.app_id) == made[1:]
    assert await database.read(list_forms, cast.admin, cast.sibling_id) == []


async def test_a_part_that_is_wrong_is_named_and_no_form_is_made(database: AnyDatabase, cast: Cast) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"fields": ["nothing"]}, "fields[0]"),
        ({"fields": ["title", {}]}, "fields[1]"),
        ({"fields": [True]}, ""),
        ({"fields": ["title", {"external_id": "title"}]}, "fields[1]"),
        ({"domains": [" "]}, "domains[0]"),
        ({"domains": ["a"] * (DOMAIN_LIMIT + 1)}, "domains"),
        ({"settings": {"captcha": "yes"}}, "settings.captcha"),
        ({"settings": {"text": {"submit": "x" * 256}}}, "settings.text.submit"),
        ({"settings": {"text": "Send"}}, "settings.text"),
        ({"settings": {"theme": 5}}, "settings.theme"),
        ({"settings": {"colors": {"a": 1}}}, "settings.colors[...]"),
        ({"fields": [{"external_id": "title", "settings": {"a": "x" * CONFIG_LIMIT}}]}, "The form"),
    ]
    for said, field in wrong:
        with pytest.raises((Invalid, msgspec.ValidationError)) as raised:
            await database.write(make, cast, **said)
        assert str(raised.value).startswith(f"{field}: " if field else "Expected")
    assert await database.read(lambda tx: tx.execute(select(forms)).all()) == []
    assert await database.read(form_events) == []


async def test_a_field_of_another_app_is_none_of_this_one(database: AnyDatabase, cast: Cast) -> None:
    ids = await database.read(field_ids, cast.app_id)
    with pytest.raises(Invalid, match=f"{ids['title']} is no field of this app"):
        await database.write(create_form, cast.admin, cast.sibling_id, parts(fields=[ids["title"]]), now=NOW)


# --- changing ---


async def test_what_is_not_named_stays_in_the_settings_and_their_texts_too(database: AnyDatabase, cast: Cast) -> None:
    before = await database.write(make, cast, **WHOLE)
    said = parts(settings={"theme": None, "text": {"success": "Ta", "submit": None}})
    after = await database.write(update_form, cast.admin, before.form_id, said, now=NOW)
    assert after == await database.read(get_form, cast.admin, before.form_id)
    settings = after.config.settings
    assert (settings.captcha, settings.theme, settings.text, settings.css) == (True, None, FormText(None, "Ta"), "a {}")
    assert msgspec.structs.replace(after.config, settings=before.config.settings) == before.config


async def test_every_change_is_an_event_and_one_that_changes_nothing_is_none(database: AnyDatabase, cast: Cast) -> None:
    form = await database.write(make, cast, **WHOLE)
    changes: list[dict[str, Any]] = [{"domains": []}, {"fields": ["title"]}, {"attachments": None}, {"settings": {"captcha": False}}]
    for said in changes:
        for _ in range(2):
            await database.write(update_form, cast.admin, form.form_id, parts(**said), now=NOW)
    await database.write(update_form, cast.admin, form.form_id, parts(), now=NOW)
    assert await database.read(form_events) == [("form.create", True), *[("form.update", True)] * 4]


async def test_a_field_keeps_its_settings_until_others_are_said(database: AnyDatabase, cast: Cast) -> None:
    form = await database.write(make, cast, **WHOLE)
    kept = await database.write(update_form, cast.admin, form.form_id, parts(fields=["status"]), now=NOW)
    assert [field.settings for field in kept.config.fields] == [{"contact_field_types": ["name"]}]
    without = parts(fields=[{"external_id": "status", "settings": {}}])
    assert [field.settings for field in (await database.write(update_form, cast.admin, form.form_id, without, now=NOW)).config.fields] == [
        {}
    ]


async def test_a_form_is_switched_off_and_on_and_only_a_switch_is_an_event(database: AnyDatabase, cast: Cast) -> None:
    form = await database.write(make, cast)
    for status in ("active", "disabled", "disabled", "active"):
        await database.write(set_form_status, cast.admin, form.form_id, status, now=NOW)
        assert (await database.read(get_form, cast.admin, form.form_id)).status == status
    assert [name for name, _ in await database.read(form_events)] == ["form.create", "form.update", "form.update"]


async def test_a_deleted_form_is_gone(database: AnyDatabase, cast: Cast) -> None:
    form = await database.write(make, cast)
    await database.write(delete_form, cast.admin, form.form_id, now=NOW)
    with pytest.raises(Gone):
        await database.write(delete_form, cast.admin, form.form_id, now=NOW)
    with pytest.raises(Gone):
        await database.read(get_form, cast.admin, form.form_id)
    with pytest.raises(NotFound):
        await database.read(get_form, cast.stranger, form.form_id)
    assert [name for name, _ in await database.read(form_events)] == ["form.create", "form.delete"]


async def test_hooks_hear_of_nothing_that_was_to_be_unheard(database: AnyDatabase, cast: Cast) -> None:
    form = await database.write(create_form, cast.admin, cast.app_id, parts(), now=NOW, heard=False)
    await database.write(update_form, cast.admin, form.form_id, parts(attachments=True), now=NOW, heard=False)
    await database.write(set_form_status, cast.admin, form.form_id, "disabled", now=NOW, heard=False)
    await database.write(delete_form, cast.admin, form.form_id, now=NOW, heard=False)
    assert await database.read(form_events) == [
        ("form.create", False),
        ("form.update", False),
        ("form.update", False),
        ("form.delete", False),
    ]


async def test_a_change_that_fails_leaves_no_form_and_no_event(database: AnyDatabase, cast: Cast) -> None:
    def make_and_fail(tx: Tx) -> None:
        make(tx, cast)
        raise Invalid("no")

    with pytest.raises(Invalid):
        await database.write(make_and_fail)
    assert await database.read(list_forms, cast.admin, cast.app_id) == []
    assert await database.read(form_events) == []


# --- what is around it ---


async def test_a_field_that_the_app_has_no_more_is_shown_no_more(database: AnyDatabase, cast: Cast) -> None:
    form = await database.write(make, cast, **WHOLE)
    ids = await database.read(field_ids, cast.app_id)
    await database.write(delete_field, cast.admin, cast.app_id, "title", now=NOW)
    for shown in (await database.read(get_form, cast.admin, form.form_id), *await database.read(list_forms, cast.admin, cast.app_id)):
        assert [field.field_id for field in shown.config.fields] == [ids["status"]]


async def test_the_forms_of_a_deleted_app_are_out_of_reach_with_it(database: AnyDatabase, cast: Cast) -> None:
    form = await database.write(make, cast)
    await database.write(delete_app, cast.admin, cast.app_id, now=NOW)
    for act in (
        lambda tx: get_form(tx, cast.admin, form.form_id),
        lambda tx: list_forms(tx, cast.admin, cast.app_id),
        lambda tx: set_form_status(tx, cast.admin, form.form_id, "disabled", now=NOW),
        lambda tx: create_form(tx, cast.admin, cast.app_id, parts(), now=NOW),
    ):
        with pytest.raises(Gone):
            await database.write(act)


async def test_the_admins_of_the_app_and_nobody_else_have_its_forms(database: AnyDatabase, cast: Cast) -> None:
    form_id = (await database.write(make, cast)).form_id
    acts: list[Callable[[Tx, Caller], object]] = [
        lambda tx, who: create_form(tx, who, cast.app_id, parts(), now=NOW),
        lambda tx, who: list_forms(tx, who, cast.app_id),
        lambda tx, who: get_form(tx, who, form_id),
        lambda tx, who: update_form(tx, who, form_id, parts(attachments=True), now=NOW),
        lambda tx, who: set_form_status(tx, who, form_id, "active", now=NOW),
    ]
    for act in acts:
        for who in (cast.owner, cast.admin, cast.app):
            await database.write(act, who)
        for who in (cast.regular, cast.light, cast.colleague, cast.sibling):
            with pytest.raises(Forbidden):
                await database.write(act, who)
        for who in (cast.stranger, cast.nobody, cast.far_app):
            with pytest.raises(NotFound):
                await database.write(act, who)


async def test_what_is_not_there_and_what_is_out_of_reach_say_the_same(database: AnyDatabase, cast: Cast) -> None:
    form_id = (await database.write(make, cast)).form_id
    for number in (form_id, 999_999):
        with pytest.raises(NotFound) as raised:
            await database.read(get_form, cast.stranger, number)
        assert (raised.value.description, [*raised.value.parameters]) == ("Object not found", ["form_id"])
