"""The command that sends a delivery again by hand: the same body, signed anew, as a line for a shell.

A signature is good for some minutes at the receiver, so the line is made when somebody asks for it. A verification has none:
its code is for the hook's URL alone.
"""

from __future__ import annotations

import shlex

from sqlalchemy import bindparam, select

from tidings.delivery.allow import AllowList
from tidings.delivery.deliveries import EVENT_COLUMNS, NOBODY, Delivery, Event
from tidings.delivery.destination import Destination
from tidings.delivery.guard import judge_url
from tidings.delivery.payloads import read_whole
from tidings.delivery.requests import build, prepare
from tidings.errors import Invalid, NotFound
from tidings.events.types import VERIFY
from tidings.hooks.index import load_hook
from tidings.hooks.reach import reach_hook
from tidings.store.database import Tx
from tidings.store.schema import deliveries, events, server
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller

_CURLS_OWN = ("host", "content-length")  # headers that curl writes by itself


def fresh_curl(
    tx: Tx, caller: Caller, keyring: Keyring, hook_id: int, sequence: int, *, server_url: str, allow: AllowList, now: int
) -> str | None:
    """The line for one delivery; None where there is none: for a verification, or a URL that the guard refuses now.

    `server_url` is our public address, `now` (microseconds since the epoch) what the signature says. Raises `NotFound`,
    `Forbidden`, `Gone`, and `Unavailable` when the hook's secret cannot be opened.
    """
    reach_hook(tx, caller, hook_id)
    delivery = _load(tx, keyring, hook_id, sequence)
    if delivery.event.type == VERIFY.name:
        return None
    try:
        destination = judge_url(delivery.hook.url, allow, delivery.hook.ca)
    except Invalid:
        return None
    instance: str = tx.execute(select(server.c.instance)).scalar_one()
    return curl(destination, build(prepare(delivery.hook, destination, instance, server_url), delivery, now=now))


def _load(tx: Tx, keyring: Keyring, hook_id: int, sequence: int) -> Delivery:
    """The delivery as the line would hold it, but under no lease."""
    found = tx.execute(_DELIVERY, {"hook_id": hook_id, "sequence": sequence}).first()
    if found is None:
        raise NotFound(parameters={"hook_id": hook_id, "sequence": sequence})
    lane, tried, reason, earlier, replay_id, *event = found
    again = {"earlier": earlier, "replay_id": replay_id}
    delivery = Delivery(hook_id, sequence, Event(*event), load_hook(tx, keyring, hook_id), NOBODY, lane, tried, reason, **again)
    read_whole(tx, [delivery])
    return delivery


_DELIVERY = (
    select(
        deliveries.c.lane,
        deliveries.c.attempts,
        deliveries.c.reason,
        deliveries.c.earlier,
        deliveries.c.replay_id,
        *(events.c[name] for name in EVENT_COLUMNS.split(", ")),
    )
    .join(events, events.c.event_id == deliveries.c.event_id)
    .where(deliveries.c.hook_id == bindparam("hook_id"), deliveries.c.sequence == bindparam("sequence"))
)


def curl(destination: Destination, request: bytes) -> str:
    """The line that sends `request` to `destination`, to the byte but for what curl says of itself.

    `--globoff` and `--path-as-is`: curl is to read nothing into the URL.
    """
    head, _, body = request.partition(b"\r\n\r\n")
    first, *headers = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    words = ["curl", "--globoff", "--path-as-is", "-X", method, f"{destination.scheme}://{destination.authority}{target}"]
    for header in headers:
        if header.partition(":")[0].lower() not in _CURLS_OWN:
            words += ["-H", header]
    return shlex.join([*words, "--data-raw", body.decode()])
