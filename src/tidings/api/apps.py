"""The app endpoints, and those of an app's fields (contract section 6.3).

`hook=false` is honoured on every change; `silent` is accepted and means nothing, as nobody is notified but hooks.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct

from tidings.api.call import GREATEST_ID, Call
from tidings.api.users import contact
from tidings.store.database import Tx
from tidings.store.sealing import Keyring
from tidings.wire.podio import timestamp
from tidings.workspace import apps, fields
from tidings.workspace.access import APP_RIGHTS, Caller
from tidings.workspace.apps import App
from tidings.workspace.fields import Field, FieldChange, NewField


class NewApp(Struct):
    """What a creation says."""

    space_id: Annotated[int, Meta(ge=1, le=GREATEST_ID)]
    config: dict[str, Any]
    fields: list[NewField] | None = None


class AppChange(Struct):
    """What an update says: the parts of the config that change, and fields, new or changed."""

    config: dict[str, Any] | None = None
    fields: list[FieldChange] | None = None


class FlatField(Struct):
    """What an update of one field says beside its config, which lies flat around it (or under `config`, as some send it)."""

    type: str | None = None
    config: dict[str, Any] | None = None


# --- apps --------------------------------------------------------------------------------------------------------------


async def create_app(call: Call) -> object:
    """`POST /app`."""
    body = call.body(NewApp)
    app = await call.write(
        apps.create_app,
        call.caller,
        body.space_id,
        body.config,
        body.fields or (),
        keyring=call.house.keyring,
        now=call.now,
        heard=call.heard,
    )
    return {"app_id": app.app_id}


async def get_app(call: Call) -> object:
    """`GET /app/{app_id}`: with its token, for its admins."""
    app, token = await call.read(_get_with_token, call.caller, call.id("app_id"), call.house.keyring)
    return app_object(app, call.house.settings.public_url) | ({"token": token} if token else {})


async def find_app(call: Call) -> object:
    """`GET /app/space/{space_id}/{url_label}`."""
    app = await call.read(apps.find_app, call.caller, call.id("space_id"), call.text("url_label"))
    return app_object(app, call.house.settings.public_url)


async def list_apps(call: Call) -> object:
    """`GET /app/space/{space_id}`."""
    inactive = call.flag("include_inactive", default=False)
    found = await call.read(apps.list_apps, call.caller, call.id("space_id"), include_inactive=inactive)
    return [app_object(app, call.house.settings.public_url) for app in found]


async def list_own_apps(call: Call) -> object:
    """`GET /app/v2`: all that the caller may look into."""
    found = await call.read(apps.list_own_apps, call.caller)
    return [app_object(app, call.house.settings.public_url) for app in found]


async def update_app(call: Call) -> object:
    """`PUT /app/{app_id}`, and `/v2` of it."""
    app_id, body = call.id("app_id"), call.body(AppChange)
    changes = body.fields or ()
    revision = await call.write(apps.update_app, call.caller, app_id, body.config or {}, changes, now=call.now, heard=call.heard)
    return {"revision": revision}


async def delete_app(call: Call) -> None:
    """`DELETE /app/{app_id}`."""
    await call.write(apps.delete_app, call.caller, call.id("app_id"), now=call.now, heard=call.heard)


async def activate_app(call: Call) -> None:
    """`POST /app/{app_id}/activate`."""
    await call.write(apps.set_app_status, call.caller, call.id("app_id"), "active", now=call.now, heard=call.heard)


async def deactivate_app(call: Call) -> None:
    """`POST /app/{app_id}/deactivate`."""
    await call.write(apps.set_app_status, call.caller, call.id("app_id"), "inactive", now=call.now, heard=call.heard)


# --- fields ------------------------------------------------------------------------------------------------------------


async def create_field(call: Call) -> object:
    """`POST /app/{app_id}/field`."""
    app_id, new = call.id("app_id"), call.body(NewField)
    field = await call.write(fields.create_field, call.caller, app_id, new, now=call.now, heard=call.heard)
    return {"field_id": field.field_id}


async def get_field(call: Call) -> object:
    """`GET /app/{app_id}/field/{field}`: by its id or external_id."""
    return field_object(await call.read(fields.get_field, call.caller, call.id("app_id"), call.text("field")))


async def update_field(call: Call) -> object:
    """`PUT /app/{app_id}/field/{field}`."""
    app_id, name, body = call.id("app_id"), call.text("field"), call.body(FlatField)
    config = call.body(dict[str, Any]) if body.config is None else body.config
    change = FieldChange(type=body.type, config=config)
    return {"revision": await call.write(fields.update_field, call.caller, app_id, name, change, now=call.now, heard=call.heard)}


async def delete_field(call: Call) -> object:
    """`DELETE /app/{app_id}/field/{field}`. The values are seen no more either way; `delete_values` makes no difference."""
    call.flag("delete_values", default=False)
    app_id, name = call.id("app_id"), call.text("field")
    return {"revision": await call.write(fields.delete_field, call.caller, app_id, name, now=call.now, heard=call.heard)}


# --- as Podio writes them ----------------------------------------------------------------------------------------------


def _get_with_token(tx: Tx, caller: Caller, app_id: int, keyring: Keyring) -> tuple[App, str | None]:
    app = apps.get_app(tx, caller, app_id)
    return app, apps.open_app_token(tx, caller, app_id, keyring=keyring) if app.role == "admin" else None


def app_url(app: App, public_url: str) -> str:
    """Where people find the app."""
    return f"{public_url}/{quote(app.org_label)}/{quote(app.space_label)}/apps/{quote(app.url_label)}"


def app_object(app: App, public_url: str) -> dict[str, object]:
    """An app as Podio writes it, but for its token."""
    link = app_url(app, public_url)
    return {
        "app_id": app.app_id,
        "space_id": app.space_id,
        "status": app.status,
        "original": None,
        "original_revision": None,
        "current_revision": app.revision,
        "name": app.config.name,
        "item_name": app.config.item_name,
        "icon": app.config.icon,
        "icon_id": app.config.icon_id,
        "config": msgspec.to_builtins(app.config),
        "fields": [field_object(field) for field in app.fields],
        "rights": APP_RIGHTS[app.role],
        "owner": contact(app.owner, public_url),
        "owner_id": app.owner.user_id,
        "created_on": timestamp(app.created_at),
        "link": link,
        "url": link,
        "link_add": f"{link}/items/new",
        "url_add": f"{link}/items/new",
        "url_label": app.url_label,
        "mailbox": None,
        "subscribed": False,
        "pinned": False,
    }


def field_object(field: Field) -> dict[str, object]:
    """A field as Podio writes it."""
    config = field.config
    return {
        "field_id": field.field_id,
        "external_id": field.external_id,
        "type": field.type,
        "label": config.label,
        "status": field.status,
        "config": {
            "label": config.label,
            "description": config.description,
            "settings": config.settings,
            "required": config.required,
            "delta": config.delta,
            "mapping": config.mapping,
            "hidden_create_view_edit": config.hidden_create_view_edit,
            "hidden": False,
            "visible": True,
            "default_value": None,
            "unique": False,
        },
    }
