"""What an import says on the terminal: its plan, how far it is, which rows are wrong, and what it came to.

Text out of the file is shown without its control characters: a terminal would obey them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table as Grid
from rich.text import Text

from tidings.workspace.cells.columns import Columns
from tidings.workspace.cells.judging import Rejected
from tidings.workspace.fields.fields import NewField
from tidings.workspace.imports import Imported

LISTED = 50  # rejected rows on the screen; all of them are in the file
OPTIONS_SHOWN = 8


@dataclass
class Tally:
    """How many rows came to what."""

    made: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0

    def add(self, imported: Imported) -> None:
        """Count a batch."""
        self.made += imported.made
        self.updated += imported.updated
        self.unchanged += imported.unchanged
        self.skipped += imported.skipped
        self.rejected += len(imported.rejected)

    def counts(self) -> list[tuple[str, int]]:
        """In words."""
        return [
            ("made", self.made),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("there already", self.skipped),
            ("rejected", self.rejected),
        ]


class Screen:
    """The terminal, or the file that stands for it."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self._listed = 0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}% {task.fields[state]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task("Importing", total=None, state="")

    def say(self, sentence: str, style: str = "") -> None:
        """A line."""
        self.console.print(Text(printable(sentence), style=style), soft_wrap=True)

    def show_columns(self, columns: Columns, passed_over: str) -> None:
        """Which column is which field."""
        grid = _grid("column", "field", "type")
        for column in columns.fields:
            grid.add_row(printable(column.heading), column.field.external_id, column.field.type)
        if columns.external_id is not None:
            grid.add_row(printable(columns.headings[columns.external_id]), "external_id of the item", passed_over)
        for heading in columns.left_out:
            grid.add_row(printable(heading), "left out", "")
        self.console.print(grid)

    def show_guesses(self, fields: Sequence[tuple[str, NewField, int]]) -> None:
        """Which fields a new app would have: from which column, and how many of its cells are not blank."""
        grid = _grid("column", "field", "type", "cells")
        for heading, field, cells in fields:
            grid.add_row(printable(heading), printable(str(field.config["label"])), _type(field), f"{cells:,}")
        self.console.print(grid)

    def bar(self) -> AbstractContextManager[object]:
        """The progress bar, while this is entered."""
        return self._bar

    def advance(self, portion: float | None, tally: Tally) -> None:
        """How far it is."""
        state = ", ".join(f"{count:,} {what}" for what, count in tally.counts() if count)
        self._bar.update(self._task, total=None if portion is None else 1.0, completed=portion or 0.0, state=state)

    def list_rejected(self, rejected: Iterable[Rejected]) -> None:
        """Say which rows are wrong and why: the first of them."""
        for each in rejected:
            self._listed += 1
            if self._listed <= LISTED:
                for complaint in each.complaints:
                    where = f"line {each.row.line}, {complaint.column}" if complaint.column else f"line {each.row.line}"
                    self._bar.console.print(Text(printable(f"{where}: {complaint.reason}"), style="red"), soft_wrap=True)
            elif self._listed == LISTED + 1:
                self._bar.console.print(Text("... more rows are rejected; only the file lists them all", style="red"))

    def sum_up(self, tally: Tally, *, seconds: float, dry_run: bool) -> None:
        """What it came to."""
        counts = ", ".join(f"{count:,} {what}" for what, count in tally.counts() if count or what == "made")
        would = "Nothing was written. It would come to: " if dry_run else ""
        self.say(f"{would}{counts}, in {seconds:.1f} s", "bold")


def _grid(*headings: str) -> Grid:
    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    return grid


def _type(field: NewField) -> str:
    settings = field.config.get("settings", {})
    options = settings.get("options", [])
    several = ", several" if settings.get("multiple") else ""
    more = ", ..." if len(options) > OPTIONS_SHOWN else ""
    return printable(f"{field.type}{several}: {', '.join(options[:OPTIONS_SHOWN])}{more}") if options else field.type


def printable(text: str) -> str:
    """`text` in one line, with a mark for everything that a terminal would not show."""
    return "".join(char if char.isprintable() else " " if char in "\r\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
