"""For those who are told: check a delivery, read it, and have functions called. Needs nothing but Python."""

from tidings.receiver.answers import Answer
from tidings.receiver.core import read_delivery
from tidings.receiver.events import Change, Event
from tidings.receiver.gaps import Gap
from tidings.receiver.receiver import Receiver
from tidings.receiver.refusals import (
    Forged,
    Malformed,
    ReceiverError,
    Stale,
    TooLarge,
    TooSlow,
    Unavailable,
    Unexpected,
    Unreadable,
    Unsigned,
    WrongMediaType,
    WrongMethod,
)

__all__ = [
    "Answer",
    "Change",
    "Event",
    "Forged",
    "Gap",
    "Malformed",
    "Receiver",
    "ReceiverError",
    "Stale",
    "TooLarge",
    "TooSlow",
    "Unavailable",
    "Unexpected",
    "Unreadable",
    "Unsigned",
    "WrongMediaType",
    "WrongMethod",
    "read_delivery",
]
