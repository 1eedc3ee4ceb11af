"""The migrations make exactly the tables of `store/schema`, on both engines, however many processes start at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from tests.support.databases import AnyDatabase, Place, open_once
from tests.support.forking import Forked
from tidings.errors import Invalid
from tidings.store import schema
from tidings.store.database import Tx, open_database
from tidings.store.migrate import MIGRATIONS


def say(tx: Tx, statement: str) -> None:
    tx.execute(text(statement))


def table_names(tx: Tx) -> set[str]:
    return set(inspect(tx).get_table_names())


def instances(tx: Tx) -> list[str]:
    return list(tx.scalars(select(schema.server.c.instance)))


def differences(tx: Tx) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(tx, opts={"compare_server_default": True}), schema.metadata))


async def test_an_empty_database_gets_every_table_and_a_name_for_itself(empty_place: Place) -> None:
    database = empty_place.open()
    assert await database.read(table_names) == {*schema.metadata.tables, "alembic_version"}
    assert len(await database.read(instances)) == 1
    await database.close()


async def test_the_migrations_and_the_schema_say_the_same(database: AnyDatabase) -> None:
    assert await database.read(differences) == []


async def test_opening_again_changes_nothing(empty_place: Place) -> None:
    first = empty_place.open()
    instance = await first.read(instances)
    await first.write(say, "INSERT INTO users (username, password_hash, name, created_at) VALUES ('ada', '', '', 0)")
    await first.close()
    second = empty_place.open()
    assert await second.read(instances) == instance
    assert await second.read(lambda tx: tx.scalar(select(schema.users.c.username))) == "ada"
    await second.close()


async def test_two_databases_have_two_names(place: Place, empty_place: Place, tmp_path: Path) -> None:
    one = Place(tmp_path / "one", place.url).open()
    other = Place(tmp_path / "other", empty_place.url).open()
    assert await one.read(instances) != await other.read(instances)
    await one.close()
    await other.close()


async def test_processes_that_start_at_once_all_succeed_and_migrate_once(empty_place: Place, tmp_path: Path) -> None:
    outputs = [tmp_path / f"{number}.log" for number in range(3)]
    starting = [Forked(open_once, empty_place.url, empty_place.data, output=output) for output in outputs]
    assert [(child.wait(30), child.output) for child in starting] == [(0, "")] * 3
    database = empty_place.open()
    assert len(await database.read(instances)) == 1
    assert await database.read(differences) == []
    await database.close()


async def test_a_database_of_a_newer_tidings_is_refused_and_left_alone(place: Place) -> None:
    database = place.open()
    await database.write(say, "UPDATE alembic_version SET version_num = '9999'")
    await database.close()
    with pytest.raises(Invalid, match="newer Tidings"):
        open_database(place.url, place.data)


def test_the_steps_follow_one_another_and_each_says_what_it_is_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    steps = list(ScriptDirectory.from_config(config).walk_revisions())
    assert [step.revision for step in reversed(steps)] == [f"{number:04}" for number in range(1, len(steps) + 1)]
    assert all(step.doc for step in steps)
