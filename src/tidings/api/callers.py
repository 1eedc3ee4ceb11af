"""Who holds which access token, remembered for a second, so that a busy client costs one look-up and not thousands.

What is always true: a token that this process has revoked is forgotten at once (`forget`); one that another process
revoked, or whose app was deleted, is good for at most `REMEMBERED` longer; none outlives its own expiry. Tokens
nobody knows are not remembered, so that guessing fills no memory. The keys are the tokens' hashes.
"""

from __future__ import annotations

from tidings.clock import SECOND
from tidings.workspace.access import Caller

REMEMBERED = SECOND
MOST = 10_000  # entries; about 3 MB. Beyond it we begin anew


class Callers:
    """A short memory. Used on the event loop's thread only."""

    def __init__(self) -> None:
        self._entries: dict[bytes, tuple[Caller, int]] = {}

    def recall(self, access_hash: bytes, now: int) -> Caller | None:
        """The caller who held this token a moment ago, or None."""
        entry = self._entries.get(access_hash)
        if entry is None or now >= entry[1]:
            return None
        return entry[0]

    def remember(self, access_hash: bytes, caller: Caller, expires_at: int, now: int) -> None:
        """Keep `caller` for `REMEMBERED` from `now`, or until the token expires."""
        if len(self._entries) >= MOST:
            self._entries.clear()
        self._entries[access_hash] = (caller, min(expires_at, now + REMEMBERED))

    def forget(self, access_hash: bytes) -> None:
        """The token has died."""
        self._entries.pop(access_hash, None)
