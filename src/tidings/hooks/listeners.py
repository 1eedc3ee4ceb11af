"""The hooks around an event, deleted ones too, as `misses.py` asks for them."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, or_, select

from tidings.hooks.misses import Listener
from tidings.store.database import Tx
from tidings.store.schema import fields, hooks

_ON_APP = and_(hooks.c.ref_type == "app", hooks.c.ref_id == bindparam("app_id"))
_FIELDS = select(fields.c.field_id).where(fields.c.app_id == bindparam("app_id"))
_ON_FIELDS = and_(hooks.c.ref_type == "app_field", hooks.c.ref_id.in_(_FIELDS))
_ON_SPACE = and_(hooks.c.ref_type == "space", hooks.c.ref_id == bindparam("space_id"))
# Each of the three by `ix_hooks_ref_type_ref_id`.
_AROUND = select(*(hooks.c[name] for name in Listener.__struct_fields__)).where(or_(_ON_APP, _ON_FIELDS, _ON_SPACE))


def listeners_around(tx: Tx, app_id: int | None, space_id: int | None) -> list[Listener]:
    """The hooks on an app, on its fields, and on a space; None stands for none of them. Asks for no right."""
    return [Listener(*row) for row in tx.execute(_AROUND, {"app_id": app_id or 0, "space_id": space_id or 0})]
