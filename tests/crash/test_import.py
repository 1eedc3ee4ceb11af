"""`kill -9` in the middle of an import: with `--external-id`, the next run leaves no row out and takes none twice."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import psycopg

from tests.support.databases import Place
from tests.support.importing import contents, numbered, start_import, write_table
from tests.support.lending import LENDER
from tests.support.processes import wait_until
from tidings.cli.seed import make_seed
from tidings.settings import Settings

ROWS = 2_500
OTHERS = f"""
    SELECT state, wait_event, query FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
      AND pid <> pg_backend_pid() AND application_name <> '{LENDER}'"""


def test_an_import_that_was_killed_is_taken_up_again(place: Place, tmp_path: Path) -> None:
    app_id = make_seed(Settings(data=place.data, database=place.url)).app_id
    rows = [list(row) for row in numbered(ROWS)]
    rows[100][2] = "many"  # a bad row in what the first run does, and one in what it does not
    rows[-1][2] = "many"
    table = write_table(tmp_path / "t.csv", *rows)
    arguments = ["--app", str(app_id), "--external-id", "Number"]
    for enough in (1, 600):
        child = start_import(place, table, *arguments)
        wait_until(partial(_has, place, app_id, enough), seconds=30, step=0.02)
        child.kill()
        child.wait()
        wait_until_gone(place)
    before = len(contents(place, app_id).titles)

    last = start_import(place, table, *arguments)
    ended = last.wait(60)

    assert before < ROWS
    assert ended == 1
    assert f"{before:,} there already, 2 rejected" in last.output
    held = contents(place, app_id)
    assert held.external_ids == [str(row[0]) for row in rows[1:] if row[2] != "many"]
    assert [type for type, _ in held.events].count("item.create") == ROWS - 2
    rejected = (tmp_path / "t.rejected.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in rejected] == ["tidings:line", "101", str(ROWS + 1)]


def wait_until_gone(place: Place) -> None:
    """Until PostgreSQL has seen that its client is gone: what that was about to commit, it may commit until then."""
    if not place.url:
        return
    with psycopg.connect(place.url, autocommit=True) as connection:  # one, all the time: it takes a while to forget each
        cursor = connection.cursor()
        try:
            wait_until(lambda: cursor.execute(OTHERS).fetchall() == [])
        except AssertionError:
            raise AssertionError(f"still there: {cursor.execute(OTHERS).fetchall()}") from None


def _has(place: Place, app_id: int, count: int) -> bool:
    return len(contents(place, app_id).titles) >= count
