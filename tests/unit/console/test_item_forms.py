"""The inputs of every type of field: from kept values to texts and back, and what was typed to what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.console.item_forms import fill_item, in_short, merge, read_item, widgets
from tidings.console.said import in_words
from tidings.console.shapes.shape import NO_CHOICES, Choices
from tidings.errors import Conflict, Invalid
from tidings.workspace.fields.fields import Field, FieldConfig
from tidings.workspace.fields.fieldsets import Fieldset, Values
from tidings.workspace.fields.settings import SETTINGS, changed_settings
from tidings.workspace.values.rule import NOTHING_KNOWN, Known, KnownFile, KnownItem

LABELS: dict[str, Any] = {"options": ["urgent", "export", "gift"], "multiple": True}

# A type with settings, a kept value or several, the texts that stand for it, and how it is said.
KEPT: list[tuple[str, dict[str, Any], list[dict[str, Any]], dict[str, str], list[str]]] = [
    ("text", {}, [{"value": " a b\nc "}], {"0.value": " a b\nc "}, [" a b\nc "]),
    ("number", {}, [{"value": "12.0000"}], {"0.value": "12"}, ["12"]),
    ("number", {}, [{"value": "-0.00000001"}], {"0.value": "-0.00000001"}, ["-0.00000001"]),
    ("number", {}, [{"value": "100.0000"}], {"0.value": "100"}, ["100"]),
    ("money", {}, [{"value": "1234.5000", "currency": "EUR"}], {"0.value": "1234.5", "0.currency": "EUR"}, ["1,234.50 EUR"]),
    ("progress", {}, [{"value": 0}], {"0.value": "0"}, ["0%"]),
    ("duration", {}, [{"value": 93_605}], {"0.days": "1", "0.hours": "2", "0.seconds": "5"}, ["1 d 2 h 5 s"]),
    ("duration", {}, [{"value": 0}], {"0.seconds": "0"}, ["0 s"]),
    ("duration", {"fields": ["hours"]}, [{"value": 90_061}], {"0.hours": "25", "0.seconds": "61"}, ["1 d 1 h 1 min 1 s"]),
    ("date", {}, [{"start": "2026-01-02"}], {"0.start_date": "2026-01-02"}, ["2026-01-02"]),
    (
        "date",
        {},
        [{"start": "2026-01-02 10:00:00", "end": "2026-01-03 11:30:15"}],
        {"0.start_date": "2026-01-02", "0.start_time": "10:00", "0.end_date": "2026-01-03", "0.end_time": "11:30:15"},
        ["2026-01-02 10:00:00 \N{EN DASH} 2026-01-03 11:30:15"],
    ),
    ("category", {"options": ["New", "Done"]}, [{"value": 2}], {"0.value": "2"}, ["Done"]),
    ("category", LABELS, [{"value": 1}, {"value": 3}], {"0.1": "on", "0.3": "on"}, ["urgent", "gift"]),
    ("phone", {}, [{"type": "work", "value": "+45 1"}], {"0.value": "+45 1", "0.type": "work"}, ["+45 1"]),
    (
        "email",
        {},
        [{"type": "home", "value": "a@b.org"}, {"type": "work", "value": "c@d.org"}],
        {"0.value": "a@b.org", "0.type": "home", "1.value": "c@d.org", "1.type": "work"},
        ["a@b.org", "c@d.org"],
    ),
    ("embed", {}, [{"url": "https://example.org/a"}], {"0.value": "https://example.org/a"}, ["https://example.org/a"]),
    ("location", {}, [{"value": "Aarhus", "lat": 56.1, "lng": 10.2}], {"0.value": "Aarhus"}, ["Aarhus"]),
    ("location", {"structured": True}, [{"value": "A 1, B", "city": "B"}], {"0.value": "A 1, B", "0.city": "B"}, ["A 1, B"]),
    ("contact", {}, [{"value": 6}, {"value": 7}], {"0.value": "6", "1.value": "7"}, ["Ada", "person 7"]),
    ("member", {}, [{"value": 6}], {"0.value": "6"}, ["Ada"]),
    ("app", {"referenceable_types": [3]}, [{"value": 5}], {"0.value": "5"}, ["A part"]),
    ("image", {}, [{"value": 8}], {"0.value": "8"}, ["a.png"]),
    ("file", {}, [{"value": 8}, {"value": 9}], {"0.value": "8", "1.value": "9"}, ["a.png", "file 9"]),
]
KNOWN = Known({5: KnownItem(5, 2, "A part", 3, "Parts", "Part")}, {6: "Ada"}, {8: KnownFile(8, "a.png", "image/png", 5, None)})


def field_of(field_type: str, settings: dict[str, Any] | None = None, *, required: bool = False, field_id: int = 12) -> Field:
    config = FieldConfig("The field", settings=changed_settings(field_type, {}, settings or {}, "settings"), required=required)
    return Field(field_id, 1, f"the-{field_id}", field_type, "active", config, 0)


def fieldset_of(field_type: str, settings: dict[str, Any] | None = None, **more: Any) -> Fieldset:
    return Fieldset((field_of(field_type, settings, **more),))


def typed(**texts: str) -> dict[str, str]:
    return {f"f12.{name.replace('__', '.')}": text for name, text in texts.items()}


def browser_sends(those: Fieldset, texts: dict[str, str], choices: Choices = NO_CHOICES) -> dict[str, str]:
    """What a browser sends of the form as it stands: every input, ticked boxes alone."""
    inputs = [each for widget in widgets(those, texts, choices) for line in widget.lines for each in line]
    return {each.name: each.text for each in inputs if each.kind != "checkbox" or each.checked}


def saved(those: Fieldset, form: dict[str, str], held: Values) -> Values:
    """The values of the item after the form."""
    return held | those.read(read_item(those, form, held), held)


def test_there_is_a_case_for_every_type() -> None:
    assert {case[0] for case in KEPT} == set(SETTINGS)


@pytest.mark.parametrize(("field_type", "settings", "values", "texts", "words"), KEPT)
def test_a_value_becomes_texts_and_the_texts_become_the_value(
    field_type: str, settings: dict[str, Any], values: list[dict[str, Any]], texts: dict[str, str], words: list[str]
) -> None:
    those = fieldset_of(field_type, settings)
    filled = fill_item(those, {12: values})
    assert {name: text for name, text in filled.items() if text} == {f"f12.{name}": text for name, text in texts.items()}
    form = browser_sends(those, filled)
    assert read_item(those, form, {12: values}) == {}, "what was not touched is no part of the change"
    if "lat" not in values[0]:
        assert saved(those, form, {}) == {12: values}
    assert in_words(those.slots[0], {12: values}, KNOWN) == words


@pytest.mark.parametrize("field_type", sorted(SETTINGS))
def test_an_empty_form_says_nothing_and_an_emptied_one_clears_the_field(field_type: str) -> None:
    those = fieldset_of(field_type, {"options": ["New", "Done"]} if field_type == "category" else {})
    form = browser_sends(those, {})
    assert form
    assert saved(those, form, {}) in ({}, {12: []})
    values = next(values for each, _, values, _, _ in KEPT if each == field_type)[:1]
    emptied = dict.fromkeys(browser_sends(those, fill_item(those, {12: values})), "")
    assert saved(those, emptied, {12: values}) == {12: []}


def test_a_field_with_several_values_has_a_line_more_than_it_has_values() -> None:
    those = fieldset_of("embed")
    [widget] = widgets(those, fill_item(those, {12: [{"url": "https://a.org"}, {"url": "https://b.org"}]}), NO_CHOICES)
    assert [line[0].name for line in widget.lines] == ["f12.0.value", "f12.1.value", "f12.2.value"]
    [widget] = widgets(fieldset_of("number"), typed(**{"0__value": "5"}), NO_CHOICES)
    assert len(widget.lines) == 1


def test_a_line_that_is_emptied_takes_its_value_away_and_leaves_the_others() -> None:
    those = fieldset_of("location")
    held: Values = {12: [{"value": "A", "lat": 1.0, "lng": 2.0}, {"value": "B", "lat": 3.0, "lng": 4.0}]}
    form = browser_sends(those, fill_item(those, held)) | {"f12.0.value": ""}
    assert saved(those, form, held) == {12: [{"value": "B", "lat": 3.0, "lng": 4.0}]}


def test_a_place_that_is_written_anew_loses_the_coordinates_of_the_old_one() -> None:
    those = fieldset_of("location")
    held: Values = {12: [{"value": "A", "lat": 1.0, "lng": 2.0}]}
    assert saved(those, browser_sends(those, fill_item(those, held)) | {"f12.0.value": "C"}, held) == {12: [{"value": "C"}]}


def test_line_breaks_are_what_they_were() -> None:
    those = fieldset_of("text", {"size": "large"})
    held: Values = {12: [{"value": "a\r\nb"}]}
    assert read_item(those, typed(**{"0__value": "a\r\nb"}), held) == {}
    assert saved(those, typed(**{"0__value": "a\r\nc"}), held) == {12: [{"value": "a\nc"}]}


def test_a_text_of_several_lines_has_an_area_even_where_the_field_is_for_one() -> None:
    those = fieldset_of("text")
    kinds = [widgets(those, typed(**{"0__value": text}), NO_CHOICES)[0].lines[0][0].kind for text in ("a", "a\nb")]
    assert kinds == ["text", "area"]


def test_an_option_that_was_taken_away_stays_where_it_is_held() -> None:
    settings = changed_settings("category", {}, {"options": ["New", "Done"]}, "")
    settings = changed_settings("category", settings, {"options": ["New"]}, "")
    those = Fieldset((Field(12, 1, "the-12", "category", "active", FieldConfig("The field", settings=settings), 0),))
    held: Values = {12: [{"value": 2}]}
    form = browser_sends(those, fill_item(those, held))
    assert read_item(those, form, held) == {}
    [[select]] = widgets(those, form, NO_CHOICES)[0].lines
    assert ("2", "Done") in select.options
    [[select]] = widgets(those, {}, NO_CHOICES)[0].lines
    assert ("2", "Done") not in select.options


def test_people_and_items_are_picked_from_a_list_and_an_item_of_a_large_app_is_named_by_its_id() -> None:
    items = {3: [(5, "A part"), (4, "Another")]}
    those = fieldset_of("app", {"referenceable_types": [3], "multiple": False})
    [[select]] = widgets(those, {}, Choices(items=items, whole=frozenset({3})))[0].lines
    assert (select.kind, list(select.options)) == ("select", [("", ""), ("5", "A part"), ("4", "Another")])
    [widget] = widgets(those, {}, Choices(items=items))
    assert (widget.lines[0][0].kind, list(widget.suggestions)) == ("text", items[3])
    [[select]] = widgets(fieldset_of("contact"), {}, Choices({6: "Ada"}))[0].lines
    assert list(select.options) == [("", ""), ("6", "Ada")]
    [widget] = widgets(fieldset_of("contact"), {}, Choices(dict.fromkeys(range(1, 202), "Ada")))
    assert (widget.lines[0][0].kind, widget.suggestions[0]) == ("text", (1, "Ada"))


@pytest.mark.parametrize(
    ("field_type", "settings", "texts", "complaint"),
    [
        ("number", {}, {"0__value": "twelve"}, "Must be a number with at most 15 digits before the point and 20 after it."),
        ("money", {}, {"0__value": "5", "0__currency": "euro"}, "Must be a currency of three letters"),
        ("money", {}, {"0__value": "a lot", "0__currency": "EUR"}, "Must be a number"),
        ("progress", {}, {"0__value": "101"}, "Must be a whole number from 0 to 100."),
        ("duration", {}, {"0__hours": "-1"}, "Must be a whole number of seconds"),
        ("duration", {}, {"0__hours": "9" * 12, "0__days": "9" * 12}, "Must be a whole number of seconds"),
        ("date", {}, {"0__start_date": "2026-02-30"}, "Must be a date and a time that exist."),
        ("date", {}, {"0__end_date": "2026-02-03"}, "with a start."),
        ("date", {}, {"0__start_date": "2026-02-03", "0__end_date": "2026-02-01"}, "Must be an end that is not before its start"),
        ("date", {}, {"0__start_time": "10:00"}, "Must be a time beside a date."),
        ("date", {"end": "required"}, {"0__start_date": "2026-02-03"}, "Must be the end of the date."),
        ("category", {"options": ["New"]}, {"0__value": "9"}, "Must be one of {'New'}"),
        ("category", LABELS, {"0__9": "on"}, "Must be one of {'urgent'"),
        ("email", {}, {"0__value": "a@b@c"}, "Must be an e-mail address."),
        ("email", {}, {"0__value": "a@b", "0__type": "odd"}, "Must be one of {home,work,other}"),
        ("embed", {}, {"0__value": "javascript:alert(1)"}, "Must be a link"),
        ("contact", {}, {"0__value": "Ada"}, "Must be the id of a person."),
        ("app", {}, {"0__value": "5x"}, "Must be the id of an item."),
        ("file", {}, {"0__value": "0"}, "Must be the id of a file."),
    ],
)
def test_what_is_wrong_is_refused_by_the_rule_of_the_field_in_a_short_sentence(
    field_type: str, settings: dict[str, Any], texts: dict[str, str], complaint: str
) -> None:
    those = fieldset_of(field_type, settings)
    with pytest.raises(Invalid) as refused:
        saved(those, typed(**texts), {})
    assert refused.value.parameters["field"] == "the-12"
    assert complaint in in_short(refused.value)
    assert "Invalid value" not in in_short(refused.value)
    again = widgets(those, typed(**texts), NO_CHOICES)[0].lines[0]
    assert {each.text for each in again} >= {text for text in texts.values() if text != "on"}, "what was typed is kept"


def test_a_sentence_without_a_value_stays_as_it_is() -> None:
    assert in_short(Invalid("A value is required (field 'title')")) == "A value is required."
    assert in_short(Conflict("Two at once")) == "Two at once."


def test_a_field_that_is_not_in_the_form_stays() -> None:
    those = Fieldset((field_of("text"), field_of("number", field_id=13)))
    form = {"f13.0.value": "5", "f99.0.value": "x", "f13.x.value": "6", "csrf": "f12"}
    assert read_item(those, form, {12: [{"value": "a"}]}) == {13: ["5"]}


def test_of_two_who_write_at_once_each_keeps_what_they_touched() -> None:
    those = Fieldset((field_of("text"), field_of("number", field_id=13), field_of("embed", field_id=14)))
    base: Values = {12: [{"value": "a"}], 13: [{"value": "1.0000"}]}
    held: Values = {12: [{"value": "b"}], 13: [{"value": "1.0000"}], 14: [{"url": "https://a.org"}]}
    form = browser_sends(those, fill_item(those, base)) | {"f13.0.value": "5"}
    merged = {name: text for name, text in merge(those, form, base, held).items() if text}
    assert merged == {"f12.0.value": "b", "f13.0.value": "5", "f14.0.value": "https://a.org"}


PARTS = ("value", "type", "currency", "days", "seconds", "start_date", "start_time", "end_date", "end_time", "city", "1", "2", "", "x")
NAMES = st.sampled_from([f"f12.{place}.{part}" for place in range(3) for part in PARTS])
TEXTS = st.text(max_size=12) | st.sampled_from(["on", "1", "-5", "2026-01-02", "10:00"])


@given(st.dictionaries(NAMES, TEXTS, max_size=8), st.sampled_from(sorted(SETTINGS)))
def test_any_form_at_all_is_a_change_or_a_complaint(form: dict[str, str], field_type: str) -> None:
    those = fieldset_of(field_type, LABELS if field_type == "category" else {})
    widgets(those, form, NO_CHOICES)
    try:
        values = saved(those, form, {})
    except Invalid:
        return
    assert saved(those, browser_sends(those, fill_item(those, values)), values) == values
    assert len(in_words(those.slots[0], values, NOTHING_KNOWN)) == len(values.get(12, []))
