"""The endpoints of who is in a space (contract section 6.4)."""

from __future__ import annotations

from typing import TypedDict

from msgspec import Struct

from tidings.api.call import GREATEST_ID, Call, ChangeQuery
from tidings.api.shapes import Id, Timestamp
from tidings.api.users import ContactObject, UserObject, contact, user_object
from tidings.errors import Invalid
from tidings.wire.podio import timestamp
from tidings.workspace import members
from tidings.workspace.access import Role
from tidings.workspace.members import Member


class NewMembers(Struct):
    """People to take in: by id (a profile's is its user's), or by the mail address that is their username."""

    role: Role
    users: list[Id] | None = None
    profiles: list[Id] | None = None
    mails: list[str] | None = None


class RoleBody(Struct):
    """Another role."""

    role: Role


class MemberObject(TypedDict):
    """Somebody in a space. An invitation is a membership at once."""

    user: UserObject
    profile: ContactObject
    role: Role
    employee: bool
    removable: bool
    grants: int
    rights: list[str]
    invited_on: Timestamp
    started_on: Timestamp
    ended_on: None


async def list_members(call: Call) -> list[MemberObject]:
    """`GET /space/{space_id}/member`, and `/v2` of it."""
    found = await call.read(members.list_members, call.caller, call.id("space_id"))
    return [_member_object(member, call.house.settings.public_url) for member in found]


async def get_member(call: Call) -> MemberObject:
    """`GET /space/{space_id}/member/{user_id}`."""
    member = await call.read(members.get_member, call.caller, call.id("space_id"), call.id("user_id"))
    return _member_object(member, call.house.settings.public_url)


async def add_members(call: Call, body: NewMembers, query: ChangeQuery) -> None:
    """`POST /space/{space_id}/member`. Nobody is invited who has no account here."""
    space_id, user_ids, mails = call.id("space_id"), [*(body.users or ()), *(body.profiles or ())], body.mails or ()
    await call.write(members.add_members, call.caller, space_id, body.role, user_ids, mails, now=call.now, heard=query.hook)


async def set_role(call: Call, body: RoleBody) -> None:
    """`PUT /space/{space_id}/member/{user_ids}`, with commas between them."""
    await call.write(members.set_role, call.caller, call.id("space_id"), read_ids(call, "user_ids"), body.role)


async def remove_members(call: Call, query: ChangeQuery) -> None:
    """`DELETE /space/{space_id}/member/{user_ids}`, with commas between them."""
    await call.write(members.remove_members, call.caller, call.id("space_id"), read_ids(call, "user_ids"), now=call.now, heard=query.hook)


async def join_space(call: Call, query: ChangeQuery) -> None:
    """`POST /space/{space_id}/join`."""
    await call.write(members.join_space, call.caller, call.id("space_id"), now=call.now, heard=query.hook)


async def leave_space(call: Call, query: ChangeQuery) -> None:
    """`POST /space/{space_id}/leave`."""
    await call.write(members.leave_space, call.caller, call.id("space_id"), now=call.now, heard=query.hook)


def read_ids(call: Call, name: str) -> list[int]:
    """The ids in the part `name` of the path, with commas between them. Raises `Invalid`."""
    parts = call.text(name).split(",")
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) <= 10]
    if len(numbers) < len(parts) or not all(0 < number <= GREATEST_ID for number in numbers):
        raise Invalid(f"{name}: must be ids with commas between them", parameters={"field": name})
    return numbers


def _member_object(member: Member, public_url: str) -> MemberObject:
    return {
        "user": user_object(member.user),
        "profile": contact(member.user, public_url),
        "role": member.role,
        "employee": False,
        "removable": True,
        "grants": 0,
        "rights": ["view"],
        "invited_on": timestamp(member.created_at),
        "started_on": timestamp(member.created_at),
        "ended_on": None,
    }
