"""Finding tasks: by Podio's filters, and those that hang on certain objects.

A caller finds the tasks of the spaces (or, as an app, of the app) that they may look into, and those on nothing that are
their own; of the private ones, only their own. What hangs on something deleted is found no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select, true

from tidings.store.database import Tx
from tidings.store.schema import apps, items, org_members, space_members, spaces, statuses, tasks
from tidings.workspace.access import SPACES_WITH_ROLES, Caller
from tidings.workspace.anchors import reach_anchor
from tidings.workspace.tasks.rows import TASKS, Task, is_own, made_by, read_tasks

Condition = ColumnElement[bool]

TASK_REFS = ("item", "status", "app", "space")
GREATEST_LIMIT = 500  # tasks of one page

Sort = Literal["rank", "created_on", "completed_on", "due_date"]


class Span(NamedTuple):
    """From the first moment to the last, both included, or open at an end."""

    first: int | str | None
    last: int | str | None


class Wanted(Struct, frozen=True):
    """What is to be found; None does not restrict it. A list is of those that will do."""

    completed: bool | None = None
    responsible: Sequence[int] | None = None
    created_by: Sequence[str] | None = None  # `user:6`
    completed_by: Sequence[str] | None = None
    created_via: int | None = None  # an auth_client_id
    reassigned: bool | None = None  # whether the caller gave it to somebody else
    external_id: str | None = None
    orgs: Sequence[int] | None = None
    spaces: Sequence[int] | None = None
    apps: Sequence[int] | None = None
    references: Sequence[tuple[str, int]] | None = None
    created: Span | None = None  # of microseconds since the epoch
    ended: Span | None = None  # likewise: when it was completed
    due: Span | None = None  # of days, YYYY-MM-DD
    sort_by: Sort = "rank"  # there are no ranks here: the order in which they were made
    sort_desc: bool = False
    limit: int = GREATEST_LIMIT
    offset: int = 0


def find_tasks(tx: Tx, caller: Caller, wanted: Wanted) -> list[Task]:
    """One page of the tasks that are wanted, and that `caller` may see."""
    found = TASKS.where(_visible(caller), *_conditions(caller, wanted)).order_by(*_order(wanted))
    return read_tasks(tx, found.limit(wanted.limit).offset(wanted.offset).params(user_id=caller.user_id))


def find_tasks_on(tx: Tx, caller: Caller, ref_type: str, ref_id: int, wanted: Wanted) -> list[Task]:
    """The same of one object. Raises `Invalid` for a ref_type that has no tasks; `NotFound`, `Forbidden`, `Gone`."""
    reach_anchor(tx, caller, ref_type, ref_id, among=TASK_REFS)
    return find_tasks(tx, caller, replace(wanted, references=[(ref_type, ref_id)]))


def count_active(tx: Tx, caller: Caller, ref_type: str, ref_id: int) -> int:
    """How many tasks on the object are to be done yet. Raises as `find_tasks_on` does."""
    reach_anchor(tx, caller, ref_type, ref_id, among=TASK_REFS)
    conditions = _conditions(caller, Wanted(completed=False, references=[(ref_type, ref_id)]))
    count = select(func.count()).select_from(tasks).where(_visible(caller), *conditions)
    return int(tx.execute(count, {"user_id": caller.user_id}).scalar_one())


def tasks_on(tx: Tx, caller: Caller, ref_type: str, ref_ids: Iterable[int]) -> dict[int, list[Task]]:
    """The tasks on each of these objects, which the caller has been let into, oldest first."""
    found: dict[int, list[Task]] = {ref_id: [] for ref_id in ref_ids}
    on = and_(tasks.c.ref_type == ref_type, tasks.c.ref_id.in_(sorted(found)), tasks.c.deleted_at.is_(None))
    shown = true() if caller.kind == "system" else or_(not_(tasks.c.private), is_own(caller))
    for task in read_tasks(tx, TASKS.where(on, shown).order_by(tasks.c.task_id)):
        assert task.ref_id is not None
        found[task.ref_id].append(task)
    return found


def list_labels(tx: Tx, caller: Caller) -> list[str]:
    """The labels that tasks carry which `caller` made or is responsible for, and may see, in the order of their texts."""
    carried = select(tasks.c.labels).distinct().where(_visible(caller), is_own(caller), tasks.c.labels != "[]")
    lists = tx.execute(carried, {"user_id": caller.user_id}).scalars()
    return sorted({text for several in lists for text in msgspec.json.decode(several, type=list[str])})


# --- what a caller may see ---------------------------------------------------------------------------------------------

_LET_IN = or_(
    org_members.c.role == "admin",
    space_members.c.role.is_not(None),
    and_(org_members.c.role.is_not(None), spaces.c.privacy == "open"),
)
_SPACES_IN_REACH = SPACES_WITH_ROLES.with_only_columns(spaces.c.space_id, maintain_column_froms=True).where(_LET_IN)
_LIVE = and_(
    tasks.c.deleted_at.is_(None),
    ~exists().where(spaces.c.space_id == tasks.c.space_id, spaces.c.deleted_at.is_not(None)),
    ~exists().where(apps.c.app_id == tasks.c.app_id, apps.c.deleted_at.is_not(None)),
    ~exists().where(tasks.c.ref_type == "item", items.c.item_id == tasks.c.ref_id, items.c.deleted_at.is_not(None)),
    ~exists().where(tasks.c.ref_type == "status", statuses.c.status_id == tasks.c.ref_id, statuses.c.deleted_at.is_not(None)),
)


def _visible(caller: Caller) -> Condition:
    """That `caller` may see a task; the parameter `user_id` is theirs. It must say what `anchors.py` says of one task."""
    if caller.kind == "system":
        return _LIVE
    own = is_own(caller)
    in_reach = tasks.c.app_id == caller.id if caller.kind == "app" else tasks.c.space_id.in_(_SPACES_IN_REACH)
    return and_(_LIVE, or_(and_(tasks.c.ref_type.is_(None), own), and_(in_reach, or_(not_(tasks.c.private), own))))


# --- what is wanted ----------------------------------------------------------------------------------------------------

_C = tasks.c
_TERMS: dict[str, Callable[[Any], Condition]] = {
    "completed": lambda done: _C.status == ("completed" if done else "active"),
    "responsible": _C.responsible_id.in_,
    "created_by": made_by,
    "completed_by": lambda people: made_by(people, _C.completed_by),
    "created_via": lambda client: _C.created_by.endswith(f"@{client}", autoescape=True),
    "external_id": lambda text: _C.external_id == text,
    "orgs": lambda ids: _C.space_id.in_(select(spaces.c.space_id).where(spaces.c.org_id.in_(ids))),
    "spaces": _C.space_id.in_,
    "apps": _C.app_id.in_,
    "references": lambda several: or_(*(and_(_C.ref_type == ref_type, _C.ref_id == ref_id) for ref_type, ref_id in several)),
    "created": lambda span: _within(_C.created_at, span),
    "ended": lambda span: _within(_C.completed_at, span),
    "due": lambda span: _within(_C.due_on, span),
}


def _conditions(caller: Caller, wanted: Wanted) -> list[Condition]:
    said = [(term, getattr(wanted, name)) for name, term in _TERMS.items()]
    conditions = [term(value) for term, value in said if value is not None]
    return conditions if wanted.reassigned is None else [*conditions, _reassigned(caller, wanted.reassigned)]


def _reassigned(caller: Caller, given_away: bool) -> Condition:  # noqa: FBT001 (it is what the caller said)
    by_them = made_by([f"{caller.kind}:{caller.id}"])
    to_another = and_(_C.responsible_id.is_not(None), _C.responsible_id != caller.user_id)
    return and_(by_them, to_another) if given_away else or_(not_(by_them), _C.responsible_id.is_(None), _C.responsible_id == caller.user_id)


def _within(column: ColumnElement[Any], span: Span) -> Condition:
    ends = [] if span.first is None else [column >= span.first]
    return and_(column.is_not(None), *ends, *([] if span.last is None else [column <= span.last]))


_SORTS: dict[Sort, tuple[ColumnElement[Any], ...]] = {
    "rank": (),
    "created_on": (),  # ids are given in the order of creation
    "completed_on": (_C.completed_at,),
    "due_date": (_C.due_on, _C.due_time),
}


def _order(wanted: Wanted) -> list[ColumnElement[Any]]:
    """What says nothing of what is sorted by comes last, either way; a day without a time comes after its times."""
    directed: list[ColumnElement[Any]] = []
    for column in _SORTS[wanted.sort_by]:
        directed += [column.is_(None), column.desc() if wanted.sort_desc else column.asc()]
    return [*directed, _C.task_id.desc() if wanted.sort_desc else _C.task_id.asc()]
