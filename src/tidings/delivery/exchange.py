"""One HTTP exchange on its way, and the `Outcome` it becomes.

An exchange has one deadline, from its start to the last byte of the answer; waiting for a name, a connection or TLS
counts. Moments inside are seconds of a monotonic clock; an `Outcome` has microseconds from the start.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from msgspec import Struct

from tidings.clock import SECOND
from tidings.delivery.destination import Destination
from tidings.delivery.outcomes import Outcome, Reason, Timings

Done = Callable[[Outcome], None]

RETRY_AFTER_LIMIT = 30 * 86_400  # seconds; whatever asks for longer is read as this
_RETRY_AFTER = re.compile(rb"\r\nretry-after:[ \t]*([^\r]*)", re.IGNORECASE)


class Exchange(Struct, gc=False):
    """A request, whom to tell, and the moments passed so far (None where not reached, or not needed)."""

    destination: Destination
    request: bytes
    done: Done
    started_at: int  # microseconds since the epoch
    begun: float
    deadline: float
    address: str | None = None  # dialled last
    resolved: float | None = None
    connected: float | None = None
    secured: float | None = None
    answered: float | None = None

    def failed(
        self, now: float, reason: Reason, detail: str, status: int | None = None, head: bytes | None = None, body: bytes | None = None
    ) -> Outcome:
        """The outcome of an exchange without a whole answer, with what there is of one."""
        return Outcome(self.started_at, self._timings(now), self.request, reason, detail, status, None, self.address, head, body)

    def answer(self, now: float, status: int, head: bytes, body: bytes) -> Outcome:
        """The outcome of an exchange with an answer: a 2xx is a success, everything else is not."""
        timings = self._timings(now)
        if 200 <= status < 300:
            return Outcome(self.started_at, timings, self.request, None, None, status, None, self.address, head, body)
        if 300 <= status < 400:
            reason, detail = Reason.REDIRECTED, f"answered {status}: a redirect, and those are never followed"
        else:
            reason, detail = Reason.STATUS, f"answered {status}"
        wait = read_retry_after(head, self.started_at + timings.ended) if status in (429, 503) else None
        return Outcome(self.started_at, timings, self.request, reason, detail, status, wait, self.address, head, body)

    def end(self, outcome: Outcome) -> None:
        """Tell whoever asked. What goes wrong there is theirs, and is said to the event loop."""
        try:
            self.done(outcome)
        except Exception as error:  # noqa: BLE001  whatever it is, it must not close our connection
            asyncio.get_running_loop().call_exception_handler({"message": "the receiver of an outcome failed", "exception": error})

    def _timings(self, now: float) -> Timings:
        ended = int((now - self.begun) * SECOND)
        answered = ended if self.answered == now else self._since(self.answered)
        if self.resolved is None:  # a connection that was kept alive, or none at all
            return Timings(ended, None, None, None, answered)
        return Timings(ended, self._since(self.resolved), self._since(self.connected), self._since(self.secured), answered)

    def _since(self, moment: float | None) -> int | None:
        return None if moment is None else int((moment - self.begun) * SECOND)


def read_retry_after(head: bytes, now: int) -> int | None:
    """The seconds to wait that the first `Retry-After` of `head` asks for, a number or a date, at most 30 days.

    `now` is in microseconds since the epoch. A date that is past asks for 0; what cannot be read asks for nothing.
    """
    match = _RETRY_AFTER.search(head)
    if match is None:
        return None
    text = match[1].strip().decode("latin-1")
    if text.isascii() and text.isdigit():
        return RETRY_AFTER_LIMIT if len(text) > 9 else min(int(text), RETRY_AFTER_LIMIT)
    try:
        moment = parsedate_to_datetime(text)
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) - now // SECOND
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0, min(seconds, RETRY_AFTER_LIMIT))
