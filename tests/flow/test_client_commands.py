"""`tidings client`: made, listed and deleted on the command line, beside a server or without one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.support.databases import Place
from tidings.cli.clients import add_client, delete_client, print_clients
from tidings.errors import Gone, Invalid, NotFound
from tidings.settings import Settings
from tidings.workspace.accounts.clients import check_client

NO_LIMITS: dict[str, Any] = {"url": None, "domains": (), "calls": None, "limited_calls": None}


def settings_for(place: Place) -> Settings:
    return Settings(data=place.data, database=place.url)


def test_a_client_is_made_shown_and_deleted(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_for(place)
    add_client(settings, "Mine", url=None, domains=["a.example"], calls=0, limited_calls=9, as_json=True)
    made = json.loads(capsys.readouterr().out)
    print_clients(settings, as_json=True)
    (shown,) = json.loads(capsys.readouterr().out)
    assert (shown["client_id"], shown["name"], shown["domains"]) == (made["client_id"], "Mine", "a.example")
    assert (shown["calls_per_hour"], shown["limited_calls_per_hour"]) == (0, 9)
    delete_client(settings, made["auth_client_id"])
    print_clients(settings, as_json=True)
    assert json.loads(capsys.readouterr().out) == []
    with pytest.raises(Gone):
        delete_client(settings, made["auth_client_id"])


async def test_its_secret_is_good(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    await asyncio.to_thread(add_client, settings_for(place), "Mine", **NO_LIMITS, as_json=True)
    made = json.loads(capsys.readouterr().out)
    database = place.open()
    assert (await database.read(check_client, made["client_id"], made["client_secret"])).name == "Mine"
    await database.close()


def test_for_people_it_is_a_line_and_the_list_holds_no_secret(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    add_client(settings_for(place), "Mine", **NO_LIMITS, as_json=False)
    line = capsys.readouterr().out
    secret = line.rsplit("client_secret ", 1)[1].strip()
    print_clients(settings_for(place), as_json=False)
    shown = capsys.readouterr().out
    assert "name Mine" in shown
    assert secret not in shown


def test_what_cannot_be_is_refused(place: Place) -> None:
    with pytest.raises(Invalid, match="domains"):
        add_client(settings_for(place), "Mine", url=None, domains=["https://x"], calls=None, limited_calls=None, as_json=True)
    with pytest.raises(NotFound):
        delete_client(settings_for(place), 99)
