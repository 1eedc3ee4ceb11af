"""What people say: comments, status messages and tags (contract section 6.5)."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.client.calls import Call, D_co, Many, Noun, Pages, changed, given, many, nothing, one, operation, paging, path, perhaps
from tidings.client.objects import Comment, Status, Tag

PAGE = 100  # comments fetched at once, where one iterates


class Comments(Noun[D_co]):
    """Comments on items, statuses and tasks."""

    @operation
    def create(
        self,
        ref_type: str,
        ref_id: int,
        value: str,
        *,
        external_id: str | None = None,
        file_ids: Sequence[int] = (),
        embed_url: str | None = None,
        hook: bool = True,
        silent: bool = False,
    ) -> Call[Comment]:
        """A new comment."""
        body = {"value": value, **given(external_id=external_id, embed_url=embed_url, file_ids=[*file_ids] or None)}
        return Call("POST", path("/comment/{}/{}/", ref_type, ref_id), one(Comment, "comment_id"), body, changed(hook=hook, silent=silent))

    @operation
    def get(self, comment_id: int) -> Call[Comment]:
        """The comment."""
        return Call("GET", path("/comment/{}", comment_id), one(Comment, "comment_id"))

    @operation
    def list(self, ref_type: str, ref_id: int, *, limit: int | None = None, offset: int | None = None) -> Call[Many[Comment]]:
        """The comments on one object, oldest first."""
        query = {"limit": limit, "offset": offset}
        return Call("GET", path("/comment/{}/{}/", ref_type, ref_id), many(Comment, "comment_id"), query=query)

    @paging
    def iterate(self, ref_type: str, ref_id: int, *, page: int = PAGE) -> Pages[Comment]:
        """All comments on one object, fetched `page` at a time."""

        def at(offset: int) -> Call[Many[Comment]]:
            query = {"limit": page, "offset": offset}
            return Call("GET", path("/comment/{}/{}/", ref_type, ref_id), many(Comment, "comment_id"), query=query)

        return Pages(at, page)

    @operation
    def update(
        self,
        comment_id: int,
        value: str,
        *,
        external_id: str | None = None,
        file_ids: Sequence[int] = (),
        embed_url: str | None = None,
        hook: bool = True,
        silent: bool = False,
    ) -> Call[Comment | None]:
        """Say it otherwise. Podio answers nothing, Tidings the comment."""
        body = {"value": value, **given(external_id=external_id, embed_url=embed_url, file_ids=[*file_ids] or None)}
        query = changed(hook=hook, silent=silent)
        return Call("PUT", path("/comment/{}", comment_id), perhaps(Comment), body, query, repeatable=not file_ids)

    @operation
    def delete(self, comment_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Delete the comment."""
        return Call("DELETE", path("/comment/{}", comment_id), nothing, query=changed(hook=hook, silent=silent))


class Statuses(Noun[D_co]):
    """Status messages of spaces."""

    @operation
    def create(
        self,
        space_id: int,
        value: str,
        *,
        file_ids: Sequence[int] = (),
        embed_url: str | None = None,
        hook: bool = True,
        silent: bool = False,
    ) -> Call[Status]:
        """A new status message."""
        body = {"value": value, **given(embed_url=embed_url, file_ids=[*file_ids] or None)}
        return Call("POST", path("/status/space/{}/", space_id), one(Status, "status_id"), body, changed(hook=hook, silent=silent))

    @operation
    def get(self, status_id: int) -> Call[Status]:
        """The status message, with the comments on it."""
        return Call("GET", path("/status/{}", status_id), one(Status, "status_id"))

    @operation
    def update(
        self,
        status_id: int,
        value: str,
        *,
        file_ids: Sequence[int] = (),
        embed_url: str | None = None,
        hook: bool = True,
        silent: bool = False,
    ) -> Call[Status | None]:
        """Say it otherwise. Podio answers nothing, Tidings the status."""
        body = {"value": value, **given(embed_url=embed_url, file_ids=[*file_ids] or None)}
        query = changed(hook=hook, silent=silent)
        return Call("PUT", path("/status/{}", status_id), perhaps(Status), body, query, repeatable=not file_ids)

    @operation
    def delete(self, status_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Delete the status message."""
        return Call("DELETE", path("/status/{}", status_id), nothing, query=changed(hook=hook, silent=silent))


class Tags(Noun[D_co]):
    """Tags of items."""

    @operation
    def add(self, ref_type: str, ref_id: int, tags: Sequence[str], *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Put tags on an object; those it has stay. Sent twice, nothing more is put on."""
        query = changed(hook=hook, silent=silent)
        return Call("POST", path("/tag/{}/{}/", ref_type, ref_id), nothing, [*tags], query, repeatable=True)

    @operation
    def set(self, ref_type: str, ref_id: int, tags: Sequence[str], *, hook: bool = True, silent: bool = False) -> Call[None]:
        """These, and no others."""
        return Call("PUT", path("/tag/{}/{}/", ref_type, ref_id), nothing, [*tags], changed(hook=hook, silent=silent))

    @operation
    def remove(self, ref_type: str, ref_id: int, text: str, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Take one off."""
        query = {"text": text, **changed(hook=hook, silent=silent)}
        return Call("DELETE", path("/tag/{}/{}", ref_type, ref_id), nothing, query=query)

    @operation
    def list(self, app_id: int, *, text: str | None = None, limit: int | None = None) -> Call[Many[Tag]]:
        """The tags of an app's items, those that contain `text`."""
        return Call("GET", path("/tag/app/{}/", app_id), many(Tag, "text", "count"), query={"text": text, "limit": limit})
