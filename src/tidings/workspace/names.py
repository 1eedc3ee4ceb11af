"""Names that people give, and the labels made from them: what stands in a URL, or names a field in a program.

A name is kept as it was written, without the blanks around it. A label has lower-case letters and digits of any script,
joined by `-`. A label that something had once is never given again beside it, even after that was deleted, so that an
old link says `Gone` and never leads elsewhere; the next one is numbered (`title-2`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from itertools import chain, count

from tidings.errors import Invalid

NAME_LIMIT = 255  # characters
TEXT_LIMIT = 20_000  # characters of a description
LABEL_LIMIT = 100  # characters, before a number is added


def checked_name(name: str, what: str) -> str:
    """`name` without the blanks around it. Raises `Invalid`, naming `what`, when nothing is left or it is too long."""
    name = name.strip()
    if not name:
        raise Invalid(f"{what}: must not be blank", parameters={"field": what})
    return within(name, what, NAME_LIMIT)


def within(text: str, what: str, limit: int) -> str:
    """`text`, which has at most `limit` characters. Raises `Invalid`, naming `what`, otherwise."""
    if len(text) > limit:
        raise Invalid(f"{what}: must have at most {limit} characters, not {len(text)}", parameters={"field": what, "limit": limit})
    return text


def label_from(name: str, otherwise: str) -> str:
    """The label that `name` makes, or `otherwise` where it has no letter and no digit."""
    text = unicodedata.normalize("NFKC", name).lower()
    joined = re.sub("-+", "-", "".join(char if _stays(char) else "-" for char in text))
    return joined[:LABEL_LIMIT].strip("-") or otherwise


def is_label(text: str) -> bool:
    """Whether `text` is a label as somebody may have chosen it: with `_` too."""
    return bool(text) and text == text.lower() and all(_stays(char) or char in "-_" for char in text)


def _stays(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")  # marks belong to the letter before them


def free_label(label: str, taken: Collection[str]) -> str:
    """The first of `label`, `label-2`, `label-3` ... that is not `taken`."""
    numbered = (f"{label}-{number}" for number in count(2))
    return next(each for each in chain([label], numbered) if each not in taken)


def not_one_of(value: str, allowed: Sequence[str], name: str) -> Invalid:
    """The error for a word that is not in a closed list, in Podio's sentence (contract section 5.2)."""
    names = ",".join(f"'{each}'" for each in allowed)
    return Invalid(f"Invalid value '{value[:100]}' (string): must be one of {{{names}}}", parameters={name: list(allowed)})
