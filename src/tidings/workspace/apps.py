"""Apps: what items are kept in, and what most hooks hang on.

The admins of a space make and change its apps; an app's own token acts as the admin of that app. Every change of what an
app is (its config, its fields, whether it is active) moves its revision and writes `app.update`; what changes nothing
writes nothing. The app token is a secret: sealed in the row, and shown to admins alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace
from sqlalchemy import RowMapping, Select, bindparam, insert, select, update

from tidings.errors import Conflict, Forbidden, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import apps, org_members, orgs, space_members, spaces
from tidings.store.sealing import Keyring
from tidings.workspace.access import APP_RIGHTS, APPS_WITH_ROLES, Caller, Role, held_role, reach_app, reach_space, require_user
from tidings.workspace.accounts.users import User, find_users
from tidings.workspace.fields.fields import (
    REMEMBERED,
    Field,
    FieldChange,
    NewField,
    append_app_event,
    change_field,
    definition,
    definition_changed,
    find_field,
    insert_fields,
    stamped,
)
from tidings.workspace.names import NAME_LIMIT, TEXT_LIMIT, checked_name, free_label, label_from
from tidings.workspace.parts import Parts, changed

TOKEN_BYTES = 16  # 32 hex digits, as Podio's

Status = Literal["active", "inactive"]
Name = Annotated[str, Meta(max_length=NAME_LIMIT)]
Description = Annotated[str, Meta(max_length=TEXT_LIMIT)]


class AppConfig(Struct, frozen=True):
    """Podio's `config` of an app, as far as anything here or a client of the API reads it."""

    name: str
    item_name: str = ""
    type: Literal["standard", "meeting", "contact"] = "standard"
    description: Description | None = None
    usage: Description | None = None
    external_id: Name | int | None = None
    icon: Name | None = None
    icon_id: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    default_view: Name | None = None
    allow_edit: bool = True
    allow_create: bool = True
    allow_attachments: bool = True
    allow_comments: bool = True
    allow_tags: bool = True
    silent_creates: bool = False
    silent_edits: bool = False
    disable_notifications: bool = False
    show_app_item_id: bool = False
    app_item_id_prefix: Name | None = None
    app_item_id_padding: Annotated[int, Meta(ge=0, le=10)] = 1


class App(Struct, frozen=True):
    """An app, as one caller sees it. Its token is not here: see `open_app_token`."""

    app_id: int
    space_id: int
    org_label: str
    space_label: str
    url_label: str
    status: Status
    config: AppConfig
    fields: tuple[Field, ...]
    revision: int
    owner: User
    created_at: int
    role: Role  # of the caller


def app_config(app: RowMapping) -> AppConfig:
    """The config of the app whose row this is."""
    return _read_config(app["config"])


@lru_cache(maxsize=REMEMBERED)  # it is read with every item of the app
def _read_config(text: str) -> AppConfig:
    return _decode_config(text)


_decode_config = msgspec.json.Decoder(AppConfig).decode
_LABELS = select(apps.c.url_label).where(apps.c.space_id == bindparam("space_id"))
_APPS = (
    APPS_WITH_ROLES.add_columns(orgs.c.url_label.label("org_label"), spaces.c.url_label.label("space_label"))
    .join(orgs, orgs.c.org_id == spaces.c.org_id)
    .order_by(apps.c.app_id)
)
_ONE = _APPS.where(apps.c.app_id == bindparam("app_id"))
_LIVE = _APPS.where(apps.c.deleted_at.is_(None), spaces.c.deleted_at.is_(None))
_IN_SPACE = _LIVE.where(apps.c.space_id == bindparam("space_id"))
_OWN = _LIVE.where(org_members.c.role.is_not(None) | space_members.c.role.is_not(None))


# --- making and changing -----------------------------------------------------------------------------------------------


def create_app(
    tx: Tx, caller: Caller, space_id: int, config: Parts, fields: Sequence[NewField] = (), *, keyring: Keyring, now: int, heard: bool = True
) -> App:
    """A new app with its fields and a token of its own. Raises `Invalid`, naming the part of `config` or `fields` that is wrong."""
    space = reach_space(tx, caller, space_id, "admin", lock=True)
    app_id = write_app(tx, caller, space_id, config, keyring=keyring, now=now)
    insert_fields(tx, app_id, space["org_id"], [(f"fields[{place}].", field) for place, field in enumerate(fields)])
    append_app_event(tx, caller, "app.create", app_id, space_id, now=now, heard=heard)
    return get_app(tx, caller, app_id)


def write_app(tx: Tx, caller: Caller, space_id: int, config: Parts, *, keyring: Keyring, now: int) -> int:
    """Write a new app without fields in a space, which is locked and which `caller` is an admin of; answer its id."""
    user_id, made = require_user(caller), _changed({}, config)
    values = {
        "space_id": space_id,
        "config": stamped(_encoded(made)),
        "url_label": free_label(label_from(made.name, "app"), set(tx.execute(_LABELS, {"space_id": space_id}).scalars())),
        "status": "active",
        "token_sealed": b"",  # it is sealed for this very app, which has no id yet
        "created_by": user_id,
        "created_at": now,
    }
    app_id: int = tx.execute(insert(apps).values(values).returning(apps.c.app_id)).scalar_one()
    write_app_token(tx, keyring, app_id)
    return app_id


def write_app_token(tx: Tx, keyring: Keyring, app_id: int) -> str:
    """Give an app a fresh token in place of any that it has, and answer it. Whoever calls has been judged."""
    token = secrets.token_hex(TOKEN_BYTES)
    tx.execute(update(apps).where(apps.c.app_id == app_id).values(token_sealed=keyring.seal(token.encode(), _purpose(app_id))))
    return token


def update_app(
    tx: Tx, caller: Caller, app_id: int, config: Parts, fields: Sequence[FieldChange] = (), *, now: int, heard: bool = True
) -> int:  # fmt: skip
    """Change what is named of the config, and the fields that are named; answer the revision then.

    A field without `field_id` is a new one; a field that is not named stays. Raises `Invalid`, naming the part.
    """
    app = reach_app(tx, caller, app_id, "admin", lock=True)
    before = app_config(app)
    after = _changed(msgspec.to_builtins(before), config)
    moved = after != before
    new: list[tuple[str, NewField]] = []
    for place, change in enumerate(fields):
        prefix = f"fields[{place}]."
        if change.field_id is None:
            new.append((prefix, _as_new(change, prefix)))
        else:
            moved |= change_field(tx, app["org_id"], find_field(tx, app_id, str(change.field_id)), change, prefix)
    insert_fields(tx, app_id, app["org_id"], new)
    if not moved and not new:
        return int(app["revision"])
    return definition_changed(tx, caller, app, now=now, heard=heard, config=_encoded(after))


def set_app_status(tx: Tx, caller: Caller, app_id: int, status: Status, *, now: int, heard: bool = True) -> None:
    """Switch an app on or off."""
    app = reach_app(tx, caller, app_id, "admin", lock=True)
    if app["status"] != status:
        tx.execute(update(apps).where(apps.c.app_id == app_id).values(status=status))
        definition_changed(tx, caller, app, now=now, heard=heard)


def delete_app(tx: Tx, caller: Caller, app_id: int, *, now: int, heard: bool = True) -> None:
    """Delete an app; its row stays for the record."""
    app = reach_app(tx, caller, app_id, "admin", lock=True)
    _delete(tx, caller, app_id, app["space_id"], now=now, heard=heard)


def delete_apps_of(tx: Tx, caller: Caller, space_id: int, *, now: int, heard: bool) -> None:
    """Delete every app of a space (its row locked by the caller, who may)."""
    live = (apps.c.space_id == space_id) & apps.c.deleted_at.is_(None)
    for app_id in tx.execute(select(apps.c.app_id).where(live).order_by(apps.c.app_id)).scalars().all():
        _delete(tx, caller, app_id, space_id, now=now, heard=heard)


def _delete(tx: Tx, caller: Caller, app_id: int, space_id: int, *, now: int, heard: bool) -> None:
    tx.execute(update(apps).where(apps.c.app_id == app_id).values(deleted_at=now))
    append_app_event(tx, caller, "app.delete", app_id, space_id, now=now, heard=heard)


def _changed(before: Parts, given: Parts) -> AppConfig:
    config = changed(AppConfig, before, given, "config")
    name = checked_name(config.name, "config.name")
    return replace(config, name=name, item_name=checked_name(config.item_name, "config.item_name") if config.item_name else name)


def _encoded(config: AppConfig) -> str:
    return msgspec.json.encode(config).decode()


def _as_new(change: FieldChange, prefix: str) -> NewField:
    if change.type is None:
        raise Invalid(f"{prefix}type: is missing", parameters={"field": f"{prefix}type"})
    return NewField(change.type, change.config, change.external_id)


# --- what its config and its status refuse -----------------------------------------------------------------------------


def require_new_items(caller: Caller, app: RowMapping) -> None:
    """Raise `Conflict` where the app is inactive, and `Forbidden` where its config lets admins alone make items."""
    if app["status"] != "active":
        raise Conflict(f"The app with id {app['app_id']} is inactive, and takes no new items", parameters={"app_id": app["app_id"]})
    if not app_config(app).allow_create:
        _require_admin(caller, app, "add_item")


def require_edits(caller: Caller, app: RowMapping) -> None:
    """Raise `Forbidden` where the app's config lets admins alone change and delete items."""
    if not app_config(app).allow_edit:
        _require_admin(caller, app, "update")


def _require_admin(caller: Caller, app: RowMapping, right: str) -> None:
    if held_role(caller, app) != "admin":
        where = f"items of app with id {app['app_id']}, which its config keeps to admins"
        raise Forbidden(f"The {caller.kind} with id {caller.id} does not have the right {right} on {where}")


def item_rights(role: Role, config: AppConfig) -> tuple[str, ...]:
    """What a role on an app comes to for its items, in Podio's words."""
    may_change = role == "admin" or (role == "regular" and config.allow_edit)
    return ("view", "update", "delete") if may_change else ("view",)


def app_rights(app: App) -> Sequence[str]:
    """The same for the app itself."""
    may_add = app.status == "active" and (app.config.allow_create or app.role == "admin")
    return [right for right in APP_RIGHTS[app.role] if may_add or right != "add_item"]


# --- reading -----------------------------------------------------------------------------------------------------------


def get_app(tx: Tx, caller: Caller, app_id: int) -> App:
    """One app. Raises what `reach_app` raises."""
    reach_app(tx, caller, app_id)
    [app] = _read(tx, caller, _ONE, app_id=app_id)
    return app


def find_app(tx: Tx, caller: Caller, space_id: int, url_label: str) -> App:
    """The app of a space that its label names. Raises `NotFound`, `Forbidden`, `Gone`."""
    reach_space(tx, caller, space_id)
    meant = (apps.c.space_id == space_id) & (apps.c.url_label == url_label)
    app_id = tx.execute(select(apps.c.app_id).where(meant)).scalar()
    if app_id is None:
        raise NotFound(parameters={"space_id": space_id, "url_label": url_label[:NAME_LIMIT]})
    return get_app(tx, caller, app_id)


def list_apps(tx: Tx, caller: Caller, space_id: int, *, include_inactive: bool = False) -> list[App]:
    """The apps of a space, oldest first. Raises what `reach_space` raises."""
    reach_space(tx, caller, space_id)
    return [app for app in _read(tx, caller, _IN_SPACE, space_id=space_id) if include_inactive or app.status == "active"]


def list_own_apps(tx: Tx, caller: Caller) -> list[App]:
    """Every active app that `caller` may look into, oldest first."""
    if caller.kind == "app":
        return [get_app(tx, caller, caller.id)]
    return [app for app in _read(tx, caller, _OWN) if app.status == "active"]


def open_app_token(tx: Tx, caller: Caller, app_id: int, *, keyring: Keyring) -> str:
    """The token by which programs name themselves as this app: for its admins. Raises `Forbidden` for others."""
    app = reach_app(tx, caller, app_id, "admin")
    return keyring.open(app["token_sealed"], _purpose(app_id)).decode()


def _read(tx: Tx, caller: Caller, statement: Select[*tuple[Any, ...]], **parameters: int) -> list[App]:
    rows = tx.execute(statement, {"user_id": caller.user_id, **parameters}).mappings().all()
    owners = find_users(tx, {row["created_by"] for row in rows})
    seen = [(row, held_role(caller, row)) for row in rows]
    return [_app(row, role, owners[row["created_by"]], definition(tx, row)) for row, role in seen if role is not None]


def _app(row: RowMapping, role: Role, owner: User, fields: tuple[Field, ...]) -> App:
    return App(
        app_id=row["app_id"],
        space_id=row["space_id"],
        org_label=row["org_label"],
        space_label=row["space_label"],
        url_label=row["url_label"],
        status=row["status"],
        config=app_config(row),
        fields=fields,
        revision=row["revision"],
        owner=owner,
        created_at=row["created_at"],
        role=role,
    )


def _purpose(app_id: int) -> str:
    return f"app_token:{app_id}"
