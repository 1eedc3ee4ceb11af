"""Names, and the labels made from them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tidings.errors import Invalid
from tidings.workspace.names import LABEL_LIMIT, NAME_LIMIT, checked_name, free_label, is_label, label_from


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Due date", "due-date"),
        ("  Due -- date!  ", "due-date"),
        ("snake_case", "snake-case"),
        ("ÄRENDE", "ärende"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER W}ide", "wide"),
        ("हिन्दी नाम", "हिन्दी-नाम"),
        ("東京", "東京"),
        ("2024", "2024"),
        ("--", "otherwise"),
        ("🚀", "otherwise"),
        ("", "otherwise"),
        ("a/b?c#d%20", "a-b-c-d-20"),
        ("../../etc", "etc"),
    ],
)
def test_a_label_is_made_from_the_letters_and_digits_of_a_name(name: str, label: str) -> None:
    assert label_from(name, "otherwise") == label


@given(st.text())
def test_every_name_makes_a_label_that_makes_itself(name: str) -> None:
    label = label_from(name, "otherwise")
    assert is_label(label)
    assert len(label) <= LABEL_LIMIT
    assert not set(label) & set("/?#%& \0\n")


@given(st.text(max_size=NAME_LIMIT))
def test_a_name_is_kept_without_the_blanks_around_it(name: str) -> None:
    assume(name.strip())
    assert checked_name(name, "name") == name.strip()


@pytest.mark.parametrize("name", ["", "  ", "\t\n", "\u3000"])
def test_a_name_of_blanks_is_refused_by_what_it_is_of(name: str) -> None:
    with pytest.raises(Invalid, match="label: must not be blank") as raised:
        checked_name(name, "label")
    assert raised.value.parameters == {"field": "label"}


def test_a_name_at_the_limit_is_kept() -> None:
    assert checked_name(" " + "x" * NAME_LIMIT + " ", "name") == "x" * NAME_LIMIT
    with pytest.raises(Invalid, match="at most 255 characters, not 256"):
        checked_name("x" * (NAME_LIMIT + 1), "name")


def test_a_taken_label_is_numbered_from_two() -> None:
    assert free_label("title", set()) == "title"
    assert free_label("title", {"title"}) == "title-2"
    assert free_label("title", {"title", "title-2", "title-4"}) == "title-3"
    assert free_label("title", {"title-2"}) == "title"


@pytest.mark.parametrize("text", ["", "Title", "two words", "a/b", "a\0b", "é!"])
def test_what_is_no_label_is_told_apart(text: str) -> None:
    assert not is_label(text)
