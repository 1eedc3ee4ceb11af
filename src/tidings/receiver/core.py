"""A delivery, from the bytes of its request: the signature is checked first, and only then is anything read.

Whatever bytes somebody sends, the answer is an `Event` or an error under `ReceiverError`; nothing else comes out. What a
body may be written in stands in one table, `_READERS`. Holds no socket and no clock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from tidings.receiver.events import Event, number
from tidings.receiver.refusals import Forged, Malformed, Stale, TooLarge, Unreadable, Unsigned, WrongMediaType
from tidings.wire import forms
from tidings.wire.signing import TOLERANCE_SECONDS, Checker, PublicKey, SignatureError, StaleSignature, UnreadableSignature, secret_key

_Reader = Callable[[bytes], dict[str, Any]]

LONGEST_BODY = 1_048_576  # bytes
LONGEST_ID = 255  # characters of a `webhook-id`: it is kept, and it is a key
_UNSIGNED = ("item.create", "item.update", "item.delete")
_JSON = "application/json"  # also of a CloudEvent whose attributes stand in headers
_CLOUDEVENT = "application/cloudevents+json"


class Headers(Protocol):
    """A request's headers, as any framework has them: names, in any case, and values."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Each name with its value."""


class Proofs:
    """Whose word counts: secrets, public keys, and whether who signs nothing is believed as well. Its `repr` says nothing of them."""

    def __init__(
        self,
        secrets: Sequence[str] = (),
        public_keys: Sequence[str] = (),
        *,
        allow_unsigned: bool = False,
        tolerance: float = TOLERANCE_SECONDS,
    ) -> None:
        """`secrets` are `whsec_` texts, `public_keys` `whpk_` texts (these need `cryptography`); `tolerance` is in seconds, either way.

        Raises ValueError for a text that is neither.
        """
        self.allow_unsigned = allow_unsigned
        self.tolerance = tolerance
        self._checker = Checker([secret_key(secret) for secret in secrets], [_public_key(key) for key in public_keys])

    def check(self, headers: Mapping[str, str], body: bytes, now: float) -> tuple[str, int | None]:
        """The message's id and its time, once they are proved; `""` and None of an unsigned one that may be so.

        Names of `headers` are in lower case. Raises `Unsigned`, `Malformed`, `Stale` or `Forged`.
        """
        if self.allow_unsigned:
            return "", None
        get = headers.get
        message_id, timestamp, signatures = get("webhook-id"), get("webhook-timestamp"), get("webhook-signature")
        if not (message_id and timestamp and signatures):
            raise Unsigned("a signed delivery has the headers webhook-id, webhook-timestamp and webhook-signature")
        if len(message_id) > LONGEST_ID:
            raise Malformed(f"a webhook-id has at most {LONGEST_ID} characters")
        try:
            return message_id, self._checker.check(message_id, timestamp, signatures, body, now, self.tolerance)
        except StaleSignature as error:
            raise Stale(str(error)) from None
        except UnreadableSignature as error:
            raise Malformed(str(error)) from None
        except SignatureError as error:
            raise Forged(str(error)) from None


def read_delivery(headers: Headers, body: bytes, secrets: Sequence[str], *, now: float, tolerance: float = TOLERANCE_SECONDS) -> Event:
    """The event in a request with these headers and this raw body, for who wants no more than that.

    `secrets` are the `whsec_` texts of the hooks that may call here, or of one that is being changed; `now` and
    `tolerance` are in seconds, the first since the epoch. Raises a `ReceiverError` for the request, and ValueError
    when `secrets` is empty or holds what is no secret.
    """
    if not secrets:
        raise ValueError("without a secret nothing can be checked")
    return read(lowered(headers), body, Proofs(secrets, tolerance=tolerance), now=now)


def read(headers: Mapping[str, str], body: bytes, proofs: Proofs, *, now: float, longest: int = LONGEST_BODY) -> Event:
    """The same, for `proofs`; names of `headers` are in lower case."""
    if len(body) > longest:
        raise TooLarge(f"a body has at most {longest} bytes")
    reader = reader_for(headers)
    message_id, timestamp = proofs.check(headers, body, now)
    return _event(headers, reader(body), message_id, timestamp)


def reread(headers: Mapping[str, str], body: bytes, message_id: str) -> Event:
    """The event of a request that was checked before, and kept. Raises `Unreadable`."""
    return _event(headers, reader_for(headers)(body), message_id, number(headers.get("webhook-timestamp", "")))


def lowered(headers: Headers) -> dict[str, str]:
    """The headers by their names in lower case."""
    if isinstance(headers, dict) and (names := "".join(headers)) == names.lower():  # as ASGI has them: four times as fast
        return headers.copy()
    return {name.lower(): value for name, value in headers.items()}


def reader_for(headers: Mapping[str, str]) -> _Reader:
    """What reads such a body. Raises `WrongMediaType`: also for a compressed one, which is never unpacked."""
    coding = headers.get("content-encoding")
    if coding and coding.strip().lower() != "identity":
        raise WrongMediaType("a compressed body is not taken")
    media_type = headers.get("content-type") or forms.CONTENT_TYPE
    reader = _READERS.get(media_type) or _READERS.get(media_type.partition(";")[0].strip().lower())
    if reader is None:
        raise WrongMediaType(f"a delivery is one of {', '.join(_READERS)}")
    return reader


def _event(headers: Mapping[str, str], parameters: dict[str, Any], message_id: str, timestamp: int | None) -> Event:
    type = parameters.pop("type", None)
    if not (isinstance(type, str) and type):
        raise Unreadable("the body has no type")
    hook_id = number(parameters.pop("hook_id", None))
    if hook_id is None:
        raise Unreadable("the body has no hook_id that is a number")
    return Event(type, hook_id, parameters, message_id or _id_of_unsigned(type, hook_id, parameters), timestamp, headers)


def _id_of_unsigned(type: str, hook_id: int, parameters: Mapping[str, Any]) -> str:
    # An item has each revision once. Of all else the same words may be said again and be news: those are never repeats.
    item, revision = number(parameters.get("item_id")), number(parameters.get("item_revision_id"))
    if type in _UNSIGNED and item is not None and revision is not None:
        return f"unsigned_{hook_id}_{type}_{item}_{revision}"
    return f"unsigned_{os.urandom(12).hex()}"


def _read_form(body: bytes) -> dict[str, str]:
    try:
        return forms.decode_first(body)
    except ValueError:
        raise Unreadable("the body is not a form in UTF-8") from None


def _read_json(body: bytes) -> dict[str, Any]:
    import json  # noqa: PLC0415 (most receivers are told in forms, and never need it)

    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None
    return _object(said)


def _read_cloudevent(body: bytes) -> dict[str, Any]:
    return _object(_read_json(body).get("data"))


def _object(said: object) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise Unreadable("the body holds no JSON object")
    return said


_READERS: dict[str, _Reader] = {forms.CONTENT_TYPE: _read_form, _JSON: _read_json, _CLOUDEVENT: _read_cloudevent}


def _public_key(text: str) -> PublicKey:
    from tidings.wire.ed25519 import SignersPublicKey  # noqa: PLC0415 (needs a package; only who has a public key needs it)

    return SignersPublicKey(text)
