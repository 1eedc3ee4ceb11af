"""How long a receiver asks us to wait: a number, a date, or something hostile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.delivery.exchange import RETRY_AFTER_LIMIT, read_retry_after

NOW = 1_767_225_600_000_000  # 2026-01-01 00:00:00 UTC, in microseconds


def head(*lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 503 No", *lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("Retry-After: 120", 120),
        ("retry-after:0", 0),
        ("RETRY-AFTER: \t 7 \t", 7),
        ("Retry-After: 99999999999999999999999999", RETRY_AFTER_LIMIT),
        ("Retry-After: 9999999", RETRY_AFTER_LIMIT),
        ("Retry-After: Thu, 01 Jan 2026 00:02:00 GMT", 120),
        ("Retry-After: Thursday, 01-Jan-26 00:02:00 GMT", 120),
        ("Retry-After: Thu Jan  1 00:02:00 2026", 120),
        ("Retry-After: Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_LIMIT),
        ("Retry-After: -1", None),
        ("Retry-After: 1.5", None),
        ("Retry-After: +5", None),
        ("Retry-After: ", None),
        ("Retry-After: soon", None),
        ("Retry-After: ²", None),
        ("Retry-After: Thu, 99 Foo 99999 99:99:99 GMT", None),
        ("Retry-After: 5, 6", None),
        ("X-Retry-After: 5", None),
        ("X: Retry-After: 5", None),
        ("Other: 5", None),
    ],
)
def test_a_wait_is_read_or_asks_for_nothing(line: str, seconds: int | None) -> None:
    assert read_retry_after(head(line), NOW) == seconds


def test_of_several_waits_the_first_counts() -> None:
    assert read_retry_after(head("Retry-After: 5", "Retry-After: 900"), NOW) == 5


@given(st.text("0123456789 :,+-.GMTJanThu\x00\xb2\xff", max_size=40))
def test_any_wait_is_a_bounded_number_or_none(value: str) -> None:
    seconds = read_retry_after(head(f"Retry-After: {value}"), NOW)
    assert seconds is None or 0 <= seconds <= RETRY_AFTER_LIMIT
