"""What is done from an item's page to what hangs on the item: tags come and go, comments too, and each is told of by its own event."""

from __future__ import annotations

from starlette.responses import Response

from tidings.console.desk import Desk, Visit, check_form, done
from tidings.console.filled import FAULTS, filled_again
from tidings.console.items import item_path, show_item
from tidings.workspace.comments import NewComment, create_comment, delete_comment
from tidings.workspace.tags import add_tags, remove_tag


async def add_tag(desk: Desk, visit: Visit) -> Response:
    """`POST /console/items/{item_id}/tags`."""
    check_form(visit)
    item_id = visit.ids["item_id"]
    try:
        await desk.database.write(add_tags, visit.caller, "item", item_id, [visit.form.get("tag", "")], now=visit.now)
    except FAULTS as error:
        return await show_item(desk, visit, filled_again("tag", visit.form, error, inputs={"tags": "tag"}))
    return done(item_path(item_id), "tag-added")


async def drop_tag(desk: Desk, visit: Visit) -> Response:
    """`POST /console/items/{item_id}/tags/remove`."""
    check_form(visit)
    item_id = visit.ids["item_id"]
    await desk.database.write(remove_tag, visit.caller, "item", item_id, visit.form.get("tag", ""), now=visit.now)
    return done(item_path(item_id), "tag-removed")


async def add_comment(desk: Desk, visit: Visit) -> Response:
    """`POST /console/items/{item_id}/comments`."""
    check_form(visit)
    item_id, new = visit.ids["item_id"], NewComment(visit.form.get("value", "").replace("\r\n", "\n"))
    try:
        await desk.database.write(create_comment, visit.caller, "item", item_id, new, now=visit.now)
    except FAULTS as error:
        return await show_item(desk, visit, filled_again("comment", visit.form, error))
    return done(item_path(item_id), "comment-made")


async def drop_comment(desk: Desk, visit: Visit) -> Response:
    """`POST /console/items/{item_id}/comments/{comment_id}/delete`."""
    check_form(visit)
    await desk.database.write(delete_comment, visit.caller, visit.ids["comment_id"], now=visit.now)
    return done(item_path(visit.ids["item_id"]), "comment-deleted")
