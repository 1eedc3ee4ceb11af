"""Rows of a table become items of an app: some hundred rows in one transaction, of which the bad ones stay out and are told.

What is always true: the good rows of a batch and their events, one each, commit together; a row that is rejected has
written nothing. A row that names an item by external_id never makes a second one: it is passed over, or updates the one
that is there, and the app's row is locked meanwhile, so that two imports of one file do not make them twice either.
The caller needs the role `regular`, and `admin` to add options.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import RowMapping, bindparam, func, select

from tidings.errors import Conflict, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import items, org_members, orgs, spaces, users
from tidings.workspace.access import SYSTEM, Caller, reach_app, reach_space
from tidings.workspace.accounts.users import find_user
from tidings.workspace.apps import App, get_app, list_apps
from tidings.workspace.cells.judging import Complaint, Draft, Held, Judged, Order, Rejected, Row, judge, text_in
from tidings.workspace.cells.reading import People, named_people
from tidings.workspace.fields.fields import Field, FieldChange, definition, update_field
from tidings.workspace.fields.fieldsets import Fieldset, fieldset
from tidings.workspace.fields.settings import OPTION_LIMIT
from tidings.workspace.items import rows as item_rows
from tidings.workspace.items.items import ItemChange, NewItem, create_items, update_item
from tidings.workspace.items.references import check_references, look_up
from tidings.workspace.names import NAME_LIMIT

CHUNK = 10_000  # names in one statement; SQLite takes 32,766
SPACES_LISTED = 20


class Imported(Struct, frozen=True):
    """What came of a batch. `named` are the external_ids that later rows may not name again."""

    made: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: tuple[Rejected, ...] = ()
    named: tuple[str, ...] = ()


# --- the batch ---------------------------------------------------------------------------------------------------------


def import_rows(
    tx: Tx, caller: Caller, app_id: int, order: Order, rows: Sequence[Row], *, seen: Container[str] = (), now: int
) -> Imported:  # fmt: skip
    """Let the good ones of `rows` in. `seen` are the external_ids of the batches before.

    Raises `NotFound`, `Forbidden` and `Gone` as `reach_app` does.
    """
    app = reach_app(tx, caller, app_id, "regular", lock=True)
    judged = judge_rows(tx, caller, app, order, rows, seen=seen)
    if order.add_options and judged.options and _add_options(tx, caller, app, judged.options, now=now, heard=order.heard):
        app = reach_app(tx, caller, app_id, "regular", lock=True)
        judged = judge_rows(tx, caller, app, order, rows, seen=seen)
    new = [NewItem(draft.values, draft.external_id) for draft in judged.drafts if draft.held is None]
    create_items(tx, caller, app_id, new, now=now, heard=order.heard)
    updated = sum(_update(tx, caller, draft, order, now=now) for draft in judged.drafts)
    return _counted(judged, len(new), updated)


def try_rows(tx: Tx, caller: Caller, app_id: int, order: Order, rows: Sequence[Row], *, seen: Container[str] = ()) -> Imported:
    """What `import_rows` would come to. Nothing is written. Raises as it does."""
    app = reach_app(tx, caller, app_id, "regular")
    return tried(judge_rows(tx, caller, app, order, rows, seen=seen), order)


def tried(judged: Judged, order: Order) -> Imported:
    """What rows that were judged, and not written, would come to. An update counts as one though it may change nothing."""
    drafts = judged.drafts + ([draft for draft, _ in judged.wanting] if order.add_options else [])
    updates = sum(draft.held is not None for draft in drafts)
    rejected = judged.rejected if order.add_options else _all_rejected(judged)
    return Imported(len(drafts) - updates, updates, skipped=len(judged.skipped), rejected=tuple(rejected), named=_named(drafts, judged))


def _counted(judged: Judged, made: int, updated: int) -> Imported:
    unchanged = len(judged.drafts) - made - updated
    return Imported(made, updated, unchanged, len(judged.skipped), tuple(_all_rejected(judged)), _named(judged.drafts, judged))


def _all_rejected(judged: Judged) -> list[Rejected]:
    return sorted(judged.rejected + [rejected for _, rejected in judged.wanting], key=lambda rejected: rejected.row.line)


def _named(drafts: Sequence[Draft], judged: Judged) -> tuple[str, ...]:
    return (*(draft.external_id for draft in drafts if draft.external_id is not None), *judged.skipped)


def _update(tx: Tx, caller: Caller, draft: Draft, order: Order, *, now: int) -> bool:
    """Change the item that is there, and answer whether that changed anything."""
    if draft.held is None:
        return False
    changed = update_item(tx, caller, draft.held.item_id, ItemChange(draft.values), now=now, heard=order.heard)
    return changed.revision != draft.held.revision


# --- judging, with all that only the database knows --------------------------------------------------------------------

_THERE = (
    select(items.c.external_id, func.max(items.c.item_id))
    .where(items.c.app_id == bindparam("app_id"), items.c.external_id.in_(bindparam("names", expanding=True)), items.c.deleted_at.is_(None))
    .group_by(items.c.external_id)
)
_NAMED = select(users.c.username, users.c.user_id).where(users.c.username.in_(bindparam("names", expanding=True)))


def judge_rows(
    tx: Tx, caller: Caller, app: RowMapping, order: Order, rows: Sequence[Row], *, seen: Container[str]
) -> Judged:  # fmt: skip
    """Judge `rows` for the app whose row this is: see `cells/judging.py`."""
    those = fieldset(tx, app)
    there = _there(tx, app["app_id"], order, rows)
    judged = judge(those, order, rows, there=there, people=_people(tx, order, rows), seen=seen)
    _check_references(tx, caller, app, those, order, judged)
    return judged


def _there(tx: Tx, app_id: int, order: Order, rows: Sequence[Row]) -> dict[str, Held]:
    """The items that `rows` name, by external_id; of several, the newest."""
    place = order.columns.external_id
    names = {text_in(row, place) for row in rows} - {""} if place is not None else set()
    if not names:
        return {}
    ids = {row[0]: row[1] for row in tx.execute(_THERE, {"app_id": app_id, "names": sorted(names)})}
    if not order.update:
        return {name: Held(item_id) for name, item_id in ids.items()}
    found = item_rows.find_items(tx, list(ids.values()))
    return {item.external_id: Held(item.item_id, item.revision, item.values) for item in found if item.external_id is not None}


def _people(tx: Tx, order: Order, rows: Sequence[Row]) -> People:
    """Everybody whom the cells of `rows` name: by username, as it is written or in lower case, or by id."""
    places = [column.place for column in order.columns.fields if column.field.type in ("contact", "member")]
    names = {name for place in places for row in rows for name in named_people(text_in(row, place))}
    by_id = {name: int(name) for name in names if name.isascii() and name.isdigit() and len(name) <= 10}
    asked = sorted({*names, *(name.lower() for name in names)} - by_id.keys())
    known: dict[str, int] = {}
    for start in range(0, len(asked), CHUNK):
        known |= {row.username: row.user_id for row in tx.execute(_NAMED, {"names": asked[start : start + CHUNK]})}
    by_name = {name: known.get(name) or known.get(name.lower()) for name in names}
    return by_id | {name: user_id for name, user_id in by_name.items() if user_id is not None}


def _check_references(
    tx: Tx, caller: Caller, app: RowMapping, those: Fieldset, order: Order, judged: Judged
) -> None:  # fmt: skip
    """Reject the drafts that name an item or a person out of reach."""
    if not those.refers:
        return
    known = look_up(tx, caller, app, those, (draft.values for draft in judged.drafts))
    for draft in tuple(judged.drafts):
        try:
            check_references(those, draft.values, draft.held.values if draft.held else {}, known)
        except Invalid as error:
            judged.drafts.remove(draft)
            name = error.parameters.get("field")
            reason = error.description.removesuffix(f" (field '{name}')")
            judged.rejected.append(Rejected(draft.row, (Complaint(order.columns.heading_of(name), reason),)))


# --- options -----------------------------------------------------------------------------------------------------------


def _add_options(tx: Tx, caller: Caller, app: RowMapping, lacking: Mapping[int, Sequence[str]], *, now: int, heard: bool) -> bool:
    """Give categories what they lack, as far as there is room for it; answers whether anything was added."""
    added = False
    for field in definition(tx, app):
        options = _with_options(field, lacking.get(field.field_id, ()))
        if options:
            change = FieldChange(config={"settings": {"options": options}})
            update_field(tx, caller, app["app_id"], str(field.field_id), change, now=now, heard=heard)
            added = True
    return added


def _with_options(field: Field, texts: Sequence[str]) -> list[object]:
    """All options of a field then; none where none is to be added."""
    active = [option for option in field.config.settings.get("options", ()) if option["status"] == "active"]
    taken = {option["text"].casefold() for option in active}
    fitting = {text.casefold(): text for text in reversed(texts) if len(text) <= NAME_LIMIT and "\0" not in text}
    new = [text for folded, text in reversed(fitting.items()) if folded not in taken][: OPTION_LIMIT - len(active)]
    return [*active, *new] if new else []


# --- who imports where -------------------------------------------------------------------------------------------------

_ADMIN = select(func.min(org_members.c.user_id)).where(org_members.c.org_id == bindparam("org_id"), org_members.c.role == "admin")
_SPACES = (
    select(spaces.c.space_id, spaces.c.name, orgs.c.name.label("org_name"))
    .join(orgs, orgs.c.org_id == spaces.c.org_id)
    .where(spaces.c.deleted_at.is_(None))
    .order_by(spaces.c.space_id)
    .limit(SPACES_LISTED)
)


def open_app(tx: Tx, app_id: int, username: str | None) -> tuple[Caller, App]:
    """The app to import into, and as whom: the one who is named, or the first admin of the app's organization.

    Raises `NotFound` and `Gone`, and `Forbidden` for one who may not make items in it.
    """
    caller = _acting(tx, reach_app(tx, SYSTEM, app_id)["org_id"], username)
    reach_app(tx, caller, app_id, "regular")
    return caller, get_app(tx, caller, app_id)


def choose_space(tx: Tx, space_id: int | None, username: str | None, app_name: str) -> tuple[Caller, int]:
    """The space to make an app in, and as whom: the only one that there is, unless one is named.

    Raises `Invalid` when one has to be named, `Conflict` when it has an app of this name already, `NotFound`, `Gone`,
    and `Forbidden` for one who is not its admin.
    """
    space_id = space_id or _only_space(tx)
    caller = _acting(tx, reach_space(tx, SYSTEM, space_id)["org_id"], username)
    reach_space(tx, caller, space_id, "admin")
    same = [app for app in list_apps(tx, caller, space_id) if app.config.name.casefold() == app_name.strip().casefold()]
    if same:
        sentence = f"the space {space_id} has an app called '{same[0].config.name}' already: import into it by --app {same[0].app_id}"
        raise Conflict(sentence, parameters={"app_id": same[0].app_id})
    return caller, space_id


def _only_space(tx: Tx) -> int:
    found = tx.execute(_SPACES).all()
    if len(found) == 1:
        return int(found[0].space_id)
    listed = ", ".join(f"{row.space_id} ('{row.name}' of '{row.org_name}')" for row in found)
    raise Invalid(f"name a space by --space: {listed}" if found else "there is no space yet", parameters={"space_id": None})


def _acting(tx: Tx, org_id: int, username: str | None) -> Caller:
    if username is not None:
        user = find_user(tx, username)
        if user is None:
            raise NotFound(f"nobody here is called {username[:NAME_LIMIT]}")
        return Caller("user", user.user_id)
    admin = tx.execute(_ADMIN, {"org_id": org_id}).scalar()
    if admin is None:
        raise Invalid("the organization has no admin: say by --as who imports")
    return Caller("user", admin)
