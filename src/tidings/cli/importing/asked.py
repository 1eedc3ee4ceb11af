"""What the command line asks of an import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tidings.errors import Invalid
from tidings.workspace.cells.habits import PLAIN, Habits


@dataclass(frozen=True)
class Asked:
    """The options of `tidings import`, read. `from_line` is the first line that counts."""

    file: Path
    app_id: int | None = None
    new_app: str | None = None
    space_id: int | None = None
    username: str | None = None
    external_id: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)  # from a column to a field, or to nothing
    types: Mapping[str, str] = field(default_factory=dict)  # from a column to the type of a new field
    update: bool = False
    add_options: bool = False
    hooks: bool = True
    habits: Habits = PLAIN
    encoding: str | None = None
    sheet: str | None = None
    from_line: int = 0
    dry_run: bool = False
    yes: bool = False

    def check(self) -> None:
        """Raise `Invalid` for what does not go together."""
        if (self.app_id is None) == (self.new_app is None):
            raise Invalid("say where to: either --app ID, or --new-app NAME")
        if self.update and self.external_id is None:
            raise Invalid("--update needs --external-id, to know which item a row means")
        if self.new_app is None and (self.space_id is not None or self.types):
            raise Invalid("--space and --type are for --new-app")


def read_pairs(option: str, pairs: list[str] | None) -> dict[str, str]:
    """`["COLUMN=FIELD", ...]` as a map. The last `=` parts them. Raises `Invalid`, naming the option."""
    read: dict[str, str] = {}
    for pair in pairs or ():
        column, equals, name = pair.rpartition("=")
        if not equals or not column.strip():
            raise Invalid(f"{option} is written COLUMN=..., not '{pair[:100]}'")
        read[column.strip()] = name.strip()
    return read
