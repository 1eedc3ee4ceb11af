"""Forms as Podio's receivers read them, and the rule for a URL's own query parameters (contract section 0, decision 7)."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.wire.forms import decode, decode_first, encode, moved_parameters

OWN = {"item_id", "item_revision_id", "external_id", "type", "hook_id"}
sendable_text = st.text(st.characters(exclude_categories=["Cs"]))
pairs = st.lists(st.tuples(sendable_text.filter(bool), sendable_text))


def test_a_body_is_written_in_the_order_given() -> None:
    body = encode([("item_id", "1"), ("item_revision_id", "0"), ("external_id", ""), ("type", "item.create"), ("hook_id", "2")])
    assert body == "item_id=1&item_revision_id=0&external_id=&type=item.create&hook_id=2"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b", "a+b"),
        ("a+b", "a%2Bb"),
        ("&=", "%26%3D"),
        ("é", "%C3%A9"),
        ("🗺", "%F0%9F%97%BA"),
        ("\0\n", "%00%0A"),
        ("-_.~", "-_.~"),
        ("%41", "%2541"),
    ],
)
def test_a_value_is_written_as_utf_8_with_a_plus_for_a_space(value: str, written: str) -> None:
    assert encode([("name", value)]) == f"name={written}"


@given(pairs)
def test_what_was_written_is_read_back(given_pairs: list[tuple[str, str]]) -> None:
    body = encode(given_pairs)
    assert body.isascii()
    assert decode(body.encode()) == given_pairs


def test_empty_values_and_repeats_are_read() -> None:
    assert decode(b"a=&b&a=2&&=x") == [("a", ""), ("b", ""), ("a", "2"), ("", "x")]


@pytest.mark.parametrize("body", [b"\xff", b"a=%ff", b"%C3=1", b"a=%ed%a0%80", "a=é".encode("latin-1")])
def test_a_form_that_is_no_text_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="utf-8"):
        decode(body)


@given(st.binary())
def test_any_bytes_are_a_form_or_a_value_error(body: bytes) -> None:
    try:
        decode(body)
    except ValueError:
        return


# --- the query rule -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "moved"),
    [
        ("", []),
        ("?", []),
        ("?&&", []),
        ("?token=abc", [("token", "abc")]),
        ("?b=2&a=1", [("b", "2"), ("a", "1")]),
        ("?a=1&b=2&a=3&a=1", [("a", "1"), ("b", "2"), ("a", "3"), ("a", "1")]),
        ("?a=&b&=c", [("a", ""), ("b", ""), ("", "c")]),
        ("?a=b=c&d=?&e=/", [("a", "b=c"), ("d", "?"), ("e", "/")]),
        ("?a=1;b=2", [("a", "1;b=2")]),
        ("?a=1#b=2", [("a", "1")]),
        ("?a+b=c+d&e=%2B%20", [("a b", "c d"), ("e", "+ ")]),
        ("?a[]=1&a[]=2", [("a[]", "1"), ("a[]", "2")]),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_a_urls_own_parameters_move_in_their_order_with_repeats_and_blanks(query: str, moved: list[tuple[str, str]]) -> None:
    assert moved_parameters(f"https://a.example/path{query}", OWN) == moved


@pytest.mark.parametrize("query", ["?type=x", "?hook_id=9&type=x", "?item_id=7&item_id=8", "?%74ype=x", "?external_id"])
def test_where_a_name_clashes_the_events_own_value_stands(query: str) -> None:
    assert moved_parameters(f"https://a.example/{query}&token=abc", OWN) == [("token", "abc")]


def test_names_differ_by_case() -> None:
    assert moved_parameters("https://a.example/?Type=x&TYPE=y", OWN) == [("Type", "x"), ("TYPE", "y")]


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("?a=%C3%A9", "é"),
        ("?a=é", "é"),
        ("?a=%e9", "\ufffd"),
        ("?a=%zz%", "%zz%"),
        ("?a=%00", "\0"),
        ("?a=%ed%a0%80", "\ufffd\ufffd\ufffd"),
    ],
)
def test_an_odd_encoding_still_gives_a_text_that_can_be_sent(query: str, value: str) -> None:
    moved = moved_parameters(f"https://a.example/{query}", OWN)
    assert moved == [("a", value)]
    assert decode(encode(moved).encode()) == moved


@given(st.text(st.characters(exclude_characters="#", exclude_categories=["Cs"])))
def test_any_query_moves_into_a_form_that_everybody_reads_alike(query: str) -> None:
    moved = moved_parameters(f"https://a.example/?{query}", OWN)
    assert not {name for name, _ in moved} & OWN
    assert parse_qsl(encode(moved), keep_blank_values=True) == moved


@given(st.binary(max_size=60) | st.lists(st.sampled_from([b"a", b"b", b"=", b"&", b"%41", b"+", b"\xc3\xa9"]), max_size=12).map(b"".join))
def test_by_name_a_form_is_the_same_and_of_a_name_that_repeats_the_first_value_counts(body: bytes) -> None:
    try:
        pairs = decode(body)
    except ValueError:
        with pytest.raises(ValueError, match="codec"):
            decode_first(body)
        return
    expected: dict[str, str] = {}
    for name, value in pairs:
        expected.setdefault(name, value)
    assert decode_first(body) == expected
    assert pairs == parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
