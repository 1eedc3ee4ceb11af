"""`GET /file/{file_id}/raw`: the bytes of a file, streamed, or one range of them.

Whatever its uploader said, a file is never shown by a browser in our name: it is answered as an attachment, under a type
that no browser runs, not to be guessed at, and in a sandbox.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tidings.api.call import Call
from tidings.api.operations import answers
from tidings.errors import Unavailable
from tidings.workspace.files.files import UNKNOWN_TYPE, File, get_file

HARMLESS = {
    "application/gzip", "application/json", "application/pdf", "application/zip", "audio/mpeg", "audio/ogg", "audio/wav", "image/bmp",
    "image/gif", "image/jpeg", "image/png", "image/tiff", "image/webp", "text/csv", "text/plain", "video/mp4", "video/ogg", "video/webm",
}  # fmt: skip
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")

log = structlog.get_logger("tidings.api")


@answers(None, status=416)
@answers("*/*", status=206)
@answers("*/*")
async def download_file(call: Call) -> Response:
    """Raises `NotFound`, `Forbidden`, `Gone`, and `Unavailable` when the store does not give the bytes."""
    file = await call.read(get_file, call.caller, call.id("file_id"))
    headers = call.request.headers
    wanted = _range(headers.get("range", ""), file.size) if headers.get("if-range", etag(file)) == etag(file) else (0, file.size)
    if wanted is None:
        return Response(status_code=416, headers={**_headers(file), "content-range": f"bytes */{file.size}"})
    start, end = wanted
    answer = _headers(file) | {"content-length": str(end - start)}
    status = 200
    if (start, end) != (0, file.size):
        answer["content-range"] = f"bytes {start}-{end - 1}/{file.size}"
        status = 206
    if call.request.method == "HEAD":
        return Response(status_code=status, headers=answer)
    return Download(await call.house.blobs.get(file.storage_key, start, end), status, answer)


def etag(file: File) -> str:
    """The bytes of a file never change."""
    return f'"{file.file_id}"'


def _range(said: str, size: int) -> tuple[int, int] | None:
    """From where to before where; all for what is no single range of bytes; None for one that is not within the file."""
    match = _RANGE.fullmatch(said.strip())
    if match is None or said.strip() == "bytes=-":
        return 0, size
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < int(first):
            return 0, size
    return (start, end) if start < end else None


def _headers(file: File) -> dict[str, str]:
    media_type = file.mimetype if file.mimetype in HARMLESS else UNKNOWN_TYPE
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in file.name)
    return {
        "content-type": media_type,
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "private, no-store",
        "accept-ranges": "bytes",
        "etag": etag(file),
    }


class Download(Response):
    """Bytes from the store, sent as fast as they are taken. Where the store fails midway, the connection is closed."""

    def __init__(self, chunks: AsyncIterator[bytes], status: int, headers: dict[str, str]) -> None:
        """`headers` say how long it is."""
        super().__init__(status_code=status)
        self.raw_headers = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        request = Request(scope, receive)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._chunks) as chunks:  # type: ignore[type-var]  # both stores hand out generators
            try:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    if await request.is_disconnected():
                        return
            except Unavailable as error:
                log.warning("unavailable", path=scope["path"][:200], why=error.description)
                return
        await send({"type": "http.response.body", "body": b""})
