"""The page of a space: its apps, its people, the hooks that hang on it, and how it is set up.

What somebody may not do is not offered to them; what they send all the same is refused by the floors below.
"""

from __future__ import annotations

from msgspec import Struct
from starlette.responses import Response

from tidings.console.desk import Desk, Visit, check_form, done, show_section
from tidings.console.filled import FAULTS, NOTHING_FILLED, Filled, filled_again
from tidings.console.hook_words import Standing, hook_standing
from tidings.hooks.registry import HookRecord, list_hooks
from tidings.store.database import Tx
from tidings.workspace.access import RANK, Caller, Role
from tidings.workspace.apps import App, create_app, list_apps
from tidings.workspace.fields.fields import NewField
from tidings.workspace.members import Member, add_members, join_space, leave_space, list_members, remove_members, set_role
from tidings.workspace.names import not_one_of
from tidings.workspace.orgs import Org, get_org
from tidings.workspace.spaces import Space, delete_space, get_space, update_space

PAGE_PEOPLE = 50  # members on one page
TITLE = NewField("text", {"label": "Title", "required": True})


class Room(Struct, frozen=True):
    """A space with what is in it."""

    org: Org
    space: Space
    apps: list[App]
    members: list[Member]
    hooks: list[tuple[HookRecord, Standing]]  # that hang on the space itself
    is_in: bool  # whether the visitor is one of the members


def space_path(space_id: int) -> str:
    """Where the page of a space is."""
    return f"/console/spaces/{space_id}"


async def show_space(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console/spaces/{space_id}`."""
    room = await desk.database.read(_room, visit.caller, visit.ids["space_id"])
    first = (visit.page("people") - 1) * PAGE_PEOPLE
    shown = {
        "room": room,
        "space": room.space,
        "org": room.org,
        "people": room.members[first : first + PAGE_PEOPLE],
        "people_page": first // PAGE_PEOPLE + 1,
        "more_people": first + PAGE_PEOPLE < len(room.members),
    }
    return show_section(desk, visit, "space.html", shown, filled=filled)


def _room(tx: Tx, caller: Caller, space_id: int) -> Room:
    space = get_space(tx, caller, space_id)
    apps = list_apps(tx, caller, space_id, include_inactive=True)
    hooks = list_hooks(tx, caller, "space", space_id) if space.role == "admin" else []
    standing = [(hook, hook_standing(hook)) for hook in hooks]
    members = list_members(tx, caller, space_id)
    is_in = any(member.user.user_id == caller.user_id for member in members)
    return Room(get_org(tx, caller, space.org_id), space, apps, members, standing, is_in)


# --- apps --------------------------------------------------------------------------------------------------------------


async def make_app(desk: Desk, visit: Visit) -> Response:
    """`POST /console/spaces/{space_id}/apps`: a new app, with a first field if that is ticked."""
    check_form(visit)
    config = {"name": visit.form.get("name", ""), "item_name": visit.form.get("item_name", "").strip()}
    fields = [TITLE] if visit.form.get("titled") else []
    space_id = visit.ids["space_id"]
    try:
        app = await desk.database.write(create_app, visit.caller, space_id, config, fields, keyring=desk.keyring, now=visit.now)
    except FAULTS as error:
        return await show_space(desk, visit, filled_again("app", visit.form, error))
    return done(f"/console/apps/{app.app_id}", "app-made")


# --- people ------------------------------------------------------------------------------------------------------------


async def add_member(desk: Desk, visit: Visit) -> Response:
    """`POST /console/spaces/{space_id}/members`: somebody who has an account here, by their username."""
    check_form(visit)
    space_id, username = visit.ids["space_id"], visit.form.get("username", "").strip()
    try:
        role = _role(visit.form.get("role", ""))
        await desk.database.write(add_members, visit.caller, space_id, role, (), [username], now=visit.now)
    except FAULTS as error:
        return await show_space(desk, visit, filled_again("member", visit.form, error, inputs={"": "username"}))
    return done(space_path(space_id), "member-added")


async def change_member(desk: Desk, visit: Visit) -> Response:
    """`POST /console/spaces/{space_id}/members/{user_id}`: another role."""
    check_form(visit)
    space_id, user_id = visit.ids["space_id"], visit.ids["user_id"]
    try:
        await desk.database.write(set_role, visit.caller, space_id, [user_id], _role(visit.form.get("role", "")))
    except FAULTS as error:
        return await show_space(desk, visit, filled_again("members", visit.form, error))
    return done(space_path(space_id), "member-changed")


async def remove_member(desk: Desk, visit: Visit) -> Response:
    """`POST /console/spaces/{space_id}/members/{user_id}/remove`."""
    check_form(visit)
    space_id, user_id = visit.ids["space_id"], visit.ids["user_id"]
    try:
        await desk.database.write(remove_members, visit.caller, space_id, [user_id], now=visit.now)
    except FAULTS as error:
        return await show_space(desk, visit, filled_again("members", visit.form, error))
    return done(space_path(space_id), "member-removed")


async def join(desk: Desk, visit: Visit) -> Response:
    """`POST /console/spaces/{space_id}/join`: come into an open space."""
    check_form(visit)
    space_id = visit.ids["space_id"]
    await desk.database.write(join_space, visit.caller, space_id, now=visit.now)
    return done(space_path(space_id), "space-joined")


async def leave(desk: Desk, visit: Visit) -> Response:
    """`POST /console/spaces/{space_id}/leave`."""
    check_form(visit)
    try:
        await desk.database.write(leave_space, visit.caller, visit.ids["space_id"], now=visit.now)
    except FAULTS as error:
        return await show_space(desk, visit, filled_again("members", visit.form, error))
    return done("/console", "space-left")


def _role(word: str) -> Role:
    for role in RANK:
        if role == word:
            return role  # type: ignore[return-value]  # the ranks are those of the roles
    raise not_one_of(word, list(RANK), "role")


# --- the space itself --------------------------------------------------------------------------------------------------


async def change_space(desk: Desk, visit: Visit) -> Response:
    """`POST /console/spaces/{space_id}`: its name, and who may look in."""
    check_form(visit)
    space_id = visit.ids["space_id"]
    config = {"name": visit.form.get("name", ""), "privacy": "open" if visit.form.get("open") else "closed"}
    try:
        await desk.database.write(update_space, visit.caller, space_id, config)
    except FAULTS as error:
        return await show_space(desk, visit, filled_again("space", visit.form, error))
    return done(space_path(space_id), "space-changed")


async def drop_space(desk: Desk, visit: Visit) -> Response:
    """`POST /console/spaces/{space_id}/delete`."""
    check_form(visit)
    await desk.database.write(delete_space, visit.caller, visit.ids["space_id"], now=visit.now)
    return done("/console", "space-deleted")
