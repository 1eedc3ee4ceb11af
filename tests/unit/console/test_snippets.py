"""What a developer copies from an app's page."""

from __future__ import annotations

import shlex

import msgspec
import pytest

from tidings.console.snippets import app_snippets, example_fields, example_value, receive_snippet, verify_snippets
from tidings.workspace.fields.fields import Field, FieldConfig
from tidings.workspace.fields.settings import SETTINGS, Settings, changed_settings
from tidings.workspace.values.rule import read_values
from tidings.workspace.values.table import rule_of

SERVER = "https://tidings.example.org"


def field(type: str, settings: Settings | None = None, *, required: bool = False, name: str = "") -> Field:
    complete = changed_settings(type, {}, settings or {}, "settings")
    return Field(1, 1, name or type, type, "active", FieldConfig(type, settings=complete, required=required), 0)


@pytest.mark.parametrize("type", list(SETTINGS))
def test_every_type_of_field_takes_its_example(type: str) -> None:
    made = field(type, {"options": ["New"]} if type == "category" else None)
    assert read_values(rule_of(type, made.config.settings), example_value(made), ())


def test_an_example_fits_the_settings_of_its_field(subtests: pytest.Subtests) -> None:
    cases: list[tuple[str, Settings, object]] = [
        ("date", {"end": "required", "time": "required"}, {"start": "2030-01-31 14:00:00", "end": "2030-01-31 14:00:00"}),
        ("date", {"time": "disabled"}, {"start": "2030-01-31"}),
        ("category", {"options": ["Won", "Lost"]}, "Won"),
        ("money", {"allowed_currencies": ["DKK"]}, {"value": "12.50", "currency": "DKK"}),
        ("phone", {"possible_types": ["desk"]}, {"type": "desk", "value": "+45 12 34 56 78"}),
    ]
    for type, settings, expected in cases:
        with subtests.test(type=type, settings=settings):
            made = field(type, settings)
            assert example_value(made) == expected
            assert read_values(rule_of(type, made.config.settings), expected, ())


def test_the_example_item_has_what_must_be_there_and_refers_to_nothing_else() -> None:
    fields = [field("app", name="a"), field("text", name="b"), field("contact", required=True, name="c"), field("number", name="d")]
    assert list(example_fields(fields)) == ["b", "c", "d"]


def test_the_lines_name_the_app_and_hold_no_secret() -> None:
    made = app_snippets(SERVER, 7, [field("text", name="title")])
    lines = {snippet.name: snippet.text for snippet in made}
    words = shlex.split(lines["curl-item"].replace("\\\n", " "))
    assert words[:2] == ["curl", f"{SERVER}/item/app/7/"]
    assert msgspec.json.decode(words[-1]) == {"fields": {"title": "A short text"}}
    for name in ("python-item", "python-receive"):
        compile(lines[name], name, "exec")
    assert "$APP_TOKEN" in lines["curl-token"]


def test_a_code_is_sent_back_as_the_api_takes_it() -> None:
    lines = {snippet.name: snippet.text for snippet in verify_snippets(SERVER, 7, 12, "item.create")}
    words = shlex.split(lines["curl-validate"].replace("\\\n", " "))
    assert words[1] == f"{SERVER}/hook/12/verify/validate"
    assert msgspec.json.decode(words[-1]) == {"code": "CODE"}
    assert "--app-id 7" in lines["listen-itself"]
    assert [snippet.name for snippet in verify_snippets(SERVER, None, 12, "task.create")] == ["listen", "curl-validate"]


def test_a_receiver_for_one_hook_expects_that_hook() -> None:
    assert "expect=[12]" in receive_snippet(SERVER, 7, 12, "item.create").text
