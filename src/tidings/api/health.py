"""What machines ask: are you alive, may I send you calls, what have you counted. All three answer without a token.

Alive means that the event loop turns. Ready means that the database answers and that deliveries are going out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypedDict, TypeVar

from starlette.responses import Response

from tidings.api.call import Call
from tidings.api.operations import answers
from tidings.api.routes import Row
from tidings.clock import SECOND
from tidings.delivery.backlog import measure_backlog
from tidings.delivery.engine import Engine
from tidings.errors import Unavailable
from tidings.telemetry.metrics import CONTENT_TYPE, Levels, Metrics
from tidings.workspace.accounts.tokens import find_holder

T = TypeVar("T")

ASK_SECONDS = 5.0  # within which the database must answer


class Live(TypedDict):
    """The event loop turns."""

    live: bool


class Ready(TypedDict):
    """The database answers, and deliveries go out."""

    ready: bool


def health_rows(engine: Engine | None, metrics: Metrics) -> list[Row]:
    """The three operations of a server with this engine; None is one that only takes calls."""

    async def is_live(_call: Call) -> Live:
        """`GET /health/live`: that the event loop turns."""
        return {"live": True}

    async def is_ready(call: Call) -> Ready:
        """`GET /health/ready`: that the database answers and that deliveries are going out; otherwise 503."""
        await _within_bound(call.read(find_holder, b"", now=call.now))  # a token nobody has: a real question, and cheap
        if engine is not None and not engine.ready:
            raise Unavailable("the delivery engine is not ready")
        return {"ready": True}

    @answers(CONTENT_TYPE)
    async def scrape(call: Call) -> Response:
        """`GET /metrics`: all counters and levels, in Prometheus' text format."""
        return Response(metrics.render(await _levels_if_any(call, engine)), headers={"content-type": CONTENT_TYPE})

    return [
        Row("GET", "/health/live", is_live, open=True),
        Row("GET", "/health/ready", is_ready, open=True),
        Row("GET", "/metrics", scrape, open=True),
    ]


async def _levels_if_any(call: Call, engine: Engine | None) -> Levels | None:
    """How much waits, or None: a scrape is answered also while the database is away, since that is when people look."""
    try:
        backlog = await _within_bound(call.read(measure_backlog))
    except Unavailable:
        return None
    oldest = 0.0 if backlog.oldest_at is None else max(0, call.now - backlog.oldest_at) / SECOND
    return Levels(backlog.waiting_events, backlog.pending, oldest, engine.breaker_states() if engine else {})


async def _within_bound(question: Awaitable[T]) -> T:
    """The database's answer. Raises `Unavailable` when there is none within `ASK_SECONDS`."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await question
    except TimeoutError:
        raise Unavailable(f"the database did not answer within {ASK_SECONDS:.0f} seconds") from None
