"""Settings: read from the environment and the command line, refused by name, and all of them documented."""

from __future__ import annotations

import base64
import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.errors import Invalid
from tidings.settings import ENVIRONMENT_PREFIX, Settings, read_settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
NAMES = [f.name for f in dataclasses.fields(Settings)]


def refusal(name: str, text: str) -> Invalid | None:
    """Why `text` is not taken for the setting `name`, or None."""
    try:
        read_settings({ENVIRONMENT_PREFIX + name.upper(): text})
    except Invalid as error:
        return error
    return None


def test_without_an_environment_everything_has_its_default() -> None:
    assert read_settings({}) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("TIDINGS_DATA", "/var/lib/tidings", Path("/var/lib/tidings")),
        ("TIDINGS_DATABASE", "postgresql://user@host/name", "postgresql://user@host/name"),
        ("TIDINGS_PORT", "9000", 9000),
        ("TIDINGS_PORT", "0", 0),
        ("TIDINGS_GRACE", "0", 0.0),
        ("TIDINGS_CONNECT_TIMEOUT", "2.5", 2.5),
        ("TIDINGS_ALLOW", "", ()),
        ("TIDINGS_ALLOW", "127.0.0.1:*, 10.0.0.0/8 ,", ("127.0.0.1:*", "10.0.0.0/8")),
        ("TIDINGS_SCHEDULE", "1,2.5,3600", (1.0, 2.5, 3600.0)),
        ("TIDINGS_SCHEDULE", "", ()),
        ("TIDINGS_LOG_FORMAT", "json", "json"),
    ],
)
def test_a_variable_sets_the_setting_of_its_name(variable: str, text: str, value: object) -> None:
    settings = read_settings({variable: text})
    name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
    assert getattr(settings, name) == value
    assert type(getattr(settings, name)) is type(value)


def test_the_command_line_wins_over_the_environment_where_it_says_something() -> None:
    settings = read_settings({"TIDINGS_PORT": "9000", "TIDINGS_HOST": "::1"}, port=9001, host=None)
    assert (settings.port, settings.host) == (9001, "::1")


def test_variables_of_others_are_none_of_our_business() -> None:
    assert read_settings({"PATH": "/bin", "PORT": "9000", "tidings_port": "9000", "MY_TIDINGS_PORT": "1"}) == Settings()


@pytest.mark.parametrize("variable", ["TIDINGS_PROT", "TIDINGS_", "TIDINGS_public_url", "TIDINGS___CLASS__"])
def test_a_name_that_is_no_setting_is_refused(variable: str) -> None:
    with pytest.raises(Invalid, match=f"{variable} is not a setting") as caught:
        read_settings({variable: "1"})
    assert caught.value.parameters == {"variable": variable}


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("TIDINGS_PORT", ""),
        ("TIDINGS_PORT", "http"),
        ("TIDINGS_PORT", "80.5"),
        ("TIDINGS_PORT", "9" * 5000),
        ("TIDINGS_LEASE", "soon"),
        ("TIDINGS_SCHEDULE", "5,then,30"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_by_the_name_of_its_variable(variable: str, text: str) -> None:
    with pytest.raises(Invalid, match=f"{variable} cannot be read") as caught:
        read_settings({variable: text})
    assert caught.value.parameters == {"variable": variable}


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("TIDINGS_PORT", "65536"),
        ("TIDINGS_PORT", "-1"),
        ("TIDINGS_CONCURRENCY", "0"),
        ("TIDINGS_CONNECTIONS", "-3"),
        ("TIDINGS_LEASE", "0"),
        ("TIDINGS_LEASE", "nan"),
        ("TIDINGS_LEASE", "inf"),
        ("TIDINGS_GRACE", "-0.1"),
        ("TIDINGS_SCHEDULE", "5,-1"),
        ("TIDINGS_SCHEDULE", "nan"),
        ("TIDINGS_SCHEDULE", "2678401"),
        ("TIDINGS_LOG_FORMAT", "xml"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_the_name_of_its_setting(variable: str, text: str) -> None:
    name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
    with pytest.raises(Invalid, match=name) as caught:
        read_settings({variable: text})
    assert caught.value.parameters == {"setting": name}


def test_the_command_line_is_held_to_the_same_bounds() -> None:
    with pytest.raises(Invalid, match="port"):
        read_settings({}, port=70_000)


@given(name=st.sampled_from(NAMES), text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_gives_settings_or_a_clear_refusal(name: str, text: str) -> None:
    error = refusal(name, text)
    assert error is None or name in error.description.lower()


def test_a_secret_is_in_no_repr_and_in_no_error() -> None:
    key = base64.b64encode(b"s3cret-s3cret-s3cret-s3cret-s3cr").decode()
    environment = {
        "TIDINGS_KEY": key,
        "TIDINGS_DATABASE": "postgresql://user:s3cret@host/name",
        "TIDINGS_PROXY": "http://user:s3cret@proxy:3128",
    }
    assert not {"s3cret", key} & set(re.findall(r"[\w=+/-]+", repr(read_settings(environment))))
    for variable in NAMES:
        error = refusal(variable, "s3cret")
        assert error is None or "s3cret" not in f"{error!r} {error.parameters} {error.__cause__!r}"


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "::1", "port": 80}, "http://[::1]:80"),
        ({"url": "https://hooks.example/tidings/"}, "https://hooks.example/tidings"),
    ],
)
def test_links_begin_with_the_public_address(values: dict[str, object], url: str) -> None:
    assert read_settings({}, **values).public_url == url


# --- documentation --------------------------------------------------------------------------------------------------


def written(value: object) -> str:
    """A default, as its variable would say it."""
    if isinstance(value, tuple):
        return ",".join(written(part) for part in value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def row(setting: dataclasses.Field[object]) -> str:
    """How `docs/settings.md` tells of one setting."""
    default = f"`{written(setting.default)}`" if setting.default not in ("", ()) else ""
    return f"| `{ENVIRONMENT_PREFIX}{setting.name.upper()}` | {default} | {setting.metadata['sentence']} |"


def test_every_setting_stands_in_the_document_as_it_is_and_none_that_is_not() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| `{ENVIRONMENT_PREFIX}")]
    assert rows == [row(setting) for setting in dataclasses.fields(Settings)]
