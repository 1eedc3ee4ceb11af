"""Which functions hear of an event."""

from __future__ import annotations

import pytest

from tidings.receiver.events import Event
from tidings.receiver.listening import Listener, checked_pattern


def hears(pattern: str, type: str, *, app: int | None = None, hook: int | None = None, app_id: int | None = None) -> bool:
    return Listener(print, pattern, app, hook).hears(Event(type, 7, {"app_id": app_id}, "msg_1"))


@pytest.mark.parametrize("pattern", ["item.create", "item.*", "*"])
def test_a_pattern_hears_its_types(pattern: str) -> None:
    assert hears(pattern, "item.create")


@pytest.mark.parametrize(("pattern", "type"), [("item.create", "item.update"), ("item.*", "items.create"), ("item.*", "task.create")])
def test_a_pattern_hears_no_other_types(pattern: str, type: str) -> None:
    assert not hears(pattern, type)


def test_a_verification_is_heard_only_by_its_full_name() -> None:
    assert hears("hook.verify", "hook.verify")
    assert not hears("*", "hook.verify")
    assert not hears("hook.*", "hook.verify")


def test_an_app_and_a_hook_narrow_it_down() -> None:
    assert hears("*", "item.create", app=5, hook=7, app_id=5)
    assert not hears("*", "item.create", app=5, app_id=6)
    assert not hears("*", "item.create", app=5)
    assert not hears("*", "item.create", hook=8)


@pytest.mark.parametrize("pattern", ["", "item", "item.", ".create", "*.create", "item.*x", "**", "item.c*"])
def test_a_pattern_that_would_never_be_met_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="type of event"):
        checked_pattern(pattern)
