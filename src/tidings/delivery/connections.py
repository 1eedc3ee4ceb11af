"""One connection that carries one exchange at a time: bytes in, an `Outcome` out.

llhttp (through httptools) reads the answer; this file decides what its parts mean. What is always true:
- An exchange that was begun is ended exactly once: by an answer, by a failure, or by going to another connection.
- A connection is kept only after an answer that came whole, had nothing behind it and did not ask to be the last, to a
  request that was written whole. Everything else closes it: bytes that nobody asked for would otherwise be taken for
  the next answer.
- Nothing is read without bound: the head up to HEAD_CAP, the body up to BODY_CAP, INTERIM_CAP answers of 1xx, and
  WIRE_CAP in all (chunks have heads too).
- An answer counts when it is whole. A 2xx whose body breaks off or drips past the deadline is a failure, since nobody
  knows how it would have ended; one whose body passes BODY_CAP is read no further, and is a success.

This is the hot path: no future, task or timer an exchange, one parser a connection, and the deadline is a plain number
that the owner sweeps over. A receiver mostly says the same thing again (`Date` changes once a second): an answer that
is, to the byte, the one that this connection gave last has the same parts, so it is compared and not parsed. That is
safe because the parser stands between two messages both before and after it, and spares half of our own time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tidings.delivery.destination import Destination
from tidings.delivery.exchange import Exchange
from tidings.delivery.outcomes import BODY_CAP, HEAD_CAP, Reason

INTERIM_CAP = 16  # answers of 1xx before the one that counts
WIRE_CAP = 256 * 1024  # bytes of one answer: what BODY_CAP may weigh in small chunks
KNOWN_CAP = 1024  # bytes of an answer that is kept to be compared with the next one

# Without either, an answer's body lasts until the connection ends (RFC 9112, section 6.3).
_HAS_LENGTH = re.compile(rb"\r\n(?:content-length:|transfer-encoding:[^\r]*chunked[ \t]*\r)", re.IGNORECASE)

_HEAD_TOO_LARGE = f"the answer's head is larger than {HEAD_CAP} bytes"


class Owner(Protocol):
    """Who keeps connections: `delivery/sender.py`."""

    def rest(self, connection: Connection, now: float) -> bool:
        """A connection could carry another exchange. Answers whether it is kept for one, having set its deadline."""

    def retire(self, connection: Connection) -> None:
        """A connection carries nothing any more, and is about to close."""

    def lost(self, connection: Connection) -> None:
        """A connection is closed."""

    def again(self, exchange: Exchange) -> None:
        """A server closed a kept connection without answering this exchange."""


class _Unwanted(Exception):
    """What the parser takes and we do not."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Connection(asyncio.Protocol):
    """One socket. Once `deadline` has passed, the owner calls `expire`."""

    __slots__ = (
        "_address",
        "_again",
        "_body",
        "_exchange",
        "_head",
        "_interim",
        "_known",
        "_last",
        "_now",
        "_owner",
        "_parser",
        "_status",
        "_transport",
        "_whole",
        "_wire",
        "carried",
        "deadline",
        "destination",
        "on_body",
        "opened_at",
    )

    def __init__(self, owner: Owner, destination: Destination, address: str, now: Callable[[], float]) -> None:
        """A connection to `destination` at `address`, not yet made. `now` is a monotonic clock in seconds."""
        self.destination = destination
        self.deadline = 0.0
        self.opened_at = now()
        self.carried = 0  # exchanges that ended with a whole answer
        self._owner = owner
        self._now = now
        self._exchange: Exchange | None = None
        self._address = address
        self._transport: asyncio.Transport | None = None
        self._body = bytearray()
        self._again = b""  # the last answer, where it came in one piece and may come again
        self._known: tuple[int, bytes, bytes] = (0, b"", b"")  # its status, head and body
        self.on_body = self._body.extend
        self._clear()
        self._parser = HttpResponseParser(self)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "busy" if self.busy else "idle"
        return f"<Connection {self.destination.authority} at {self._address}: {state}, carried {self.carried}>"

    @property
    def busy(self) -> bool:
        """Whether an exchange is under way on it."""
        return self._exchange is not None

    @property
    def closed(self) -> bool:
        """Whether the event loop has let go of it, or has not made it yet."""
        return self._transport is None

    def begin(self, exchange: Exchange) -> None:
        """Carry `exchange`, the first one."""
        self._exchange = exchange
        if self._head:
            self._fail(Reason.PROTOCOL, "it spoke before it was asked, as HTTP servers do not")
        elif self._transport is None:
            self._fail(Reason.RESET, "the connection was closed before the request was sent")
        else:
            self.carry(exchange)

    def carry(self, exchange: Exchange) -> None:
        """Carry `exchange`, another one: the connection was kept (`Owner.rest`)."""
        self._exchange = exchange
        self.deadline = exchange.deadline
        exchange.address = self._address
        self._transport.write(exchange.request)  # type: ignore[union-attr]  # it was made, and is not closed

    def expire(self) -> None:
        """The deadline has passed: fail the exchange, or close where there is none."""
        if self._exchange is None:
            self.close()
        elif self._exchange.answered is None:
            self._fail(Reason.TIMEOUT_RESPONSE, "connected, but no answer came in time")
        else:
            self._fail(Reason.TIMEOUT_RESPONSE, "the answer began, but was not whole in time")

    def stop(self) -> None:
        """Close, failing the exchange if there is one."""
        if self._exchange is None:
            self.close()
        else:
            self._fail(Reason.STOPPED, "Tidings was stopped before the answer came")

    def close(self) -> None:
        """Close without a further word; an exchange has ended before."""
        self._owner.retire(self)
        if self._transport is not None:
            # Not `close`: over TLS that waits for the other side's farewell, as long as that side likes.
            self._transport.abort()

    # --- called by the event loop ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        exchange = self._exchange
        if exchange is None:  # nobody asked
            self._head = data
            self.close()
            return
        if exchange.answered is None:
            exchange.answered = self._now()
            if data == self._again:
                self._end(exchange, exchange.answered, self._known, keep=True)
                return
        if not self._status:
            self._head += data
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self._whole:
                self._refuse(error)
                return
            self._last = True  # something stands behind the answer, which itself is whole
        if self._whole:
            self._answer(exchange, data)
        else:
            self._check_size(exchange, len(data))

    def eof_received(self) -> None:
        """See asyncio. The transport closes itself after this."""
        if self._exchange is None:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        exchange, ended = self._exchange, exc is None
        if exchange is not None:
            if self._status and ended and not _HAS_LENGTH.search(self._head, 0, self._head_end()):
                self._answer(exchange)
            elif exchange.answered is None and self.carried:
                # A server may close a connection that is kept alive at any time, also while our request is on its way
                # (RFC 9112, section 9.3.1). It has not answered, so most likely it has not seen it; and if it has, it
                # sees it twice, with the same webhook-id, which is what "at least once" lets happen anyway.
                self._exchange = None
                self._owner.again(exchange)
            else:
                self._fail(Reason.RESET, self._broken_off())
        self._transport = None
        del self._parser  # it knows our methods: a circle
        self._owner.lost(self)

    # --- called by the parser ---

    def on_message_begin(self) -> None:
        """The first byte of an answer."""
        if self._whole:
            raise _Unwanted(Reason.PROTOCOL, "more than one answer came")

    def on_headers_complete(self) -> None:
        """The end of a head."""
        status = self._parser.get_status_code()
        if not self._head.startswith(b"HTTP/1."):
            raise _Unwanted(Reason.PROTOCOL, "the answer is not HTTP/1")
        if len(self._head) > HEAD_CAP and self._head_end() > HEAD_CAP:
            raise _Unwanted(Reason.TOO_LARGE, _HEAD_TOO_LARGE)
        if status >= 200:
            self._status = status
        elif status < 100 or status == 101:
            raise _Unwanted(Reason.PROTOCOL, f"answered {status}, which nobody asked for")

    def on_message_complete(self) -> None:
        """The end of an answer; one of 1xx only announces another."""
        if self._status:
            self._whole = True
            self._last = not self._parser.should_keep_alive()
            return
        self._interim += 1
        if self._interim > INTERIM_CAP:
            raise _Unwanted(Reason.TOO_LARGE, f"more than {INTERIM_CAP} answers of 1xx came before the one that counts")
        self._head = self._head.partition(b"\r\n\r\n")[2]

    # --- what the parts mean ---

    def _answer(self, exchange: Exchange, data: bytes = b"") -> None:
        """The answer is whole, or as much of it as we read; `data` is what came last."""
        body = bytes(self._body)
        answer = (self._status, self._head[: self._head_end()], body if len(body) <= BODY_CAP else body[:BODY_CAP])
        keep = self._whole and not self._last
        self._again = b""
        if keep and self._head is data and len(data) <= KNOWN_CAP:
            self._again, self._known = data, answer
        self._clear()
        self._end(exchange, self._now(), answer, keep=keep)

    def _end(self, exchange: Exchange, now: float, answer: tuple[int, bytes, bytes], *, keep: bool) -> None:
        """Keep the connection if it can be kept, then tell: whoever is told may have use for it at once."""
        self._exchange = None
        self.carried += 1
        transport = self._transport
        if not keep or transport is None or transport.get_write_buffer_size() or not self._owner.rest(self, now):
            self.close()
        exchange.end(exchange.answer(now, *answer))

    def _clear(self) -> None:
        self._head = b""
        self._body.clear()
        self._status = 0  # until the head of the answer that counts is whole
        self._whole = False
        self._last = False
        self._interim = 0
        self._wire = 0

    def _check_size(self, exchange: Exchange, received: int) -> None:
        """Bound what is not whole yet."""
        self._wire += received
        if not self._status and len(self._head) > HEAD_CAP:
            self._fail(Reason.TOO_LARGE, _HEAD_TOO_LARGE)
        elif self._status and (len(self._body) > BODY_CAP or self._wire > WIRE_CAP):
            self._answer(exchange)

    def _refuse(self, error: Exception) -> None:
        """The parser found something that is no answer, or one of its callers did."""
        if isinstance(error.__context__, _Unwanted):
            self._fail(error.__context__.reason, str(error.__context__))
        else:
            self._fail(Reason.PROTOCOL, f"the answer is not HTTP: {error}")

    def _fail(self, reason: Reason, detail: str) -> None:
        """End the exchange with what there is of an answer."""
        exchange = cast(Exchange, self._exchange)
        head = self._head[: self._head_end() if self._status else HEAD_CAP]
        body = bytes(self._body[:BODY_CAP]) if self._status else None
        outcome = exchange.failed(self._now(), reason, detail, self._status or None, head or None, body)
        self._exchange = None
        self.close()
        exchange.end(outcome)

    def _head_end(self) -> int:
        """Where the head ends that is known to be whole: what was received with it may hold some of the body."""
        return self._head.find(b"\r\n\r\n") + 4

    def _broken_off(self) -> str:
        if self._status:
            return "the connection broke off in the middle of the answer's body"
        if self._head:
            return "the connection broke off in the middle of the answer's head"
        return "the connection was closed without an answer"
