"""Spaces: the rooms of an organization, where people meet and apps stand.

Any member of the organization may make one, and is its admin then. An `open` space lets all of the organization look in
and join; a `closed` one is seen by its members alone (and by the organization's admins). A deleted space takes its apps
with it, and each of those says so by its event.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import RowMapping, bindparam, insert, select, update

from tidings.errors import Conflict, NotFound
from tidings.events.outbox import append
from tidings.store.database import Tx
from tidings.store.schema import orgs, space_members, spaces
from tidings.workspace.access import SPACES_WITH_ROLES, Caller, Role, held_role, reach_org, reach_space, require_user
from tidings.workspace.apps import delete_apps_of
from tidings.workspace.members import member_event
from tidings.workspace.names import NAME_LIMIT, checked_name, free_label, label_from
from tidings.workspace.parts import Parts, changed

Privacy = Literal["open", "closed"]


class Kept(Struct, frozen=True):
    """What a space keeps for the clients that ask; Tidings itself does nothing by it."""

    auto_join: bool = False
    post_on_new_app: bool = True
    post_on_new_member: bool = True


class SpaceConfig(Kept, frozen=True, kw_only=True):
    """What can be set on a space."""

    name: str
    url_label: str = ""  # made from the name, unless it is given
    privacy: Privacy = "closed"


class Space(Struct, frozen=True):
    """A space, as one caller sees it."""

    space_id: int
    org_id: int
    org_label: str
    config: SpaceConfig
    created_by: int
    created_at: int
    role: Role  # of the caller


_SPACES = SPACES_WITH_ROLES.add_columns(orgs.c.url_label.label("org_label")).join(orgs, orgs.c.org_id == spaces.c.org_id)
_BY_ID = _SPACES.where(spaces.c.space_id == bindparam("space_id"))
_IN_ORG = _SPACES.where(spaces.c.org_id == bindparam("org_id"), spaces.c.deleted_at.is_(None)).order_by(spaces.c.space_id)
_OWN = _SPACES.where(space_members.c.role.is_not(None), spaces.c.deleted_at.is_(None)).order_by(spaces.c.space_id)
_BY_LABELS = select(spaces.c.space_id).join(orgs, orgs.c.org_id == spaces.c.org_id)


# --- making and changing -----------------------------------------------------------------------------------------------


def create_space(tx: Tx, caller: Caller, org_id: int, config: Parts, *, now: int) -> Space:
    """A new space, with `caller` as its admin and first member. Raises `Invalid` for the `config`, and what `reach_org` raises."""
    reach_org(tx, caller, org_id, lock=True)
    user_id, made = require_user(caller), changed(SpaceConfig, {}, config, "")
    name = checked_name(made.name, "name")
    label = free_label(label_from(made.url_label or name, "space"), _taken(tx, org_id))
    values = {"org_id": org_id, **_columns(made, name, label), "created_by": user_id, "created_at": now}
    space_id: int = tx.execute(insert(spaces).values(values).returning(spaces.c.space_id)).scalar_one()
    tx.execute(insert(space_members).values(space_id=space_id, user_id=user_id, role="admin", created_at=now))
    append(tx, member_event("add", caller, space_id, user_id, now=now, heard=True))
    return get_space(tx, caller, space_id)


def update_space(tx: Tx, caller: Caller, space_id: int, config: Parts) -> Space:
    """Change what is named of a space. Its label stays with it, unless another is given that is free.

    Raises `Invalid`, `Conflict` for a label that is taken, and what `reach_space` raises.
    """
    org_id = reach_space(tx, caller, space_id, "admin")["org_id"]
    reach_org(tx, caller, org_id, lock=True)
    before = get_space(tx, caller, space_id).config
    after = changed(SpaceConfig, before, config, "")
    name = checked_name(after.name, "name")
    label = label_from(after.url_label, before.url_label)
    if label != before.url_label and label in _taken(tx, org_id):
        raise Conflict(f"url_label: {label} is, or was, another space of this organization", parameters={"field": "url_label"})
    tx.execute(update(spaces).where(spaces.c.space_id == space_id).values(_columns(after, name, label)))
    return get_space(tx, caller, space_id)


def delete_space(tx: Tx, caller: Caller, space_id: int, *, now: int, heard: bool = True) -> None:
    """Delete a space and its apps; the rows stay for the record."""
    reach_space(tx, caller, space_id, "admin", lock=True)
    delete_apps_of(tx, caller, space_id, now=now, heard=heard)
    tx.execute(update(spaces).where(spaces.c.space_id == space_id).values(deleted_at=now))


def _taken(tx: Tx, org_id: int) -> set[str]:
    return set(tx.execute(select(spaces.c.url_label).where(spaces.c.org_id == org_id)).scalars())


def _columns(config: SpaceConfig, name: str, label: str) -> dict[str, object]:
    kept = Kept(config.auto_join, config.post_on_new_app, config.post_on_new_member)
    return {"name": name, "url_label": label, "privacy": config.privacy, "settings": msgspec.json.encode(kept).decode()}


# --- reading -----------------------------------------------------------------------------------------------------------


def get_space(tx: Tx, caller: Caller, space_id: int) -> Space:
    """One space. Raises what `reach_space` raises."""
    reach_space(tx, caller, space_id)
    return _space(caller, tx.execute(_BY_ID, {"space_id": space_id, "user_id": caller.user_id}).mappings().one())


def find_space(tx: Tx, caller: Caller, org_label: str, url_label: str) -> Space:
    """The space that its organization's label and its own name. Raises `NotFound`, `Forbidden`, `Gone`."""
    meant = (orgs.c.url_label == org_label) & (spaces.c.url_label == url_label)
    space_id = tx.execute(_BY_LABELS.where(meant)).scalar()
    if space_id is None:
        raise NotFound(parameters={"url": f"{org_label}/{url_label}"[:NAME_LIMIT]})
    try:
        return get_space(tx, caller, space_id)
    except NotFound:
        # What is out of reach answers in the same words as what is not there: it does not even tell its id.
        raise NotFound(parameters={"url": f"{org_label}/{url_label}"[:NAME_LIMIT]}) from None


def list_spaces(tx: Tx, caller: Caller, org_id: int) -> list[Space]:
    """The spaces of an organization that `caller` may look into. Raises what `reach_org` raises."""
    reach_org(tx, caller, org_id)
    rows = tx.execute(_IN_ORG, {"org_id": org_id, "user_id": caller.user_id}).mappings()
    return [_space(caller, row) for row in rows if held_role(caller, row) is not None]


def list_own_spaces(tx: Tx, caller: Caller) -> list[Space]:
    """The spaces that `caller` is a member of, oldest first. Raises `Forbidden` for one who is no user."""
    rows = tx.execute(_OWN, {"user_id": require_user(caller)}).mappings()
    return [_space(caller, row) for row in rows]


def _space(caller: Caller, row: RowMapping) -> Space:
    kept = msgspec.json.decode(row["settings"], type=Kept)
    return Space(
        space_id=row["space_id"],
        org_id=row["org_id"],
        org_label=row["org_label"],
        config=SpaceConfig(
            kept.auto_join,
            kept.post_on_new_app,
            kept.post_on_new_member,
            name=row["name"],
            url_label=row["url_label"],
            privacy=row["privacy"],
        ),
        created_by=row["created_by"],
        created_at=row["created_at"],
        role=held_role(caller, row) or "light",
    )
