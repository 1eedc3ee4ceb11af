"""Who may do something: the answer that everybody of the cast gets, each finding everything as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.support.cast import Cast
from tests.support.databases import AnyDatabase
from tidings.errors import Forbidden, NotFound
from tidings.store.database import Tx
from tidings.workspace.access import Caller

POSITIONS = ("owner", "admin", "regular", "light", "colleague", "stranger", "nobody", "app", "sibling", "far_app")


async def who_may(database: AnyDatabase, cast: Cast, operation: Callable[[Tx, Caller], object]) -> str:
    """`ok`, `403` or `404` for each of `POSITIONS`, with a blank between them."""
    return " ".join((await answers(database, cast, POSITIONS, operation)).values())


async def answers(
    database: AnyDatabase, cast: Cast, positions: Iterable[str], operation: Callable[..., object], *more: object
) -> dict[str, str]:
    """`ok`, `403` or `404` for `operation(tx, caller, *more)`, by position; whatever each of them did is undone."""
    callers = {position: getattr(cast, position) for position in positions}
    return await database.write(lambda tx: {position: _answer(tx, caller, operation, *more) for position, caller in callers.items()})


def _answer(tx: Tx, caller: Caller, operation: Callable[..., object], *more: object) -> str:
    trying = tx.begin_nested()
    try:
        operation(tx, caller, *more)
    except Forbidden:
        return "403"
    except NotFound:
        return "404"
    else:
        return "ok"
    finally:
        trying.rollback()
