"""Files (contract section 6.5). Their bytes are streamed, up and down."""

from __future__ import annotations

import os
from pathlib import Path

from tidings.client.calls import Call, D_co, Many, Noun, Pages, changed, deed, many, nothing, one, operation, paging, path
from tidings.client.objects import File, NewFile
from tidings.client.plans import Plan
from tidings.client.streams import Multipart, Readable, Writable, landing
from tidings.errors import Invalid

PAGE = 100  # files fetched at once, where one iterates


class Files(Noun[D_co]):
    """Files, and what they are attached to."""

    @operation
    def upload(self, source: str | os.PathLike[str] | bytes | Readable, filename: str | None = None) -> Call[File]:
        """A new file, attached to nothing: from a path, from bytes, or from what is open for reading in binary.

        `filename` may be left out for a path. Raises OSError for what cannot be read.
        """
        if filename is None:
            if not isinstance(source, str | os.PathLike):
                raise Invalid("filename: is missing")
            filename = Path(source).name
        form = Multipart(source, filename)
        return Call("POST", "/file/", one(File, "file_id"), upload=form, content_type=form.content_type)

    @deed
    def download(self, file_id: int, to: str | os.PathLike[str] | Writable) -> Plan[None]:
        """Write its bytes to a path, where they appear when all are there, or to what is open for writing in binary.

        Raises OSError for what cannot be written. An open file may have been written to, when it fails midway.
        """
        with landing(to) as sink:
            yield from self._driver.session.perform(Call("GET", path("/file/{}/raw", file_id), nothing, sink=sink))

    @deed
    def read(self, file_id: int) -> Plan[bytes]:
        """All its bytes, in memory."""
        held = bytearray()
        yield from self._driver.session.perform(Call("GET", path("/file/{}/raw", file_id), nothing, sink=held.extend))
        return bytes(held)

    @operation
    def get(self, file_id: int) -> Call[File]:
        """What is known of the file."""
        return Call("GET", path("/file/{}", file_id), one(File, "file_id"))

    @operation
    def list_in_app(self, app_id: int, *, limit: int | None = None, offset: int | None = None) -> Call[Many[File]]:
        """The files in an app."""
        return Call("GET", path("/file/app/{}/", app_id), many(File, "file_id"), query={"limit": limit, "offset": offset})

    @operation
    def list_in_space(self, space_id: int, *, limit: int | None = None, offset: int | None = None) -> Call[Many[File]]:
        """The files in a space."""
        return Call("GET", path("/file/space/{}/", space_id), many(File, "file_id"), query={"limit": limit, "offset": offset})

    @paging
    def iterate(self, place: str, place_id: int, *, page: int = PAGE) -> Pages[File]:
        """All files in an `app` or a `space`, fetched `page` at a time."""

        def at(offset: int) -> Call[Many[File]]:
            query = {"limit": page, "offset": offset}
            return Call("GET", path("/file/{}/{}/", place, place_id), many(File, "file_id"), query=query)

        return Pages(at, page)

    @operation
    def attach(self, file_id: int, ref_type: str, ref_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Attach it to an item, a status, a comment, a task or a space."""
        body, query = {"ref_type": ref_type, "ref_id": ref_id}, changed(hook=hook, silent=silent)
        return Call("POST", path("/file/{}/attach", file_id), nothing, body, query)

    @operation
    def replace(self, file_id: int, old_file_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Let it take the place of another."""
        body, query = {"old_file_id": old_file_id}, changed(hook=hook, silent=silent)
        return Call("POST", path("/file/{}/replace", file_id), nothing, body, query)

    @operation
    def copy(self, file_id: int) -> Call[NewFile]:
        """The same bytes once more, attached to nothing."""
        return Call("POST", path("/file/{}/copy", file_id), one(NewFile, "file_id"), {})

    @operation
    def describe(self, file_id: int, description: str) -> Call[None]:
        """Say something of it."""
        return Call("PUT", path("/file/{}", file_id), nothing, {"description": description})

    @operation
    def delete(self, file_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Delete the file."""
        return Call("DELETE", path("/file/{}", file_id), nothing, query=changed(hook=hook, silent=silent))
