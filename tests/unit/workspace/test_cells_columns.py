"""Which column is which field."""

from __future__ import annotations

import pytest

from tidings.errors import Invalid
from tidings.workspace.cells.columns import Columns, match_columns
from tidings.workspace.fields.fields import Field, FieldConfig

FIELDS = [
    Field(number, 1, external_id, "text", "active", FieldConfig(label), number)
    for number, (external_id, label) in enumerate([("title", "Name"), ("due-date", "Due"), ("note", "Note"), ("note-2", "Note")], 1)
]


def matched(*headings: str, external_id: str | None = None, **mapping: str) -> Columns:
    return match_columns(headings, FIELDS, mapping=mapping, external_id=external_id)


def fields_of(columns: Columns) -> dict[str, str]:
    return {column.heading: column.field.external_id for column in columns.fields}


def test_a_column_is_found_by_external_id_or_label_in_any_case() -> None:
    assert fields_of(matched("TITLE", "due")) == {"TITLE": "title", "due": "due-date"}
    assert fields_of(matched("name", "Due-Date")) == {"name": "title", "Due-Date": "due-date"}


def test_what_is_said_counts_before_what_is_found() -> None:
    assert fields_of(matched("Title", "Due", Title="note", due="name")) == {"Title": "note", "Due": "title"}


def test_a_column_that_is_left_out_goes_nowhere() -> None:
    columns = matched("Title", "Shoe size", **{"shoe size": ""})
    assert fields_of(columns) == {"Title": "title"}
    assert columns.left_out == ["Shoe size"]


def test_the_column_that_names_rows_need_not_be_a_field() -> None:
    assert matched("Title", "Number", external_id="number").external_id == 1
    assert fields_of(matched("Title", external_id="title")) == {"Title": "title"}


def test_a_column_of_ours_is_passed_over() -> None:
    columns = matched("tidings:line", "tidings:reason", "Title")
    assert [column.place for column in columns.fields] == [2]


@pytest.mark.parametrize(
    ("headings", "more", "sentence"),
    [
        (("Title", "Shoe size"), {}, "no field is called 'Shoe size'; the app has 'title', 'due-date', 'note', 'note-2'"),
        (("NOTE", "Name"), {"NOTE": "nowhere"}, "the app has no field 'nowhere'"),
        (("Title",), {"Size": "note"}, "no column is called 'Size'"),
        (("Title",), {"external_id": "Size"}, "no column is called 'Size'"),
        (("Title", "title "), {}, "more than one column is called 'Title', 'title '"),
        (("Title", "Name"), {}, "the columns 'Title', 'Name' are for the same field"),
        (("", "tidings:line"), {}, "the first line has no headings"),
    ],
)
def test_what_does_not_match_is_refused(headings: tuple[str, ...], more: dict[str, str], sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        matched(*headings, **more)
    assert refused.value.description.startswith(sentence)


def test_a_label_that_two_fields_have_is_none() -> None:
    assert fields_of(matched("note")) == {"note": "note"}  # by its external_id
