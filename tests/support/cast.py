"""A cast for tests of who may do what: two organizations, and somebody in every position.

Organization one has a closed space with two apps, and an open one; organization two has a space and an app of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from tidings.store.database import Tx
from tidings.store.schema import events
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller
from tidings.workspace.accounts.users import create_user
from tidings.workspace.apps import create_app
from tidings.workspace.fields.fields import NewField
from tidings.workspace.members import add_members
from tidings.workspace.orgs import create_org
from tidings.workspace.spaces import create_space

KEYRING = Keyring(b"k" * 32)
NOW = 1_767_322_800_000_000  # 2026-01-02 03:00:00 UTC


@dataclass(frozen=True)
class Cast:
    """Who and what there is. The callers come through API client 7."""

    org_id: int
    space_id: int
    open_space_id: int
    app_id: int
    sibling_id: int
    far_org_id: int
    far_app_id: int
    owner: Caller  # made all of organization one, and is its admin
    admin: Caller
    regular: Caller
    light: Caller
    colleague: Caller  # of the organization, in its open space alone
    stranger: Caller  # owns organization two
    nobody: Caller  # has an account, and is nowhere

    @property
    def app(self) -> Caller:
        """The app, by its own token."""
        return Caller("app", self.app_id, 7)

    @property
    def sibling(self) -> Caller:
        """The other app of the same space."""
        return Caller("app", self.sibling_id, 7)

    @property
    def far_app(self) -> Caller:
        """The app of the other organization."""
        return Caller("app", self.far_app_id, 7)


FIELDS = (
    NewField("text", {"label": "Title"}),
    NewField("category", {"label": "Status", "settings": {"options": ["Open", "Done"]}}),
    NewField("date", {"label": "Due date"}),
)


def gather_cast(tx: Tx) -> Cast:
    """Make them all."""

    def person(name: str) -> Caller:
        return Caller("user", create_user(tx, f"{name.lower()}@example.org", "", name, now=NOW).user_id, 7)

    owner, admin, regular, light, colleague, stranger, nobody = map(
        person, ("Owner", "Admin", "Regular", "Light", "Colleague", "Stranger", "Nobody")
    )
    org_id = create_org(tx, owner, "Engines", now=NOW).org_id
    space_id = create_space(tx, owner, org_id, {"name": "Workshop"}, now=NOW).space_id
    open_space_id = create_space(tx, owner, org_id, {"name": "Hall", "privacy": "open"}, now=NOW).space_id
    app_id = create_app(tx, owner, space_id, {"name": "Tasks", "item_name": "Task"}, FIELDS, keyring=KEYRING, now=NOW).app_id
    sibling_id = create_app(tx, owner, space_id, {"name": "Bugs"}, keyring=KEYRING, now=NOW).app_id
    add_members(tx, owner, space_id, "admin", [admin.id], now=NOW)
    add_members(tx, owner, space_id, "regular", [regular.id], now=NOW)
    add_members(tx, owner, space_id, "light", [light.id], now=NOW)
    add_members(tx, owner, open_space_id, "regular", [colleague.id], now=NOW)
    far_org_id = create_org(tx, stranger, "Elsewhere", now=NOW).org_id
    far_space_id = create_space(tx, stranger, far_org_id, {"name": "Workshop"}, now=NOW).space_id
    far_app_id = create_app(tx, stranger, far_space_id, {"name": "Tasks"}, keyring=KEYRING, now=NOW).app_id
    return Cast(
        org_id=org_id,
        space_id=space_id,
        open_space_id=open_space_id,
        app_id=app_id,
        sibling_id=sibling_id,
        far_org_id=far_org_id,
        far_app_id=far_app_id,
        owner=owner,
        admin=admin,
        regular=regular,
        light=light,
        colleague=colleague,
        stranger=stranger,
        nobody=nobody,
    )


def read_events(tx: Tx, app_id: int) -> list[tuple[str, bool]]:
    """What happened to an app itself: the types of its events, and whether hooks hear of them."""
    meant = (events.c.object_type == "app") & (events.c.object_id == app_id)
    return [(row.type, row.heard) for row in tx.execute(select(events).where(meant).order_by(events.c.event_id))]
