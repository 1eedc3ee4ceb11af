"""What is picked from what is there: options, items, people, files."""

from __future__ import annotations

import pytest

from tests.unit.workspace.test_values import KNOWN, rule
from tidings.errors import Invalid
from tidings.workspace.fields.settings import changed_settings
from tidings.workspace.values.references import FileReference
from tidings.workspace.values.rule import NOTHING_KNOWN, read_values
from tidings.workspace.values.table import rule_of

ONE = rule("category", {"options": ["Open", "Done", "7"]})
SEVERAL = rule("category", {"options": ["Open", "Done"], "multiple": True})


@pytest.mark.parametrize("written", [2, "2", "Done", {"value": 2}, {"value": "Done"}, {"value": {"id": 2}}, {"id": 2}, {"text": "Done"}])
def test_an_option_is_named_by_its_id_or_its_text(written: object) -> None:
    assert ONE.read(written, ()) == {"value": 2}


def test_an_option_whose_text_is_a_number_is_found_by_its_text_first() -> None:
    assert ONE.read("7", ()) == {"value": 3}
    assert ONE.read("3", ()) == {"value": 3}


@pytest.mark.parametrize("written", ["Lost", "done", 9, "9", 1.5, True, {"value": []}, 10**30, "²"])
def test_an_option_that_there_is_not_is_refused_with_those_there_are(written: object) -> None:
    with pytest.raises(Invalid, match=r"must be one of \{'Open','Done','7'\}, or the id of one") as raised:
        ONE.read(written, ())
    assert raised.value.parameters["options"] == ["Open", "Done", "7"]


def test_several_options_are_kept_in_their_order_each_once() -> None:
    assert read_values(SEVERAL, ["Done", 1, {"value": "Done"}], ()) == [{"value": 2}, {"value": 1}]


def test_an_option_taken_away_is_refused_unless_the_item_has_it() -> None:
    before = changed_settings("category", {}, {"options": ["Open", "Done"]}, "settings")
    after = rule_of("category", changed_settings("category", before, {"options": ["Done"]}, "settings"))
    with pytest.raises(Invalid, match=r"must be one of \{'Done'\}"):
        after.read("Open", ())
    assert after.read("Open", [{"value": 1}]) == {"value": 1}
    assert after.show({"value": 1}, NOTHING_KNOWN)["value"] == {"id": 1, "text": "Open", "status": "deleted", "color": "DCEBD8"}
    assert after.operand("Open") == 1.0


def test_an_option_that_nobody_remembers_is_still_shown() -> None:
    assert ONE.show({"value": 99}, NOTHING_KNOWN)["value"] == {"id": 99, "text": "", "status": "deleted", "color": "DCEBD8"}
    assert not ONE.words({"value": 99})


def test_a_long_list_of_options_is_shortened_in_the_sentence() -> None:
    with pytest.raises(Invalid, match=r"'19',\.\.\.}") as raised:
        rule("category", {"options": [str(number) for number in range(50)]}).read("Lost", ())
    assert raised.value.parameters["options"] == [str(number) for number in range(50)]


# --- items ---


@pytest.mark.parametrize("written", [5, "5", {"value": 5}, {"item_id": 5}, {"value": {"item_id": 5}}])
def test_an_item_is_named_by_its_id(written: object) -> None:
    assert rule("app").read(written, ()) == {"value": 5}


@pytest.mark.parametrize("written", [0, -1, 2**31, "five", 1.5, {"title": "x"}])
def test_what_no_item_can_have_as_its_id_is_refused(written: object) -> None:
    with pytest.raises(Invalid, match="must be the id of an item"):
        rule("app").read(written, ())


def test_an_item_that_is_not_known_is_shown_by_its_id_alone() -> None:
    assert rule("app").show({"value": 9}, KNOWN) == {"value": {"item_id": 9}}


def test_a_field_for_one_item_refuses_two() -> None:
    assert read_values(rule("app"), [5, 6, 5], ()) == [{"value": 5}, {"value": 6}]
    with pytest.raises(Invalid, match="must be one value"):
        read_values(rule("app", {"multiple": False}), [5, 6], ())


# --- people ---


@pytest.mark.parametrize(
    "written", [6, "6", {"value": 6}, {"value": {"type": "user", "id": 6}}, {"type": "profile", "id": 6}, {"profile_id": 6}, {"user_id": 6}]
)
def test_a_person_is_named_by_their_id(written: object) -> None:
    assert rule("contact").read(written, ()) == {"value": 6}
    assert rule("member").read(written, ()) == {"value": 6}


def test_a_person_is_not_named_by_mail() -> None:
    with pytest.raises(Invalid, match="'user' or 'profile'"):
        rule("contact").read({"value": {"type": "mail", "id": "a@b.org"}}, ())


def test_a_person_who_is_not_known_is_shown_by_their_id_alone() -> None:
    assert rule("contact").show({"value": 9}, KNOWN) == {"value": {"profile_id": 9, "user_id": 9, "type": "user"}}


# --- files ---


@pytest.mark.parametrize(
    "written", [7, "7", {"value": 7}, {"file_id": 7}, {"value": {"file_id": 7}}, {"value": {"file_id": 7, "name": "x"}}]
)
@pytest.mark.parametrize("field_type", ["image", "file"])
def test_a_file_is_named_by_its_id(field_type: str, written: object) -> None:
    assert rule(field_type).read(written, ()) == {"value": 7}


@pytest.mark.parametrize("written", [0, "a.png", {"name": "a.png"}, True, 1.5, 2**31])
def test_what_no_file_can_have_as_its_id_is_refused(written: object) -> None:
    with pytest.raises(Invalid, match="must be the id of a file"):
        rule("file").read(written, ())


def test_a_file_that_is_not_known_is_shown_by_its_id_alone() -> None:
    assert rule("image").show({"value": 9}, KNOWN) == {"value": {"file_id": 9}}


@pytest.mark.parametrize(
    ("types", "mimetype", "allowed"),
    [
        ([], "text/html", True),
        (["image/*"], "image/png", True),
        (["image/*"], "text/html", False),
        (["IMAGE/PNG", " text/plain "], "text/plain", True),
        (["image/png"], "image/gif", False),
        (["*/*"], "x/y", True),
    ],
)
def test_a_field_takes_the_media_types_that_it_names(types: list[str], mimetype: str, allowed: bool) -> None:
    named = rule("file", {"allowed_mimetypes": types})
    assert isinstance(named, FileReference)
    assert named.allows(mimetype) == allowed
