"""A delivery, from the bytes of its request: the signature is checked first, and only then is anything read.

Whatever bytes somebody sends, the answer is a `Delivery` or one of three errors under `Refused`; nothing else comes out.
What the signature covers is the body, the message's id and its time. `attempt` and `sequence` stand in headers beside it:
good for a log or a hint, not for a decision that matters. Holds no socket and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tidings.wire.forms import decode
from tidings.wire.signing import TOLERANCE_SECONDS, SignatureError, check, secret_key

_SIGNING_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_LONGEST_NUMBER = 18  # digits


class Headers(Protocol):
    """A request's headers, as any framework has them: names, in any case, and values."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Each name with its value."""


class Refused(Exception):
    """The request is not a delivery to be trusted. Answer 400 and do nothing."""


class Unsigned(Refused):
    """The request has no signature."""


class Forged(Refused):
    """The signature is not by who knows the secret, or not of now."""


class Malformed(Refused):
    """The request is well signed, but it is not a delivery."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event, as it was told."""

    type: str  # item.create, hook.verify ...
    hook_id: int
    parameters: dict[str, str]  # beside `type` and `hook_id`; of a name that repeats, the first
    id: str  # the same on every attempt: who has seen it before has done the work already
    attempt: int | None  # from 1; None where the header is missing
    sequence: int | None  # the delivery's number within its hook, without gaps; None where the header is missing

    def __repr__(self) -> str:
        # The parameters are left out: a verification code is among them.
        return f"Delivery({self.type!r}, hook_id={self.hook_id}, id={self.id!r})"


def read_delivery(headers: Headers, body: bytes, secrets: Sequence[str], *, now: float, tolerance: float = TOLERANCE_SECONDS) -> Delivery:
    """The delivery in a request with these headers and this raw body.

    `secrets` are the `whsec_` texts of the hooks that may call here, or of one that is being changed; `now` and
    `tolerance` are in seconds, the first since the epoch. Raises `Unsigned`, `Forged` or `Malformed` for the request,
    and ValueError when `secrets` is empty or holds what is no secret.
    """
    keys = [secret_key(secret) for secret in secrets]
    if not keys:
        raise ValueError("without a secret nothing can be checked")
    lowered = {name.lower(): value for name, value in headers.items()}
    message_id = _check_signature(lowered, body, keys, now, tolerance)
    parameters = _read_form(body)
    return Delivery(
        type=_take(parameters, "type"),
        hook_id=_take_hook_id(parameters),
        parameters=parameters,
        id=message_id,
        attempt=_number(lowered.get("tidings-attempt", "")),
        sequence=_number(lowered.get("tidings-sequence", "")),
    )


def _check_signature(headers: Mapping[str, str], body: bytes, keys: list[bytes], now: float, tolerance: float) -> str:
    message_id, timestamp, signatures = (headers.get(name, "") for name in _SIGNING_HEADERS)
    if not (message_id and timestamp and signatures):
        raise Unsigned(f"a signed delivery has the headers {', '.join(_SIGNING_HEADERS)}")
    try:
        check(keys, message_id=message_id, timestamp=timestamp, signatures=signatures, body=body, now=now, tolerance=tolerance)
    except SignatureError as error:
        raise Forged(str(error)) from None
    return message_id


def _read_form(body: bytes) -> dict[str, str]:
    try:
        pairs = decode(body)
    except ValueError:
        raise Malformed("the body is not a form in UTF-8") from None
    parameters: dict[str, str] = {}
    for name, value in pairs:
        parameters.setdefault(name, value)
    return parameters


def _take(parameters: dict[str, str], name: str) -> str:
    value = parameters.pop(name, "")
    if not value:
        raise Malformed(f"the form has no {name}")
    return value


def _take_hook_id(parameters: dict[str, str]) -> int:
    hook_id = _number(_take(parameters, "hook_id"))
    if hook_id is None:
        raise Malformed("the form's hook_id is not a number")
    return hook_id


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None
