"""Finding the row for a path: a tree of path parts, walked once a request. Pure.

A literal part wins over digits, digits win over text, and where that way leads nowhere the next is tried. The parts are
decoded one by one, after the split, so that a `%2F` in an external id stays inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import unquote_to_bytes

from tidings.api.routes import Row
from tidings.errors import Invalid

Found = tuple[Row, dict[str, str]]


class _Node:
    __slots__ = ("digits", "literals", "rows", "text")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.digits: _Node | None = None
        self.text: _Node | None = None
        self.rows: dict[str, tuple[Row, tuple[str, ...]]] = {}  # by method: the row, and the names of its variable parts


class Paths:
    """The rows of a table, to be found by path."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Raises ValueError when two rows are the same operation."""
        self._root = _Node()
        for row in rows:
            self._add(row)

    def find(self, method: str, parts: Sequence[str]) -> Found | None:
        """The row that `method` on the path of these parts means, and its variable parts by name."""
        values: list[str] = []
        found = _find(self._root, method, parts, 0, values)
        return (found[0], dict(zip(found[1], values, strict=True))) if found else None

    def _add(self, row: Row) -> None:
        node, names = self._root, []
        for part in row.path.removeprefix("/").split("/"):
            if not part.startswith("{"):
                node = node.literals.setdefault(part, _Node())
                continue
            name, _, kind = part[1:-1].partition(":")
            names.append(name)
            if kind == "int":
                node.digits = node = node.digits or _Node()
            else:
                node.text = node = node.text or _Node()
        if row.method in node.rows:
            raise ValueError(f"two rows for {row.method} {row.path}")
        node.rows[row.method] = (row, tuple(names))


def _find(node: _Node, method: str, parts: Sequence[str], depth: int, values: list[str]) -> tuple[Row, tuple[str, ...]] | None:
    if depth == len(parts):
        return node.rows.get(method)
    part = parts[depth]
    literal = node.literals.get(part)
    if literal is not None and (found := _find(literal, method, parts, depth + 1, values)):
        return found
    for branch in (node.digits if part.isascii() and part.isdigit() else None, node.text):
        if branch is None or not part:
            continue
        values.append(part)
        if found := _find(branch, method, parts, depth + 1, values):
            return found
        values.pop()
    return None


def split_path(raw_path: bytes) -> list[str]:
    """The parts of a path as it stood on the request line, decoded; one final slash is dropped.

    Raises `Invalid` when they are not UTF-8 text, or hold a NUL character.
    """
    if b"\0" in raw_path or b"%00" in raw_path:
        raise Invalid("The path must not contain a NUL character")
    parts = raw_path.removeprefix(b"/").removesuffix(b"/").split(b"/")
    try:
        return [(unquote_to_bytes(part) if b"%" in part else part).decode("utf-8") for part in parts]
    except UnicodeDecodeError:
        raise Invalid("The path is not valid UTF-8 text") from None
