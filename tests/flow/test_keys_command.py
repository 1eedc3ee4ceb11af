"""`tidings keys`: the server's signing keys, listed and rotated on the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.databases import Place
from tidings.cli.keys import print_keys, rotate_keys
from tidings.clock import SECOND, system_clock
from tidings.errors import Invalid
from tidings.settings import Settings
from tidings.wire.ed25519 import SignersPublicKey
from tidings.wire.podio import timestamp


def settings_for(place: Place) -> Settings:
    return Settings(data=place.data, database=place.url)


def shown(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


def test_a_key_is_made_and_the_one_before_it_signs_a_while_longer(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    settings, before = settings_for(place), system_clock()
    print_keys(settings, as_json=True)
    assert shown(capsys) == []
    rotate_keys(settings, overlap=3600, as_json=True)
    [first] = shown(capsys)
    rotate_keys(settings, overlap=3600, as_json=True)
    [second] = shown(capsys)
    print_keys(settings, as_json=True)
    listed = shown(capsys)
    assert [key["public_key"] for key in listed] == [second["public_key"], first["public_key"]]
    assert (listed[0]["retires_on"], listed[1]["retires_on"] >= timestamp(before + 3600 * SECOND)) == (None, True)
    SignersPublicKey(second["public_key"])  # as a receiver takes it


def test_for_people_it_is_a_line(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    rotate_keys(settings_for(place), overlap=0, as_json=False)
    assert capsys.readouterr().out.startswith("kid 1, public_key whpk_")


def test_an_overlap_that_is_too_long_is_refused(place: Place) -> None:
    with pytest.raises(Invalid, match="overlap"):
        rotate_keys(settings_for(place), overlap=1e9, as_json=True)
