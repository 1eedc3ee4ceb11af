"""The rows that did not go in, in a file beside the input, so that none is lost: mended there, it can be imported itself.

It has the columns of the input with three in front: the line, the columns that are wrong and the reasons. `tidings import`
passes over those three. The file is made with its first row; an earlier one of the same name is replaced then.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from tidings.errors import Unavailable
from tidings.workspace.cells.columns import OURS
from tidings.workspace.cells.judging import Rejected

_HEADINGS = [f"{OURS}line", f"{OURS}column", f"{OURS}reason"]


class Rejects:
    """The file `NAME.rejected.csv`."""

    def __init__(self, table: Path, headings: Sequence[str], *, append: bool) -> None:
        """`append`: what an earlier run over the same table rejected stays. Raises `Unavailable` where nothing can be written."""
        self.path = table.with_name(f"{table.stem}.rejected.csv")
        self.count = 0
        self._headings = headings
        self._append = append
        self._kept = [place for place, heading in enumerate(headings) if not heading.startswith(OURS)]
        self._file: io.TextIOWrapper | None = None
        if not os.access(self.path if self.path.exists() else table.absolute().parent, os.W_OK):
            raise Unavailable(f"{self.path.name} cannot be written beside the table; rejected rows go there")

    def add(self, rejected: Rejected) -> None:
        """Write one more. Raises `Unavailable` when the disk does not take it."""
        columns = "; ".join(complaint.column for complaint in rejected.complaints)
        reasons = "; ".join(complaint.reason for complaint in rejected.complaints)
        try:
            self._write([str(rejected.row.line), columns, reasons, *self._cells(rejected)])
        except OSError as error:
            raise Unavailable(f"{self.path} took no more from line {rejected.row.line} on: {error.strerror or error}") from error
        self.count += 1

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def _cells(self, rejected: Rejected) -> list[str]:
        cells = rejected.row.cells
        if rejected.row.flaw:
            return list(cells)
        inside = [cells[place] if place < len(cells) else "" for place in self._kept]
        return [*inside, *cells[len(self._headings) :]]

    def _write(self, cells: Sequence[str]) -> None:
        if self._file is None:
            more = self._append and self.path.exists()
            self._file = self.path.open("a" if more else "w", encoding="utf-8" if more else "utf-8-sig", newline="")
            if not more:
                self._write([*_HEADINGS, *(self._headings[place] for place in self._kept)])
        csv.writer(self._file).writerow(cells)
