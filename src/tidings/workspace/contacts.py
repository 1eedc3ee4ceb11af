"""Contacts: people outside, whom a space keeps in mind; and beside them, to be read, the people who have accounts.

Podio calls both profiles. A person's profile has their user's id; a contact's ids begin at `FIRST_PROFILE_ID`, above all
users, so that an id never means two. Members who make things (`regular`) keep the contacts of a space, everybody in it
reads them; a person's profile is read by whoever shares an organization with them, and changed by nobody here. A change
that changes nothing writes nothing, and a deleted contact keeps its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import RowMapping, Text, bindparam, func, insert, literal, select, union, union_all, update

from tidings.errors import Forbidden, Gone, Invalid, NotFound
from tidings.events.outbox import NewEvent, append
from tidings.store.database import Tx
from tidings.store.schema import apps, contacts, org_members, space_members, spaces, users
from tidings.workspace.access import Caller, Role, alone_on_server, held_role, reach_space
from tidings.workspace.names import NAME_LIMIT, TEXT_LIMIT, checked_name, within
from tidings.workspace.parts import Parts, changed

FIRST_PROFILE_ID = 100_000_001
VALUES_LIMIT = 100  # of one part of a profile that has many
PAGE_LIMIT = 50  # contacts, unless the caller says otherwise
DELETE_LIMIT = 100  # contacts of one call

ProfileType = Literal["user", "space"]

CONTACT_RIGHTS: dict[Role, tuple[str, ...]] = {
    "light": ("view",),
    "regular": ("view", "update", "delete"),
    "admin": ("view", "update", "delete"),
}
"""What a role in the space comes to for its contacts, in Podio's words."""

Several = list[str] | str
"""Values of a part that has many; one may be written as it is."""


class Profile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of somebody beside their name."""

    about: str | None = None
    address: Several = []
    birthdate: str | None = None  # YYYY-MM-DD
    city: str | None = None
    country: str | None = None
    department: str | None = None
    im: Several = []
    linkedin: str | None = None
    location: Several = []
    mail: Several = []
    organization: str | None = None
    phone: Several = []
    skill: Several = []
    skype: str | None = None
    state: str | None = None
    title: Several = []
    twitter: str | None = None
    url: Several = []
    vatin: str | None = None
    zip: str | None = None


class ContactConfig(Profile, frozen=True, kw_only=True, omit_defaults=True):
    """What can be set on a contact."""

    name: str
    external_id: str | int | None = None


class Contact(Struct, frozen=True):
    """A contact of a space, or a person with an account, as one caller sees them."""

    profile_id: int
    type: ProfileType
    name: str
    space_id: int | None  # of a contact
    external_id: str | None
    profile: Profile
    rights: tuple[str, ...]  # of the caller

    @property
    def user_id(self) -> int | None:
        """Whose account it is; a contact has none."""
        return self.profile_id if self.type == "user" else None


class ContactFilter(Struct, frozen=True):
    """Which profiles of a space are wanted; `types` empty: all."""

    types: Sequence[ProfileType] = ()
    name: str | None = None  # is in theirs, in any case
    external_id: str | None = None
    with_self: bool = False


# --- making and changing -----------------------------------------------------------------------------------------------


def create_contact(tx: Tx, caller: Caller, space_id: int, config: Parts, *, now: int, heard: bool = True) -> Contact:
    """A new contact of a space. Raises `Invalid`, naming the part, and what `reach_space` raises."""
    alone_on_server(tx)  # whoever is next gets the next id
    reach_space(tx, caller, space_id, "regular")
    made = _checked({}, config)
    last: int | None = tx.execute(select(func.max(contacts.c.profile_id))).scalar()
    profile_id = FIRST_PROFILE_ID if last is None else last + 1
    row = {"profile_id": profile_id, "space_id": space_id, "created_by": caller.author, "created_at": now}
    tx.execute(insert(contacts).values({**row, **_columns(made)}))
    _tell(tx, caller, space_id, profile_id, "create", now=now, heard=heard)
    return get_contact(tx, caller, profile_id)


def update_contact(tx: Tx, caller: Caller, profile_id: int, config: Parts, *, now: int, heard: bool = True) -> Contact:
    """Change what is named of a contact. Raises `Invalid`, naming the part; `NotFound`, `Forbidden` and `Gone`."""
    row = _lock(tx, caller, profile_id)
    after = _columns(_checked(_config(row), config))
    if any(row[name] != value for name, value in after.items()):
        tx.execute(update(contacts).where(contacts.c.profile_id == profile_id).values(after))
        _tell(tx, caller, row["space_id"], profile_id, "update", now=now, heard=heard)
    return get_contact(tx, caller, profile_id)


def delete_contacts(tx: Tx, caller: Caller, profile_ids: Iterable[int], *, now: int, heard: bool = True) -> None:
    """Delete contacts, all of them or none. Raises `Invalid` for too many; `NotFound`, `Forbidden` and `Gone`."""
    for profile_id in _few(profile_ids):
        row = _lock(tx, caller, profile_id)
        tx.execute(update(contacts).where(contacts.c.profile_id == profile_id).values(deleted_at=now))
        _tell(tx, caller, row["space_id"], profile_id, "delete", now=now, heard=heard)


def _few(profile_ids: Iterable[int]) -> list[int]:
    wanted = sorted(set(profile_ids))
    if len(wanted) > DELETE_LIMIT:
        raise Invalid(f"profile_ids: at most {DELETE_LIMIT} at once", parameters={"field": "profile_ids", "limit": DELETE_LIMIT})
    return wanted


def _checked(before: Struct | Parts, config: Parts) -> ContactConfig:
    """The contact that the parts make of it, every value judged."""
    if config.get("avatar"):
        raise Invalid("avatar: is not offered, and must be left out or null", parameters={"field": "avatar"})
    made = changed(ContactConfig, before, config, "")
    judged: dict[str, Any] = {name: _judged(name, getattr(made, name)) for name in Profile.__struct_fields__}
    judged["birthdate"] = _day(made.birthdate)
    return replace(made, name=checked_name(made.name, "name"), external_id=_external_id(made.external_id), **judged)


def _judged(name: str, value: Several | None) -> Several | None:
    if name not in _MANY:
        return within(str(value), name, TEXT_LIMIT) if value else None
    values = [value] if isinstance(value, str) else value or []
    if len(values) > VALUES_LIMIT:
        raise Invalid(f"{name}: must be at most {VALUES_LIMIT} texts", parameters={"field": name, "limit": VALUES_LIMIT})
    return [within(each, name, TEXT_LIMIT) for each in values if each]


_MANY = frozenset(name for name, default in msgspec.structs.asdict(Profile()).items() if default == [])


def _day(given: str | None) -> str | None:
    try:
        return date.fromisoformat(given).isoformat() if given else None
    except ValueError:
        raise Invalid("birthdate: must be a day, as YYYY-MM-DD", parameters={"field": "birthdate"}) from None


def _external_id(given: str | int | None) -> str | None:
    return within(str(given), "external_id", NAME_LIMIT) if given not in (None, "") else None


def _columns(config: ContactConfig) -> dict[str, str | int | None]:
    profile = Profile(**{name: getattr(config, name) for name in Profile.__struct_fields__})
    return {"name": config.name, "external_id": config.external_id, "details": msgspec.json.encode(profile).decode()}


def _config(row: RowMapping) -> dict[str, Any]:
    return {"name": row["name"], "external_id": row["external_id"], **msgspec.json.decode(row["details"])}


def _lock(tx: Tx, caller: Caller, profile_id: int) -> RowMapping:
    """The row of a contact that the caller may change. Raises `Forbidden` for a person whom they see."""
    if profile_id < FIRST_PROFILE_ID:
        _person(tx, caller, profile_id)
        raise Forbidden(f"The profile with id {profile_id} is a user's; only contacts of a space can be changed")
    return _reach(tx, caller, profile_id, "regular", lock=True)[0]


def _tell(
    tx: Tx, caller: Caller, space_id: int, profile_id: int, what: Literal["create", "update", "delete"], *, now: int, heard: bool
) -> None:  # fmt: skip
    append(
        tx,
        NewEvent(
            type=f"contact.{what}",
            space_id=space_id,
            app_id=None,
            object_id=profile_id,
            parameters={"space_id": str(space_id), "profile_id": str(profile_id)},
            created_by=caller.author,
            created_at=now,
            heard=heard,
        ),
    )


# --- reading -----------------------------------------------------------------------------------------------------------

_ONE = select(contacts).where(contacts.c.profile_id == bindparam("profile_id"))
_MANY_CONTACTS = select(contacts).where(contacts.c.profile_id.in_(bindparam("ids", expanding=True)))
_PEOPLE = select(users.c.user_id, users.c.username, users.c.name)

_INSIDE = (
    select(literal("user").label("type"), users.c.user_id.label("profile_id"), users.c.name, literal(None, Text).label("external_id"))
    .join(space_members, space_members.c.user_id == users.c.user_id)
    .where(space_members.c.space_id == bindparam("space_id"))
)
_OUTSIDE = select(literal("space").label("type"), contacts.c.profile_id, contacts.c.name, contacts.c.external_id).where(
    contacts.c.space_id == bindparam("space_id"), contacts.c.deleted_at.is_(None)
)
_ALL = union_all(_INSIDE, _OUTSIDE).subquery()

_ORGS_OF_USER = select(org_members.c.org_id).where(org_members.c.user_id == bindparam("user_id"))
_ORG_OF_APP = select(spaces.c.org_id).join(apps, apps.c.space_id == spaces.c.space_id).where(apps.c.app_id == bindparam("app_id"))
_NEAR = select(org_members.c.user_id).where(org_members.c.org_id.in_(union(_ORGS_OF_USER, _ORG_OF_APP)))


def get_contact(tx: Tx, caller: Caller, profile_id: int) -> Contact:
    """One profile. Raises `NotFound`, `Forbidden` and `Gone`."""
    if profile_id < FIRST_PROFILE_ID:
        return _person(tx, caller, profile_id)
    row, role = _reach(tx, caller, profile_id, "light")
    return _contact(row, role)


def get_contacts(tx: Tx, caller: Caller, profile_ids: Sequence[int]) -> list[Contact]:
    """Several, in the order of their ids. Raises `Invalid` for too many, and as `get_contact` does."""
    return [get_contact(tx, caller, profile_id) for profile_id in _few(profile_ids)]


def list_contacts(
    tx: Tx, caller: Caller, space_id: int, wanted: ContactFilter, *, limit: int = PAGE_LIMIT, offset: int = 0
) -> list[Contact]:  # fmt: skip
    """The profiles of a space that are wanted, by name. Raises what `reach_space` raises."""
    role = held_role(caller, reach_space(tx, caller, space_id))
    assert role is not None  # they have been let in
    page = select(_ALL.c.profile_id).order_by(func.lower(_ALL.c.name), _ALL.c.profile_id).limit(limit).offset(offset)
    if wanted.types:
        page = page.where(_ALL.c.type.in_(wanted.types))
    if wanted.name is not None:
        page = page.where(_ALL.c.name.icontains(wanted.name, autoescape=True))
    if wanted.external_id is not None:
        page = page.where(_ALL.c.external_id == wanted.external_id)
    if not wanted.with_self:
        page = page.where(_ALL.c.profile_id != caller.user_id)
    ids = tx.execute(page, {"space_id": space_id}).scalars().all()
    found = {**_people(tx, ids), **{row["profile_id"]: _contact(row, role) for row in tx.execute(_MANY_CONTACTS, {"ids": ids}).mappings()}}
    return [found[profile_id] for profile_id in ids]


def _reach(tx: Tx, caller: Caller, profile_id: int, role: Role, *, lock: bool = False) -> tuple[RowMapping, Role]:
    """The row of a contact, and what the caller is in its space."""
    statement = _ONE.with_for_update(key_share=True) if lock else _ONE
    row = tx.execute(statement, {"profile_id": profile_id}).mappings().first()
    if row is None:
        raise NotFound(parameters={"profile_id": profile_id})
    try:
        held = held_role(caller, reach_space(tx, caller, row["space_id"], role))
    except NotFound:
        raise NotFound(parameters={"profile_id": profile_id}) from None
    if row["deleted_at"] is not None:
        raise Gone(parameters={"profile_id": profile_id})
    assert held is not None  # they have been let in
    return row, held


def _person(tx: Tx, caller: Caller, user_id: int) -> Contact:
    """A person with an account, whom the caller shares an organization with, or is."""
    asking = {"user_id": caller.user_id, "app_id": caller.id if caller.kind == "app" else 0}
    near = caller.kind == "system" or user_id == caller.user_id
    person = _people(tx, [user_id]).get(user_id)
    if person is None or not (near or tx.execute(_NEAR.where(org_members.c.user_id == user_id), asking).first()):
        raise NotFound(parameters={"profile_id": user_id})
    return person


def _people(tx: Tx, user_ids: Sequence[int]) -> Mapping[int, Contact]:
    rows = tx.execute(_PEOPLE.where(users.c.user_id.in_(user_ids)))
    return {
        row.user_id: Contact(row.user_id, "user", row.name, None, None, Profile(mail=[row.username]), CONTACT_RIGHTS["light"])
        for row in rows
    }  # fmt: skip


def _contact(row: RowMapping, role: Role) -> Contact:
    return Contact(
        profile_id=row["profile_id"],
        type="space",
        name=row["name"],
        space_id=row["space_id"],
        external_id=row["external_id"],
        profile=msgspec.json.decode(row["details"], type=Profile),
        rights=CONTACT_RIGHTS[role],
    )
