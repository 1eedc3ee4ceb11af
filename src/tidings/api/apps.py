"""The app endpoints, and those of an app's fields (contract section 6.3).

`hook=false` is honoured on every change; `silent` is accepted and means nothing, as nobody is notified but hooks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from urllib.parse import quote

from msgspec import Struct

from tidings.api.call import Call, ChangeQuery
from tidings.api.shapes import Id, Timestamp, parts_of
from tidings.api.users import ContactObject, contact
from tidings.errors import Invalid
from tidings.store.database import Tx
from tidings.store.sealing import Keyring
from tidings.wire.podio import timestamp
from tidings.workspace import apps, installs
from tidings.workspace.access import Caller
from tidings.workspace.apps import App, AppConfig
from tidings.workspace.fields import fields
from tidings.workspace.fields.fields import Field, FieldChange, FieldConfig, NewField
from tidings.workspace.parts import read


class NewApp(Struct):
    """What a creation says."""

    space_id: Id
    config: Annotated[dict[str, Any], parts_of(AppConfig, required=["name"])]
    fields: list[NewField] | None = None


class AppChange(Struct):
    """What an update says: the parts of the config that change, and fields, new or changed."""

    config: Annotated[dict[str, Any], parts_of(AppConfig)] | None = None
    fields: list[FieldChange] | None = None


class FlatField(Struct):
    """What an update of one field says beside its config, which lies flat around it (or under `config`, as some send it)."""

    type: str | None = None
    config: Annotated[dict[str, Any], parts_of(FieldConfig)] | None = None


FlatBody = Annotated[dict[str, Any], parts_of(FlatField, FieldConfig)]


class InstallBody(Struct):
    """Where an app is to be installed, and what shall come with it: nothing that Tidings could copy beside its fields."""

    space_id: Id
    features: list[str] | None = None

    def refuse(self) -> None:
        """Raise `Invalid` for items and forms, which exist here and are not copied; what else Podio has, does not exist here."""
        if asked := {"items", "forms"} & set(self.features or ()):
            raise Invalid(f"features: {min(asked)} are not copied with an app", parameters={"field": "features"})


class InactiveQuery(Struct):
    """Whether inactive apps are listed as well."""

    include_inactive: bool = False


class FieldDeletion(ChangeQuery):
    """As for any change. The values are seen no more either way: `delete_values` makes no difference."""

    delete_values: bool = False


class FieldConfigObject(TypedDict):
    """How a field is set up."""

    label: str
    description: str | None
    settings: dict[str, Any]
    required: bool
    delta: int
    mapping: str | None
    hidden_create_view_edit: bool
    hidden: bool
    visible: bool
    default_value: None
    unique: bool


class FieldObject(TypedDict):
    """A field of an app."""

    field_id: int
    external_id: str
    type: str
    label: str
    status: Literal["active", "deleted"]
    config: FieldConfigObject


class AppObject(TypedDict):
    """An app. `token` is what it signs in with, and for its admins alone."""

    app_id: int
    space_id: int
    status: Literal["active", "inactive"]
    original: None
    original_revision: None
    current_revision: int
    name: str
    item_name: str
    icon: str | None
    icon_id: int | None
    config: AppConfig
    fields: list[FieldObject]
    rights: Sequence[str]
    owner: ContactObject
    owner_id: int
    created_on: Timestamp
    link: str
    url: str
    link_add: str
    url_add: str
    url_label: str
    mailbox: None
    subscribed: bool
    pinned: bool
    token: NotRequired[str]


class NewAppObject(TypedDict):
    """The app that was made."""

    app_id: int


class NewFieldObject(TypedDict):
    """The field that was made."""

    field_id: int


class DefinedObject(TypedDict):
    """The revision of the app's definition, after a change."""

    revision: int


# --- apps --------------------------------------------------------------------------------------------------------------


async def create_app(call: Call, body: NewApp, query: ChangeQuery) -> NewAppObject:
    """`POST /app`."""
    app = await call.write(
        apps.create_app,
        call.caller,
        body.space_id,
        body.config,
        body.fields or (),
        keyring=call.house.keyring,
        now=call.now,
        heard=query.hook,
    )
    return {"app_id": app.app_id}


async def get_app(call: Call) -> AppObject:
    """`GET /app/{app_id}`: with its token, for its admins."""
    app, token = await call.read(_get_with_token, call.caller, call.id("app_id"), call.house.keyring)
    shown = app_object(app, call.house.settings.public_url)
    return {**shown, "token": token} if token else shown


async def find_app(call: Call) -> AppObject:
    """`GET /app/space/{space_id}/{url_label}`."""
    app = await call.read(apps.find_app, call.caller, call.id("space_id"), call.text("url_label"))
    return app_object(app, call.house.settings.public_url)


async def list_apps(call: Call, query: InactiveQuery) -> list[AppObject]:
    """`GET /app/space/{space_id}`."""
    found = await call.read(apps.list_apps, call.caller, call.id("space_id"), include_inactive=query.include_inactive)
    return [app_object(app, call.house.settings.public_url) for app in found]


async def list_own_apps(call: Call) -> list[AppObject]:
    """`GET /app/v2`: all that the caller may look into."""
    found = await call.read(apps.list_own_apps, call.caller)
    return [app_object(app, call.house.settings.public_url) for app in found]


async def update_app(call: Call, body: AppChange, query: ChangeQuery) -> DefinedObject:
    """`PUT /app/{app_id}`, and `/v2` of it."""
    app_id, changes = call.id("app_id"), body.fields or ()
    revision = await call.write(apps.update_app, call.caller, app_id, body.config or {}, changes, now=call.now, heard=query.hook)
    return {"revision": revision}


async def delete_app(call: Call, query: ChangeQuery) -> None:
    """`DELETE /app/{app_id}`."""
    await call.write(apps.delete_app, call.caller, call.id("app_id"), now=call.now, heard=query.hook)


async def install_app(call: Call, body: InstallBody, query: ChangeQuery) -> NewAppObject:
    """`POST /app/{app_id}/install`: a copy in another space, or the same, without items."""
    body.refuse()
    app_id, keyring = call.id("app_id"), call.house.keyring
    made = await call.write(installs.install_app, call.caller, app_id, body.space_id, keyring=keyring, now=call.now, heard=query.hook)
    return {"app_id": made.app_id}


async def activate_app(call: Call, query: ChangeQuery) -> None:
    """`POST /app/{app_id}/activate`."""
    await call.write(apps.set_app_status, call.caller, call.id("app_id"), "active", now=call.now, heard=query.hook)


async def deactivate_app(call: Call, query: ChangeQuery) -> None:
    """`POST /app/{app_id}/deactivate`."""
    await call.write(apps.set_app_status, call.caller, call.id("app_id"), "inactive", now=call.now, heard=query.hook)


# --- fields ------------------------------------------------------------------------------------------------------------


async def create_field(call: Call, body: NewField, query: ChangeQuery) -> NewFieldObject:
    """`POST /app/{app_id}/field`."""
    field = await call.write(fields.create_field, call.caller, call.id("app_id"), body, now=call.now, heard=query.hook)
    return {"field_id": field.field_id}


async def get_field(call: Call) -> FieldObject:
    """`GET /app/{app_id}/field/{field}`: by its id or external_id."""
    return field_object(await call.read(fields.get_field, call.caller, call.id("app_id"), call.text("field")))


async def update_field(call: Call, body: FlatBody, query: ChangeQuery) -> DefinedObject:
    """`PUT /app/{app_id}/field/{field}`."""
    app_id, name, said = call.id("app_id"), call.text("field"), read(FlatField, body, "")
    change = FieldChange(type=said.type, config=body if said.config is None else said.config)
    return {"revision": await call.write(fields.update_field, call.caller, app_id, name, change, now=call.now, heard=query.hook)}


async def delete_field(call: Call, query: FieldDeletion) -> DefinedObject:
    """`DELETE /app/{app_id}/field/{field}`."""
    app_id, name = call.id("app_id"), call.text("field")
    return {"revision": await call.write(fields.delete_field, call.caller, app_id, name, now=call.now, heard=query.hook)}


# --- as Podio writes them ----------------------------------------------------------------------------------------------


def _get_with_token(tx: Tx, caller: Caller, app_id: int, keyring: Keyring) -> tuple[App, str | None]:
    app = apps.get_app(tx, caller, app_id)
    return app, apps.open_app_token(tx, caller, app_id, keyring=keyring) if app.role == "admin" else None


def app_url(app: App, public_url: str) -> str:
    """Where people find the app."""
    return f"{public_url}/{quote(app.org_label)}/{quote(app.space_label)}/apps/{quote(app.url_label)}"


def app_object(app: App, public_url: str) -> AppObject:
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
        "config": app.config,
        "fields": [field_object(field) for field in app.fields],
        "rights": apps.app_rights(app),
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


def field_object(field: Field) -> FieldObject:
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
