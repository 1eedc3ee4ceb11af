"""Installing an app in a space: a new app with the config and the fields of another, and none of its items.

A field that refers to items of the app itself refers to those of the new one. Everything else that belongs to an app (its
token, its forms, its hooks) stays with the one that has it.
"""

from __future__ import annotations

import msgspec

from tidings.store.database import Tx
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller, reach_space
from tidings.workspace.apps import App, get_app, write_app
from tidings.workspace.fields.fields import Field, NewField, append_app_event, insert_fields
from tidings.workspace.parts import Parts


def install_app(
    tx: Tx, caller: Caller, app_id: int, space_id: int, *, keyring: Keyring, now: int, heard: bool = True
) -> App:  # fmt: skip
    """A new app like this one, in a space that `caller` is an admin of.

    Raises `Invalid` where a field refers to apps that the space's organization does not have; `NotFound`, `Forbidden`,
    `Gone` for either.
    """
    source = get_app(tx, caller, app_id)
    space = reach_space(tx, caller, space_id, "admin", lock=True)
    made = write_app(tx, caller, space_id, msgspec.to_builtins(source.config), keyring=keyring, now=now)
    copies = [(f"{field.external_id}: ", _copy(field, {app_id: made})) for field in source.fields]
    insert_fields(tx, made, space["org_id"], copies)
    append_app_event(tx, caller, "app.create", made, space_id, now=now, heard=heard)
    return get_app(tx, caller, made)


def _copy(field: Field, instead: dict[int, int]) -> NewField:
    config: Parts = msgspec.to_builtins(field.config)
    if field.type != "app":
        return NewField(field.type, config, field.external_id)
    referenced = [{**app, "app_id": instead.get(app["app_id"], app["app_id"])} for app in field.config.settings["referenced_apps"]]
    settings = {"multiple": field.config.settings["multiple"], "referenced_apps": referenced}
    return NewField(field.type, {**config, "settings": settings}, field.external_id)
