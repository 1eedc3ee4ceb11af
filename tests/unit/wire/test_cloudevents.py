"""CloudEvents on the wire."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tidings.wire import cloudevents


def test_the_time_is_written_with_its_microseconds() -> None:
    context = cloudevents.attributes(id="msg_1", source="/", type="t", subject="item/1", time=1_767_322_800_000_042)
    assert context["time"] == "2026-01-02T03:00:00.000042Z"


def test_what_a_header_cannot_hold_is_percent_encoded() -> None:
    assert cloudevents.headers({"source": 'http://a/ö b"%\r\n'}) == "ce-source: http://a/%C3%B6%20b%22%25%0D%0A\r\n"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_no_value_ends_its_line(value: str) -> None:
    line = cloudevents.headers({"source": value}).encode("ascii")
    assert line.startswith(b"ce-source: ")
    assert line.count(b"\n") == line.count(b"\r") == 1
