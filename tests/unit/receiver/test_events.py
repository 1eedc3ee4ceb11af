"""An event's ids are numbers, wherever they were said; what was not said is an error that tells what was."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.events.types import EVENT_TYPES
from tidings.receiver import Event, read_delivery
from tidings.receiver.testing import SAMPLES, SECRET, sample


def event(type: str = "item.create", headers: dict[str, str] | None = None, **parameters: Any) -> Event:
    return Event(type, 7, parameters, "msg_1", headers=headers or {})


def test_there_is_a_sample_of_every_event_type_and_it_says_what_the_sender_says() -> None:
    assert {type: tuple(said) for type, said in SAMPLES.items()} == {type: kind.parameters for type, kind in EVENT_TYPES.items()}


@pytest.mark.parametrize("type", SAMPLES)
def test_every_id_of_a_sample_is_a_number(type: str) -> None:
    headers, body = sample(type, at=1_767_323_045)

    read = read_delivery(headers, body, [SECRET], now=1_767_323_045)

    ids = {name: value for name, value in SAMPLES[type].items() if name.endswith("_id") and name != "external_id"}
    assert {name: getattr(read, name) for name in ids} == ids
    assert (read.type, read.hook_id) == (type, 7)


def test_the_files_of_a_change_are_numbers() -> None:
    assert event("file.change", file_ids="11,12").file_ids == [11, 12]
    assert event("file.change", file_ids=[11, 12]).file_ids == [11, 12]
    assert event("file.change", file_ids="").file_ids == []
    assert event("item.create").file_ids == []


def test_an_external_id_that_is_empty_is_none() -> None:
    assert event(external_id="").external_id is None
    assert event(external_id="ERP-9").external_id == "ERP-9"


def test_app_and_space_are_those_of_the_body_or_else_of_the_headers() -> None:
    assert event(headers={"tidings-app": "5"}).app_id == 5
    assert event(headers={"tidings-app": "5"}, app_id="6").app_id == 6
    assert event(headers={"tidings-space": "2"}).space_id == 2


@pytest.mark.parametrize("said", [{}, {"item_id": "x"}, {"item_id": "-1"}, {"item_id": None}, {"item_id": True}, {"item_id": 1.5}])
def test_an_id_that_was_not_said_is_an_error_that_names_what_was(said: dict[str, Any]) -> None:
    with pytest.raises(AttributeError, match=r"item.create.* says no item_id; it says .*tag"):
        _ = event(**said, tag="t").item_id
    assert getattr(event(**said), "item_id", None) is None


def test_a_verification_code_is_not_in_the_repr() -> None:
    assert "b9079247" not in repr(event("hook.verify", code="b9079247"))


def test_a_type_that_nobody_knows_is_an_event_and_all_that_it_says_is_kept() -> None:
    headers, body = sample("rating.create", at=1_767_323_045, rating_id=4, stars="*****")

    read = read_delivery(headers, body, [SECRET], now=1_767_323_045)

    assert read.parameters == {"rating_id": "4", "stars": "*****"}
