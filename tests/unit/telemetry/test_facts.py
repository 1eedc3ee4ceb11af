"""Facts reach those who listen, and nobody who listens stops the line."""

from __future__ import annotations

import logging

import pytest

from tidings.telemetry.facts import Claimed, LeaseTaken, Pruned, Telemetry


def test_a_fact_reaches_every_listener_of_its_kind_in_their_order() -> None:
    telemetry, heard = Telemetry(), list[object]()
    telemetry.listen(Pruned, lambda fact: heard.append(("first", fact.events)))
    telemetry.listen(Pruned, lambda fact: heard.append(("second", fact.events)))

    telemetry.tell(Pruned(7))

    assert heard == [("first", 7), ("second", 7)]


def test_a_fact_of_another_kind_is_not_heard() -> None:
    telemetry, heard = Telemetry(), list[object]()
    telemetry.listen(Pruned, heard.append)

    telemetry.tell(Claimed(1, 0))

    assert heard == []


def test_a_listener_that_fails_is_logged_and_the_others_still_hear(caplog: pytest.LogCaptureFixture) -> None:
    telemetry, heard = Telemetry(), list[object]()

    def fail(_: LeaseTaken) -> None:
        raise OSError("no space left")

    telemetry.listen(LeaseTaken, fail)
    telemetry.listen(LeaseTaken, heard.append)
    with caplog.at_level(logging.ERROR):
        telemetry.tell(LeaseTaken(3))

    assert heard == [LeaseTaken(3)]
    assert caplog.messages == ["a listener failed on LeaseTaken"]
