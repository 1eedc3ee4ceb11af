"""Podio's timestamps and its error envelope (contract sections 5.1 and 6.0)."""

from __future__ import annotations

import json

import pytest

from tidings.clock import DAY, SECOND
from tidings.wire.podio import error_envelope, timestamp


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (0, "1970-01-01 00:00:00"),
        (1_767_323_045 * SECOND, "2026-01-02 03:04:05"),
        (1_767_323_045 * SECOND + 999_999, "2026-01-02 03:04:05"),
        (951_782_400 * SECOND, "2000-02-29 00:00:00"),
        (-1, "1969-12-31 23:59:59"),
        (2_932_896 * DAY, "9999-12-31 00:00:00"),
    ],
)
def test_a_moment_is_written_in_utc_to_the_second(moment: int, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    assert timestamp(moment) == written


def test_every_error_has_the_same_envelope() -> None:
    envelope = error_envelope(
        error="invalid_value",
        description="the port must be 443",
        detail=None,
        parameters={"url": "https://a.example:8443/"},
        path="/hook/app/5/",
        query_string="a=1",
        method="POST",
    )
    assert json.loads(json.dumps(envelope)) == {
        "error": "invalid_value",
        "error_detail": None,
        "error_description": "the port must be 443",
        "error_parameters": {"url": "https://a.example:8443/"},
        "error_propagate": False,
        "request": {"url": "/hook/app/5/", "query_string": "a=1", "method": "POST"},
    }
