"""What a query says of the tasks that are wanted, in Podio's notation.

    responsible, space, app, org    ids, several of them separated by `;` or `,`
    created_by, completed_by        `user:6` or `app:5`, or a user's id; several likewise
    reference                       `item:345`; several likewise
    created_on, completed_on,
    due_date                        a day, `2026-01-02`, or two with a hyphen between; either of the two may be left out

What Tidings does not have is refused by name. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

from tidings.api.call import GREATEST_ID
from tidings.clock import SECOND
from tidings.errors import Invalid
from tidings.workspace.tasks.lists import GREATEST_LIMIT, TASK_REFS, Sort, Span, Wanted
from tidings.workspace.values.dates import first_and_last_second

T = TypeVar("T")

SEVERAL_LIMIT = 500  # values of one parameter


class TaskQuery(Struct):
    """Which tasks are wanted. `view` and `grouping` are taken and mean nothing: every task is answered whole, in one list."""

    completed: bool | None = None
    responsible: str | None = None
    created_by: str | None = None
    completed_by: str | None = None
    created_via: Annotated[int, Meta(ge=0, le=GREATEST_ID)] | None = None
    reassigned: bool | None = None
    external_id: str | None = None
    org: str | None = None
    space: str | None = None
    app: str | None = None
    reference: str | None = None
    created_on: str | None = None
    completed_on: str | None = None
    due_date: str | None = None
    sort_by: Sort = "rank"
    sort_desc: bool = False
    limit: Annotated[int, Meta(ge=1, le=GREATEST_LIMIT)] = GREATEST_LIMIT
    offset: Annotated[int, Meta(ge=0, le=GREATEST_ID)] = 0
    label: str | None = None
    files: str | None = None
    view: str | None = None
    grouping: str | None = None


def read_wanted(query: TaskQuery) -> Wanted:
    """The same, as the tasks are found. Raises `Invalid`, naming the parameter."""
    for name in ("label", "files"):
        if getattr(query, name) is not None:
            raise Invalid(f"{name}: is no filter that is offered here", parameters={"field": name})
    return Wanted(
        completed=query.completed,
        responsible=_several(query.responsible, "responsible", _read_id),
        created_by=_several(query.created_by, "created_by", _read_author),
        completed_by=_several(query.completed_by, "completed_by", _read_author),
        created_via=query.created_via,
        reassigned=query.reassigned,
        external_id=query.external_id,
        orgs=_several(query.org, "org", _read_id),
        spaces=_several(query.space, "space", _read_id),
        apps=_several(query.app, "app", _read_id),
        references=_several(query.reference, "reference", _read_reference),
        created=_moments(query.created_on, "created_on"),
        ended=_moments(query.completed_on, "completed_on"),
        due=_days(query.due_date, "due_date"),
        sort_by=query.sort_by,
        sort_desc=query.sort_desc,
        limit=query.limit,
        offset=query.offset,
    )


# --- several values ----------------------------------------------------------------------------------------------------


def _several(text: str | None, name: str, read: Callable[[str, str], T]) -> list[T] | None:
    if text is None:
        return None
    parts = [part.strip() for part in re.split("[;,]", text)]
    if len(parts) > SEVERAL_LIMIT:
        raise _refused(name, f"at most {SEVERAL_LIMIT} values")
    return [read(part, name) for part in parts]


def _read_id(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= GREATEST_ID):
        raise _refused(name, "an id, or several separated by ;")
    return int(text)


def _read_author(text: str, name: str) -> str:
    kind, _, number = text.rpartition(":")
    if kind not in ("", "user", "app"):
        raise _refused(name, "user:6 or app:5, or several separated by ;")
    return f"{kind or 'user'}:{_read_id(number, name)}"


def _read_reference(text: str, name: str) -> tuple[str, int]:
    kind, _, number = text.partition(":")
    if kind not in TASK_REFS:
        raise _refused(name, f"a type and an id, as item:345, the type one of {{{','.join(TASK_REFS)}}}")
    return kind, _read_id(number, name)


# --- spans of time -----------------------------------------------------------------------------------------------------

_SPAN = re.compile(r"(?P<first>\d{4}-\d\d-\d\d)?(?P<to>-)?(?P<last>\d{4}-\d\d-\d\d)?", re.ASCII)


def _days(text: str | None, name: str) -> Span | None:
    if text is None:
        return None
    match = _SPAN.fullmatch(text)
    if match is None or not (match["first"] or match["last"]) or (match["last"] and not match["to"]):
        raise _refused(name, "a day, YYYY-MM-DD, or two as YYYY-MM-DD-YYYY-MM-DD")
    return Span(match["first"], match["last"] if match["to"] else match["first"])


def _moments(text: str | None, name: str) -> Span | None:
    days = _days(text, name)
    if days is None:
        return None
    try:
        first = None if days.first is None else int(first_and_last_second(days.first)[0]) * SECOND
        last = None if days.last is None else (int(first_and_last_second(days.last)[1]) + 1) * SECOND - 1
    except Invalid:
        raise _refused(name, "days that exist") from None
    return Span(first, last)


def _refused(name: str, expected: str) -> Invalid:
    return Invalid(f"{name}: must be {expected}", parameters={"field": name})
