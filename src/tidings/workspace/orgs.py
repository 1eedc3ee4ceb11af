"""Organizations: the outermost room. What is in one is not seen from another.

Whoever makes one is its admin. Others come to belong to it through its spaces (`members.py`).
"""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import RowMapping, bindparam, insert, select, update

from tidings.errors import Conflict, NotFound
from tidings.store.database import Tx
from tidings.store.schema import org_members, orgs
from tidings.workspace.access import Caller, alone_on_server, reach_org, require_user
from tidings.workspace.names import NAME_LIMIT, checked_name, free_label, label_from


class Org(Struct, frozen=True):
    """An organization, as one caller sees it."""

    org_id: int
    name: str
    url_label: str
    created_by: int
    created_at: int
    role: str  # of the caller: admin | regular


_OWN = (
    select(orgs, org_members.c.role.label("org_role"))
    .join(org_members, org_members.c.org_id == orgs.c.org_id)
    .where(org_members.c.user_id == bindparam("user_id"), orgs.c.deleted_at.is_(None))
    .order_by(orgs.c.org_id)
)


def create_org(tx: Tx, caller: Caller, name: str, *, now: int) -> Org:
    """A new organization, with `caller` as its admin. Raises `Invalid` for the name, `Forbidden` for one who is no user."""
    user_id, name = require_user(caller), checked_name(name, "name")
    alone_on_server(tx)
    label = label_from(name, "org")
    taken = tx.execute(select(orgs.c.url_label).where(orgs.c.url_label.startswith(label, autoescape=True))).scalars()
    values = {"name": name, "url_label": free_label(label, set(taken)), "created_by": user_id, "created_at": now}
    org_id: int = tx.execute(insert(orgs).values(values).returning(orgs.c.org_id)).scalar_one()
    tx.execute(insert(org_members).values(org_id=org_id, user_id=user_id, role="admin", created_at=now))
    return get_org(tx, caller, org_id)


def update_org(tx: Tx, caller: Caller, org_id: int, *, name: str | None = None, url_label: str | None = None) -> Org:
    """Change what is given of an organization. Its label stays with it, unless another is given that is free.

    Raises `Invalid`, `Conflict` for a label that is taken, `NotFound`, and `Forbidden` for one who is not its admin.
    """
    before = _org(reach_org(tx, caller, org_id, admin=True))
    alone_on_server(tx)
    after_name = before.name if name is None else checked_name(name, "name")
    label = before.url_label if url_label is None else label_from(checked_name(url_label, "url_label"), before.url_label)
    if label != before.url_label and tx.execute(select(orgs.c.org_id).where(orgs.c.url_label == label)).first():
        raise Conflict(f"url_label: {label} is, or was, another organization", parameters={"field": "url_label"})
    tx.execute(update(orgs).where(orgs.c.org_id == org_id).values(name=after_name, url_label=label))
    return get_org(tx, caller, org_id)


def find_org(tx: Tx, caller: Caller, url_label: str) -> Org:
    """The organization that its label names. Raises `NotFound`, also for those who do not belong to it, and `Forbidden`."""
    org_id = tx.execute(select(orgs.c.org_id).where(orgs.c.url_label == url_label, orgs.c.deleted_at.is_(None))).scalar()
    try:
        return get_org(tx, caller, org_id or 0)
    except NotFound:
        raise NotFound(parameters={"url": url_label[:NAME_LIMIT]}) from None


def get_org(tx: Tx, caller: Caller, org_id: int) -> Org:
    """One organization. Raises `NotFound` for those who do not belong to it."""
    return _org(reach_org(tx, caller, org_id))


def list_orgs(tx: Tx, caller: Caller) -> list[Org]:
    """The organizations that `caller` belongs to. Raises `Forbidden` for one who is no user."""
    return [_org(row) for row in tx.execute(_OWN, {"user_id": require_user(caller)}).mappings()]


def _org(row: RowMapping) -> Org:
    return Org(row["org_id"], row["name"], row["url_label"], row["created_by"], row["created_at"], row["org_role"] or "admin")
