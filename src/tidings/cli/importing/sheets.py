"""A sheet of an Excel workbook (.xlsx), read row by row by openpyxl. Formulas count as what they last came to.

Cells become text as people would write it in a CSV file: days and moments in ISO form, numbers with the decimal mark that
the import was told of.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from tidings.cli.importing.tables import clean_headings, is_blank, without_blank_end
from tidings.errors import Invalid
from tidings.workspace.cells.judging import Row

_UNREADABLE = (BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError, EOFError)


class Sheet:
    """One sheet: the one that is named, or the first. See `Table`."""

    def __init__(self, path: Path, name: str | None, *, decimal_comma: bool) -> None:
        """Raises `Invalid` when the file is no workbook, or has no such sheet."""
        self._mark = "," if decimal_comma else "."
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of parts that are no cells: styles, validation
                workbook = load_workbook(path, read_only=True, data_only=True, keep_links=False)
        except _UNREADABLE as error:
            raise Invalid(f"{path.name} cannot be read as an Excel workbook: {error}") from None
        weakref.finalize(self, workbook.close)  # it holds the file open
        names = [sheet.title for sheet in workbook.worksheets]
        if not names or (name is not None and name not in names):
            raise Invalid(f"{path.name} has no sheet {name or ''}; it has {', '.join(names) or 'none'}")
        self._path = path
        self._sheet = workbook[name or names[0]]
        self._last = self._sheet.max_row or 0
        self._sheet.reset_dimensions()  # what a file says of its own size is often wrong
        self._line = 0
        self.form = f"the sheet '{self._sheet.title}'" + (f", the first of {len(names)}" if len(names) > 1 and name is None else "")
        self.headings = clean_headings(next(self._all(), Row(1, ())).cells, path.name)

    def rows(self) -> Iterator[Row]:
        """See `Table.rows`."""
        rows = self._all()
        next(rows)
        return (Row(row.line, without_blank_end(row.cells, len(self.headings))) for row in rows)

    def portion(self) -> float | None:
        """See `Table.portion`."""
        return min(1.0, self._line / self._last) if self._last > 1 else None

    def _all(self) -> Iterator[Row]:
        try:
            for line, cells in enumerate(self._sheet.iter_rows(values_only=True), 1):
                self._line = line
                texts = self._texts(cells)
                if not is_blank(texts):
                    yield Row(line, texts)
        except _UNREADABLE as error:
            raise Invalid(f"{self._path.name} cannot be read behind line {self._line}: {error}") from None

    def _texts(self, cells: Sequence[object]) -> list[str]:
        return [cell if type(cell) is str else as_text(cell, self._mark) for cell in cells]


def as_text(cell: object, mark: str) -> str:  # noqa: PLR0911 (a table: one return a type)
    """What a cell holds, as text; `mark` is the decimal mark."""
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float():
            text = f"{Decimal(repr(cell)):f}"
            return (text.rstrip("0").removesuffix(".") if "." in text else text).replace(".", mark)
        case datetime():
            return _moment(cell)
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return _duration(cell)
        case _:
            return str(cell)


def _moment(moment: datetime) -> str:
    """To the nearest second: Excel counts in fractions of a day."""
    rounded = (moment + timedelta(milliseconds=500)).replace(microsecond=0, tzinfo=None)
    return rounded.date().isoformat() if rounded.time() == time() else rounded.isoformat(" ")


def _duration(duration: timedelta) -> str:
    seconds = round(duration.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
