"""multipart/form-data as it arrives: part after part, each a stream of bytes; nothing is gathered but a part's head.

What the reader is handed may be anything: a form that is broken, cut off, or has more parts or longer heads than any
client writes is `Invalid`, as soon as that is seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tidings.errors import Invalid

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PARTS = 20  # in one form
HEADER_LIMIT = 4_096  # bytes of one line of a part's head; it may have eight


@dataclass(frozen=True, slots=True)
class Part:
    """One part. Its `chunks` are to be read before the next part is asked for; what is left of them is skipped."""

    name: str
    filename: str | None  # what its head says
    content_type: str
    chunks: AsyncIterator[bytes]

    async def text(self, limit: int) -> str:
        """All of it, as text of at most `limit` bytes. Raises `Invalid`."""
        whole = bytearray()
        async for chunk in self.chunks:
            whole += chunk
            if len(whole) > limit:
                raise Invalid(f"{self.name}: must have at most {limit} bytes", parameters={"field": self.name, "limit": limit})
        return _decoded(bytes(whole))


Head = dict[str, bytes]
Event = Head | bytes
"""What the parser saw: a part's head, by lower-case name; some of its bytes; its end, which is no bytes."""


@dataclass
class Multipart:
    """The parts of one form: `async for part in Multipart(content_type, stream).parts()`."""

    content_type: str
    stream: AsyncIterator[bytes]
    _events: deque[Event] = field(default_factory=deque)
    _headers: Head = field(default_factory=dict)
    _name: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _seen: int = 0
    _ended: bool = False

    async def parts(self) -> AsyncIterator[Part]:
        """Raises `Invalid` for what is no form, and whatever `stream` raises."""
        self._parser = self._make_parser()
        while (head := await self._next()) is not None:
            assert isinstance(head, dict)  # a part begins with it, and was read to its end before
            part = self._part(head)
            yield part
            async for _ in part.chunks:
                pass

    def _make_parser(self) -> MultipartParser:
        kind, options = parse_options_header(self.content_type[:HEADER_LIMIT])
        if kind != b"multipart/form-data":
            raise Invalid("The body must be a form, multipart/form-data, with the file in it as `source`")
        if not options.get(b"boundary"):
            raise Invalid("The content-type of the form does not name its boundary")
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda chunk, start, end: self._name.extend(chunk[start:end]),
            "on_header_value": lambda chunk, start, end: self._value.extend(chunk[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_head,
            "on_part_data": self._take_bytes,
            "on_part_end": lambda: self._events.append(b""),
            "on_end": self._end,
        }
        try:
            return MultipartParser(options[b"boundary"], callbacks, max_header_size=HEADER_LIMIT)
        except FormParserError:
            raise Invalid("The boundary of the form is too long") from None

    # --- what the parser calls ---

    def _begin_part(self) -> None:
        self._seen += 1
        if self._seen > PARTS:
            raise Invalid(f"The form has more than {PARTS} parts")

    def _end_header(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _end_head(self) -> None:
        self._events.append(self._headers)
        self._headers = {}

    def _take_bytes(self, chunk: bytes, start: int, end: int) -> None:
        if start < end:
            self._events.append(chunk[start:end])

    def _end(self) -> None:
        self._ended = True

    # --- what the reader is told ---

    def _part(self, head: Head) -> Part:
        _, options = parse_options_header(head.get("content-disposition", b"").decode("latin-1"))
        name, filename = options.get(b"name"), options.get(b"filename")
        if name is None:
            raise Invalid("A part of the form has no name")
        content_type = head.get("content-type", b"").decode("latin-1")
        return Part(_decoded(name)[:100], _decoded(filename) if filename else None, content_type, self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        while event := await self._next():
            assert isinstance(event, bytes)
            yield event

    async def _next(self) -> Event | None:
        while not self._events:
            chunk = await anext(self.stream, None)
            if chunk is None:
                if not self._ended:
                    raise Invalid("The form is cut off: its last boundary is missing")
                return None
            try:
                self._parser.write(chunk)
            except FormParserError:
                raise Invalid("The body is not a form as its content-type says") from None
        return self._events.popleft()


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
