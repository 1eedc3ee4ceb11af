"""The demo's workspace: an organization, a space, a person, an API client and an app with five fields, made or found.

Running it again finds what it made before, by name, and answers the same ids; what was renamed or deleted since is made
anew. Its secrets are given to it, drawn from the sealing key, so that they can be shown on every run though only their
hashes are kept.
"""

from __future__ import annotations

import hmac

from msgspec import Struct
from sqlalchemy import insert, select

from tidings.errors import Conflict
from tidings.store.database import Tx
from tidings.store.schema import clients
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller, alone_on_server
from tidings.workspace.accounts.clients import hash_secret
from tidings.workspace.accounts.users import create_user, find_user
from tidings.workspace.apps import App, create_app, list_apps, open_app_token
from tidings.workspace.fields.fields import NewField
from tidings.workspace.orgs import create_org, list_orgs
from tidings.workspace.spaces import create_space, list_spaces

CLIENT_ID = "tidings-demo"
USERNAME = "demo@example.org"
NAME = "Tidings demo"  # of the organization, the space and the client
APP_NAME = "Tasks"
DOMAINS = '["localhost", "127.0.0.1"]'  # a login by browser may come back to any port of this machine

FIELDS: dict[str, NewField] = {
    field.external_id: field
    for field in (
        NewField("text", {"label": "Title", "required": True}, "title"),
        NewField("category", {"label": "Status", "settings": {"options": ["New", "In progress", "Done"]}}, "status"),
        NewField("number", {"label": "Estimate"}, "estimate"),
        NewField("date", {"label": "Due"}, "due"),
        NewField("contact", {"label": "Owner", "settings": {"type": "space_users"}}, "owner"),
    )
    if field.external_id is not None
}


class Seeded(Struct, frozen=True):
    """What is there now."""

    org_id: int
    space_id: int
    app_id: int
    app_token: str
    fields: dict[str, int]  # field ids by external_id

    def __repr__(self) -> str:
        return f"Seeded(app_id={self.app_id})"


def seed(tx: Tx, keyring: Keyring, *, client_secret: str, password_hash: str, now: int) -> Seeded:
    """Make the demo's workspace, or find it.

    Raises `Conflict` when its client has another secret, `Unavailable` when its app's token does not open: either way
    the database was seeded under another key.
    """
    alone_on_server(tx)  # two who seed at once make one
    user = find_user(tx, USERNAME) or create_user(tx, USERNAME, password_hash, "Demo", now=now)
    caller = Caller("user", user.user_id)
    _have_client(tx, client_secret, user.user_id, now)
    org_id = _have_org(tx, caller, now)
    space_id = _have_space(tx, caller, org_id, now)
    app = _have_app(tx, caller, keyring, space_id, now)
    token = open_app_token(tx, caller, app.app_id, keyring=keyring)
    field_ids = {field.external_id: field.field_id for field in app.fields if field.external_id in FIELDS}
    return Seeded(org_id, space_id, app.app_id, token, field_ids)


def _have_client(tx: Tx, client_secret: str, user_id: int, now: int) -> None:
    secret_hash = hash_secret(client_secret)
    kept = tx.execute(select(clients.c.secret_hash).where(clients.c.client_id == CLIENT_ID)).scalar()
    if kept is None:
        values = {"client_id": CLIENT_ID, "secret_hash": secret_hash, "name": NAME, "user_id": user_id, "domains": DOMAINS}
        tx.execute(insert(clients).values(**values, created_at=now))
    elif not hmac.compare_digest(kept, secret_hash):
        raise Conflict("this database was seeded under another key", parameters={"setting": "key"})


def _have_org(tx: Tx, caller: Caller, now: int) -> int:
    found = next((org for org in list_orgs(tx, caller) if org.name == NAME and org.role == "admin"), None)
    return (found or create_org(tx, caller, NAME, now=now)).org_id


def _have_space(tx: Tx, caller: Caller, org_id: int, now: int) -> int:
    found = next((space for space in list_spaces(tx, caller, org_id) if space.config.name == NAME), None)
    return (found or create_space(tx, caller, org_id, {"name": NAME}, now=now)).space_id


def _have_app(tx: Tx, caller: Caller, keyring: Keyring, space_id: int, now: int) -> App:
    found = next((app for app in list_apps(tx, caller, space_id) if app.config.name == APP_NAME and _has_fields(app)), None)
    config = {"name": APP_NAME, "item_name": "Task", "description": "Made by `tidings seed`."}
    return found or create_app(tx, caller, space_id, config, list(FIELDS.values()), keyring=keyring, now=now)


def _has_fields(app: App) -> bool:
    types = {field.external_id: field.type for field in app.fields}
    return all(types.get(external_id) == field.type for external_id, field in FIELDS.items())
