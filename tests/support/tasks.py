"""An app to keep items in, with a field of most types: beside the cast of `tests/support/cast.py`, in their closed space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from tests.support.cast import KEYRING, NOW, Cast, gather_cast
from tidings.clock import SECOND
from tidings.store import schema
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.apps import create_app
from tidings.workspace.fields.fields import NewField, load_fields
from tidings.workspace.items.items import NewItem, create_item

LATER = NOW + 60 * SECOND


@dataclass(frozen=True)
class Tasks:
    """The app, and who is around it."""

    cast: Cast
    app_id: int
    fields: dict[str, int]  # by external_id

    @property
    def regular(self) -> Caller:
        """Who may make, change and delete items, and no more."""
        return self.cast.regular

    @property
    def token(self) -> Caller:
        """The app, by its own token."""
        return Caller("app", self.app_id, 7)


FIELDS = (
    NewField("text", {"label": "Title"}),
    NewField("category", {"label": "Status", "settings": {"options": ["Open", "Done"]}}),
    NewField("category", {"label": "Labels", "settings": {"options": ["Red", "Green", "Blue"], "multiple": True}}),
    NewField("number", {"label": "Estimate"}),
    NewField("money", {"label": "Price"}),
    NewField("date", {"label": "Due"}),
    NewField("email", {"label": "Mail"}),
    NewField("contact", {"label": "Owner"}),
    NewField("app", {"label": "Parts"}),
)


def make_tasks(tx: Tx) -> Tasks:
    """Make the cast and the app."""
    cast = gather_cast(tx)
    app_id = create_app(tx, cast.owner, cast.space_id, {"name": "Works", "item_name": "Work"}, FIELDS, keyring=KEYRING, now=NOW).app_id
    return Tasks(cast, app_id, {each.external_id: each.field_id for each in load_fields(tx, app_id)})


def make_item(tx: Tx, tasks: Tasks, fields: dict[str, Any] | None = None, *, external_id: str | None = None, now: int = NOW) -> int:
    """Make an item of the app, and answer its id."""
    return create_item(tx, tasks.regular, tasks.app_id, NewItem(fields or {}, external_id), now=now).item_id


def written(tx: Tx) -> dict[str, int]:
    """How many rows the tables of items and events have: what must not change when nothing was to be written."""
    names = ("items", "item_revisions", "item_values", "events")
    return {name: len(tx.execute(select(getattr(schema, name))).all()) for name in names}
