"""A small world to make hooks and events in: one organization, space, app and field, and a hook that is active.

Written straight into the tables: these tests are about what stands on the workspace, not about the workspace.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert

from tidings.events.outbox import NewEvent, append
from tidings.hooks import registry, verification
from tidings.store import schema
from tidings.store.database import Tx
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller

KEYRING = Keyring(b"k" * 32)
NOW = 1_700_000_000_000_000
SECOND = 1_000_000


@dataclass(frozen=True)
class World:
    """The ids of what is in it."""

    user: Caller
    org_id: int
    space_id: int
    app_id: int
    field_id: int

    @property
    def app(self) -> Caller:
        """The app itself, as a caller."""
        return Caller("app", self.app_id, 1)


def make_world(tx: Tx, name: str = "one") -> World:
    """Make one: its user is the organization's admin."""

    def add(table: str, **values: object) -> int:
        made = tx.execute(insert(getattr(schema, table)).values(**values)).inserted_primary_key
        assert made is not None
        return int(made[0])

    user_id = add("users", username=name, password_hash="", name=name, created_at=NOW)
    org_id = add("orgs", name=name, url_label=name, created_by=user_id, created_at=NOW)
    add("org_members", org_id=org_id, user_id=user_id, role="admin", created_at=NOW)
    space_id = add("spaces", org_id=org_id, name=name, url_label=name, privacy="closed", created_by=user_id, created_at=NOW)
    app_id = add(
        "apps", space_id=space_id, config="{}", url_label=name, status="active", token_sealed=b"", created_by=user_id, created_at=NOW
    )
    field_id = add("fields", app_id=app_id, external_id="title", type="text", status="active", config='{"label": "Title"}', position=0)
    return World(Caller("user", user_id, 1), org_id, space_id, app_id, field_id)


def make_hook(
    tx: Tx, world: World, *, url: str = "http://a.example/in", type: str = "item.update", order: str = "none", active: bool = True
) -> int:
    """Make a hook on the world's app, and validate it."""
    made = registry.create_hook(tx, world.user, KEYRING, "app", world.app_id, url, type, now=NOW, limit=10, order=order)
    if active:
        assert verification.validate(tx, world.user, made.hook_id, code_of(tx, made.hook_id), now=NOW)
    return made.hook_id


def code_of(tx: Tx, hook_id: int) -> str:
    """The code that the hook's URL was sent."""
    return str(tx.exec_driver_sql(f"SELECT verify_code FROM hooks WHERE hook_id = {hook_id}").scalar_one())


def append_update(tx: Tx, world: World, *, item_id: int = 42, revision: int = 1, heard: bool = True, at: int = NOW) -> None:
    """Append an `item.update` event."""
    parameters = {"item_id": str(item_id), "item_revision_id": str(revision), "external_id": ""}
    append(
        tx,
        NewEvent("item.update", world.space_id, world.app_id, item_id, parameters, world.user.author, at, heard=heard),
    )
