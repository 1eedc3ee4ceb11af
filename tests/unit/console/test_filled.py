"""A form that is shown again: what was typed, and where each complaint stands."""

from __future__ import annotations

from tidings.console.filled import NOTHING_FILLED, filled_again
from tidings.errors import Conflict, Invalid


def test_a_form_that_was_not_sent_holds_what_is_there_already() -> None:
    form = NOTHING_FILLED.of("app")
    assert (form.text("name", "Parts"), form.text("other", None), form.fault("name"), form.was_sent) == ("Parts", "", "", False)
    assert NOTHING_FILLED.status == 200


def test_the_complaint_stands_beside_the_input_that_the_error_names() -> None:
    filled = filled_again("app", {"name": ""}, Invalid("config.name: must not be blank", parameters={"field": "config.name"}))
    form = filled.of("app")
    assert (form.text("name", "Parts"), form.fault("name"), form.sentence) == ("", "Must not be blank", "")
    assert filled.status == 400
    assert filled.of("another").text("name", "Parts") == "Parts"


def test_what_names_no_input_is_said_above_the_form() -> None:
    form = filled_again("app", {"name": "x"}, Conflict("fields: too many", parameters={"field": "fields"})).of("app")
    assert (form.sentence, form.fault("fields")) == ("Fields: too many", "")


def test_a_page_may_say_which_input_is_meant() -> None:
    error = Invalid("users: nobody is called x", parameters={"mails": ["x"]})
    assert filled_again("member", {"username": "x"}, error, inputs={"": "username"}).of("member").fault("username")
