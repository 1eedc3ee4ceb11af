"""Items: what is kept in an app (contract section 6.2).

A change says with `hook=False` that no hook is to hear of it, and with `silent=True` that no person is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidings.client.calls import (
    Call,
    D_co,
    Fields,
    Many,
    Noun,
    Pages,
    changed,
    given,
    many,
    nothing,
    one,
    operation,
    paging,
    path,
    perhaps,
)  # fmt: skip
from tidings.client.objects import Changed, Count, Defined, Deleted, Difference, Item, ItemField, ItemPage, Revision
from tidings.errors import TidingsError

PAGE = 100  # items fetched at once, where one iterates; Podio's limit is 500


class Items(Noun[D_co]):
    """Items, their values and their revisions. `fields` are values by external_id or field_id."""

    # --- one item ---

    @operation
    def create(
        self,
        app_id: int,
        fields: Fields,
        *,
        external_id: str | None = None,
        file_ids: Sequence[int] | None = None,
        tags: Sequence[str] | None = None,
        hook: bool = True,
        silent: bool = False,
    ) -> Call[Item]:
        """A new item: the whole of it, as it is now."""
        body = {"fields": dict(fields), **_more(external_id, file_ids, tags)}
        return Call("POST", path("/item/app/{}/", app_id), one(Item, "item_id"), body, changed(hook=hook, silent=silent))

    @operation
    def get(self, item_id: int) -> Call[Item]:
        """The item."""
        return Call("GET", path("/item/{}", item_id), one(Item, "item_id"))

    @operation
    def get_by_external_id(self, app_id: int, external_id: str) -> Call[Item]:
        """The item of the app that has this external_id."""
        return Call("GET", path("/item/app/{}/external_id/{}", app_id, external_id), one(Item, "item_id"))

    @operation
    def get_by_app_item_id(self, app_id: int, app_item_id: int) -> Call[Item]:
        """The item by its number within the app."""
        return Call("GET", path("/app/{}/item/{}", app_id, app_item_id), one(Item, "item_id"))

    @operation
    def get_next(self, item_id: int) -> Call[Item]:
        """The item of the same app that comes after this one."""
        return Call("GET", path("/item/{}/next", item_id), one(Item, "item_id"))

    @operation
    def get_previous(self, item_id: int) -> Call[Item]:
        """The one that comes before it."""
        return Call("GET", path("/item/{}/previous", item_id), one(Item, "item_id"))

    @operation
    def update(
        self,
        item_id: int,
        fields: Fields,
        *,
        revision: int | None = None,
        external_id: str | None = None,
        file_ids: Sequence[int] | None = None,
        tags: Sequence[str] | None = None,
        hook: bool = True,
        silent: bool = False,
    ) -> Call[Changed | None]:
        """Set the fields named, and no others. None where the server says only that it is done, as when nothing changed.

        With `revision`, the number of the one that was read, it raises `Conflict` when the item has changed since.
        """
        body = {"fields": dict(fields), **_more(external_id, file_ids, tags), **given(revision=revision)}
        query = changed(hook=hook, silent=silent)
        # Sent twice, the second would be told of a conflict with the first.
        return Call("PUT", path("/item/{}", item_id), perhaps(Changed, "revision"), body, query, repeatable=revision is None)

    @operation
    def delete(self, item_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Delete the item."""
        return Call("DELETE", path("/item/{}", item_id), nothing, query=changed(hook=hook, silent=silent))

    @operation
    def clone(self, item_id: int, *, hook: bool = True, silent: bool = False) -> Call[int]:
        """A copy of the item: its id."""
        return Call("POST", path("/item/{}/clone", item_id), _item_id, {}, changed(hook=hook, silent=silent))

    # --- its values ---

    @operation
    def get_values(self, item_id: int) -> Call[Many[ItemField]]:
        """The fields that have values."""
        return Call("GET", path("/item/{}/value", item_id), many(ItemField, "field_id"))

    @operation
    def get_field_values(self, item_id: int, field: int | str) -> Call[Many[dict[str, Any]]]:
        """The values of one field, by its id or external_id."""
        return Call("GET", path("/item/{}/value/{}", item_id, field), many(dict))

    @operation
    def update_values(self, item_id: int, values: Fields, *, hook: bool = True, silent: bool = False) -> Call[Changed | None]:
        """Set the fields named, and nothing else of the item."""
        query = changed(hook=hook, silent=silent)
        return Call("PUT", path("/item/{}/value", item_id), perhaps(Changed, "revision"), dict(values), query)

    @operation
    def update_field_value(
        self, item_id: int, field: int | str, value: object, *, hook: bool = True, silent: bool = False
    ) -> Call[Changed | None]:
        """Set one field: a value, or a list of values; an empty list empties it."""
        query = changed(hook=hook, silent=silent)
        return Call("PUT", path("/item/{}/value/{}", item_id, field), perhaps(Changed, "revision"), value, query)

    # --- many ---

    @operation
    def filter(
        self,
        app_id: int,
        filters: Mapping[str, object] | None = None,
        *,
        sort_by: str | None = None,
        sort_desc: bool | None = None,
        limit: int = 30,
        offset: int = 0,
    ) -> Call[ItemPage]:
        """Some of the items that match: `limit` of them from `offset` on, newest first unless it is said otherwise."""
        body = given(filters=dict(filters or {}), sort_by=sort_by, sort_desc=sort_desc, limit=limit, offset=offset)
        return Call("POST", path("/item/app/{}/filter/", app_id), _item_page, body, repeatable=True)

    @paging
    def iterate(
        self,
        app_id: int,
        filters: Mapping[str, object] | None = None,
        *,
        sort_by: str = "created_on",
        sort_desc: bool = False,
        page: int = PAGE,
    ) -> Pages[Item]:
        """All that match, fetched `page` at a time. Oldest first, so that what is made meanwhile comes at the end.

        What is deleted meanwhile makes those behind it move up, so that some may be passed over.
        """

        def at(offset: int) -> Call[list[Item]]:
            body = given(filters=dict(filters or {}), sort_by=sort_by, sort_desc=sort_desc, limit=page, offset=offset)
            return Call("POST", path("/item/app/{}/filter/", app_id), lambda answer: _item_page(answer)["items"], body, repeatable=True)

        return Pages(at, page)

    @operation
    def count(self, app_id: int) -> Call[int]:
        """How many items the app has."""
        return Call("GET", path("/item/app/{}/count", app_id), read_count)

    @operation
    def delete_many(self, app_id: int, item_ids: Sequence[int], *, hook: bool = True, silent: bool = False) -> Call[Deleted]:
        """Delete those of the items that are in the app."""
        body, query = {"item_ids": [*item_ids]}, changed(hook=hook, silent=silent)
        return Call("POST", path("/item/app/{}/delete", app_id), one(Deleted, "deleted"), body, query)

    # --- revisions ---

    @operation
    def list_revisions(self, item_id: int) -> Call[Many[Revision]]:
        """All states that the item has been in, as the server sorts them."""
        return Call("GET", path("/item/{}/revision/", item_id), many(Revision, "revision"))

    @operation
    def get_revision(self, item_id: int, revision: int) -> Call[Revision]:
        """One of them, by its number, from 0: an event's `item_revision_id` is one."""
        return Call("GET", path("/item/{}/revision/{}", item_id, revision), one(Revision, "revision"))

    @operation
    def compare_revisions(self, item_id: int, before: int, after: int) -> Call[Many[Difference]]:
        """What has changed between two of them."""
        return Call("GET", path("/item/{}/revision/{}/{}", item_id, before, after), many(Difference, "field_id"))

    @operation
    def revert_to_revision(self, item_id: int, revision: int, *, hook: bool = True, silent: bool = False) -> Call[int]:
        """Bring back the values as they stood after that one: the number of the revision that this makes."""
        query = changed(hook=hook, silent=silent)
        return Call("POST", path("/item/{}/revision/{}/revert_to", item_id, revision), _revision, {}, query)

    @operation
    def revert_revision(self, item_id: int, revision: int, *, hook: bool = True, silent: bool = False) -> Call[int]:
        """Take back what that one changed, and keep what others did: the number of the revision that this makes."""
        query = changed(hook=hook, silent=silent)
        # Sent twice, it takes back twice.
        return Call("DELETE", path("/item/{}/revision/{}", item_id, revision), _revision, query=query, repeatable=False)


def _more(external_id: str | None, file_ids: Sequence[int] | None, tags: Sequence[str] | None) -> dict[str, object]:
    lists = given(file_ids=file_ids, tags=tags)
    return given(external_id=external_id) | {name: [*value] for name, value in lists.items() if isinstance(value, Sequence)}


def _item_page(answer: Any) -> ItemPage:
    page = one(ItemPage, "total", "filtered", "items")(answer)
    many(Item, "item_id")(page["items"])
    return page


def read_count(answer: Any) -> int:
    """The number of an answer that is one."""
    count = one(Count, "count")(answer)["count"]
    if not isinstance(count, int):
        raise TidingsError("the server's answer has a count that is no whole number")
    return count


def _item_id(answer: Any) -> int:
    return one(Item, "item_id")(answer)["item_id"]


def _revision(answer: Any) -> int:
    revision = one(Defined, "revision")(answer)["revision"]
    if not isinstance(revision, int):
        raise TidingsError("the server's answer has a revision that is no whole number")
    return revision
