"""`tidings import` on real files: what goes in, what is rejected, and how it is taken up again."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.databases import Place, place_on_sqlite
from tests.support.importing import contents, numbered, ran_import, start_import, write_table
from tests.support.processes import serving, wait_until
from tests.support.receiver import receiving
from tests.support.work import QUICK, Work, arrived, verified_hook
from tidings.cli.importing.asked import Asked, read_pairs
from tidings.cli.importing.command import run_import
from tidings.cli.seed import Seed, make_seed
from tidings.errors import Conflict, Invalid, NotFound, Unavailable
from tidings.settings import Settings

HEADINGS = ("Number", "Title", "Status", "Estimate", "Due", "Owner")
GOOD = (1, "One", "new", "1,234.5", "31.01.2026", "demo@example.org")
BAD = (2, "Two", "Purple", "many", "1/2/2026", "nobody@example.org")

sqlite = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
"""For what does not differ: which file it is read from, what is printed."""


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> tuple[Path, Seed]:
    """A folder with the demo's workspace, to be copied: that takes a fraction of what it takes to make one."""
    place = place_on_sqlite(tmp_path_factory.mktemp("seeded"), sqlite_template)
    return place.data, make_seed(settings(place))


@pytest.fixture
def seed(place: Place, seeded: tuple[Path, Seed]) -> Seed:
    """The demo's app, to import into."""
    if place.engine != "sqlite":
        return make_seed(settings(place))
    folder, made = seeded
    shutil.copytree(folder, place.data, dirs_exist_ok=True)
    return made


def settings(place: Place) -> Settings:
    return Settings(data=place.data, database=place.url)


def importing(place: Place, file: Path, **asked: Any) -> int:
    """Import in this process, and answer the exit code."""
    return run_import(settings(place), Asked(file, **{"mapping": {"Number": ""}, **asked}))


def rejected(table: Path) -> list[list[str]]:
    with table.with_name(f"{table.stem}.rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


# --- into an app ---


def test_a_table_becomes_items_with_one_event_each(place: Place, seed: Seed, tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", *numbered(600))

    assert importing(place, table, app_id=seed.app_id, external_id="number") == 0

    held = contents(place, seed.app_id)
    assert held.external_ids == [str(number) for number in range(1, 601)]
    assert held.titles == [f"Row {number}" for number in range(1, 601)]
    assert held.events[1:] == [("item.create", True)] * 600
    assert not table.with_name("t.rejected.csv").exists()


@sqlite
def test_a_bad_row_is_told_with_every_reason_and_kept_in_a_file_beside(
    place: Place, seed: Seed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_table(tmp_path / "t.csv", HEADINGS, GOOD, BAD, (3, "Three", "", "", "", "", "too much"))

    assert importing(place, table, app_id=seed.app_id) == 1

    printed = capsys.readouterr().out
    for line in (
        "line 3, Status: There is no option 'Purple'; there are 'New', 'In progress', 'Done'",
        "line 3, Estimate: Invalid value 'many' (string): must be a number",
        "line 3, Due: Invalid value '1/2/2026' (string): must be a date that reads in one way",
        "line 3, Owner: Invalid value 'nobody@example.org' (string): must be the mail address of a person",
        "line 4: has 7 cells, where the headings are 6",
        "1 made, 2 rejected",
    ):
        assert line in printed
    headings, two, three = rejected(table)
    assert headings == ["tidings:line", "tidings:column", "tidings:reason", *HEADINGS]
    assert (two[:2], two[3:]) == (["3", "Status; Estimate; Due; Owner"], [str(cell) for cell in BAD])
    assert three[3:] == ["3", "Three", "", "", "", "", "too much"]
    assert contents(place, seed.app_id).titles == ["One"]


@sqlite
def test_what_was_rejected_can_be_mended_and_imported_itself(place: Place, seed: Seed, tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", HEADINGS, GOOD, BAD)
    importing(place, table, app_id=seed.app_id)
    headings, row = rejected(table)
    mended = write_table(tmp_path / "t.rejected.csv", headings, [*row[:5], "Done", "2", "2026-02-01", ""])

    assert importing(place, mended, app_id=seed.app_id) == 0

    assert contents(place, seed.app_id).titles == ["One", "Two"]


@sqlite
def test_a_workbook_becomes_items_too(place: Place, seed: Seed, tmp_path: Path) -> None:
    from openpyxl import Workbook  # noqa: PLC0415 (a tenth of a second)

    book = Workbook()
    assert book.active is not None
    for row in (HEADINGS, (1, "One", "Done", 12.5, None, "demo@example.org"), (2, "Two", "Gone", None, None, None)):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")

    assert importing(place, tmp_path / "t.xlsx", app_id=seed.app_id) == 1

    assert contents(place, seed.app_id).titles == ["One"]
    assert [row[:2] for row in rejected(tmp_path / "t.xlsx")] == [["tidings:line", "tidings:column"], ["3", "Status"]]


@sqlite
def test_a_second_run_passes_over_what_is_there_or_updates_it(
    place: Place, seed: Seed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_table(tmp_path / "t.csv", *numbered(3))
    run = {"app_id": seed.app_id, "external_id": "Number"}
    importing(place, table, **run)
    write_table(table, ("Number", "Title"), (1, "Changed"), (2, "Row 2"), (4, "Row 4"))

    assert importing(place, table, **run) == 0
    assert "1 made, 2 there already" in capsys.readouterr().out
    assert importing(place, table, update=True, **run) == 0
    assert "0 made, 1 updated, 2 unchanged" in capsys.readouterr().out

    assert contents(place, seed.app_id).titles == ["Changed", "Row 2", "Row 3", "Row 4"]


@sqlite
def test_a_dry_run_says_what_would_be_and_writes_nothing(
    place: Place, seed: Seed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_table(tmp_path / "t.csv", HEADINGS, GOOD, BAD)
    before = contents(place, seed.app_id)

    assert importing(place, table, app_id=seed.app_id, dry_run=True) == 1

    assert "Nothing was written. It would come to: 1 made, 1 rejected" in capsys.readouterr().out
    assert contents(place, seed.app_id) == before


@sqlite
@pytest.mark.parametrize(
    ("asked", "error", "sentence"),
    [
        ({}, Invalid, "say where to"),
        ({"app_id": 1, "new_app": "New"}, Invalid, "say where to"),
        ({"app_id": 1, "update": True}, Invalid, "--update needs --external-id"),
        ({"app_id": 1, "space_id": 1}, Invalid, "--space and --type are for --new-app"),
        ({"app_id": 99}, NotFound, "there is no app 99 in this database"),
        ({"app_id": 1, "username": "who"}, NotFound, "nobody here is called who"),
        ({"app_id": 1, "mapping": {}}, Invalid, "no field is called 'Number'.*--map 'COLUMN='"),
        ({"app_id": 1, "external_id": "Key"}, Invalid, "no column is called 'Key'"),
        ({"new_app": "New"}, Invalid, "nobody is there to agree to this: say --yes"),
        ({"new_app": "Tasks", "yes": True}, Conflict, "has an app called 'Tasks' already: import into it by --app 1"),
        ({"new_app": "New", "space_id": 99, "yes": True}, NotFound, "Object not found"),
        ({"new_app": "New", "types": {"Title": "colour"}, "yes": True}, Invalid, "must be one of"),
    ],
)
def test_what_is_asked_wrongly_is_refused_before_anything_is_written(
    place: Place, seed: Seed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody is there
    table = write_table(tmp_path / "t.csv", *numbered(1))
    before = contents(place, seed.app_id)

    with pytest.raises(error, match=sentence):
        importing(place, table, **asked)

    assert contents(place, seed.app_id) == before


def test_a_pair_is_parted_at_its_last_equals_sign() -> None:
    assert read_pairs("--map", ["a=b=title", "c="]) == {"a=b": "title", "c": ""}
    with pytest.raises(Invalid, match=r"--map is written COLUMN=\.\.\., not 'title'"):
        read_pairs("--map", ["title"])


# --- into a new app ---


def test_a_new_app_gets_the_fields_that_were_guessed_and_shown(
    place: Place, seed: Seed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(number, f"Row {number}", ("Open", "Done")[number % 2], f"EUR {number}.50", "2026-01-31") for number in range(1, 21)]
    table = write_table(tmp_path / "t.csv", ("Number", "Title", "State", "Price", "Due"), *rows)
    run = {"new_app": "Things", "external_id": "Number", "mapping": {"Due": "Due date"}}

    assert importing(place, table, dry_run=True, **run) == 0
    assert "It would come to: 20 made" in capsys.readouterr().out
    assert importing(place, table, yes=True, **run) == 0

    printed = capsys.readouterr().out.split("\n")
    shown = [line.split()[:3] for line in printed if line.startswith(("Number", "Title", "State", "Price", "Due"))]
    assert shown == [
        ["Number", "Number", "number"],
        ["Title", "Title", "text"],
        ["State", "State", "category:"],
        ["Price", "Price", "money"],
        ["Due", "Due", "date"],
    ]
    app_id = seed.app_id + 1
    assert f"Made the app {app_id}." in printed
    held = contents(place, app_id)
    assert held.titles == [f"Row {number}" for number in range(1, 21)]
    assert held.events == [("app.create", True)] + [("item.create", True)] * 20


@sqlite
def test_the_type_of_a_new_field_can_be_said(place: Place, seed: Seed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_table(tmp_path / "t.csv", ("Code", "Kind"), ("1", "a"), ("2", "b"))

    assert importing(place, table, new_app="New", mapping={}, types={"code": "text", "KIND": "category"}, yes=True) == 0

    assert contents(place, seed.app_id + 1).titles == ["1", "2"]
    assert "category" in capsys.readouterr().out


# --- beside a running server ---


async def test_a_running_server_delivers_what_was_imported_beside_it(place: Place, seed: Seed, tmp_path: Path) -> None:
    heard = write_table(tmp_path / "heard.csv", *numbered(300))
    unheard = write_table(tmp_path / "unheard.csv", ("Number", "Title"), ("unheard", "Nobody is told"))
    arguments = ["--app", str(seed.app_id), "--external-id", "Number"]

    async with receiving() as receiver:
        with serving(place, environment=QUICK) as server:
            await verified_hook(Work(seed, [server]), receiver)
            assert await asyncio.to_thread(ran_import, place, unheard, *arguments, "--no-hooks") == 0
            assert await asyncio.to_thread(ran_import, place, heard, *arguments) == 0
            await receiver.wait_for_count(300, "item.create")

    assert arrived(receiver) == {str(number) for number in range(1, 301)}
    held = await asyncio.to_thread(contents, place, seed.app_id)
    assert ("item.create", False) in held.events


# --- stopped and taken up again ---


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@sqlite
def test_a_signal_ends_it_between_two_batches_and_it_says_where_to_go_on(
    place: Place, seed: Seed, tmp_path: Path, number: signal.Signals
) -> None:
    table = write_table(tmp_path / "t.csv", *numbered(2_000))
    arguments = ["--app", str(seed.app_id), "--map", "Number="]
    child = start_import(place, table, *arguments)
    wait_until(lambda: contents(place, seed.app_id).titles, seconds=30, step=0.02)
    child.send_signal(number)
    ended = child.wait(30)

    assert ended == 130
    done = len(contents(place, seed.app_id).titles)
    assert done % 250 == 0
    assert f"All rows before line {done + 2} are done with." in child.output
    assert f"--app {seed.app_id} --from-line {done + 2} ..." in child.output

    assert ran_import(place, table, *arguments, "--from-line", str(done + 2)) == 0
    assert contents(place, seed.app_id).titles == [f"Row {row}" for row in range(1, 2_001)]


@sqlite
def test_a_table_beside_which_nothing_can_be_written_is_refused(
    place: Place, seed: Seed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = write_table(tmp_path / "t.csv", *numbered(1))
    monkeypatch.setattr("os.access", lambda *_: False)  # a read-only folder: root may write in those

    with pytest.raises(Unavailable, match=r"t\.rejected\.csv cannot be written beside the table"):
        importing(place, table, app_id=seed.app_id)

    assert contents(place, seed.app_id).titles == []


# --- its size ---

MEASURE = "import pathlib; from tidings.cli import main\ntry: main()\nfinally: print(pathlib.Path('/proc/self/status').read_text())"


@pytest.mark.timeout(180)
@sqlite
def test_ten_thousand_rows_go_in_within_150_megabytes(place: Place, seed: Seed, tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", *numbered(10_000))
    arguments = [*place.arguments, "--app", str(seed.app_id), "--external-id", "Number"]

    ended = subprocess.run([sys.executable, "-c", MEASURE, "import", str(table), *arguments], capture_output=True, text=True, check=True)

    peak = re.search(r"VmHWM:\s*(\d+) kB", ended.stdout)
    assert peak is not None
    assert int(peak[1]) < 150_000
    assert len(contents(place, seed.app_id).titles) == 10_000
