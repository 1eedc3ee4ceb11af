"""The pages of an item: to make one, to read and change it, to delete it, so that events can be made by hand.

A form knows the revision that it was made from, and only what was touched in it is part of the change: two people who write
different fields at once both have their way. Where they wrote the same one, the form comes back with what was typed and
says so; sent again, it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from msgspec import Struct
from starlette.responses import Response

from tidings.console.apps import Place, app_path, find_place
from tidings.console.desk import Desk, Visit, check_form, done, show_section
from tidings.console.filled import FAULTS, NOTHING_FILLED, STATUS, Filled, Form
from tidings.console.item_forms import fill_item, in_short, merge, read_item, widgets
from tidings.console.ledger import Ledger, read_ledger
from tidings.console.said import in_words
from tidings.console.shapes.shape import Choices
from tidings.errors import Conflict, Forbidden, Gone, NotFound, TidingsError
from tidings.store.database import Tx
from tidings.workspace.access import Caller, reach_app
from tidings.workspace.apps import item_rights
from tidings.workspace.fields.fieldsets import Fieldset, Values, fieldset
from tidings.workspace.items.filters import Wanted, filter_items
from tidings.workspace.items.items import ItemChange, NewItem, create_item, delete_item, get_item, reach_item, update_item
from tidings.workspace.items.revisions import values_after
from tidings.workspace.items.rows import Item
from tidings.workspace.items.views import ItemView, view_whole
from tidings.workspace.members import list_members

SUGGESTIONS = 50  # items of an app that are offered where one can be named: the newest


class Paper(Struct, frozen=True):
    """What the form of an item needs to know."""

    place: Place
    those: Fieldset
    choices: Choices


class Sheet(Struct, frozen=True):
    """An item, and the form that changes it."""

    paper: Paper
    view: ItemView
    base: Values  # what the item held at the revision that the form was made from
    ledger: Ledger | None  # for the app's admins


def item_path(item_id: int) -> str:
    """Where an item is."""
    return f"/console/items/{item_id}"


# --- a new one ---------------------------------------------------------------------------------------------------------


async def show_new_item(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console/apps/{app_id}/items/new`."""
    paper = await desk.database.read(_paper, visit.caller, visit.ids["app_id"])
    shown = {"place": paper.place, "app": paper.place.app, "widgets": widgets(paper.those, filled.form.typed or {}, paper.choices)}
    return show_section(desk, visit, "item_new.html", shown, filled=filled)


async def make_item(desk: Desk, visit: Visit) -> Response:
    """`POST /console/apps/{app_id}/items`: then on to the item, or to the next new one."""
    check_form(visit)
    app_id = visit.ids["app_id"]
    try:
        item_id = await desk.database.write(_make, visit.caller, app_id, visit.form, now=visit.now)
    except FAULTS as error:
        return await show_new_item(desk, visit, _filled_again(visit.form, error))
    return done(f"{app_path(app_id)}/items/new" if visit.form.get("then") == "another" else item_path(item_id), "item-made")


def _make(tx: Tx, caller: Caller, app_id: int, form: Mapping[str, str], *, now: int) -> int:
    those = fieldset(tx, reach_app(tx, caller, app_id, "regular"))
    return create_item(tx, caller, app_id, NewItem(read_item(those, form, {}), form.get("external_id", "").strip()), now=now).item_id


def _paper(tx: Tx, caller: Caller, app_id: int) -> Paper:
    place = find_place(tx, caller, app_id)
    those = fieldset(tx, reach_app(tx, caller, app_id))
    return Paper(place, those, _choices(tx, caller, place, those))


def _choices(tx: Tx, caller: Caller, place: Place, those: Fieldset) -> Choices:
    people = {member.user.user_id: member.user.name for member in list_members(tx, caller, place.space.space_id)}
    referred = {app_id for field in those.fields for app_id in field.config.settings.get("referenceable_types", ())}
    items = {app_id: _some_items(tx, caller, app_id) for app_id in sorted(referred)}
    return Choices(people, items, frozenset(app_id for app_id, some in items.items() if len(some) < SUGGESTIONS))


def _some_items(tx: Tx, caller: Caller, app_id: int) -> list[tuple[int, str]]:
    try:
        found = filter_items(tx, caller, app_id, Wanted(limit=SUGGESTIONS)).items
    except (NotFound, Forbidden, Gone):
        return []  # the field may name an app that those who fill it in may not look into
    return [(item.item_id, item.title) for item in found]


# --- one that is there -------------------------------------------------------------------------------------------------


async def show_item(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console/items/{item_id}?ledger=`. Of a deleted item, the ledger is left."""
    item_id, before = visit.ids["item_id"], _event_id(visit.query.get("ledger", ""))
    try:
        sheet = await desk.database.read(_sheet, visit.caller, item_id, filled.of("item").text("revision"), before)
    except Gone:
        return await _show_deleted(desk, visit, item_id, before)
    paper, view, app = sheet.paper, sheet.view, sheet.paper.place.app
    typed, held = filled.of("item").typed, view.item.values
    texts = fill_item(paper.those, held) if typed is None else merge(paper.those, typed, sheet.base, held)
    shown = {
        "place": paper.place,
        "app": app,
        "view": view,
        "item": view.item,
        "widgets": widgets(paper.those, texts, paper.choices),
        "values": [(slot, in_words(slot, held, view.known)) for slot in paper.those.slots if held.get(slot.field.field_id)],
        "known": view.known,
        "may_change": "update" in item_rights(app.role, app.config),
        "ledger": sheet.ledger,
        "ledger_path": item_path(item_id),
    }
    return show_section(desk, visit, "item.html", shown, filled=filled)


def _sheet(tx: Tx, caller: Caller, item_id: int, revision: str, before: int | None) -> Sheet:
    view = view_whole(tx, caller, item_id)
    paper = _paper(tx, caller, view.app.app_id)
    choices = replace(paper.choices, people={**paper.choices.people, **view.known.people})
    base = values_after(tx, item_id, _number(revision)) if revision else view.item.values
    return Sheet(Paper(paper.place, paper.those, choices), view, base, read_ledger(tx, caller, item_id, before))


async def _show_deleted(desk: Desk, visit: Visit, item_id: int, before: int | None) -> Response:
    place, item, ledger = await desk.database.read(_what_is_left, visit.caller, item_id, before)
    shown = {"place": place, "item": item, "ledger": ledger, "ledger_path": item_path(item_id)}
    return show_section(desk, visit, "item_deleted.html", shown, status=STATUS[Gone])


def _what_is_left(tx: Tx, caller: Caller, item_id: int, before: int | None) -> tuple[Place, Item, Ledger]:
    item, _ = reach_item(tx, caller, item_id, even_deleted=True)
    ledger = read_ledger(tx, caller, item_id, before)
    if ledger is None:
        raise Gone(parameters={"item_id": item_id})
    return find_place(tx, caller, item.app_id), item, ledger


def _event_id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


async def change_item(desk: Desk, visit: Visit) -> Response:
    """`POST /console/items/{item_id}`."""
    check_form(visit)
    item_id = visit.ids["item_id"]
    try:
        moved = await desk.database.write(_change, visit.caller, item_id, visit.form, now=visit.now)
    except FAULTS as error:
        return await show_item(desk, visit, _filled_again(visit.form, error))
    return done(item_path(item_id), "item-changed" if moved else "item-same")


def _change(tx: Tx, caller: Caller, item_id: int, form: Mapping[str, str], *, now: int) -> bool:
    """Write what was touched; whether that changed anything. Raises `Conflict` where somebody else wrote the same meanwhile."""
    item, app = reach_item(tx, caller, item_id, "regular")
    those, base = fieldset(tx, app), values_after(tx, item_id, _number(form.get("revision", "")))
    touched = read_item(those, form, base)
    clashing = [
        slot.field.config.label
        for slot in those.slots
        if (field_id := slot.field.field_id) in touched and base.get(field_id, []) != item.values.get(field_id, [])
    ]
    if clashing:
        clashed = f"Somebody else has changed {', '.join(clashing)} meanwhile."
        raise Conflict(f"{clashed} What you typed is still here: save again to put it in the place of theirs.")
    change = ItemChange(touched, form.get("external_id", "").strip(), item.revision)
    return update_item(tx, caller, item_id, change, now=now).revision != item.revision


def _number(revision: str) -> int:
    """The revision that a form says it was made from. Raises `NotFound` for what is none."""
    if not (revision.isascii() and revision.isdigit() and len(revision) <= 9):
        raise NotFound
    return int(revision)


def _filled_again(form: Mapping[str, str], error: TidingsError) -> Filled:
    """The item's form with what was typed, and `error` beside the field that it names."""
    named = str(error.parameters.get("field", ""))
    return Filled("item", Form(form, {named: in_short(error)} if named else {"": error.description}), STATUS[type(error)])


async def drop_item(desk: Desk, visit: Visit) -> Response:
    """`POST /console/items/{item_id}/delete`."""
    check_form(visit)
    item = await desk.database.read(get_item, visit.caller, visit.ids["item_id"])
    await desk.database.write(delete_item, visit.caller, item.item_id, now=visit.now)
    return done(app_path(item.app_id), "item-deleted")
