"""What short commands do: one transaction on the database that the settings name, and rows printed for people or programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from tidings.cli.opened import opened
from tidings.settings import Settings
from tidings.store.database import Tx

P = ParamSpec("P")
T = TypeVar("T")


def write(settings: Settings, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `fn(tx, ...)` as one transaction. A server may be running meanwhile. Raises what `fn` raises, `Invalid`, `Unavailable`."""
    with opened(settings) as place:
        return place.runner.run(place.database.write(fn, *args, **kwargs))


def print_rows(rows: Sequence[Mapping[str, object]], *, as_json: bool, alone: bool = False) -> None:
    """A line for each, without what is empty; or one JSON list, and of a row that stands `alone`, one JSON object."""
    if as_json:
        sys.stdout.write(json.dumps(rows[0] if alone else rows) + "\n")
        return
    for row in rows:
        shown = ", ".join(f"{name} {value}" for name, value in row.items() if value not in (None, ""))
        sys.stdout.write(shown + "\n")
