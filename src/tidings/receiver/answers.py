"""What the sender of a delivery is told: a status, and a sentence that it shows to people."""

from __future__ import annotations

from typing import NamedTuple

from tidings.receiver.refusals import ReceiverError


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
        return {**headers, "Allow": "POST"} if self.status == 405 else headers


def refusal(error: ReceiverError) -> Answer:
    """The answer to a request that cannot be taken."""
    return Answer(error.status, str(error))
