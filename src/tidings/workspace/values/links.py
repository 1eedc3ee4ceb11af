"""Links: the type `embed`. Kept as `{"url": "..."}`; answered as Podio's embed, of which nothing is looked up.

Podio names an embed by an id that another operation gave. Here the id is made from the address, so that a client that
writes back the ids of what it read (podio-php does) keeps its links; an id that the field does not hold is refused. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from tidings.workspace.values.given import clean_text, sub_value, wrong
from tidings.workspace.values.rule import Key, Known, Rule, Value, text_key

URL_LIMIT = 2_000  # characters
_EXPECTED = "a link that begins with http:// or https://"
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Link(Rule):
    """The type `embed`."""

    many: bool = True

    def read(self, given: object, held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        if isinstance(given, dict) and given.get("file") is not None:
            raise wrong(given["file"], "left out: files are not offered yet")
        named = sub_value(given, "embed", "url", "value")
        named = sub_value(named, "url", "original_url", "resolved_url", "embed_id")
        if isinstance(named, int):
            return _held_by_id(named, held)
        return {"url": _checked(clean_text(named, limit=URL_LIMIT, expected=_EXPECTED))}

    def show(self, value: Value, _known: Known, /) -> Value:
        """See `Rule.show`."""
        url = str(value["url"])
        addresses = dict.fromkeys(("url", "original_url", "resolved_url"), url)
        return {"embed": {"embed_id": _embed_id(url), "type": "link", **addresses, "title": None, "description": None}, "file": None}

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return text_key(str(value["url"]))

    def words(self, value: Value) -> str:
        """See `Rule.words`."""
        return str(value["url"])


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        raise wrong(url, _EXPECTED) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_good or _BLANK_OR_CONTROL.search(url):
        raise wrong(url, _EXPECTED)
    return url


def _held_by_id(embed_id: int, held: Sequence[Value]) -> Value:
    for value in held:
        if _embed_id(str(value["url"])) == embed_id:
            return value
    raise wrong(embed_id, f"{_EXPECTED}; embeds are not made beforehand here")


def _embed_id(url: str) -> int:
    return int.from_bytes(sha256(url.encode()).digest()[:4]) >> 1 or 1
