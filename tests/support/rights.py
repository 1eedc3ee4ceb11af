"""Who may do something: the answer that everybody of the cast gets, each finding everything as it was."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.cast import Cast
from tests.support.databases import AnyDatabase
from tidings.errors import Forbidden, NotFound
from tidings.store.database import Tx
from tidings.workspace.access import Caller

POSITIONS = ("owner", "admin", "regular", "light", "colleague", "stranger", "nobody", "app", "sibling", "far_app")


class _Done(Exception):
    """It was allowed; now roll it back."""


async def who_may(database: AnyDatabase, cast: Cast, operation: Callable[[Tx, Caller], object]) -> str:
    """`ok`, `403` or `404` for each of `POSITIONS`, with a blank between them."""
    return " ".join([await answer(database, operation, getattr(cast, position)) for position in POSITIONS])


async def answer(database: AnyDatabase, operation: Callable[..., object], caller: Caller, *more: object) -> str:
    """`ok`, `403` or `404` for `operation(tx, caller, *more)`; whatever it did is undone."""

    def run_and_undo(tx: Tx) -> None:
        operation(tx, caller, *more)
        raise _Done

    try:
        await database.write(run_and_undo)
    except _Done:
        return "ok"
    except Forbidden:
        return "403"
    except NotFound:
        return "404"
    raise AssertionError("neither returned nor raised")
