"""An answer in HTTP/1.1, from bytes as they come. Pure: it is fed, and it hands out.

Whatever bytes come, it hands out a status, headers and a body, or raises `Garbled`; and of an answer it never takes more
than the answer's own length. It refuses what two readers could read in two ways: two lengths, a length beside chunks, a
coding that is not `chunked`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tidings.client.exchange import Garbled

LONGEST_HEAD = 64 * 1024  # bytes of a head, of a chunk's line, of all trailers
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEX = re.compile(rb"[0-9A-Fa-f]{1,15}")


class AnswerReader:
    """One answer to one request. `status` is 0 until the head is whole; `reusable` counts once `done`."""

    def __init__(self, method: str) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.done = False
        self.reusable = False
        self._method = method
        self._buffer = bytearray()
        self._left = 0  # bytes of the body, or of a chunk
        self._trailers = 0
        self._step: Callable[[], bytes | None] = self._read_head

    def feed(self, received: bytes) -> list[bytes]:
        """Take what was received, and hand out what there is of the body. Raises `Garbled`."""
        self._buffer += received
        pieces = []
        while not self.done:
            piece = self._step()
            if piece is None:
                break
            if piece:
                pieces.append(piece)
        if self.done and self._buffer:
            self.reusable = False  # somebody speaks unasked
        return pieces

    def end(self) -> None:
        """The other side has closed. Raises `Garbled` unless that is how its body ends."""
        if self._step != self._read_until_closed:
            raise Garbled("the answer breaks off" if self.status or self._buffer else "closed without an answer")
        self.done = True

    # Each step answers a piece of the body, or b"" for a step forward, or None when it needs more.

    def _read_head(self) -> bytes | None:
        head = self._until(b"\r\n\r\n", LONGEST_HEAD)
        if head is None:
            return None
        first, *lines = head.split(b"\r\n")
        match = _STATUS_LINE.fullmatch(first)
        if match is None:
            raise Garbled("what came is no HTTP")
        headers = _read_headers(lines)
        status = int(match[2])
        if status == 101:
            raise Garbled("it changes the protocol unasked")
        if status >= 200:  # what comes before is a word on the way
            self.status, self.headers = status, headers
            self.reusable = match[1] == b"1" and "close" not in headers.get("connection", "").lower()
            self._frame()
        return b""

    def _frame(self) -> None:
        coding, length = self.headers.get("transfer-encoding"), self.headers.get("content-length")
        if self._method in ("HEAD", "CONNECT") or self.status in (204, 304):
            self.done = True
        elif coding is not None:
            if coding.strip().lower() != "chunked" or length is not None:
                raise Garbled("its length can be read in two ways")
            self._step = self._read_chunk_line
        elif length is not None:
            self._left = _read_length(length)
            self.done, self._step = not self._left, self._read_body
        else:
            self.reusable, self._step = False, self._read_until_closed

    def _read_body(self) -> bytes | None:
        piece = self._take()
        self.done = not self._left
        return piece

    def _read_until_closed(self) -> bytes | None:
        self._left = len(self._buffer)
        return self._take()

    def _read_chunk_line(self) -> bytes | None:
        line = self._until(b"\r\n", LONGEST_HEAD)
        if line is None:
            return None
        size = _HEX.fullmatch(line.partition(b";")[0].strip(b" \t"))
        if size is None:
            raise Garbled("a chunk has no length")
        self._left = int(size[0], 16)
        self._step = self._read_chunk if self._left else self._read_trailer
        return b""

    def _read_chunk(self) -> bytes | None:
        piece = self._take()
        if not self._left:
            self._step = self._read_chunk_end
        return piece

    def _read_chunk_end(self) -> bytes | None:
        if len(self._buffer) < 2:
            return None
        if self._buffer[:2] != b"\r\n":
            raise Garbled("a chunk is longer than it says")
        del self._buffer[:2]
        self._step = self._read_chunk_line
        return b""

    def _read_trailer(self) -> bytes | None:
        line = self._until(b"\r\n", LONGEST_HEAD)
        if line is None:
            return None
        self._trailers += len(line)
        if self._trailers > LONGEST_HEAD:
            raise Garbled("its trailers are too long")
        self.done = not line
        return b""

    def _take(self) -> bytes | None:
        if not self._buffer:
            return None
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: self._left]
        self._left -= len(piece)
        return piece

    def _until(self, end: bytes, limit: int) -> bytes | None:
        at = self._buffer.find(end, 0, limit + len(end))
        if at < 0:
            if len(self._buffer) > limit:
                raise Garbled("a line of it is too long")
            return None
        line = bytes(self._buffer[:at])
        del self._buffer[: at + len(end)]
        return line


def _read_headers(lines: list[bytes]) -> dict[str, str]:
    """By their names in lower case; of one that repeats, all with commas between."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.fullmatch(name) or b"\r" in value or b"\n" in value:
            raise Garbled("a header cannot be read")
        lowered, text = name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")
        headers[lowered] = f"{headers[lowered]}, {text}" if lowered in headers else text
    return headers


def _read_length(text: str) -> int:
    given = {part.strip() for part in text.split(",")}
    length = given.pop()
    if given or not (length.isascii() and length.isdigit() and len(length) <= 15):
        raise Garbled("its length cannot be read")
    return int(length)
