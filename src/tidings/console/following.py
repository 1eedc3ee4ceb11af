"""The stream of a page, for who may see the page and as long as they are signed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from tidings.console.desk import Desk, Visit, seal
from tidings.console.live import MEDIA_TYPE, Pieces, Stream
from tidings.errors import NotFound
from tidings.workspace.accounts.sessions import find_session

SESSION_EVERY = 10  # looks


async def follow(desk: Desk, visit: Visit, look: Callable[[], Awaitable[Pieces]]) -> Response:
    """Answer with what `look` makes, again and again. Raises what its first look does, and `Unavailable` at too many."""
    await look()
    looks = 0

    async def look_while_signed_in() -> Pieces:
        nonlocal looks
        looks += 1
        if looks % SESSION_EVERY == 0 and await desk.database.read(find_session, visit.cookie, now=desk.clock()) is None:
            raise NotFound
        return await look()

    only_head = visit.request.method == "HEAD"
    answer = Response(media_type=MEDIA_TYPE) if only_head else Stream(desk.streams, visit.cookie, look_while_signed_in)
    seal(answer, "'none'")
    return answer
