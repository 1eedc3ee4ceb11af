"""The body of a delivery: a form, with the URL's own query parameters moved into it.

The rule (contract section 0, decision 7): first the event's parameters, then `type`, then `hook_id`, then the URL's
query parameters in their order, repeats kept; where a name clashes, the event's value stands and the other is dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import parse_qsl, quote_plus, unquote, urlsplit

CONTENT_TYPE = "application/x-www-form-urlencoded"


def encode(pairs: Iterable[tuple[str, str]]) -> str:
    """`pairs` as a form: UTF-8, percent-encoded, a space written as `+`."""
    # Most names are words and most values numbers, which `quote_plus` takes ten times as long to leave alone.
    return "&".join(
        [
            f"{name if name.isascii() and name.isidentifier() else quote_plus(name)}="
            f"{value if value.isascii() and value.isalnum() else quote_plus(value)}"
            for name, value in pairs
        ]
    )


def decode(body: bytes) -> list[tuple[str, str]]:
    """The pairs of a form, empty values kept, in their order. Raises ValueError when it is not UTF-8 text."""
    pieces = [piece.partition("=") for piece in body.decode("utf-8").split("&") if piece]
    return [(_decode_text(name), _decode_text(value)) for name, _, value in pieces]


def decode_first(body: bytes) -> dict[str, str]:
    """The same by name; of a name that repeats, the first value. Raises ValueError when it is not UTF-8 text."""
    return _decode_plain(body.decode("utf-8")) or dict(reversed(decode(body)))


def _decode_plain(text: str) -> dict[str, str] | None:
    # Nearly every delivery is as plain as this, and most of a receiver's time went into reading what is not.
    if "%" in text or "+" in text:
        return None
    pieces = text.split("&")
    try:
        found = {name: value for piece in pieces for name, value in (piece.split("="),)}
    except ValueError:  # a piece without a value, or with a second `=`
        return None
    return found if len(found) == len(pieces) else None


def _decode_text(text: str) -> str:
    return unquote(text.replace("+", " "), errors="strict") if "%" in text or "+" in text else text


def moved_parameters(url: str, own_names: Collection[str]) -> list[tuple[str, str]]:
    """The query parameters of `url` that go into the form: all but those named in `own_names`."""
    return [(name, value) for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True) if name not in own_names]
