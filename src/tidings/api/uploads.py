"""`POST /file` and `POST /file/v2`: a form with the bytes (`source`) and their name (`filename`), in either order.

The bytes go to the store as they arrive and are never whole in memory. What is too large is refused as soon as that is
known, and the rest of it is heard out for a moment, as a client that is still sending would find its connection broken and
no answer; whoever sends slower than `LEAST_RATE` is given up. The file's row is written when its bytes are safe, and bytes whose
row may have been written are never taken away here: if it was not, the sweep takes them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from starlette.requests import ClientDisconnect, Request

from tidings.api.call import Call
from tidings.api.files import FileObject, drop, file_object
from tidings.api.multipart import Multipart, Part
from tidings.api.operations import takes
from tidings.api.shapes import Binary
from tidings.errors import Invalid, TooLarge
from tidings.store.blobs.blobs import Blobs
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.accounts.authors import Author, find_authors
from tidings.workspace.files.files import File, Stored, add_file, checked_file_name, type_of
from tidings.workspace.files.rows import storage_mark

PATIENCE = 30.0  # seconds for the first bytes, and for a pause
LEAST_RATE = 16 * 1024  # bytes a second, beyond that
FORM_ROOM = 64 * 1024  # bytes that a form may have beside its file
NAME_BYTES = 4_096
HEARD_OUT, HEARD_PAUSE = 10.0, 1.0  # seconds in all, and without a byte


class UploadForm(TypedDict):
    """A file, and its name unless the part of the form itself has one."""

    source: Binary
    filename: NotRequired[str]


@takes("multipart/form-data", UploadForm)
async def upload_file(call: Call) -> FileObject:
    """The new file, attached to nothing."""
    try:
        stored = await _receive(call)
    except TooLarge:
        await _hear_out(call.request)
        raise
    file, authors = await call.write(_add_with_authors, call.caller, stored, now=call.now)
    return file_object(file, authors, call.house.settings.public_url, rights=("view", "download", "update", "delete"))


async def _receive(call: Call) -> Stored:
    limit = call.house.settings.file_limit
    _refuse_declared(call.request, limit)
    return await Receiving(call.house.blobs, await call.read(storage_mark), limit).receive(call.request)


def _add_with_authors(tx: Tx, caller: Caller, stored: Stored, *, now: int) -> tuple[File, dict[str, Author]]:
    file = add_file(tx, caller, stored, now=now)
    return file, find_authors(tx, {file.created_by})


def _refuse_declared(request: Request, limit: int) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > limit + FORM_ROOM):
        raise _too_large(limit)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"source: the file is larger than {limit} bytes", parameters={"field": "source", "limit": limit})


@dataclass
class Receiving:
    """One upload under way."""

    blobs: Blobs
    mark: str
    limit: int
    key: str | None = None
    size: int = 0
    head: Part | None = None  # of the source
    named: str | None = None

    async def receive(self, request: Request) -> Stored:
        """All that the form says, its bytes safe in the store. Raises `Invalid`, `TooLarge`, `Unavailable`, `ClientDisconnect`."""
        form = Multipart(request.headers.get("content-type", ""), _arriving(request, self.limit + FORM_ROOM))
        try:
            async for part in form.parts():
                await self._take(part)
            return self._stored()
        except BaseException:
            await self._drop()
            raise

    async def _take(self, part: Part) -> None:
        match part.name:
            case "source" if self.key is not None:
                raise Invalid("source: is there twice", parameters={"field": "source"})
            case "source":
                self.head = part
                self.key = await self.blobs.put(self.mark, self._counted(part.chunks))
            case "filename":
                self.named = await part.text(NAME_BYTES)
            case _:
                pass

    async def _counted(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self.size += len(chunk)
            if self.size > self.limit:
                raise _too_large(self.limit)
            yield chunk

    def _stored(self) -> Stored:
        if self.key is None or self.head is None:
            raise Invalid("source: is missing", parameters={"field": "source"})
        name = checked_file_name(self.named or self.head.filename or "")
        return Stored(self.key, self.size, name, type_of(self.head.content_type, name))

    async def _drop(self) -> None:
        if self.key is not None:
            await drop(self.blobs, self.key)


async def _hear_out(request: Request) -> None:
    """Drop what is still coming of a body; whoever asked whether to send it at all has not begun."""
    if request.headers.get("expect", "").lower() == "100-continue":
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(HEARD_OUT):
            while True:
                async with asyncio.timeout(HEARD_PAUSE):
                    message = await request.receive()
                if not message.get("more_body", False):
                    return


async def _arriving(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body as it comes. Raises `TooLarge` beyond `limit` bytes, `Invalid` when it comes too slowly, `ClientDisconnect`."""
    clock = asyncio.get_running_loop().time
    begun, received, more = clock(), 0, True
    while more:
        try:
            async with asyncio.timeout_at(begun + PATIENCE + received / LEAST_RATE):
                message = await request.receive()
        except TimeoutError:
            raise Invalid("The body arrives too slowly") from None
        if message["type"] != "http.request":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        received += len(chunk)
        if received > limit:
            raise _too_large(limit - FORM_ROOM)
        if chunk:
            yield chunk
