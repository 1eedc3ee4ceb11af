"""What caused a change: the id of the delivery whose receiver is at work.

A receiver sets it while a function of the user runs; a client sends it with every call as `Tidings-Cause`, and so the
server knows what led to what. Both kits need it, and neither knows the other.
"""

from __future__ import annotations

from contextvars import ContextVar

cause: ContextVar[str | None] = ContextVar("tidings.cause", default=None)
"""A `webhook-id`; None outside of any delivery."""
