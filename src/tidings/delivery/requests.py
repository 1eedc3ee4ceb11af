"""The request of a delivery, to the byte: head, Standard Webhooks headers, body.

Unless the hook asks for more (`payloads.py`), the body is Podio's form and nothing else: the event's parameters, `type`,
`hook_id`, and the URL's query parameters behind them (contract section 0, decisions 7 and 22). Everything we add is in
headers. In the other formats the URL's query stays in the URL. What is the same for every delivery of a hook is made once
(`prepare`), so that a delivery costs a few concatenations and one HMAC. Pure.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from tidings import __version__
from tidings.delivery.deliveries import Delivery
from tidings.delivery.destination import Destination
from tidings.delivery.payloads import CONTENT_TYPES, write_payload
from tidings.events.types import EVENT_TYPES, VERIFY
from tidings.hooks.matching import Format, Hook
from tidings.wire.ed25519 import PrivateKey
from tidings.wire.forms import CONTENT_TYPE, encode, moved_parameters
from tidings.wire.message_ids import message_prefix
from tidings.wire.signing import Signer

_parameters = msgspec.json.Decoder(dict[str, str]).decode


class Prepared(Struct, frozen=True):
    """What all requests of one hook share."""

    destination: Destination
    format: Format
    server: str  # our public address
    head: bytes  # request line and the headers that never change
    tail: str  # of the form: `type`, `hook_id` and the URL's parameters
    verify_tail: str  # the same for `hook.verify`
    id_prefix: str
    signers: tuple[Signer, ...] | tuple[PrivateKey, ...]  # the newest first
    former_until: int  # when all but the first stop signing

    def __repr__(self) -> str:
        return f"Prepared({self.destination!r})"


def prepare(hook: Hook, destination: Destination, instance: str, server: str) -> Prepared:
    """What all requests of `hook` share. `instance` names the database, `server` is our public address."""
    parts = urlsplit(hook.url)
    target = parts.path or "/"
    if parts.query and (hook.preserve_query or hook.format != "podio"):
        target += f"?{parts.query}"
    head = (
        f"POST {target} HTTP/1.1\r\n"
        f"Host: {destination.authority}\r\n"
        f"User-Agent: Tidings/{__version__}\r\n"
        f"Accept: */*\r\n"
        f"Content-Type: {CONTENT_TYPES.get(hook.format, CONTENT_TYPE)}\r\n"
    )
    return Prepared(
        destination=destination,
        format=hook.format,
        server=server,
        head=head.encode("ascii"),
        tail=_tail(hook, hook.type),
        verify_tail=_tail(hook, VERIFY.name),
        id_prefix=message_prefix(instance, hook.hook_id),
        signers=_signers(hook),
        former_until=hook.former_until,
    )


def _signers(hook: Hook) -> tuple[Signer, ...] | tuple[PrivateKey, ...]:
    if hook.signing == "ed25519":
        return tuple(PrivateKey(key) for key in hook.keys)
    return tuple(Signer(key) for key in hook.keys)


def build(prepared: Prepared, delivery: Delivery, *, now: int) -> bytes:
    """The whole request of the next attempt. `now`, microseconds since the epoch, is what the signature says."""
    event = delivery.event
    message_id = f"{prepared.id_prefix}{delivery.sequence}"
    if prepared.format == "podio":
        tail = prepared.verify_tail if event.type == VERIFY.name else prepared.tail
        formats_own, body = "", (encode(_parameters(event.parameters).items()) + tail).encode()
    else:
        formats_own, body = write_payload(prepared.format, delivery, message_id, prepared.server)
    seconds = now // 1_000_000
    signers = prepared.signers if now < prepared.former_until else prepared.signers[:1]
    signatures = " ".join([signer.sign(message_id, seconds, body) for signer in signers])
    headers = (
        f"Content-Length: {len(body)}\r\n"
        f"webhook-id: {message_id}\r\n"
        f"webhook-timestamp: {seconds}\r\n"
        f"webhook-signature: {signatures}\r\n"
        f"Tidings-Sequence: {delivery.sequence}\r\n"
        f"Tidings-Attempt: {delivery.attempts + 1}\r\n"
        f"{_occasional(delivery)}{formats_own}\r\n"
    )
    return prepared.head + headers.encode("ascii") + body


def _occasional(delivery: Delivery) -> str:
    event = delivery.event
    lines = _where(event.space_id, event.app_id)
    if event.depth:
        lines += f"Tidings-Depth: {event.depth}\r\n"
    if delivery.reason and delivery.tries:
        lines += f"Tidings-Retry-Reason: {delivery.reason}\r\n"
    if delivery.earlier is not None:
        lines += f"Tidings-Redelivery: {f'replay-{delivery.replay_id}' if delivery.replay_id else 'single'}\r\n"
    if event.test:
        lines += "Tidings-Test: true\r\n"
    return lines


@lru_cache(1024)
def _where(space_id: int | None, app_id: int | None) -> str:
    lines = f"Tidings-Space: {space_id}\r\n" if space_id is not None else ""
    return lines if app_id is None else f"{lines}Tidings-App: {app_id}\r\n"


def _tail(hook: Hook, type: str) -> str:
    own = [("type", type), ("hook_id", str(hook.hook_id))]
    if not hook.preserve_query:
        own += moved_parameters(hook.url, {*EVENT_TYPES[type].parameters, "type", "hook_id"})
    return "&" + encode(own)
