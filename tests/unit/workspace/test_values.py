"""What holds for values of every type: how they may be written, that they come back, that nothing but `Invalid` is raised."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.errors import Invalid
from tidings.workspace.fields.settings import SETTINGS, changed_settings
from tidings.workspace.values.rule import NOTHING_KNOWN, VALUES_LIMIT, Known, KnownFile, KnownItem, Rule, read_values
from tidings.workspace.values.table import rule_of

ITEM = KnownItem(5, 2, "A part", 3, "Parts", "Part")
PHOTO = {
    "file_id": 7, "name": "a.png", "mimetype": "image/png", "size": 5, "description": None,
    "hosted_by": "podio", "hosted_by_humanized_name": "Podio",
}  # fmt: skip
ADA = {"profile_id": 6, "user_id": 6, "type": "user", "name": "Ada", "avatar": None, "image": None}
KNOWN = Known({5: ITEM}, {6: "Ada"}, {7: KnownFile(7, "a.png", "image/png", 5, None)})

# One value of each type that has any: its settings, a way of writing it, what is kept, what is answered.
SAMPLES: dict[str, tuple[dict[str, Any], object, dict[str, Any], dict[str, Any]]] = {
    "text": ({}, "Fix it", {"value": "Fix it"}, {"value": "Fix it"}),
    "number": ({}, 12, {"value": "12.0000"}, {"value": "12.0000"}),
    "money": ({}, {"value": "9.5", "currency": "EUR"}, {"value": "9.5000", "currency": "EUR"}, {"value": "9.5000", "currency": "EUR"}),
    "progress": ({}, 55, {"value": 55}, {"value": 55}),
    "duration": ({}, 3600, {"value": 3600}, {"value": 3600}),
    "date": (
        {},
        "2026-01-02 10:00:00",
        {"start": "2026-01-02 10:00:00"},
        {
            "start": "2026-01-02 10:00:00", "start_date": "2026-01-02", "start_time": "10:00:00",
            "start_utc": "2026-01-02 10:00:00", "start_date_utc": "2026-01-02", "start_time_utc": "10:00:00",
            "end": None, "end_date": None, "end_time": None, "end_utc": None, "end_date_utc": None, "end_time_utc": None,
        },
    ),
    "category": (
        {"options": ["Open", "Done"]},
        "Done",
        {"value": 2},
        {"value": {"id": 2, "text": "Done", "status": "active", "color": "DCEBD8"}},
    ),
    "phone": ({}, {"type": "work", "value": "+45 1"}, {"type": "work", "value": "+45 1"}, {"type": "work", "value": "+45 1"}),
    "email": ({}, {"type": "home", "value": "a@b.org"}, {"type": "home", "value": "a@b.org"}, {"type": "home", "value": "a@b.org"}),
    "embed": (
        {},
        "https://example.org/a",
        {"url": "https://example.org/a"},
        {
            "embed": {
                "embed_id": 1524139752, "type": "link", "title": None, "description": None, "url": "https://example.org/a",
                "original_url": "https://example.org/a", "resolved_url": "https://example.org/a",
            },
            "file": None,
        },
    ),
    "location": (
        {},
        "Aarhus",
        {"value": "Aarhus"},
        {
            "value": "Aarhus", "formatted": None, "street_address": None, "postal_code": None, "city": None, "state": None,
            "country": None, "lat": None, "lng": None, "map_in_sync": False,
        },
    ),
    "app": (
        {},
        5,
        {"value": 5},
        {"value": {"item_id": 5, "app_item_id": 2, "title": "A part", "app": {"app_id": 3, "name": "Parts", "item_name": "Part"}}},
    ),
    "contact": ({}, 6, {"value": 6}, {"value": ADA}),
    "member": ({}, 6, {"value": 6}, {"value": ADA}),
    "image": ({"allowed_mimetypes": ["image/*"]}, 7, {"value": 7}, {"value": PHOTO}),
    "file": ({}, {"file_id": 7}, {"value": 7}, {"value": PHOTO}),
}  # fmt: skip


def rule(field_type: str, settings: dict[str, Any] | None = None) -> Rule:
    return rule_of(field_type, changed_settings(field_type, {}, settings or {}, "settings"))


def sample_rule(field_type: str) -> Rule:
    return rule(field_type, SAMPLES[field_type][0])


every_type = pytest.mark.parametrize("field_type", SAMPLES)


def test_there_is_a_sample_of_every_type() -> None:
    assert set(SAMPLES) == set(SETTINGS)


@every_type
def test_a_value_is_kept_and_answered_in_podios_words(field_type: str) -> None:
    _, written, kept, answered = SAMPLES[field_type]
    assert read_values(sample_rule(field_type), written, ()) == [kept]
    assert sample_rule(field_type).show(kept, KNOWN) == answered


@every_type
def test_a_value_may_come_in_a_list(field_type: str) -> None:
    _, written, kept, _ = SAMPLES[field_type]
    assert read_values(sample_rule(field_type), [written], ()) == [kept]


@pytest.mark.parametrize(
    "field_type", [name for name, sample in SAMPLES.items() if not isinstance(sample[1], dict) and name not in ("date", "embed")]
)
def test_a_value_may_stand_under_its_sub_id(field_type: str) -> None:
    _, written, kept, _ = SAMPLES[field_type]
    assert read_values(sample_rule(field_type), {"value": written}, ()) == [kept]
    assert read_values(sample_rule(field_type), [{"value": written}], ()) == [kept]


@every_type
def test_what_was_answered_can_be_written_back(field_type: str) -> None:
    _, _, kept, answered = SAMPLES[field_type]
    assert read_values(sample_rule(field_type), [answered], ()) == [kept]
    assert read_values(sample_rule(field_type), answered, [kept]) == [kept]


@every_type
@pytest.mark.parametrize("nothing", [None, [], "", [None], [""], {"value": None}, [{"value": None, "currency": None}], [{"value": ""}]])
def test_nothing_clears_the_field(field_type: str, nothing: object) -> None:
    assert read_values(sample_rule(field_type), nothing, ()) == []


@every_type
@pytest.mark.parametrize("nonsense", [True, {}, [[1]], {"foo": 1}, 1.5e300, -1, [{"value": {"value": []}}], "\0", "\ud800"])
def test_nonsense_is_refused_in_podios_sentence(field_type: str, nonsense: object) -> None:
    if field_type == "number" and nonsense == -1:
        return
    with pytest.raises(Invalid, match=r"^Invalid value .* \((string|integer|number|boolean|object|array|null)\): must be "):
        read_values(sample_rule(field_type), nonsense, ())


@every_type
def test_a_field_of_one_value_refuses_two(field_type: str) -> None:
    _, written, kept, _ = SAMPLES[field_type]
    if sample_rule(field_type).many:
        assert kept in read_values(sample_rule(field_type), [written, written], ())
    else:
        with pytest.raises(Invalid, match="must be one value"):
            read_values(sample_rule(field_type), [written, written], ())


def test_a_field_has_a_bounded_number_of_values() -> None:
    with pytest.raises(Invalid, match=f"at most {VALUES_LIMIT} values"):
        read_values(rule("email"), ["a@b.org"] * (VALUES_LIMIT + 1), ())


sub_ids = st.sampled_from(["value", "start", "end", "start_time", "url", "embed", "id", "lat", "lng", "type", "x"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(sub_ids | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(SAMPLES)), json_values)
def test_whatever_is_written_is_refused_or_comes_back_as_it_was_kept(field_type: str, written: object) -> None:
    those = sample_rule(field_type)
    try:
        kept = read_values(those, written, ())
    except Invalid as error:
        error.description.encode()
        return
    for value in kept:
        number, text = those.key(value)
        assert (number is None) != (text is None)
        assert isinstance(those.words(value), str)
        assert those.read(those.show(value, KNOWN), ()) == value
        assert those.read(those.show(value, NOTHING_KNOWN), ()) == value
