"""A statement of the hot path: the same rows and the same errors as through SQLAlchemy."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from tests.support.databases import AnyDatabase
from tidings.store.database import Tx
from tidings.store.schema import users
from tidings.store.statements import Statement

COLUMNS = ("username", "password_hash", "name", "created_at")
INSERT = Statement(insert(users).values({name: bindparam(name) for name in COLUMNS}).returning(users.c.user_id))
FIND = Statement(select(users.c.user_id, users.c.name).where(users.c.name == bindparam("name")).order_by(users.c.user_id))
ADA = {"username": "ada", "password_hash": "", "name": "Ada", "created_at": 1}


async def test_rows_come_back_whole(database: AnyDatabase) -> None:
    def fill(tx: Tx) -> None:
        for username in ("ada", "countess"):
            INSERT.run(tx, ADA | {"username": username})

    await database.write(fill)
    found = await database.read(FIND.all, {"name": "Ada"})
    assert [tuple(row) for row in found] == [(found[0][0], "Ada"), (found[0][0] + 1, "Ada")]
    assert await database.read(FIND.first, {"name": "Ada"}) == found[0]
    assert await database.read(FIND.first, {"name": "Bob"}) is None


async def test_a_refusal_is_sqlalchemys_error_and_costs_only_its_own_transaction(database: AnyDatabase) -> None:
    await database.write(INSERT.first, ADA)
    with pytest.raises(IntegrityError) as raised:
        await database.write(INSERT.first, ADA)
    assert "Ada" not in str(raised.value.statement)
    await database.write(INSERT.first, ADA | {"username": "countess"})
    assert len(await database.read(FIND.all, {"name": "Ada"})) == 2
