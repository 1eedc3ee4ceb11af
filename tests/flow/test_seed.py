"""`tidings seed`: what it makes it finds again, whoever else is at the database."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.databases import AnyDatabase, Place
from tests.support.forking import fork_tidings
from tests.support.processes import serving
from tidings.cli.seed import Seed, make_seed, print_seed
from tidings.client import Client
from tidings.errors import Conflict
from tidings.settings import Settings
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.apps import delete_app, update_app
from tidings.workspace.fields.fields import load_fields

KEYS = [
    "url", "client_id", "client_secret", "org_id", "space_id", "app_id", "app_token", "fields", "username", "password",
]  # fmt: skip
NOW = 1_700_000_000_000_000
SECRETS = ("client_secret", "app_token", "password")


def settings_for(place: Place, **more: Any) -> Settings:
    return Settings(data=place.data, database=place.url, **more)


async def seeded(place: Place) -> Seed:
    return await asyncio.to_thread(make_seed, settings_for(place))


def test_seeding_twice_answers_the_same_ids_and_secrets(place: Place) -> None:
    first = make_seed(settings_for(place))

    assert make_seed(settings_for(place)) == first


def test_two_who_seed_an_empty_place_at_once_make_one(empty_place: Place, tmp_path: Path) -> None:
    children = [fork_tidings("seed", "--json", *empty_place.arguments, output=tmp_path / f"{number}.log") for number in range(2)]

    assert [child.wait(30) for child in children] == [0, 0]
    first, second = (json.loads(child.output) for child in children)
    assert first == second
    assert list(first) == KEYS


async def test_the_app_has_the_fields_that_were_promised(database: AnyDatabase, place: Place) -> None:
    seed = await seeded(place)

    def types(tx: Tx) -> dict[str, str]:
        return {field.external_id: field.type for field in load_fields(tx, seed.app_id)}

    assert await database.read(types) == {"title": "text", "status": "category", "estimate": "number", "due": "date", "owner": "contact"}


def test_a_running_server_knows_at_once_what_was_seeded(place: Place) -> None:
    with serving(place) as server:
        seed = make_seed(settings_for(place))  # from this process, beside the server's

        client = Client(server.url, seed.client_id, seed.client_secret)
        client.authenticate_with_app(seed.app_id, seed.app_token)
        assert client.request("GET", f"/app/{seed.app_id}")["config"]["name"] == "Tasks"

        client.authenticate_with_password(seed.username, seed.password)
        assert client.request("GET", f"/space/{seed.space_id}")["org_id"] == seed.org_id

        assert make_seed(settings_for(place)) == seed
        assert not [name for name in SECRETS if getattr(seed, name) in server.output]


@pytest.mark.parametrize("spoil", ["renamed", "deleted"])
async def test_an_app_that_is_not_the_demos_any_more_is_made_anew(database: AnyDatabase, place: Place, spoil: str) -> None:
    before, someone = await seeded(place), Caller("user", 1)
    if spoil == "renamed":
        await database.write(update_app, someone, before.app_id, {"name": "Mine now"}, now=NOW)
    else:
        await database.write(delete_app, someone, before.app_id, now=NOW)

    after = await seeded(place)

    assert after.app_id != before.app_id
    assert after.fields.keys() == before.fields.keys()
    assert dataclasses.replace(after, app_id=before.app_id, app_token=before.app_token, fields=before.fields) == before


def test_another_key_is_refused_and_nothing_is_changed(place: Place) -> None:
    first = make_seed(settings_for(place))

    with pytest.raises(Conflict, match="another key"):
        make_seed(settings_for(place, key=base64.b64encode(b"x" * 32).decode()))

    assert make_seed(settings_for(place)) == first


def test_two_places_have_secrets_of_their_own(tmp_path: Path) -> None:
    one, other = (make_seed(Settings(data=tmp_path / name)) for name in ("one", "other"))

    for name in SECRETS:
        assert getattr(one, name) != getattr(other, name)
    assert one.client_secret != one.password


def test_the_url_is_the_one_that_was_given(tmp_path: Path) -> None:
    assert make_seed(Settings(data=tmp_path, url="https://tidings.example.org/")).url == "https://tidings.example.org"
    assert make_seed(Settings(data=tmp_path, port=8123)).url == "http://127.0.0.1:8123"


def test_people_get_a_table_with_every_value_whole_in_80_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    seed = make_seed(Settings(data=tmp_path))

    print_seed(Settings(data=tmp_path), as_json=False)

    printed = capsys.readouterr().out
    for value in (seed.client_secret, seed.app_token, seed.password, "title 1, status 2, estimate 3, due 4, owner 5"):
        assert value in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_secrets_are_not_in_the_repr() -> None:
    seed = Seed("http://x", "id", "hunter2", 1, 1, 1, "hunter2", {}, "demo", "hunter2")

    assert "hunter2" not in repr(seed)
    assert list(dataclasses.asdict(seed)) == KEYS
