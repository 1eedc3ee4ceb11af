"""Which rows can go in, and what is wrong with the others."""

from __future__ import annotations

from typing import Any

from tidings.workspace.cells.columns import Columns, match_columns
from tidings.workspace.cells.guessing import as_fields
from tidings.workspace.cells.judging import Held, Judged, Order, Row, judge
from tidings.workspace.fields.fields import NewField

THOSE = as_fields(
    [
        NewField("text", {"label": "Title"}, "title"),
        NewField("number", {"label": "Size"}, "size"),
        NewField("category", {"label": "Color", "settings": {"options": ["Red"]}}, "color"),
    ]
)
HEADINGS = ("Key", "Title", "Size", "Color")


def columns(*headings: str, external_id: str | None = "Key") -> Columns:
    return match_columns(headings or HEADINGS, THOSE.fields, mapping={}, external_id=external_id)


def judged(*rows: tuple[str, ...], there: dict[str, Held] | None = None, seen: tuple[str, ...] = (), **order: Any) -> Judged:
    lines = [Row(line, cells) for line, cells in enumerate(rows, 2)]
    return judge(THOSE, Order(order.pop("columns", columns()), **order), lines, there=there or {}, people={}, seen=seen)


def complaints(of: Judged) -> list[tuple[int, str, str]]:
    every = of.rejected + [rejected for _, rejected in of.wanting]
    return [(each.row.line, complaint.column, complaint.reason) for each in every for complaint in each.complaints]


def test_a_good_row_becomes_values_and_a_blank_cell_none() -> None:
    [draft] = judged(("A1", "One", " ", "red")).drafts
    assert (draft.external_id, draft.values) == ("A1", {1: [{"value": "One"}], 3: [{"value": 1}]})


def test_every_wrong_cell_of_a_row_is_told() -> None:
    assert complaints(judged(("A1", "One", "big", "Blue"))) == [
        (2, "Size", "Invalid value 'big' (string): must be a number, such as 1,234.50"),
        (2, "Color", "There is no option 'Blue'; there are 'Red'"),
    ]


def test_a_bad_row_leaves_the_others_in() -> None:
    found = judged(("A1", "One"), ("A2", "Two", "big"), ("A3", "Three"))
    assert [draft.external_id for draft in found.drafts] == ["A1", "A3"]
    assert [rejected.row.line for rejected in found.rejected] == [3]


def test_a_row_that_only_wants_options_says_which() -> None:
    found = judged(("A1", "One", "", "Blue"), ("A2", "Two", "big", "Green"))
    assert [draft.external_id for draft, _ in found.wanting] == ["A1"]
    assert found.options == {3: ["Blue"]}


def test_a_row_without_its_name_is_refused() -> None:
    assert complaints(judged(("", "One"), (" ", "Two"), ("x" * 256, "Three"))) == [
        (2, "Key", "is blank, and names the row"),
        (3, "Key", "is blank, and names the row"),
        (4, "Key", f"Invalid value '{'x' * 60}...' (string): must be text of at most 255 characters"),
    ]


def test_a_name_that_comes_again_is_refused_wherever_it_came_before() -> None:
    found = judged(("A1", "One"), ("A1", "Again"), ("B1", "Earlier"), seen=("B1",))
    assert [draft.row.line for draft in found.drafts] == [2]
    assert complaints(found) == [(3, "Key", "'A1' is in an earlier row already"), (4, "Key", "'B1' is in an earlier row already")]


def test_a_name_of_a_row_that_was_refused_may_come_again() -> None:
    assert [draft.row.line for draft in judged(("A1", "One", "big"), ("A1", "One", "5")).drafts] == [3]


def test_what_is_there_is_passed_over_whatever_the_row_says() -> None:
    found = judged(("A1", "One", "big"), there={"A1": Held(7)})
    assert (found.skipped, found.drafts, found.rejected) == (["A1"], [], [])


def test_what_is_there_is_drafted_as_a_change_when_it_is_to_be_updated() -> None:
    held = Held(7, 3, {1: [{"value": "Old"}]})
    [draft] = judged(("A1", "", "5"), there={"A1": held}, update=True).drafts
    assert (draft.held, draft.values) == (held, {2: [{"value": "5.0000"}]})


def test_a_row_of_another_width_is_refused_where_something_would_be_lost() -> None:
    found = judged(("A1", "One", "5", "Red", "extra"), ("A2", "Two"))
    assert complaints(found) == [(2, "", "has 5 cells, where the headings are 4")]
    assert [draft.external_id for draft in found.drafts] == ["A2"]


def test_a_cell_below_no_heading_is_refused() -> None:
    unnamed = columns("Title", "", "Size", external_id=None)
    assert complaints(judged(("One", "what?", "5"), ("Two", "", "6"), columns=unnamed)) == [
        (2, "column 2", "holds something, and has no heading")
    ]


def test_a_row_that_could_not_be_read_is_refused_with_that() -> None:
    found = judge(THOSE, Order(columns()), [Row(9, ('"broken',), "is not well-formed")], there={}, people={}, seen=())
    assert complaints(found) == [(9, "", "is not well-formed")]


def test_a_missing_required_value_is_told_by_its_column() -> None:
    those = as_fields([NewField("text", {"label": "Title", "required": True}, "title"), NewField("number", {"label": "Size"}, "size")])
    both = match_columns(("Name", "Size"), those.fields, mapping={"Name": "title"})
    one = match_columns(("Size",), those.fields, mapping={})
    for order, cells, column in ((Order(both), ("", "5"), "Name"), (Order(one), ("5",), "title")):
        assert complaints(judge(those, order, [Row(2, cells)], there={}, people={}, seen=())) == [(2, column, "A value is required")]
