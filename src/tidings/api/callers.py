"""Who holds which access token, remembered for a second, so that a busy client costs one look-up and not thousands.

What is always true: a token that this process has revoked is forgotten at once (`forget`, and `forget_client` for all of
a client's); one that another process revoked, or whose app was deleted, is good for at most `REMEMBERED` longer; none
outlives its own expiry. Tokens nobody knows are not remembered, so that guessing fills no memory. The keys are the tokens'
hashes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tidings.api.limits import Rates
from tidings.clock import SECOND
from tidings.workspace.access import Caller

REMEMBERED = SECOND
MOST = 10_000  # entries; about 3 MB. Beyond it we begin anew


class Known(NamedTuple):
    """A token's holder, and what they may do with it."""

    caller: Caller
    scope: str | None = None  # None: everything
    rates: Rates | None = None  # None: as often as they like


class Callers:
    """A short memory. Used on the event loop's thread only."""

    def __init__(self) -> None:
        self._entries: dict[bytes, tuple[Known, int]] = {}

    def recall(self, access_hash: bytes, now: int) -> Known | None:
        """The caller who held this token a moment ago, or None."""
        entry = self._entries.get(access_hash)
        if entry is None or now >= entry[1]:
            return None
        return entry[0]

    def remember(self, access_hash: bytes, known: Known, expires_at: int, now: int) -> None:
        """Keep `known` for `REMEMBERED` from `now`, or until the token expires."""
        if len(self._entries) >= MOST:
            self._entries.clear()
        self._entries[access_hash] = (known, min(expires_at, now + REMEMBERED))

    def forget(self, access_hashes: Iterable[bytes]) -> None:
        """These tokens have died."""
        for access_hash in access_hashes:
            self._entries.pop(access_hash, None)

    def forget_client(self, auth_client_id: int) -> None:
        """All tokens of this client have died."""
        self.forget([each for each, (known, _) in self._entries.items() if known.caller.auth_client_id == auth_client_id])
