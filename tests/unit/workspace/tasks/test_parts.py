"""What callers say of a task: when it is due, who is responsible, its labels and texts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tidings.errors import Invalid
from tidings.workspace.names import TEXT_LIMIT
from tidings.workspace.tasks.parts import (
    LABEL_LIMIT,
    PEOPLE_LIMIT,
    Due,
    Named,
    TaskParts,
    read_due,
    read_external_id,
    read_labels,
    read_people,
    read_text,
    refuse_what_is_not_offered,
)

NONE = Due(None, None)
DAY = Due("2026-01-02", None)
MOMENT = Due("2026-01-02", "03:04:05")


def due(before: Due = NONE, **parts: Any) -> Due:
    return read_due(msgspec.convert(parts, TaskParts), before)


def people(given: object) -> list[Named] | None:
    return read_people(msgspec.convert({"responsible": given}, TaskParts).responsible)


# --- due ---


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, NONE),
        ({"due_date": "2026-01-02"}, DAY),
        ({"due_date": "2026-01-02", "due_time": "03:04:05"}, MOMENT),
        ({"due_date": "2026-01-02", "due_time": "03:04"}, Due("2026-01-02", "03:04:00")),
        ({"due_date": "2026-01-02", "due_time": None}, DAY),
        ({"due_date": "2026-01-02", "due_time": ""}, DAY),
        ({"due_date": "", "due_time": ""}, NONE),
        ({"due_on": "2026-01-02 03:04:05"}, MOMENT),
        ({"due_on": "2026-01-02T03:04:05Z"}, MOMENT),
        ({"due_on": "2026-01-02"}, DAY),
        ({"due_on": "2026-01-02", "due_time": "03:04:05"}, MOMENT),
        ({"due_on": None}, NONE),
        ({"due_on": None, "due_date": "2026-01-02"}, DAY),
    ],
)
def test_a_due_day_or_moment_is_said_in_either_way(parts: dict[str, Any], expected: Due) -> None:
    assert due(**parts) == expected


def test_a_moment_that_says_how_far_it_is_from_utc_is_taken_there() -> None:
    assert due(due_on="2026-01-02T05:04:05.1234567+02:00") == MOMENT
    assert due(due_on="2026-01-01 22:04:05-05:00") == MOMENT


def test_what_podio_dotnet_sends_is_read() -> None:
    parts: dict[str, Any] = {"due_on": "2026-01-02T03:04:05Z", "due_date": "2026-01-02T00:00:00", "due_time": "03:04:05.0000000"}
    assert due(**parts) == MOMENT
    assert due(due_date="2026-01-02T00:00:00") == DAY


def test_what_is_not_named_stays() -> None:
    assert due(MOMENT) == MOMENT
    assert due(MOMENT, due_date="2026-02-03") == Due("2026-02-03", "03:04:05")
    assert due(MOMENT, due_time=None) == DAY
    assert due(DAY, due_time="03:04:05") == MOMENT


def test_a_due_day_that_is_taken_away_takes_its_time_along() -> None:
    assert due(MOMENT, due_date=None) == NONE
    assert due(MOMENT, due_on="") == NONE


def test_all_three_sent_back_as_they_were_read_change_nothing() -> None:
    for before in (DAY, MOMENT):
        assert due(before, due_on=before.moment, due_date=before.day, due_time=before.time) == before
        assert due(before, due_on=before.moment) == before


def test_of_all_three_sent_back_the_changed_one_counts() -> None:
    assert due(MOMENT, due_on=MOMENT.moment, due_date="2026-02-03", due_time=MOMENT.time) == Due("2026-02-03", "03:04:05")
    assert due(MOMENT, due_on="2026-02-03 03:04:05", due_date=MOMENT.day, due_time=MOMENT.time) == Due("2026-02-03", "03:04:05")
    assert due(DAY, due_on="2026-02-03 00:00:00", due_date=DAY.day, due_time=None) == Due("2026-02-03", None)


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"due_date": "tomorrow"}, "due_date"),
        ({"due_date": "2026-02-30"}, "due_date"),
        ({"due_date": "0000-01-01"}, "due_date"),
        ({"due_date": "2026-1-2"}, "due_date"),
        ({"due_on": "0001-01-01 00:00:00+12:00"}, "due_on"),
        ({"due_on": "9999-12-31 23:59:59-12:00"}, "due_on"),
        ({"due_on": "2026-01-02 25:00:00"}, "due_on"),
        ({"due_on": "\N{ARABIC-INDIC DIGIT TWO}026-01-02"}, "due_on"),
        ({"due_date": "2026-01-02", "due_time": "noon"}, "due_time"),
        ({"due_date": "2026-01-02", "due_time": "24:00"}, "due_time"),
        ({"due_time": "03:04:05"}, "due_time"),
        ({"due_date": None, "due_time": "03:04:05"}, "due_time"),
    ],
)
def test_a_due_day_or_time_that_is_none_is_refused_by_name(parts: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid, match=f"^{field}: ") as raised:
        due(**parts)
    assert raised.value.parameters["field"] == field


def test_years_keep_their_four_digits() -> None:
    assert due(due_date="0042-01-02") == Due("0042-01-02", None)


# --- people ---


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (6, [Named(6, None)]),
        ("6", [Named(6, None)]),
        ("ada@example.org", [Named(None, "ada@example.org")]),
        ({"type": "user", "id": 6}, [Named(6, None)]),
        ({"type": "profile", "id": "6"}, [Named(6, None)]),
        ({"id": 6}, [Named(6, None)]),
        ({"type": "mail", "id": "ada@example.org"}, [Named(None, "ada@example.org")]),
        ({"type": "mail", "value": "ada@example.org"}, [Named(None, "ada@example.org")]),
        ({"type": "user", "user_id": 6, "profile_id": 6, "name": "Ada"}, [Named(6, None)]),
        ([6, {"type": "user", "id": 7}, 6], [Named(6, None), Named(7, None)]),
        ([], []),
        (None, []),
        ("", []),
        (0, None),
    ],
)
def test_people_are_named_in_all_of_podios_ways(given: object, expected: list[Named] | None) -> None:
    assert people(given) == expected


def test_nobody_said_is_not_nobody() -> None:
    assert read_people(TaskParts().responsible) is None


@pytest.mark.parametrize(
    "given",
    [
        -1,
        2**31,
        "9" * 30,
        "\N{ARABIC-INDIC DIGIT THREE}",
        " ",
        "x" * 256,
        "\ud800",
        {},
        {"type": "space", "id": 1},
        {"type": "external", "id": 1},
        {"type": "mail", "id": 6},
        {"type": "mail"},
        {"type": "user"},
        [[1]],
        [0],
        list(range(1, PEOPLE_LIMIT + 2)),
    ],
)
def test_somebody_who_cannot_be_meant_is_refused_by_name(given: object) -> None:
    with pytest.raises((Invalid, msgspec.ValidationError), match="responsible"):
        people(given)


# --- texts ---


def test_labels_are_texts_or_what_was_read_and_each_is_there_once() -> None:
    labels = msgspec.convert({"labels": ["a", {"label_id": 0, "text": " b ", "color": "E9E9E9"}, "a"]}, TaskParts).labels
    assert isinstance(labels, list)
    assert read_labels(labels) == ("a", "b")
    assert read_labels(None) == ()


@pytest.mark.parametrize("labels", [[" "], ["x" * 256], ["a\0"], [str(number) for number in range(LABEL_LIMIT + 1)]])
def test_labels_that_cannot_be_kept_are_refused_by_name(labels: list[str]) -> None:
    with pytest.raises(Invalid, match=r"^labels"):
        read_labels(labels)


@pytest.mark.parametrize("text", ["", " \n", "x" * (TEXT_LIMIT + 1), "a\0", "\ud800"])
def test_a_text_that_cannot_be_kept_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid, match=r"^text: "):
        read_text(text)


def test_an_external_id_is_text_and_an_empty_one_is_none() -> None:
    assert (read_external_id(7), read_external_id("7"), read_external_id(""), read_external_id(None)) == ("7", "7", None, None)


@pytest.mark.parametrize("parts", [{"label_ids": [1]}, {"recurrence": {"name": "weekly"}}])
def test_what_is_not_offered_is_refused_by_name_unless_it_is_empty(parts: dict[str, Any]) -> None:
    [name] = parts
    with pytest.raises(Invalid, match=f"^{name}: "):
        refuse_what_is_not_offered(TaskParts(**parts))
    refuse_what_is_not_offered(TaskParts(label_ids=[], recurrence=None))
