"""The fields of an app: what they are called, which type of value they hold, in which order they stand.

A field keeps its type and its external_id for ever; what was deleted keeps its row, and its external_id is not given
again. Every change of a field is a change of the app's definition: the app's revision moves, and `app.update` says so.
What changes nothing writes nothing.

The definition of an app stands on the way of every change of every item and changes seldom, so each database connection
remembers a few hundred. An entry counts only while the app's row still has the very `config` text that it was read
beside. That text carries a stamp, drawn at random with each change of the definition, so what a rolled-back transaction
may have left behind is never taken for true.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace
from sqlalchemy import RowMapping, bindparam, insert, select, update

from tidings.errors import Gone, Invalid, NotFound
from tidings.events.outbox import NewEvent, append
from tidings.store.database import Tx
from tidings.store.schema import apps, fields, spaces
from tidings.workspace.access import Caller, reach_app
from tidings.workspace.fields.settings import GREATEST_ID, Settings, changed_settings, check_type
from tidings.workspace.names import NAME_LIMIT, TEXT_LIMIT, checked_name, free_label, is_label, label_from, within
from tidings.workspace.parts import Parts, changed
from tidings.workspace.quiet import tells

FIELD_LIMIT = 500  # of one app, the deleted ones not counted
REMEMBERED = 256  # definitions, for each connection


class FieldConfig(Struct, frozen=True, omit_defaults=True):
    """How a field is set up: Podio's `config` of a field."""

    label: str
    description: Annotated[str, Meta(max_length=TEXT_LIMIT)] | None = None
    settings: Settings = {}
    required: bool = False
    delta: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] = 0
    mapping: Annotated[str, Meta(max_length=NAME_LIMIT)] | None = None
    hidden_create_view_edit: bool = False


class Field(Struct, frozen=True):
    """One field of an app."""

    field_id: int
    app_id: int
    external_id: str
    type: str
    status: Literal["active", "deleted"]
    config: FieldConfig
    position: int


class NewField(Struct, frozen=True):
    """A field about to be made: its `config` has a label at least. Without an external_id, it gets one from its label."""

    type: str
    config: Parts
    external_id: str | None = None


class FieldChange(Struct, frozen=True):
    """A field within a change of its app: changed, or new when it has no `field_id`."""

    field_id: int | None = None
    type: str | None = None
    config: Parts = {}
    external_id: str | None = None


# --- reading -----------------------------------------------------------------------------------------------------------

_ACTIVE = (
    select(fields).where(fields.c.app_id == bindparam("app_id"), fields.c.status == "active").order_by(fields.c.position, fields.c.field_id)
)  # fmt: skip
_DEFINITION = (
    select(apps.c.config.label("app_config"), *fields.c)
    .outerjoin(fields, (fields.c.app_id == apps.c.app_id) & (fields.c.status == "active"))
    .where(apps.c.app_id == bindparam("app_id"))
    .order_by(fields.c.position, fields.c.field_id)
)
_LABELS = select(fields.c.external_id).where(fields.c.app_id == bindparam("app_id"))
_decode_config = msgspec.json.Decoder(FieldConfig).decode


def load_fields(tx: Tx, app_id: int) -> list[Field]:
    """The active fields of the app, in their order. Asks for no right: the caller has been let into the app already."""
    return [_field(row._mapping) for row in tx.execute(_ACTIVE, {"app_id": app_id})]


def definition(tx: Tx, app: RowMapping) -> tuple[Field, ...]:
    """The same for the app whose row this is, from memory while it is still true of that row."""
    remembered: dict[int, tuple[str, tuple[Field, ...]]] = tx.info.setdefault("definitions", {})
    app_id, config = app["app_id"], app["config"]
    entry = remembered.get(app_id)
    if entry is not None and entry[0] == config:
        return entry[1]
    # The row may be older than what is there now, so what is read here is remembered with the text it was read beside.
    rows = tx.execute(_DEFINITION, {"app_id": app_id}).all()
    found = tuple(_field(row._mapping) for row in rows if row.field_id is not None)
    _remember(remembered, app_id, (rows[0].app_config, found))
    return found


def _remember(remembered: dict[int, Any], app_id: int, entry: object) -> None:
    remembered.pop(app_id, None)
    if len(remembered) >= REMEMBERED:
        del remembered[next(iter(remembered))]
    remembered[app_id] = entry


def _field(row: Any) -> Field:
    config = _decode_config(row["config"])
    return Field(row["field_id"], row["app_id"], row["external_id"], row["type"], row["status"], config, row["position"])


def get_field(tx: Tx, caller: Caller, app_id: int, name: str) -> Field:
    """The field that `name` means: its id, or its external_id. Raises `NotFound`, `Forbidden`, `Gone`."""
    reach_app(tx, caller, app_id)
    return find_field(tx, app_id, name)


def find_field(tx: Tx, app_id: int, name: str) -> Field:
    """The same, for a caller who has been let into the app already."""
    number = int(name) if name.isascii() and name.isdigit() and len(name) <= 10 else 0
    meant = (fields.c.external_id == name) | (fields.c.field_id == min(number, GREATEST_ID))
    rows = tx.execute(select(fields).where(fields.c.app_id == app_id, meant)).mappings().all()
    row = max(rows, key=lambda row: bool(row["field_id"] == number), default=None)
    if row is None:
        raise NotFound(parameters={"field_id": name[:NAME_LIMIT]})
    if row["status"] == "deleted":
        raise Gone(parameters={"field_id": row["field_id"]})
    return _field(row)


# --- changing ----------------------------------------------------------------------------------------------------------


def create_field(tx: Tx, caller: Caller, app_id: int, new: NewField, *, now: int, heard: bool = True) -> Field:
    """One more field. Raises `Invalid` for what its type does not allow."""
    app = reach_app(tx, caller, app_id, "admin", lock=True)
    [field] = insert_fields(tx, app_id, app["org_id"], [("", new)])
    definition_changed(tx, caller, app, now=now, heard=heard)
    return field


def update_field(tx: Tx, caller: Caller, app_id: int, name: str, change: FieldChange, *, now: int, heard: bool = True) -> int:
    """Change the field that `name` means, and answer the app's revision then. Raises `Invalid` for another type."""
    app = reach_app(tx, caller, app_id, "admin", lock=True)
    if not change_field(tx, app["org_id"], find_field(tx, app_id, name), change, ""):
        return int(app["revision"])
    return definition_changed(tx, caller, app, now=now, heard=heard)


def delete_field(tx: Tx, caller: Caller, app_id: int, name: str, *, now: int, heard: bool = True) -> int:
    """Take a field away, and answer the app's revision then. Its values are seen no more, and stay in the record."""
    app = reach_app(tx, caller, app_id, "admin", lock=True)
    field = find_field(tx, app_id, name)
    tx.execute(update(fields).where(fields.c.field_id == field.field_id).values(status="deleted"))
    return definition_changed(tx, caller, app, now=now, heard=heard)


def insert_fields(tx: Tx, app_id: int, org_id: int, new: Sequence[tuple[str, NewField]]) -> list[Field]:
    """Write the fields behind those that the app has. Its row is locked, or nobody has seen it yet.

    Each comes with how an error names it: `fields[2].`, or nothing where it stands alone.
    """
    present = load_fields(tx, app_id)
    if len(present) + len(new) > FIELD_LIMIT:
        raise Invalid(f"fields: an app has at most {FIELD_LIMIT}", parameters={"field": "fields", "limit": FIELD_LIMIT})
    taken = set(tx.execute(_LABELS, {"app_id": app_id}).scalars())
    place = max((field.position for field in present), default=-1)
    made: list[Field] = []
    for prefix, each in new:
        check_type(each.type)
        config = _changed(tx, org_id, each.type, {"delta": min(place + 1, GREATEST_ID)}, each.config, f"{prefix}config")
        made.append(_insert(tx, app_id, each.type, _external_id(each, config.label, f"{prefix}external_id", taken), config))
        taken.add(made[-1].external_id)
        place = max(place, made[-1].position)
    return made


def _insert(tx: Tx, app_id: int, field_type: str, external_id: str, config: FieldConfig) -> Field:
    values = {
        "app_id": app_id,
        "external_id": external_id,
        "type": field_type,
        "status": "active",
        "config": msgspec.json.encode(config).decode(),
        "position": config.delta,
    }
    return _field(tx.execute(insert(fields).values(values).returning(*fields.c)).mappings().one())


def _external_id(new: NewField, label: str, what: str, taken: set[str]) -> str:
    if not new.external_id:
        return free_label(label_from(label, new.type), taken)
    asked = within(new.external_id.strip(), what, NAME_LIMIT)
    if not is_label(asked):
        raise Invalid(f"{what}: must be lower-case letters and digits, joined by `-` or `_`", parameters={"field": what})
    if asked in taken:
        raise Invalid(f"{what}: {asked} is, or was, a field of this app", parameters={"field": what})
    return asked


def change_field(tx: Tx, org_id: int, field: Field, change: FieldChange, prefix: str) -> bool:
    """Write what `change` says of `field`, and answer whether that is anything new."""
    if change.type not in (None, field.type):
        sentence = f"{prefix}type: the field {field.external_id} is of the type {field.type}, and stays so"
        raise Invalid(sentence, parameters={"field": f"{prefix}type", "field_id": field.field_id})
    config = _changed(tx, org_id, field.type, msgspec.to_builtins(field.config), change.config, f"{prefix}config" if prefix else "")
    if config == field.config:
        return False
    values = {"config": msgspec.json.encode(config).decode(), "position": config.delta}
    tx.execute(update(fields).where(fields.c.field_id == field.field_id).values(values))
    return True


def _changed(tx: Tx, org_id: int, field_type: str, before: Parts, given: Parts, what: str) -> FieldConfig:
    named = _without_nothing(given)
    config = changed(FieldConfig, before, named, what)
    old = before.get("settings", {})
    settings = changed_settings(field_type, old, config.settings if "settings" in named else {}, f"{what}.settings".removeprefix("."))
    _check_references(tx, org_id, settings, old)
    return replace(config, label=checked_name(config.label, f"{what}.label".removeprefix(".")), settings=settings)


def _without_nothing(given: Parts) -> Parts:
    """A null place is none, and so are null settings; PHP writes an empty object as `[]`."""
    return {name: value for name, value in given.items() if name not in ("delta", "settings") or value not in (None, [])}


def _check_references(tx: Tx, org_id: int, settings: Settings, before: Settings) -> None:
    """The apps that a field newly refers to are of the same organization, and there."""
    new = set(settings.get("referenceable_types", ())) - set(before.get("referenceable_types", ()))
    if not new:
        return
    in_reach = select(apps.c.app_id).join(spaces, spaces.c.space_id == apps.c.space_id)
    found = tx.execute(in_reach.where(apps.c.app_id.in_(sorted(new)), apps.c.deleted_at.is_(None), spaces.c.org_id == org_id)).scalars()
    missing = sorted(new - set(found))
    if missing:
        raise Invalid(f"settings.referenceable_types: there is no app {missing[0]} here", parameters={"app_id": missing})


# --- what follows from a change ----------------------------------------------------------------------------------------


def stamped(config: str) -> str:
    """The config of an app with a new stamp: see the top of this module."""
    return msgspec.json.encode(msgspec.json.decode(config) | {"stamp": secrets.token_hex(8)}).decode()


def definition_changed(tx: Tx, caller: Caller, app: RowMapping, *, now: int, heard: bool, config: str | None = None) -> int:
    """Move the revision of the app, whose row is locked, and say so; answers the new revision."""
    revision: int = app["revision"] + 1
    values = {"revision": revision, "config": stamped(config or app["config"])}
    tx.execute(update(apps).where(apps.c.app_id == app["app_id"]).values(values))
    append_app_event(tx, caller, "app.update", app["app_id"], app["space_id"], now=now, heard=heard)
    return revision


def append_app_event(tx: Tx, caller: Caller, event_type: str, app_id: int, space_id: int, *, now: int, heard: bool) -> None:
    """Write `app.create`, `app.update` or `app.delete`."""
    append(
        tx,
        NewEvent(
            type=event_type,
            space_id=space_id,
            app_id=app_id,
            object_id=app_id,
            parameters={"app_id": str(app_id)},
            created_by=caller.author,
            created_at=now,
            heard=heard,
            quiet=event_type != "app.create" and not tells(tx, app_id),
        ),
    )
