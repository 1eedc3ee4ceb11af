"""A table in a file: its headings, and its rows one after the other, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tidings.errors import Invalid
from tidings.workspace.cells.judging import Row

_OTHERS = {".xls": "an old Excel file", ".ods": "an OpenDocument file", ".numbers": "a Numbers file"}


class Table(Protocol):
    """What every kind of file looks like. Rows without anything in them are left out."""

    @property
    def headings(self) -> Sequence[str]:
        """The headings; empty for a column that has none."""

    @property
    def form(self) -> str:
        """How it was read, in words."""

    def rows(self) -> Iterator[Row]:
        """The rows below the headings, from the first one; each with the line it begins in, from 1."""

    def portion(self) -> float | None:
        """How much of the file has been read, 0 to 1, if that can be said."""


def open_table(path: Path, *, encoding: str | None, sheet: str | None, decimal_comma: bool) -> Table:
    """The table in a file. Raises `Invalid` for one that cannot be read, saying why."""
    if not path.is_file():
        raise Invalid(f"there is no file {path}")
    kind = path.suffix.lower()
    if kind in _OTHERS:
        raise Invalid(f"{path.name} is {_OTHERS[kind]}: save it as .xlsx or .csv")
    try:
        if kind in (".xlsx", ".xlsm"):
            from tidings.cli.importing.sheets import Sheet  # noqa: PLC0415 (slow to import)

            return Sheet(path, sheet, decimal_comma=decimal_comma)
        from tidings.cli.importing.delimited import Delimited  # noqa: PLC0415 (one of the two)

        return Delimited(path, encoding)
    except OSError as error:
        raise Invalid(f"{path.name} cannot be read: {error.strerror or error}") from None


def clean_headings(cells: Sequence[str], where: str) -> tuple[str, ...]:
    """The headings, without the blanks around them and the empty ones behind them. Raises `Invalid` when there is none."""
    headings = without_blank_end([" ".join(cell.split()) for cell in cells], 0)
    if not headings:
        raise Invalid(f"{where} has no headings: its first line names the columns")
    return tuple(headings)


def without_blank_end(cells: Sequence[str], width: int) -> Sequence[str]:
    """`cells` without the blank ones behind the first `width`."""
    end = len(cells)
    while end > width and (not cells[end - 1] or cells[end - 1].isspace()):
        end -= 1
    return cells[:end]


def is_blank(cells: Sequence[str]) -> bool:
    """Whether nothing stands in any of them."""
    return all(not cell or cell.isspace() for cell in cells)
