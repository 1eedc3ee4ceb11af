"""What can be set on a field, type by type."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.errors import Invalid
from tidings.workspace.fields.settings import OPTION_LIMIT, SETTINGS, changed_settings, check_type

CONTRACT_TYPES = {
    "text", "number", "date", "category", "money", "progress", "duration", "phone", "email", "embed", "location", "contact", "member",
    "app", "image", "file",
}  # fmt: skip


def settings(field_type: str, given: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    return changed_settings(field_type, before or {}, given, "settings")


def options(*given: Any, before: list[dict[str, Any]] | None = None) -> list[tuple[int, str, str]]:
    made = settings("category", {"options": list(given)}, {"options": before} if before else None)["options"]
    return [(option["id"], option["text"], option["status"]) for option in made]


def test_the_types_are_those_that_items_have_values_for() -> None:
    assert set(SETTINGS) == CONTRACT_TYPES


def test_a_calculation_is_refused_in_its_own_words() -> None:
    with pytest.raises(Invalid, match="calculation do not exist here") as raised:
        check_type("calculation")
    assert raised.value.parameters == {"field": "type"}


def test_an_unknown_type_is_refused_with_those_there_are() -> None:
    with pytest.raises(Invalid, match="must be one of") as raised:
        check_type("x" * 1000)
    assert raised.value.parameters == {"type": list(SETTINGS)}
    assert len(raised.value.description) < 500


@pytest.mark.parametrize("field_type", sorted(SETTINGS))
def test_settings_are_complete_and_stay_when_nothing_is_said(field_type: str) -> None:
    complete = settings(field_type, {})
    assert settings(field_type, {}, complete) == complete
    assert settings(field_type, complete, complete) == complete
    assert settings(field_type, dict.fromkeys(complete), complete) == complete


@pytest.mark.parametrize(
    ("field_type", "given"),
    [
        ("text", {"size": "large", "format": "markdown"}),
        ("number", {"decimals": 2}),
        ("date", {"end": "disabled", "time": "required", "calendar": False, "color": "ff0000"}),
        ("money", {"allowed_currencies": ["EUR", "USD"]}),
        ("duration", {"fields": ["hours"]}),
        ("phone", {"possible_types": ["work"], "call_link_scheme": "tel"}),
        ("email", {"possible_types": ["home"], "include_in_cc": True, "include_in_bcc": True}),
        ("location", {"has_map": False, "structured": True}),
        ("contact", {"type": "all_users"}),
        ("member", {"type": "space_users"}),
        ("file", {"allowed_mimetypes": ["text/plain"]}),
        ("image", {"allowed_mimetypes": ["image/png"]}),
    ],
)
def test_what_a_type_knows_is_kept(field_type: str, given: dict[str, Any]) -> None:
    assert settings(field_type, given) == given


@pytest.mark.parametrize(
    ("field_type", "given", "field"),
    [
        ("text", {"size": "huge"}, "settings.size"),
        ("text", {"format": 1}, "settings.format"),
        ("number", {"decimals": -1}, "settings.decimals"),
        ("number", {"decimals": 16}, "settings.decimals"),
        ("number", {"decimals": "2"}, "settings.decimals"),
        ("number", {"decimals": 1.5}, "settings.decimals"),
        ("date", {"end": "maybe"}, "settings.end"),
        ("date", {"color": "red"}, "settings.color"),
        ("date", {"color": "ff0000\n"}, "settings.color"),
        ("category", {"options": "A"}, "settings.options"),
        ("category", {"options": [1]}, "settings.options[0]"),
        ("category", {"options": [{"id": 1}]}, "settings.options[0].text"),
        ("category", {"options": ["A", "  "]}, "settings.options[1].text"),
        ("category", {"options": ["x" * 256]}, "settings.options[0].text"),
        ("category", {"options": [{"text": "A", "id": 0}]}, "settings.options[0].id"),
        ("category", {"options": [{"text": "A", "id": 2**31}]}, "settings.options[0].id"),
        ("category", {"options": [{"text": "A", "id": 7}, {"text": "B", "id": 7}]}, "settings.options"),
        ("category", {"options": [{"text": "A", "id": 2**31 - 1}, "B"]}, "settings.options"),
        ("category", {"options": ["A"] * (OPTION_LIMIT + 1)}, "settings.options"),
        ("category", {"options": [{"text": "A", "status": "gone"}]}, "settings.options[0].status"),
        ("category", {"multiple": 1}, "settings.multiple"),
        ("money", {"allowed_currencies": ["euro"]}, "settings.allowed_currencies[0]"),
        ("money", {"allowed_currencies": ["EUR\n"]}, "settings.allowed_currencies[0]"),
        ("duration", {"fields": ["weeks"]}, "settings.fields[0]"),
        ("phone", {"possible_types": [""]}, "settings.possible_types[0]"),
        ("email", {"possible_types": ["home"] * 51}, "settings.possible_types"),
        ("contact", {"type": "aliens"}, "settings.type"),
        ("app", {"referenceable_types": [0]}, "settings.referenceable_types[0]"),
        ("app", {"referenced_apps": [{}]}, "settings.referenced_apps[0].app_id"),
        ("app", {"referenced_apps": [5]}, "settings.referenced_apps[0]"),
    ],
)
def test_what_a_type_forbids_is_refused_by_name(field_type: str, given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        settings(field_type, given)
    assert raised.value.parameters["field"] == field
    assert raised.value.description.startswith(f"{field}: ")


def test_what_a_type_does_not_know_is_dropped() -> None:
    assert settings("progress", {"surprise": {"deep": []}}) == {}


def test_a_change_keeps_what_it_does_not_name() -> None:
    before = settings("date", {"end": "disabled", "color": "ff0000"})
    after = settings("date", {"time": "disabled"}, before)
    assert (after["end"], after["time"], after["color"]) == ("disabled", "disabled", "ff0000")
    assert settings("date", {"end": None}, after)["end"] == "enabled"


# --- the options of a category -------------------------------------------------------------------------------------------


def test_options_without_an_id_get_the_next_ones() -> None:
    assert options("A", {"text": "B"}, {"text": "C", "id": None, "color": None}) == [
        (1, "A", "active"),
        (2, "B", "active"),
        (3, "C", "active"),
    ]
    assert options({"text": "A", "id": 41}, "B") == [(41, "A", "active"), (42, "B", "active")]


def test_an_option_that_is_left_out_stays_as_deleted() -> None:
    before = settings("category", {"options": ["A", "B"]})["options"]
    assert options({"id": 2, "text": "B"}, before=before) == [(2, "B", "active"), (1, "A", "deleted")]


def test_the_id_of_an_option_is_never_used_again() -> None:
    known: list[dict[str, Any]] = []
    used: dict[int, str] = {}
    for text in ("A", "B", "C", "A", "B"):
        known = settings("category", {"options": [{"text": text}]}, {"options": known})["options"]
        made = known[0]["id"]
        assert made not in used
        used[made] = text
    assert sorted(used) == [1, 2, 3, 4, 5]


def test_an_option_without_an_id_is_the_one_with_the_same_text() -> None:
    before = settings("category", {"options": ["A", "B"]})["options"]
    assert options("C", "B", "A", before=before) == [(3, "C", "active"), (2, "B", "active"), (1, "A", "active")]


def test_two_options_may_have_the_same_text() -> None:
    before = settings("category", {"options": ["A", "A"]})["options"]
    assert len({option["id"] for option in before}) == 2
    again = options(*before, before=before)
    assert again == [(1, "A", "active"), (2, "A", "active")]


def test_an_option_can_be_renamed_and_recoloured_by_its_id() -> None:
    before = settings("category", {"options": ["A"]})["options"]
    after = settings("category", {"options": [{"id": 1, "text": "Alpha", "color": "FFD5C2"}]}, {"options": before})["options"]
    assert after == [{"id": 1, "text": "Alpha", "color": "FFD5C2", "status": "active"}]


def test_a_deleted_option_can_be_brought_back_by_its_id() -> None:
    before = settings("category", {"options": [{"text": "A", "status": "deleted"}, "B"]})["options"]
    assert options({"id": 1, "text": "A"}, {"id": 2, "text": "B"}, before=before) == [(1, "A", "active"), (2, "B", "active")]


# --- the apps of a reference ---------------------------------------------------------------------------------------------


def test_either_list_of_apps_makes_both() -> None:
    both = {
        "referenceable_types": [3, 5],
        "referenced_apps": [{"app_id": 3, "view_id": None}, {"app_id": 5, "view_id": None}],
        "multiple": True,
    }
    assert settings("app", {"referenceable_types": [3, 5, 3]}) == both
    assert settings("app", {"referenced_apps": [{"app_id": 3}, {"app_id": 5, "app": {"name": "x"}}]}) == both


def test_a_list_that_is_given_alone_is_the_one_that_counts() -> None:
    before = settings("app", {"referenced_apps": [{"app_id": 3, "view_id": 9}]})
    assert settings("app", {"referenceable_types": [3, 5]}, before)["referenced_apps"] == [
        {"app_id": 3, "view_id": 9},
        {"app_id": 5, "view_id": None},
    ]
    assert settings("app", {"referenceable_types": []}, before)["referenced_apps"] == []
    assert settings("app", {"multiple": False}, before)["referenceable_types"] == [3]
