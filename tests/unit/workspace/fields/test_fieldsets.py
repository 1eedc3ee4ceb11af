"""The fields of an app together: how they are named, what an item must have, what it is called."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.errors import Invalid
from tidings.workspace.fields.fields import Field, FieldConfig
from tidings.workspace.fields.fieldsets import TITLE_LIMIT, Fieldset
from tidings.workspace.fields.settings import changed_settings
from tidings.workspace.values.rule import NOTHING_KNOWN


def field(field_id: int, external_id: str, field_type: str, *, required: bool = False, **settings: Any) -> Field:
    complete = changed_settings(field_type, {}, settings, "settings")
    config = FieldConfig(label=external_id.title(), settings=complete, required=required)
    return Field(field_id, 1, external_id, field_type, "active", config, field_id)


FIELDS = Fieldset(
    (
        field(11, "status", "category", options=["Open", "Done"]),
        field(12, "title", "text", required=True),
        field(13, "estimate", "number"),
        field(14, "12", "text"),
        field(15, "parts", "app"),
        field(16, "owner", "contact"),
    )
)


@pytest.mark.parametrize("name", ["estimate", "13", 13])
def test_a_field_is_named_by_its_external_id_or_its_id(name: object) -> None:
    slot = FIELDS.find(name)
    assert slot is not None
    assert slot.field.field_id == 13


def test_a_number_is_first_of_all_a_field_id() -> None:
    slot = FIELDS.find("12")
    assert slot is not None
    assert slot.field.external_id == "title"


@pytest.mark.parametrize("name", ["Estimate", "99", 99, True, None, 1.5, "9" * 5000, "²", ""])
def test_other_names_name_nothing(name: object) -> None:
    assert FIELDS.find(name) is None


@pytest.mark.parametrize(
    "written",
    [
        {"title": "A", "13": 5},
        {"12": [{"value": "A"}], "estimate": [5]},
        [{"external_id": "title", "values": "A"}, {"field_id": 13, "external_id": None, "values": [{"value": 5}]}],
    ],
)
def test_fields_come_as_a_map_or_as_a_list(written: object) -> None:
    assert FIELDS.read(written, {}) == {12: [{"value": "A"}], 13: [{"value": "5.0000"}]}


@pytest.mark.parametrize("nothing", [None, {}, []])
def test_no_fields_are_no_change(nothing: object) -> None:
    assert FIELDS.read(nothing, {}) == {}


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(Invalid, match=r"Invalid value 'colour' .*: must be the external_id or the field_id of a field") as raised:
        FIELDS.read({"colour": "red"}, {})
    assert raised.value.parameters == {"field": "colour"}


def test_a_wrong_value_names_its_field() -> None:
    with pytest.raises(Invalid, match=r"^Invalid value 'x' \(string\): must be a number .* \(field 'estimate'\)$") as raised:
        FIELDS.read({"13": "x"}, {})
    assert raised.value.parameters == {"field": "estimate"}


@pytest.mark.parametrize("written", ["x", 5, [5], [{}], [{"external_id": "title"}], [{"values": "A"}], [["title", "A"]]])
def test_what_are_no_fields_is_refused(written: object) -> None:
    with pytest.raises(Invalid):
        FIELDS.read(written, {})


def test_a_field_that_is_there_twice_is_refused() -> None:
    with pytest.raises(Invalid, match=r"there twice \(field 'title'\)"):
        FIELDS.read({"title": "A", "12": "B"}, {})


def test_a_required_field_must_have_a_value_and_keep_one() -> None:
    FIELDS.check_required({12: [{"value": "A"}]})
    with pytest.raises(Invalid, match=r"A value is required \(field 'title'\)"):
        FIELDS.check_required({13: [{"value": "5.0000"}]})
    with pytest.raises(Invalid, match=r"A value is required \(field 'title'\)"):
        FIELDS.read({"title": []}, {12: [{"value": "A"}]})


def test_an_item_is_called_by_its_first_text() -> None:
    assert FIELDS.title({11: [{"value": 1}], 12: [{"value": "A"}], 14: [{"value": "B"}]}, "Task 7") == "A"
    assert FIELDS.title({11: [{"value": 1}], 14: [{"value": "B"}]}, "Task 7") == "B"


def test_an_item_without_a_text_is_called_by_the_first_value_that_has_words() -> None:
    assert FIELDS.title({15: [{"value": 1}], 13: [{"value": "5.0000"}]}, "Task 7") == "5"
    assert FIELDS.title({11: [{"value": 2}], 13: [{"value": "5.0000"}]}, "Task 7") == "Done"


def test_an_item_that_says_nothing_is_called_by_its_number() -> None:
    assert FIELDS.title({}, "Task 7") == "Task 7"
    assert FIELDS.title({15: [{"value": 1}]}, "Task 7") == "Task 7"


def test_a_title_is_bounded() -> None:
    assert FIELDS.title({12: [{"value": "A" * 1000}]}, "") == "A" * TITLE_LIMIT


def test_a_change_tells_the_fields_in_their_order_with_their_values_before_and_after() -> None:
    changes = FIELDS.changes({12: [{"value": "A"}]}, {13: [{"value": "5.0000"}], 12: []}, NOTHING_KNOWN)
    told = [(change.field_id, change.external_id, change.type, change.label, change.before, change.after) for change in changes]
    assert told == [(12, "title", "text", "Title", [{"value": "A"}], []), (13, "estimate", "number", "Estimate", [], [{"value": "5.0000"}])]


def test_what_values_refer_to_is_found() -> None:
    assert FIELDS.refers
    assert FIELDS.referred({15: [{"value": 3}, {"value": 4}], 16: [{"value": 6}], 11: [{"value": 1}]}) == ({3, 4}, {6}, set())


def test_values_of_a_field_that_is_no_longer_there_are_not_compared() -> None:
    assert FIELDS.keys(7, {99: [{"value": "x"}], 13: [{"value": "5.0000"}]}) == [(7, 13, 0, 5.0, None)]
