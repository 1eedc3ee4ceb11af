"""What callers write as a value, before any type has looked at it, and the one sentence that refuses it.

Podio's clients write the same value in four ways: `[{sub_id: v}]`, `[v]`, `{sub_id: v}` and `v`; an empty list, null and
empty text are no value (contract section 6.2). So is an object that says null for every sub_id, as podio-php does.
Text that a database cannot keep (a NUL, half of a surrogate pair) is no text. Pure.
"""

from __future__ import annotations

import re
from decimal import Decimal

from tidings.errors import Invalid

QUOTED = 60  # characters of a wrong value that its error repeats


def single_values(given: object) -> list[object]:
    """The values in what was written, each of them still in its own form."""
    if isinstance(given, list):
        return [member for member in given if not _is_nothing(member)]
    return [] if _is_nothing(given) else [given]


def _is_nothing(given: object) -> bool:
    if isinstance(given, dict):
        return bool(given) and all(part is None or part == "" for part in given.values())
    return given is None or given == ""


def sub_value(given: object, *names: str) -> object:
    """The first of the sub_ids `names` that `given` says something for, or `given` itself when it is no object."""
    if isinstance(given, dict):
        for name in names:
            if given.get(name) is not None:
                return given[name]
    return given


def wrong(given: object, expected: str, **parameters: object) -> Invalid:
    """The error for a value that is not what it must be, in Podio's sentence (contract section 5.2)."""
    return Invalid(f"Invalid value {_quoted(given)} ({_type_name(given)}): must be {expected}", parameters=parameters)


def clean_text(given: object, *, limit: int, expected: str = "text") -> str:
    """`given` as text of at most `limit` characters that any database can keep. Raises `Invalid`."""
    if not isinstance(given, str):
        raise wrong(given, expected)
    if len(given) > limit:
        raise wrong(given, f"{expected} of at most {limit} characters")
    if "\0" in given or not _is_encodable(given):
        raise wrong(given, f"{expected} without NUL characters and lone surrogates")
    return given


def _is_encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_DIGITS = re.compile(r"-?[0-9]{1,18}")


def whole_number(given: object, *, least: int, most: int, expected: str) -> int:
    """`given`, a whole number or one written as text. Raises `Invalid` unless it lies within `least` and `most`."""
    match given:
        case bool():
            number = None
        case int():
            number = given
        case float() if given.is_integer():
            number = int(given)
        case str() if _DIGITS.fullmatch(given):
            number = int(given)
        case _:
            number = None
    if number is None or not least <= number <= most:
        raise wrong(given, expected)
    return number


WHOLE_DIGITS, DECIMALS, SHOWN_DECIMALS = 15, 20, 4
_EXPECTED_DECIMAL = f"a number with at most {WHOLE_DIGITS} digits before the point and {DECIMALS} after it"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def exact_decimal(given: object) -> str:
    """`given`, a number or one written as text, as exact decimal text with at least four decimals: `12.0000`.

    Nothing is rounded: what does not fit is refused, `Invalid`.
    """
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise wrong(given, _EXPECTED_DECIMAL)
    text = given if isinstance(given, str) else repr(given)
    if len(text) > QUOTED or not _NUMBER.fullmatch(text):
        raise wrong(given, _EXPECTED_DECIMAL)
    number = Decimal(text)
    if number and not -DECIMALS <= number.adjusted() < WHOLE_DIGITS:
        raise wrong(given, _EXPECTED_DECIMAL)
    whole, _, decimals = f"{number:f}".partition(".")
    decimals = decimals.rstrip("0")
    if len(decimals) > DECIMALS:
        raise wrong(given, _EXPECTED_DECIMAL)
    return f"{whole if number else '0'}.{decimals:0<{SHOWN_DECIMALS}}"


def _quoted(given: object) -> str:
    match given:
        case str():
            text = given.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
            return f"'{_shortened(text)}'"
        case dict():
            return _shortened("{" + ", ".join(_quoted(name) for name in given) + "}")
        case list():
            return f"[{len(given)}]"
        case None:
            return "null"
        case bool():
            return "true" if given else "false"
        case _:
            return _shortened(repr(given))


def _shortened(text: str) -> str:
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}..."


def _type_name(given: object) -> str:
    names = {str: "string", dict: "object", list: "array", type(None): "null", bool: "boolean", int: "integer"}
    return names.get(type(given), "number")
