"""The ledger on an item's page: each change, which hooks were told and how that went, or why none was."""

from __future__ import annotations

from typing import NamedTuple

from tidings.console.hook_words import Standing, delivery_standing
from tidings.delivery.ledger import LedgerDelivery, LedgerEntry, item_ledger
from tidings.errors import Forbidden
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.accounts.authors import find_authors

LISTED = 20
TOLD = 6  # hooks that are named for one change


class LedgerLine(NamedTuple):
    """One change, and the hooks that were told."""

    entry: LedgerEntry
    author: str
    told: list[tuple[LedgerDelivery, Standing]]  # a few, those that did not arrive first
    more: int  # that were told beside those


class Ledger(NamedTuple):
    """A page of it, the newest first; `older` is `before` for the next, or None."""

    lines: list[LedgerLine]
    older: int | None


def read_ledger(tx: Tx, caller: Caller, item_id: int, before: int | None = None) -> Ledger | None:
    """What `hook_ledger.html` shows of an item; None for who is no admin of the app. Raises `NotFound`, `Gone`."""
    try:
        entries = item_ledger(tx, caller, item_id, before=before, limit=LISTED + 1)
    except Forbidden:
        return None
    authors = find_authors(tx, {entry.created_by for entry in entries})
    lines = [
        LedgerLine(entry, authors[entry.created_by].name, _told(entry), max(0, len(entry.deliveries) - TOLD)) for entry in entries[:LISTED]
    ]
    return Ledger(lines, lines[-1].entry.event_id if len(entries) > LISTED else None)


def _told(entry: LedgerEntry) -> list[tuple[LedgerDelivery, Standing]]:
    worst_first = sorted(entry.deliveries, key=lambda each: each.state == "delivered")
    return [(each, delivery_standing(each.state, each.attempts, each.reason)) for each in worst_first[:TOLD]]
