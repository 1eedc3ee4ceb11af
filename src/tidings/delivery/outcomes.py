"""What the network did: the closed list of reasons, and the record of one exchange.

Exceptions are for callers, values are for weather: whatever a destination or the way to it does comes back as an
`Outcome`. Pure.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Reason(StrEnum):
    """Why an exchange failed. A reason that is not in this list does not exist."""

    DNS = "dns"  # the name does not resolve
    REFUSED_ADDRESS = "refused_address"  # the guard refuses an address of the name, its port or its scheme
    CONNECT = "connect"  # nobody listens there, or no way leads there
    TLS = "tls"  # the certificate or the handshake is bad
    TIMEOUT_CONNECT = "timeout_connect"  # no connection in time
    TIMEOUT_RESPONSE = "timeout_response"  # connected, but no whole answer in time
    RESET = "reset"  # the connection broke before the answer was whole
    PROTOCOL = "protocol"  # what came back is not HTTP
    REDIRECTED = "redirected"  # 3xx: never followed
    TOO_LARGE = "too_large"  # the answer's head is larger than we read
    STATUS = "status"  # any other status that is not 2xx
    STOPPED = "stopped"  # we were stopped before the answer was whole: says nothing about the destination


class NoConnection(Exception):
    """Why no connection came about. Stays inside the floor that dials: the sender makes an `Outcome` of it."""

    def __init__(self, reason: Reason, detail: str, address: str | None = None) -> None:
        """`detail` is a sentence for people; `address` the one refused or last tried."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.address = address


class Timings(Struct, frozen=True, gc=False):
    """Microseconds from the start of the exchange; None where that point was not reached (or not needed: a
    connection that was kept alive resolves, connects and secures nothing)."""

    ended: int
    resolved: int | None = None
    connected: int | None = None
    secured: int | None = None
    answered: int | None = None  # the first byte of the answer


class Outcome(Struct, frozen=True, gc=False):
    """One HTTP exchange, as it went. `reason` is None exactly when the answer was a 2xx and came whole, or its head did
    and more than BODY_CAP of its body. `status`, `answer_head` and `answer_body` hold what came, also of a failure."""

    started_at: int  # microseconds since the epoch
    timings: Timings
    sent: bytes  # the request, to the byte, as far as it was to be written
    reason: Reason | None = None
    detail: str | None = None  # a sentence for people, for a failure
    status: int | None = None
    retry_after: int | None = None  # seconds from the answer, where it came with 429 or 503 and could be read
    address: str | None = None  # dialled (the proxy's, where there is one), or refused
    answer_head: bytes | None = None  # status line and headers, to the byte, at most HEAD_CAP
    answer_body: bytes | None = None  # as sent, at most BODY_CAP


HEAD_CAP = 32 * 1024
BODY_CAP = 16 * 1024
