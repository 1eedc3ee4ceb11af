"""The endpoints of who is in a space (contract section 6.4)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from tidings.api.call import GREATEST_ID, Call
from tidings.api.users import contact, user_object
from tidings.errors import Invalid
from tidings.wire.podio import timestamp
from tidings.workspace import members
from tidings.workspace.access import Role
from tidings.workspace.members import Member

Ids = list[Annotated[int, Meta(ge=1, le=GREATEST_ID)]]


class NewMembers(Struct):
    """People to take in: by id (a profile's is its user's), or by the mail address that is their username."""

    role: Role
    users: Ids | None = None
    profiles: Ids | None = None
    mails: list[str] | None = None


class RoleBody(Struct):
    """Another role."""

    role: Role


async def list_members(call: Call) -> object:
    """`GET /space/{space_id}/member`, and `/v2` of it."""
    found = await call.read(members.list_members, call.caller, call.id("space_id"))
    return [_member_object(member, call.house.settings.public_url) for member in found]


async def get_member(call: Call) -> object:
    """`GET /space/{space_id}/member/{user_id}`."""
    member = await call.read(members.get_member, call.caller, call.id("space_id"), call.id("user_id"))
    return _member_object(member, call.house.settings.public_url)


async def add_members(call: Call) -> None:
    """`POST /space/{space_id}/member`. Nobody is invited who has no account here."""
    space_id, body = call.id("space_id"), call.body(NewMembers)
    user_ids = [*(body.users or ()), *(body.profiles or ())]
    await call.write(members.add_members, call.caller, space_id, body.role, user_ids, body.mails or (), now=call.now)


async def set_role(call: Call) -> None:
    """`PUT /space/{space_id}/member/{user_ids}`, with commas between them."""
    await call.write(members.set_role, call.caller, call.id("space_id"), _user_ids(call), call.body(RoleBody).role)


async def remove_members(call: Call) -> None:
    """`DELETE /space/{space_id}/member/{user_ids}`, with commas between them."""
    await call.write(members.remove_members, call.caller, call.id("space_id"), _user_ids(call))


async def join_space(call: Call) -> None:
    """`POST /space/{space_id}/join`."""
    await call.write(members.join_space, call.caller, call.id("space_id"), now=call.now)


async def leave_space(call: Call) -> None:
    """`POST /space/{space_id}/leave`."""
    await call.write(members.leave_space, call.caller, call.id("space_id"))


def _user_ids(call: Call) -> list[int]:
    parts = call.text("user_ids").split(",")
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) <= 10]
    if len(numbers) < len(parts) or not all(0 < number <= GREATEST_ID for number in numbers):
        raise Invalid("user_ids: must be ids with commas between them", parameters={"field": "user_ids"})
    return numbers


def _member_object(member: Member, public_url: str) -> dict[str, object]:
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
