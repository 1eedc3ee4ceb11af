"""Copies of a PostgreSQL database that are lent to one test after the other, and put back in between to what they were.

To make a copy and to drop it costs the server more than most tests cost in all: it is 300 files. To take out of a copy what a
test wrote costs a tenth of that.

What is always true: a copy that is lent holds the rows of its template, its sequences stand where the template's do, and nobody
but the lender is connected to it. A copy whose tables were altered is not lent again, nor one that cannot be put back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from tests.support.postgres import Postgres

LENDER = "lender"  # how its connections call themselves, for tests that look who is there

# Triggers are off while rows are put back, so that the order of the tables does not matter. What a test left connected is ended
# first. `altered` is written by whatever alters a table, in the same transaction.
_WAY_BACK = """
CREATE FUNCTION kept.put_back() RETURNS boolean LANGUAGE plpgsql SET session_replication_role = replica AS $put_back$ BEGIN
    PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
    {statements}
    RETURN NOT EXISTS (SELECT FROM kept.altered);
END $put_back$;
CREATE TABLE kept.altered (command text);
CREATE FUNCTION kept.note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO kept.altered VALUES (tg_tag); END $$;
CREATE EVENT TRIGGER altered ON ddl_command_end EXECUTE FUNCTION kept.note();
"""
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
_SEQUENCES = "SELECT sequencename, coalesce(last_value, start_value), last_value IS NOT NULL FROM pg_sequences WHERE schemaname = 'public'"


def keep(url: str) -> None:
    """Make a template of the database at `url`, as it is now: write into it how its copies are put back."""
    with psycopg.connect(url) as connection:
        tables = [name for (name,) in connection.execute(_TABLES)]
        filled = [name for name in tables if connection.execute(_naming("SELECT FROM {} LIMIT 1", name)).rowcount]
        connection.execute("DROP SCHEMA IF EXISTS kept CASCADE")  # of the template that this one was made from
        connection.execute("CREATE SCHEMA kept")
        for name in filled:
            connection.execute(_naming("CREATE TABLE kept.{0} AS TABLE public.{0}", name))
        statements = sql.SQL("\n    ").join(_statements(connection.execute(_SEQUENCES), tables, filled))
        connection.execute(sql.SQL(_WAY_BACK).format(statements=statements))


def _statements(sequences: Iterable[tuple[str, int, bool]], tables: list[str], filled: list[str]) -> Iterable[sql.Composed]:
    yield from (_naming("DELETE FROM public.{};", name) for name in tables)
    yield from (_naming("INSERT INTO public.{0} SELECT * FROM kept.{0};", name) for name in filled)
    yield from (sql.SQL("PERFORM setval({}, {}, {});").format(f"public.{name}", value, used) for name, value, used in sequences)


def _naming(statement: LiteralString, table: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(table))


class Lender:
    """The copies on one server, by the template that they were made from."""

    def __init__(self, postgres: Postgres) -> None:
        """None at first."""
        self._postgres = postgres
        self._made = 0
        self._spare: dict[str, list[str]] = {}
        self._connections: dict[str, psycopg.Connection] = {}

    def lend(self, template: str) -> str:
        """The name of a copy of `template` that nobody else has."""
        spare = self._spare.setdefault(template, [])
        if spare:
            return spare.pop()
        self._made += 1
        name = f"{template}_copy_{self._made}"
        self._postgres.create(name, template=template)
        return name

    def take_back(self, name: str, template: str) -> None:
        """Put it back for the next test, whoever is connected to it; drop it where that cannot be done."""
        if self._put_back(name):
            self._spare[template].append(name)
        else:
            self._connections.pop(name).close()
            self._postgres.drop(name)

    def hang_up(self) -> None:
        """Let go of every connection: the server is about to stop."""
        while self._connections:
            self._connections.popitem()[1].close()

    def _put_back(self, name: str) -> bool:
        # The connection is kept: a new one would have to plan those hundred statements again.
        if name not in self._connections:
            self._connections[name] = psycopg.connect(self._postgres.url(name), autocommit=True, application_name=LENDER)
        try:
            return self._connections[name].execute("SELECT kept.put_back()").fetchone() == (True,)
        except psycopg.Error:
            return False
