"""The pages of an app's fields: to add one, to change it, to take it away; and what the app itself is called.

A new field is asked for its label and type, and for the little that some types need to be of use (the options of a
category, the currencies of an amount, the app whose items are meant); everything else is the API's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from tidings.console.apps import Place, app_path, find_place
from tidings.console.desk import Desk, Visit, check_form, done, show_section
from tidings.console.filled import FAULTS, NOTHING_FILLED, Filled, filled_again
from tidings.errors import Forbidden, Invalid, NotFound
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.apps import App, list_apps, update_app
from tidings.workspace.fields.fields import Field, FieldChange, NewField, create_field, delete_field, update_field

TYPES: list[tuple[str, str]] = [
    ("text", "Text"),
    ("category", "Category"),
    ("number", "Number"),
    ("date", "Date"),
    ("contact", "Person"),
    ("money", "Money"),
    ("progress", "Progress"),
    ("duration", "Duration"),
    ("phone", "Phone"),
    ("email", "E-mail"),
    ("embed", "Link"),
    ("location", "Location"),
    ("app", "Item of an app"),
    ("image", "Image"),
    ("file", "File"),
]
"""The types of field that are offered, with their words."""

WORDS = dict(TYPES) | {"member": "Member"}
INPUTS = {"settings.referenceable_types": "target", "settings.options": "options", "settings.allowed_currencies": "currencies"}


def fields_path(app_id: int) -> str:
    """Where the fields of an app are."""
    return f"{app_path(app_id)}/fields"


# --- all of them, and the app ------------------------------------------------------------------------------------------


async def show_fields(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console/apps/{app_id}/fields`."""
    place, around = await desk.database.read(_place_and_apps, visit.caller, visit.ids["app_id"])
    targets = [(app.app_id, app.config.name) for app in around]
    shown = {"place": place, "app": place.app, "types": TYPES, "words": WORDS, "targets": targets}
    return show_section(desk, visit, "fields.html", shown, filled=filled)


def _place_and_apps(tx: Tx, caller: Caller, app_id: int) -> tuple[Place, list[App]]:
    place = find_place(tx, caller, app_id)
    return place, list_apps(tx, caller, place.space.space_id) if place.app.role == "admin" else []


async def change_app(desk: Desk, visit: Visit) -> Response:
    """`POST /console/apps/{app_id}`: what it and its items are called."""
    check_form(visit)
    app_id = visit.ids["app_id"]
    config = {name: visit.form.get(name, "").strip() for name in ("name", "item_name", "description")}
    try:
        await desk.database.write(update_app, visit.caller, app_id, config, now=visit.now)
    except FAULTS as error:
        return await show_fields(desk, visit, filled_again("app", visit.form, error))
    return done(fields_path(app_id), "app-changed")


# --- one of them -------------------------------------------------------------------------------------------------------


async def add_field(desk: Desk, visit: Visit) -> Response:
    """`POST /console/apps/{app_id}/fields`."""
    check_form(visit)
    app_id, field_type = visit.ids["app_id"], visit.form.get("type", "")
    try:
        new = NewField(field_type, _config(field_type, visit.form))
        await desk.database.write(create_field, visit.caller, app_id, new, now=visit.now)
    except FAULTS as error:
        return await show_fields(desk, visit, filled_again("field", visit.form, error, inputs=INPUTS))
    return done(fields_path(app_id), "field-added")


async def show_field(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console/apps/{app_id}/fields/{field_id}`, for the app's admins."""
    place, field = await desk.database.read(_place_and_field, visit.caller, visit.ids["app_id"], visit.ids["field_id"])
    shown = {"place": place, "app": place.app, "field": field, "type": WORDS.get(field.type, field.type)}
    return show_section(desk, visit, "field.html", shown, filled=filled)


def _place_and_field(tx: Tx, caller: Caller, app_id: int, field_id: int) -> tuple[Place, Field]:
    place = find_place(tx, caller, app_id)
    if place.app.role != "admin":
        raise Forbidden("Only the admins of the space change the fields of its apps.")
    field = next((each for each in place.app.fields if each.field_id == field_id), None)
    if field is None:
        raise NotFound(parameters={"field_id": field_id})
    return place, field


async def change_field(desk: Desk, visit: Visit) -> Response:
    """`POST /console/apps/{app_id}/fields/{field_id}`."""
    check_form(visit)
    app_id, field_id = visit.ids["app_id"], visit.ids["field_id"]
    try:
        await desk.database.write(_change_field, visit.caller, app_id, field_id, visit.form, now=visit.now)
    except FAULTS as error:
        return await show_field(desk, visit, filled_again("field", visit.form, error, inputs=INPUTS))
    return done(fields_path(app_id), "field-changed")


def _change_field(tx: Tx, caller: Caller, app_id: int, field_id: int, form: Mapping[str, str], *, now: int) -> None:
    _, field = _place_and_field(tx, caller, app_id, field_id)
    change = FieldChange(config=_config(field.type, form) | {"description": form.get("description", "").strip()})
    update_field(tx, caller, app_id, str(field_id), change, now=now)


async def drop_field(desk: Desk, visit: Visit) -> Response:
    """`POST /console/apps/{app_id}/fields/{field_id}/delete`."""
    check_form(visit)
    app_id = visit.ids["app_id"]
    await desk.database.write(delete_field, visit.caller, app_id, str(visit.ids["field_id"]), now=visit.now)
    return done(fields_path(app_id), "field-deleted")


# --- what a form says --------------------------------------------------------------------------------------------------


def _config(field_type: str, form: Mapping[str, str]) -> dict[str, Any]:
    return {"label": form.get("label", ""), "required": bool(form.get("required")), "settings": _settings(field_type, form)}


def _settings(field_type: str, form: Mapping[str, str]) -> dict[str, Any]:
    """What a type needs to be of use. Raises `Invalid` for a category without options."""
    match field_type:
        case "category":
            options = [line.strip() for line in form.get("options", "").splitlines() if line.strip()]
            if not options:
                raise Invalid("options: a category needs at least one, each in a line of its own", parameters={"field": "options"})
            return {"options": options, "multiple": bool(form.get("multiple"))}
        case "money":
            return {"allowed_currencies": form.get("currencies", "").upper().replace(",", " ").split()}
        case "text":
            return {"size": "large" if form.get("large") else "small"}
        case "app" if "target" in form:
            target = form["target"]
            return {"referenceable_types": [int(target)] if target.isascii() and target.isdigit() and len(target) <= 9 else []}
        case _:
            return {}
