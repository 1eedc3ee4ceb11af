"""Which encoding a text file is in: UTF-8, UTF-16 with its mark, or Windows-1252, found by reading all of it once.

Nothing else is tried, and nothing is replaced: a file that is none of the three is refused, with the line where that shows.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from tidings.errors import Invalid

ENCODINGS = ("utf-8", "utf-16", "cp1252")
NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_BLOCK = 1 << 20  # bytes


def find_encoding(path: Path, said: str | None = None) -> str:
    """The encoding of the file, or the one that was `said`, once it has proved right. Raises `Invalid`."""
    with path.open("rb") as file:
        beginning = file.read(4)
    marked = next((encoding for mark, encoding in _MARKS.items() if beginning.startswith(mark)), None)
    if beginning in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        raise Invalid(f"{path.name} is in UTF-32; save it as UTF-8")
    tried = [said] if said and said != "utf-8" else [marked or "utf-8", *([] if marked or said else ["cp1252"])]
    faults = [_fault(path, encoding) for encoding in tried]
    for encoding, fault in zip(tried, faults, strict=True):
        if not fault:
            return encoding
    raise Invalid(f"{path.name} is no text that can be read: {'; '.join(faults)}. Save it as UTF-8")


def _fault(path: Path, encoding: str) -> str:
    """Why the file is not in this encoding; empty when it is."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    for block, last in _blocks(path):
        if b"\0" in block and encoding != "utf-16":
            return f"line {line + block[: block.index(0)].count(10)} has a NUL byte, as UTF-16 without its mark has, or no text at all"
        try:
            decoder.decode(block, final=last)
        except UnicodeError as error:
            at = error.start if isinstance(error, UnicodeDecodeError) else 0
            return f"not {NAMES[encoding]} in line {line + block[:at].count(10)}"
        line += block.count(10)
    return ""


def _blocks(path: Path) -> Iterator[tuple[bytes, bool]]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block, False
    yield b"", True
