"""The filter of a hook's deliveries, as it stands in an address."""

from __future__ import annotations

import pytest

from tidings.clock import SECOND
from tidings.console.asked import is_filtered, moment_text, read_asked, read_moment, replay_of, written
from tidings.delivery.history import Asked
from tidings.errors import Invalid

NOON = 1_767_322_800 * SECOND  # 2026-01-02 03:00:00 UTC


def test_nothing_asked_is_everything() -> None:
    assert read_asked({}) == read_asked(dict.fromkeys(("state", "type", "since", "until", "object", "before"), "")) == Asked()


def test_what_is_asked_is_read() -> None:
    query = {"state": "undelivered", "type": "item.update", "since": "2026-01-02T03:00", "object": "item 42", "before": "17"}
    assert read_asked(query) == Asked(("exhausted", "cancelled"), ("item.update",), NOON, None, ("item", 42), 17)


@pytest.mark.parametrize(("text", "expected"), [("42", ("item", 42)), ("item:42", ("item", 42)), ("Task 7", ("task", 7))])
def test_an_object_is_written_as_people_do(text: str, expected: tuple[str, int]) -> None:
    assert read_asked({"object": text}).object == expected


@pytest.mark.parametrize(
    "query",
    [
        {"state": "lost"},
        {"type": "item.lost"},
        {"since": "yesterday"},
        {"until": "9999-99-99T00:00"},
        {"object": "item"},
        {"object": "item \N{SUPERSCRIPT TWO}"},
        {"object": "item 99999999999"},
        {"before": "-1"},
        {"before": "9" * 19},
    ],
)
def test_what_is_no_filter_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        read_asked(query)


def test_a_moment_goes_back_and_forth() -> None:
    assert read_moment(moment_text(NOON), "since") == read_moment("2026-01-02 03:00:00", "since") == NOON
    assert read_moment("2026-01-02T04:00:00+01:00", "since") == NOON


def test_what_has_ended_leads_to_its_replay() -> None:
    asked = Asked(("exhausted", "cancelled"), since=NOON)
    assert replay_of(asked) == "?state_exhausted=on&state_cancelled=on&since=2026-01-02T03%3A00&rate=10"
    assert replay_of(Asked()) == replay_of(Asked(("pending",))) == ""


def test_the_filter_is_kept_in_the_address_of_the_next_page() -> None:
    assert written({"state": "pending", "object": "item 4&2", "done": "x"}, before=7) == "?state=pending&object=item+4%262&before=7"
    assert written({}) == ""
    assert is_filtered({"type": "hook.verify"})
    assert not is_filtered({"before": "3", "state": ""})
