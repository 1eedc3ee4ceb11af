"""Which hooks an event is for."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidings.hooks.matching import Hook, HookIndex


@dataclass(frozen=True)
class Happened:
    type: str = "item.update"
    app_id: int | None = 5
    space_id: int | None = 2
    field_ids: list[int] = field(default_factory=list)
    heard: bool = True
    hook_id: int | None = None


def hook(hook_id: int, type: str = "item.update", ref: tuple[str, int] = ("app", 5), *, active: bool = True) -> Hook:
    return Hook(hook_id, *ref, type, "http://a.example/", active, None, "none", None, False, None, (b"k",))


def matched(event: Happened, *hooks: Hook) -> list[int]:
    return [each.hook_id for each in HookIndex(1, hooks).match(event)]


def test_a_hook_on_the_app_hears_of_its_own_type() -> None:
    assert matched(Happened(), hook(1), hook(2, "item.create"), hook(3)) == [1, 3]


def test_a_hook_on_another_app_hears_nothing() -> None:
    assert matched(Happened(), hook(1, ref=("app", 6))) == []


def test_an_inactive_hook_hears_nothing() -> None:
    assert matched(Happened(), hook(1, active=False)) == []


def test_a_hook_on_the_space_hears_of_what_is_in_it() -> None:
    assert matched(Happened("app.create"), hook(1, "app.create", ("space", 2)), hook(2, "app.create", ("space", 3))) == [1]


def test_a_hook_on_a_field_hears_only_of_that_field() -> None:
    on_nine, on_ten = hook(1, ref=("app_field", 9)), hook(2, ref=("app_field", 10))
    assert matched(Happened(field_ids=[8, 9]), on_nine, on_ten) == [1]
    assert matched(Happened(field_ids=[]), on_nine, on_ten) == []


def test_an_unheard_event_matches_nobody() -> None:
    assert matched(Happened(heard=False), hook(1)) == []


def test_an_event_meant_for_one_hook_goes_there_even_while_it_is_inactive() -> None:
    event = Happened("hook.verify", hook_id=2)
    assert matched(event, hook(1, active=False), hook(2, active=False)) == [2]


def test_an_event_meant_for_a_hook_that_is_gone_matches_nobody() -> None:
    assert matched(Happened("hook.verify", hook_id=9), hook(1)) == []


def test_the_repr_of_a_hook_holds_no_secret_and_no_url() -> None:
    assert repr(hook(1)) == "Hook(1, item.update on app 5, active)"
