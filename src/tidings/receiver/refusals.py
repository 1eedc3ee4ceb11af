"""The one tree of errors of the receiver: each class has the HTTP status that its request is answered with.

Its docstring is the default sentence. The sentence goes back to the sender, so it holds nothing of the body, of a secret
or of a code.
"""

from __future__ import annotations

from typing import ClassVar


class ReceiverError(Exception):
    """The request cannot be taken."""

    status: ClassVar[int] = 400

    def __init__(self, sentence: str | None = None) -> None:
        """`sentence` says more than the class does."""
        super().__init__(sentence or (type(self).__doc__ or "").strip())


class Unsigned(ReceiverError):
    """The request has no signature."""

    status = 401


class Forged(ReceiverError):
    """The signature is not by who knows the secret."""

    status = 401


class Stale(ReceiverError):
    """The signature is not of now: an old request sent again, or a clock that is wrong."""

    status = 401


class Unexpected(ReceiverError):
    """The hook that asks to be verified is not one that this receiver was told to expect."""

    status = 403


class Malformed(ReceiverError):
    """The headers of the signature cannot be read."""


class Unreadable(ReceiverError):
    """The request may be told to us, but it is not a delivery."""


class WrongMethod(ReceiverError):
    """A delivery is a POST."""

    status = 405


class TooSlow(ReceiverError):
    """The body did not arrive in time."""

    status = 408


class TooLarge(ReceiverError):
    """The body is too large for a delivery."""

    status = 413


class WrongMediaType(ReceiverError):
    """The body is compressed, or not in a form that deliveries have."""

    status = 415


class Unavailable(ReceiverError):
    """The delivery cannot be taken at the moment. Please send it again."""

    status = 503
