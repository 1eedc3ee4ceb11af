"""`tidings user`: people made and listed on the command line."""

from __future__ import annotations

import asyncio
import getpass
import io
import json
import sys
from pathlib import Path

import pytest

from tests.support.databases import Place, place_on_sqlite
from tidings.cli import users
from tidings.cli.users import add_user, print_users
from tidings.errors import Conflict, Invalid
from tidings.settings import Settings
from tidings.workspace.access import Caller
from tidings.workspace.accounts.passwords import find_password, is_password
from tidings.workspace.orgs import list_orgs

PASSWORD = "correct horse battery"


def settings_for(place: Place) -> Settings:
    return Settings(data=place.data, database=place.url)


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def add(place: Place, username: str = "ada@example.org", *, org: str | None = None) -> None:
    add_user(settings_for(place), username, "Ada", org=org, password_from_stdin=True, as_json=True)


async def test_a_person_is_made_who_can_sign_in_and_has_an_organization(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, f"{PASSWORD}\n")
    await asyncio.to_thread(add, place, org="Engines")
    printed = capsys.readouterr().out
    made = json.loads(printed)
    assert (made["username"], made["name"]) == ("ada@example.org", "Ada")
    assert PASSWORD not in printed
    await asyncio.to_thread(print_users, settings_for(place), as_json=True)
    assert [each["user_id"] for each in json.loads(capsys.readouterr().out)] == [made["user_id"]]
    database = place.open()
    kept = await database.read(lambda tx: find_password(tx, "ada@example.org"))
    orgs = await database.read(list_orgs, Caller("user", made["user_id"]))
    await database.close()
    assert kept is not None
    assert is_password(PASSWORD, kept[1])
    assert [(org.org_id, org.name, org.role) for org in orgs] == [(made["org_id"], "Engines", "admin")]


@pytest.fixture
def on_sqlite(sqlite_template: Path, tmp_path: Path) -> Place:
    return place_on_sqlite(tmp_path, sqlite_template)


def test_everybody_is_listed_without_their_passwords(
    on_sqlite: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for username in ("ada@example.org", "bob@example.org"):
        type_in(monkeypatch, PASSWORD)
        add(on_sqlite, username)
    capsys.readouterr()
    print_users(settings_for(on_sqlite), as_json=True)
    listed = json.loads(capsys.readouterr().out)
    print_users(settings_for(on_sqlite), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert [each["username"] for each in listed] == ["ada@example.org", "bob@example.org"]
    assert sorted(listed[0]) == ["created_on", "name", "user_id", "username"]
    assert lines[0].startswith("user_id 1, username ada@example.org, name Ada, created_on 20")


def test_what_cannot_be_is_refused_and_makes_nobody(
    on_sqlite: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for password in ("short", "", "x" * 1025):
        type_in(monkeypatch, f"{password}\n")
        with pytest.raises(Invalid, match="a password has 8 to 1024 characters"):
            add(on_sqlite)
    type_in(monkeypatch, PASSWORD)
    with pytest.raises(Invalid, match="name: must not be blank"):
        add(on_sqlite, org="  ")
    print_users(settings_for(on_sqlite), as_json=True)
    assert json.loads(capsys.readouterr().out) == []


def test_a_username_is_given_once(on_sqlite: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, f"{PASSWORD}\n{PASSWORD}\n")
    add(on_sqlite)
    with pytest.raises(Conflict, match="taken"):
        add(on_sqlite)


def test_a_password_is_asked_for_twice_on_a_terminal_and_nowhere_else(on_sqlite: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter([PASSWORD, PASSWORD, PASSWORD, "another"])
    monkeypatch.setattr(getpass, "getpass", lambda _: next(typed))
    with pytest.raises(Invalid, match="--password-stdin"):
        users.add_user(settings_for(on_sqlite), "ada@example.org", "Ada", org=None, password_from_stdin=False, as_json=True)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    users.add_user(settings_for(on_sqlite), "ada@example.org", "Ada", org=None, password_from_stdin=False, as_json=True)
    with pytest.raises(Invalid, match="not the same"):
        users.add_user(settings_for(on_sqlite), "bob@example.org", "Bob", org=None, password_from_stdin=False, as_json=True)
