"""What the client does, written once: a plan is a generator of steps, and who runs it may block or await.

A plan decides, and yields what is to be done in the world; it is sent back what came of it, or what went wrong is raised
inside it, at the step. `blocking.py` and `awaiting.py` take the steps, each in its way, and know nothing else.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple, TypeVar

from tidings.client.exchange import Request

T = TypeVar("T")


class Send(NamedTuple):
    """Send the request: its `Answer` comes back, or `Lost` is raised."""

    request: Request


class Pause(NamedTuple):
    """Let so many seconds pass."""

    seconds: float


class Alone(NamedTuple):
    """Run this plan while no other that is run so runs in this client."""

    plan: Plan[None]


Step = Send | Pause | Alone
Plan = Generator[Step, Any, T]
