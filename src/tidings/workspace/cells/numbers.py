"""Numbers, money, progress and durations, as they stand in tables. Nothing is rounded, and nothing is guessed: `1,5` is
no number where the decimal mark is a point, and `1.5` is none where it is a comma. Pure."""

from __future__ import annotations

import re

from tidings.workspace.cells.habits import PLAIN, Habits
from tidings.workspace.values.given import wrong

SIGNS = {"€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY"}
"""Signs of currencies, each read as the currency that is meant by it most."""

_MARKS = "\u0020\u00a0\u2009\u202f'\N{RIGHT SINGLE QUOTATION MARK}"  # between thousands: blanks, and what the Swiss write
_MINUS = str.maketrans({"\N{MINUS SIGN}": "-"})


def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    grouped = rf"[0-9]{{1,3}}(?:(?P<mark>[{thousands}{_MARKS}])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*)"
    return re.compile(rf"(?P<sign>[+-]?)(?P<whole>{grouped}|[0-9]+|(?=[{decimal}][0-9]))(?:[{decimal}](?P<decimals>[0-9]*))?")


_POINT, _COMMA = _pattern(".", ","), _pattern(",", ".")


def read_number(cell: str, habits: Habits = PLAIN) -> str:
    """The number as plain text, `-1234.50`. Raises `Invalid`."""
    match = (_COMMA if habits.decimal_comma else _POINT).fullmatch(cell.strip().translate(_MINUS))
    if match is None:
        raise wrong(cell, "a number with a decimal comma, such as 1.234,50" if habits.decimal_comma else "a number, such as 1,234.50")
    whole = re.sub(r"[^0-9]", "", match["whole"]) or "0"
    return f"{match['sign']}{whole}" + (f".{match['decimals']}" if match["decimals"] else "")


_CURRENCY = "[A-Za-z]{3}|[" + "".join(SIGNS) + "]"
_MONEY = re.compile(rf"(?P<sign>[-+]?)(?P<before>{_CURRENCY})?\s*(?P<amount>[-+0-9.,].*?)\s*(?P<after>{_CURRENCY})?", re.DOTALL)


def read_money(cell: str, habits: Habits = PLAIN) -> dict[str, object]:
    """The amount, and its currency where the cell says it before or after. Raises `Invalid`."""
    match = _MONEY.fullmatch(cell.strip().translate(_MINUS))
    if match is None or (match["before"] and match["after"]):
        raise wrong(cell, "an amount with its currency, such as USD 12.50")
    value: dict[str, object] = {"value": read_number(match["sign"] + match["amount"], habits)}
    said = match["before"] or match["after"]
    return value | ({"currency": SIGNS.get(said) or said.upper()} if said else {})


def read_progress(cell: str, habits: Habits = PLAIN) -> int | str:
    """A whole number, with or without a percent sign; what is not whole is left to the field to refuse. Raises `Invalid`."""
    number = read_number(cell.strip().removesuffix("%"), habits)
    whole, _, decimals = number.partition(".")
    return cell if decimals.strip("0") else int(whole)


_CLOCK = re.compile(r"(?P<hours>[0-9]{1,6}):(?P<minutes>[0-5][0-9])(?::(?P<seconds>[0-5][0-9]))?")
_UNITS = re.compile(
    r"(?:(?P<days>[0-9]{1,6}) ?d(?:ays?)?)? ?(?:(?P<hours>[0-9]{1,6}) ?h(?:ours?)?)? ?"
    r"(?:(?P<minutes>[0-9]{1,6}) ?m(?:in(?:utes?)?)?)? ?(?:(?P<seconds>[0-9]{1,12}) ?s(?:ec(?:onds?)?)?)?"
)
_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def read_duration(cell: str) -> int:
    """Seconds, from `5400`, `1:30`, `1:30:00` or `1h 30m`. Raises `Invalid`."""
    text = cell.strip().lower()
    if re.fullmatch("[0-9]{1,12}", text):
        return int(text)
    match = _CLOCK.fullmatch(text) or _UNITS.fullmatch(text)
    if match is None or not any(match.groupdict().values()):
        raise wrong(cell, "a duration: seconds, hours and minutes as 1:30, or 1h 30m")
    return sum(_SECONDS[unit] * int(count) for unit, count in match.groupdict().items() if count)
