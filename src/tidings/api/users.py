"""The caller's own account (contract section 6.4). Clients ask for it at their start, to see that their token works.

A token of an app has no account: these answer 403 to it.
"""

from __future__ import annotations

from tidings.api.call import Call
from tidings.wire.podio import timestamp
from tidings.workspace.users import User, get_myself


async def get_user(call: Call) -> object:
    """`GET /user`."""
    return user_object(await call.read(get_myself, call.caller))


async def get_status(call: Call) -> object:
    """`GET /user/status`."""
    user = await call.read(get_myself, call.caller)
    return {
        "user": user_object(user),
        "profile": contact(user, call.house.settings.public_url),
        "properties": {},
        "inbox_new": 0,
        "message_unread_count": 0,
    }


async def get_profile(call: Call) -> object:
    """`GET /user/profile`."""
    return contact(await call.read(get_myself, call.caller), call.house.settings.public_url)


def user_object(user: User) -> dict[str, object]:
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


def contact(user: User, public_url: str) -> dict[str, object]:
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
