"""A hook's page while somebody looks at it: its stream.

Whether anything has moved is asked often and cheaply. Only then, and every `WHOLE_EVERY` looks (what waits may be sent, or
held back, without a trace in the hook's record), the page is read whole, and only those pieces are made anew that can have
changed.
"""

from __future__ import annotations

from starlette.responses import Response

from tidings.console.asked import read_asked
from tidings.console.desk import Desk, Visit
from tidings.console.following import follow
from tidings.console.hook_page import HookSeen, breaker_of, health_piece, row_id, row_piece, see_all, standing_piece
from tidings.console.live import Pieces
from tidings.delivery.delivery_rows import DeliveryRow
from tidings.delivery.history import Asked, newest
from tidings.hooks.registry import HookRecord, get_hook
from tidings.store.database import Tx
from tidings.workspace.access import Caller

WHOLE_EVERY = 4  # looks


async def stream_hook(desk: Desk, visit: Visit) -> Response:
    """`GET /console/hooks/{hook_id}/live`, with the filter of the page. Raises `Unavailable` at too many streams."""
    return await follow(desk, visit, _Eyes(desk, visit, read_asked(visit.query)).look)


class _Eyes:
    """Looks at a hook again and again."""

    def __init__(self, desk: Desk, visit: Visit, asked: Asked) -> None:
        self._desk = desk
        self._visit = visit
        self._asked = asked
        self._looks = 0
        self._rows: dict[DeliveryRow, str] = {}
        self._seen: HookSeen | None = None
        self._html: dict[str, str] = {}
        self._pieces = Pieces({})

    async def look(self) -> Pieces:
        """The pieces as they are."""
        self._looks += 1
        if self._seen is None or self._looks % WHOLE_EVERY == 0 or await self._has_moved(self._seen):
            await self._look_whole()
        return self._pieces

    async def _has_moved(self, seen: HookSeen) -> bool:
        return await self._desk.database.read(has_moved, self._visit.caller, seen.hook, seen.newest)

    async def _look_whole(self) -> None:
        desk, visit = self._desk, self._visit._replace(now=self._desk.clock())
        seen, health = await desk.database.read(see_all, visit.caller, visit.ids["hook_id"], self._asked, now=visit.now)
        self._html["health"] = health_piece(health, breaker_of(desk, seen.hook.hook_id))
        before, self._seen = self._seen, seen
        if before is None or (before.place, before.verification) != (seen.place, seen.verification):
            self._html["standing"] = standing_piece(desk, visit, seen)
        self._rows = {row: self._rows.get(row) or row_piece(row) for row in seen.listed.rows}
        rows = {row_id(row): piece for row, piece in self._rows.items()}
        self._pieces = Pieces({**self._html, **rows}, {"deliveries": list(rows)})


def has_moved(tx: Tx, caller: Caller, hook: HookRecord, last: int) -> bool:
    """Whether the hook has changed, been told anything after the delivery `last`, or had an answer. Raises as `see_all` does."""
    return get_hook(tx, caller, hook.hook_id) != hook or bool(newest(tx, caller, hook.hook_id, last, 1))
