"""The caller's own account (contract section 6.4). Clients ask for it at their start, to see that their token works.

A token of an app has no account: these answer 403 to it.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from tidings.api.call import Call
from tidings.api.shapes import Timestamp
from tidings.wire.podio import timestamp
from tidings.workspace.accounts.users import User, get_myself


class MailObject(TypedDict):
    """A mail address of an account."""

    mail: str
    verified: bool
    primary: bool
    disabled: bool


class UserObject(TypedDict):
    """An account."""

    user_id: int
    mail: str
    mails: list[MailObject]
    name: str
    status: Literal["active"]
    locale: str
    timezone: str
    flags: list[str]
    created_on: Timestamp


class ContactObject(TypedDict):
    """A person, as others see them."""

    profile_id: int
    user_id: int
    type: Literal["user"]
    name: str
    mail: list[str]
    link: str
    avatar: None
    image: None
    external_id: None
    org_id: None
    space_id: None
    last_seen_on: None
    rights: list[str]


class StatusObject(TypedDict):
    """An account, and what waits for it; messages are none of ours."""

    user: UserObject
    profile: ContactObject
    properties: dict[str, object]
    inbox_new: int
    message_unread_count: int


async def get_user(call: Call) -> UserObject:
    """`GET /user`."""
    return user_object(await call.read(get_myself, call.caller))


async def get_status(call: Call) -> StatusObject:
    """`GET /user/status`."""
    user = await call.read(get_myself, call.caller)
    return {
        "user": user_object(user),
        "profile": contact(user, call.house.settings.public_url),
        "properties": {},
        "inbox_new": 0,
        "message_unread_count": 0,
    }


async def get_profile(call: Call) -> ContactObject:
    """`GET /user/profile`."""
    return contact(await call.read(get_myself, call.caller), call.house.settings.public_url)


def user_object(user: User) -> UserObject:
    """An account as Podio writes it."""
    return {
        "user_id": user.user_id,
        "mail": user.username,
        "mails": [{"mail": user.username, "verified": True, "primary": True, "disabled": False}],
        "name": user.name,
        "status": "active",
        "locale": "en_GB",
        "timezone": "UTC",
        "flags": [],
        "created_on": timestamp(user.created_at),
    }


def contact(user: User, public_url: str) -> ContactObject:
    """A person as Podio's contact. A person has one profile here, with their own id."""
    return {
        "profile_id": user.user_id,
        "user_id": user.user_id,
        "type": "user",
        "name": user.name,
        "mail": [user.username],
        "link": f"{public_url}/user/{user.user_id}",
        "avatar": None,
        "image": None,
        "external_id": None,
        "org_id": None,
        "space_id": None,
        "last_seen_on": None,
        "rights": ["view"],
    }
