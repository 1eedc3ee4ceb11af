"""Tables in files: what is read of them, whatever they are written in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tidings.cli.importing.tables import Table, open_table
from tidings.errors import Invalid

TABLE = "Name;Größe\nÅse;1,5\n"


def opened(path: Path, content: bytes | str | None = None, *, encoding: str | None = None, sheet: str | None = None) -> Table:
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_table(path, encoding=encoding, sheet=sheet, decimal_comma=False)


def cells(table: Table) -> list[list[str]]:
    return [list(row.cells) for row in table.rows()]


# --- text ---


@pytest.mark.parametrize(
    ("encoding", "form"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_the_encoding_is_found(tmp_path: Path, encoding: str, form: str) -> None:
    table = opened(tmp_path / "t.csv", TABLE.encode(encoding))

    assert (tuple(table.headings), cells(table)) == (("Name", "Größe"), [["Åse", "1,5"]])
    assert table.form == f"{form} with semicolons between cells"


def test_a_character_cut_in_two_by_a_block_is_read(tmp_path: Path) -> None:
    text = "Name\n" + "x" * ((1 << 20) - 6) + "å\n"
    assert opened(tmp_path / "t.csv", text).form.startswith("UTF-8")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"Name\n\x81\xff\n", "not UTF-8 in line 2; not Windows-1252 in line 2. Save it as UTF-8"),
        (b"Name\nx\0\n", "line 2 has a NUL byte"),
        ("Name\n".encode("utf-32"), "is in UTF-32"),
        (b"\xff\xfeN", "not UTF-16 in line 1"),
        (b"", "has no headings"),
        (b"\n\n", "has no headings"),
        (b'"Na"me,x\n', "the headings of t.csv cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        cells(opened(tmp_path / "t.csv", content))


def test_an_encoding_that_is_said_must_be_right(tmp_path: Path) -> None:
    assert opened(tmp_path / "t.csv", TABLE.encode(), encoding="cp1252").headings == ("Name", "GrÃ¶ÃŸe")
    with pytest.raises(Invalid, match="not UTF-8 in line 1"):
        opened(tmp_path / "t.csv", TABLE.encode("cp1252"), encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "headings"),
    [
        ("a,b\n1,2\n", ("a", "b")),
        ("a;b\n1,5;2\n", ("a", "b")),
        ("a\tb\n1,5\t2;3\n", ("a", "b")),
        ("a\n1\n", ("a",)),
        ('"a,b";c\n1;2\n', ("a,b", "c")),
        ("sep=;\na;b,c\n1;2\n", ("a", "b,c")),
        ("a;b,c;d\n1;2;3\n", ("a", "b,c", "d")),
    ],
)
def test_what_stands_between_cells_is_found(tmp_path: Path, text: str, headings: tuple[str, ...]) -> None:
    assert opened(tmp_path / "t.csv", text).headings == headings


def test_rows_know_the_line_they_begin_in_and_blank_ones_are_left_out(tmp_path: Path) -> None:
    table = opened(tmp_path / "t.csv", '\na,b\r\n1,"two\nlines"\n\n , \n3,4,,\n5\n')
    assert [(row.line, list(row.cells)) for row in table.rows()] == [(3, ["1", "two\nlines"]), (7, ["3", "4"]), (8, ["5"])]


def test_a_line_that_is_not_well_formed_is_kept_whole_and_reading_goes_on(tmp_path: Path) -> None:
    table = opened(tmp_path / "t.csv", 'a,b\n1,"x"y\n2,z\n3,"never closed\n4,w\n')
    first, second, third = table.rows()
    assert (first.line, first.cells, first.flaw) == (2, ('1,"x"y',), "is not well-formed: ',' expected after '\"'")
    assert (second.line, list(second.cells)) == (3, ["2", "z"])
    assert (third.line, third.cells, third.flaw) == (4, ('3,"never closed\n4,w',), "is not well-formed: unexpected end of data")


def test_a_quote_that_is_never_closed_takes_in_no_more_than_one_cell_may_hold(tmp_path: Path) -> None:
    table = opened(tmp_path / "t.csv", "a,b\n" + '1,"open\n' + "2,fine\n" * 30_000)
    flawed, *others = table.rows()
    assert "field larger than field limit" in flawed.flaw
    lost = flawed.cells[0].count("2,fine")
    assert 18_000 < lost < 19_000
    assert len(others) == 30_000 - lost


def test_rows_can_be_read_again(tmp_path: Path) -> None:
    table = opened(tmp_path / "t.csv", "a\n1\n2\n")
    assert cells(table) == cells(table) == [["1"], ["2"]]


# --- Excel ---


def workbook(path: Path, *rows: list[object], title: str = "Sheet one") -> Path:
    from openpyxl import Workbook  # noqa: PLC0415 (a tenth of a second)

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.create_sheet("Sheet two").append(["Other"])
    book.save(path)
    return path


def test_the_cells_of_a_sheet_are_read_as_people_would_write_them(tmp_path: Path) -> None:
    day, moment = dt.datetime(2026, 1, 31), dt.datetime(2026, 1, 31, 14, 30)  # noqa: DTZ001 (Excel knows no zones)
    row: list[object] = [
        "text",
        5,
        5.0,
        0.1,
        1e21,
        True,
        day,
        moment,
        dt.timedelta(hours=26, minutes=1),
        dt.time(9, 5),
        None,
        "x",
    ]
    table = opened(workbook(tmp_path / "t.xlsx", [f"h{number}" for number in range(len(row))], row))

    assert cells(table) == [
        ["text", "5", "5", "0.1", "1000000000000000000000", "TRUE", "2026-01-31", "2026-01-31 14:30:00", "26:01:00", "09:05:00", "", "x"]
    ]
    assert table.form == "the sheet 'Sheet one', the first of 2"


def test_a_number_has_the_decimal_mark_that_the_import_was_told_of(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", ["a"], [1234.5])
    assert cells(open_table(path, encoding=None, sheet=None, decimal_comma=True)) == [["1234,5"]]


def test_rows_of_a_sheet_know_their_line(tmp_path: Path) -> None:
    table = opened(workbook(tmp_path / "t.xlsx", [], ["a", "b"], [], ["1", None], ["2", "3", None, None]))
    assert [(row.line, list(row.cells)) for row in table.rows()] == [(4, ["1"]), (5, ["2", "3"])]


def test_a_sheet_is_found_by_its_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", ["a"])
    assert opened(path, sheet="Sheet two").headings == ("Other",)
    with pytest.raises(Invalid, match="has no sheet Three; it has Sheet one, Sheet two"):
        opened(path, sheet="Three")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.xlsx", b"not a workbook", "t.xlsx cannot be read as an Excel workbook"),
        ("t.xlsx", b"PK\x05\x06" + b"\0" * 18, "t.xlsx cannot be read as an Excel workbook"),
        ("t.xls", b"", "t.xls is an old Excel file: save it as .xlsx or .csv"),
        ("t.ods", b"", "t.ods is an OpenDocument file"),
        ("none.csv", None, "there is no file"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, name: str, content: bytes | None, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        opened(tmp_path / name, content)
