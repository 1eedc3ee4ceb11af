"""The databases that tests are lent on PostgreSQL: whatever one test did to its copy, the next one finds it as the template is."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.databases import TABLES
from tests.support.postgres import Postgres

pytestmark = pytest.mark.postgresql

ADD_USER = "INSERT INTO users (username, password_hash, name, created_at) VALUES ('ada', '', '', 0) RETURNING user_id"


def test_a_copy_comes_back_with_the_templates_rows_and_numbers_and_nobody_in_it(postgres: Postgres) -> None:
    name = postgres.copies.lend(TABLES)
    with psycopg.connect(postgres.url(name)) as left_behind, psycopg.connect(postgres.url(name), autocommit=True) as connection:
        connection.execute(ADD_USER)
        connection.execute("UPDATE server SET hooks_version = 7")
        left_behind.execute("LOCK TABLE users IN ACCESS SHARE MODE")
        postgres.copies.take_back(name, TABLES)
        assert postgres.copies.lend(TABLES) == name
        for each in (left_behind, connection):
            with pytest.raises(psycopg.OperationalError):
                each.execute("SELECT")
    with psycopg.connect(postgres.url(name)) as connection:
        assert connection.execute("SELECT hooks_version FROM server").fetchall() == [(1,)]
        assert connection.execute(ADD_USER).fetchall() == [(1,)]
    postgres.copies.take_back(name, TABLES)


@pytest.mark.parametrize("change", ["ALTER TABLE users ADD more text", "CREATE TABLE more (more text)", "DROP TABLE attempts"])
def test_a_copy_whose_tables_were_altered_is_not_lent_again(postgres: Postgres, change: str) -> None:
    name = postgres.copies.lend(TABLES)
    with psycopg.connect(postgres.url(name)) as connection:
        connection.execute(change.encode())
    postgres.copies.take_back(name, TABLES)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(postgres.url(name))
