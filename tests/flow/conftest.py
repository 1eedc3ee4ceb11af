"""What tests of the whole machine share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def an_engine_that_looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine of this process looks twenty times a second, not twice, for retries that are due and replays that have begun: tests
    that wait for either would mostly wait for that."""
    monkeypatch.setattr("tidings.delivery.engine.IDLE_CLAIMS", 0.05)
    monkeypatch.setattr("tidings.delivery.engine.IDLE_RELEASE", 0.05)
