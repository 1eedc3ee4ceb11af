"""What the sender of a delivery is told: a status, and a sentence that it shows to people."""

from __future__ import annotations

from typing import NamedTuple

from tidings.receiver.refusals import ReceiverError

RETRY_AFTER = 10  # seconds: what a 503 of ours is for has passed by then, or takes longer than anybody can say


class Answer(NamedTuple):
    """What the sender is told."""

    status: int
    sentence: str = ""

    @property
    def body(self) -> bytes:
        """The sentence, as plain text in UTF-8."""
        return self.sentence.encode()

    @property
    def headers(self) -> dict[str, str]:
        """What goes with it."""
        headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"} if self.sentence else {}
        return {**headers, **_BY_STATUS.get(self.status, {})}


_BY_STATUS = {405: {"Allow": "POST"}, 503: {"Retry-After": str(RETRY_AFTER)}}


def refusal(error: ReceiverError) -> Answer:
    """The answer to a request that cannot be taken."""
    return Answer(error.status, str(error))
