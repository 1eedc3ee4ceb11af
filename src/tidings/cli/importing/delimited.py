"""Text with commas, semicolons or tabs between its cells, as RFC 4180 says: CSV.

What stands between cells is found from the first lines. A line that is not well-formed becomes a row with a flaw, with its
very text, and reading goes on behind it; a quote that is never closed takes in at most `csv`'s limit for a cell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from tidings.cli.importing.encodings import NAMES, find_encoding
from tidings.cli.importing.tables import clean_headings, is_blank, without_blank_end
from tidings.errors import Invalid
from tidings.workspace.cells.judging import Row

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
LOOKED_AT = 50  # lines, to find the delimiter
LINE_LIMIT = 16_000_000  # characters of a line


class Delimited:
    """One such file. See `Table`."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        """Raises `Invalid` when it is in none of the encodings, or is empty."""
        self._path = path
        self._encoding = find_encoding(path, encoding)
        self._size = path.stat().st_size
        self._file: BinaryIO | None = None
        beginning = list(islice(self._lines(), LOOKED_AT))
        self._delimiter, self._said_by_excel = _find_delimiter(beginning)
        self.form = f"{NAMES[self._encoding]} with {DELIMITERS[self._delimiter]} between cells"
        first = next(self._all(), Row(1, ()))
        if first.flaw:
            raise Invalid(f"the headings of {path.name} cannot be read: {first.flaw}")
        self.headings = clean_headings(first.cells, path.name)

    def rows(self) -> Iterator[Row]:
        """See `Table.rows`."""
        width = len(self.headings)
        return (Row(row.line, without_blank_end(row.cells, width), row.flaw) for row in islice(self._all(), 1, None))

    def portion(self) -> float | None:
        """See `Table.portion`."""
        return min(1.0, self._file.tell() / self._size) if self._file and not self._file.closed else None

    def _all(self) -> Iterator[Row]:
        """Every row with anything in it, the headings first."""
        taken: list[str] = []
        reader = csv.reader(_noted(self._lines(), taken), delimiter=self._delimiter, strict=True)
        if self._said_by_excel:
            next(reader)
        while True:
            taken.clear()
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, ("".join(taken).rstrip("\r\n"),), f"is not well-formed: {error}")
            else:
                if not is_blank(cells):
                    yield Row(line, cells)

    def _lines(self) -> Iterator[str]:
        with self._path.open("rb") as file, io.TextIOWrapper(file, self._encoding, newline="") as text:
            self._file = file
            while line := text.readline(LINE_LIMIT):
                if len(line) == LINE_LIMIT:
                    raise Invalid(f"{self._path.name} has a line of more than {LINE_LIMIT:,} characters; is it a table?")
                yield line


def _noted(lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    """`lines`, each put into `taken` as it goes by."""
    for line in lines:
        taken.append(line)
        yield line


def _find_delimiter(beginning: Sequence[str]) -> tuple[str, bool]:
    """What stands between cells, and whether the first line says so itself (`sep=;`, which Excel writes and reads)."""
    first = beginning[0].strip("\r\n").lower() if beginning else ""
    if first.startswith("sep=") and first[4:] in DELIMITERS:
        return first[4:], True
    return max(DELIMITERS, key=lambda delimiter: _fit(beginning, delimiter)), False


def _fit(beginning: Sequence[str], delimiter: str) -> tuple[float, int]:
    """How well the first lines are a table with this between cells: how many are as wide as the headings, and how wide."""
    widths: list[int] = []
    try:
        widths.extend(len(cells) for cells in csv.reader(beginning, delimiter=delimiter) if cells)
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] == 1:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]
