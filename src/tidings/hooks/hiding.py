"""Keeps a hook's verification code out of what people are shown of its deliveries. Pure.

The code is for the hook's URL alone: whoever reads it elsewhere could prove a URL that is not theirs. So it is hidden in
what was sent, and in what came back, since many a server repeats what it was sent. A piece of it that is long enough to
spoil the rest is hidden as well, as where an answer was cut off in the middle of it.
"""

from __future__ import annotations

import re
from functools import lru_cache

HIDDEN = "(hidden)"
PIECE = 8  # hex digits of a code that may not be shown in a row; what is left to guess is then 100 bits


def hide_code(text: str, code: str | None) -> str:
    """`text` without `code` or a piece of it, in whatever case."""
    if not code or not text:
        return text
    shown: list[str] = []
    at = 0
    for start, end in _found(text, code):
        shown += [text[at:start], HIDDEN]
        at = end
    return "".join([*shown, text[at:]])


def hide_code_in_bytes(raw: bytes, code: str | None) -> bytes:
    """The same for bytes, whatever they are."""
    return hide_code(raw.decode("latin-1"), code).encode("latin-1") if code else raw


def _found(text: str, code: str) -> list[tuple[int, int]]:
    """Where pieces begin and end; those that touch or overlap are one."""
    spans: list[tuple[int, int]] = []
    for match in _pieces(code).finditer(text):
        start, end = match.start(), match.start() + len(match[1])
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


@lru_cache(256)
def _pieces(code: str) -> re.Pattern[str]:
    length = min(PIECE, len(code))
    pieces = sorted({code[start : start + length] for start in range(len(code) - length + 1)})
    return re.compile(f"(?=({'|'.join(map(re.escape, pieces))}))", re.IGNORECASE)  # looked ahead for: they overlap
