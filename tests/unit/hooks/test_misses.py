"""Why no hook heard of an event: the nearest miss; and what is hidden of a code."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tidings.hooks.hiding import hide_code, hide_code_in_bytes
from tidings.hooks.misses import Happening, Listener, miss_of, nearest_miss, why_none

DAY = 86_400_000_000
NOW = 1_767_322_800_000_000  # 2026-01-02 03:00:00 UTC
EVENT = Happening("item.update", 2, 1, [7], NOW)
HOOK = Listener(5, "item.update", "app", 2, 2, 1, "active", None, NOW - 9 * DAY, NOW - 8 * DAY, None, None)
DEAD = {"status": "inactive", "reason": "failing", "deactivated_at": NOW - DAY}


def hook(**more: Any) -> Listener:
    return replace(HOOK, **more)


@pytest.mark.parametrize(
    ("listener", "kind", "said"),
    [
        (hook(**DEAD), "inactive", "had been inactive since 2026-01-01 03:00:00: its URL had failed for too long"),
        (hook(**{**DEAD, "reason": "gone"}), "inactive", "its URL had answered 410"),
        (hook(activated_at=NOW + DAY), "inactive", "became active only later, on 2026-01-03 03:00:00"),
        (hook(activated_at=None, status="inactive", reason="unverified"), "unverified", "its URL had not been verified"),
        (hook(deleted_at=NOW - DAY, status="inactive"), "deleted", "until it was deleted on 2026-01-01 03:00:00"),
        (hook(created_at=NOW + DAY), "later", "was made later, on 2026-01-03 03:00:00"),
        (hook(), "changed", "hears of this now, and did not when it happened"),
        (hook(ref_type="app_field", ref_id=8), "field", "where the field Due date (8) changes, and it did not"),
        (hook(ref_type="app_field", ref_id=9), "field", "where the field 9 changes, and it did not"),
        (hook(type="item.create"), "type", "hears of item.create and not of item.update"),
        (hook(type="task.create", ref_type="space", ref_id=1, app_id=None), "type", "hears of task.create and not of item.update"),
        (hook(ref_id=3, app_id=3), "place", "hears of item.update in app 3 and not here"),
    ],
)
def test_a_miss_says_by_how_little(listener: Listener, kind: str, said: str) -> None:
    miss = miss_of(EVENT, listener, {8: "Due date"})
    assert miss is not None
    assert (miss.kind, miss.hook_id) == (kind, 5)
    assert miss.sentence.startswith("The nearest is hook 5: it ")
    assert said in miss.sentence


def test_hooks_of_another_type_elsewhere_have_nothing_to_do_with_it() -> None:
    stranger = hook(type="item.create", ref_id=3, app_id=3)
    assert miss_of(EVENT, stranger) is None
    assert why_none(EVENT, [stranger]) == "There was no hook on its app or its space."
    assert nearest_miss(EVENT, []).kind == "no_hook"


@pytest.mark.parametrize(
    ("event", "kind", "said"),
    [
        (replace(EVENT, unheard_reason="hook=false"), "unheard", "hook=false"),
        (replace(EVENT, unheard_reason="quiet"), "unheard", "disable_notifications"),
        (replace(EVENT, unheard_reason="loop"), "unheard", "chain"),
        (replace(EVENT, matched=None), "waiting", "It waits"),
    ],
)
def test_what_is_no_hooks_doing_comes_first(event: Happening, kind: str, said: str) -> None:
    miss = nearest_miss(event, [HOOK])
    assert (miss.kind, miss.hook_id) == (kind, None)
    assert said in miss.sentence


def test_the_nearest_is_the_one_that_would_have_heard_but_for_its_state() -> None:
    farther = [hook(hook_id=6, type="item.create"), hook(hook_id=7, created_at=NOW + DAY), hook(hook_id=8, ref_type="app_field", ref_id=8)]
    assert nearest_miss(EVENT, [*farther, hook(**DEAD)]).hook_id == 5
    assert nearest_miss(EVENT, farther).hook_id == 7


def test_of_hooks_that_miss_alike_one_of_the_same_noun_is_nearest_then_the_newest() -> None:
    alike = [hook(hook_id=6, type="comment.create"), hook(hook_id=7, type="item.create"), hook(hook_id=8, type="item.delete")]
    assert nearest_miss(EVENT, alike).hook_id == 8
    dead = replace(alike[2], status="inactive")
    assert nearest_miss(EVENT, [*alike[:2], dead]).hook_id == 7


# --- hiding a code -----------------------------------------------------------------------------------------------------------

CODE = "0123456789abcdef0123456789abcdee"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"code={CODE}&type=hook.verify", "code=(hidden)&type=hook.verify"),
        (f"<b>{CODE.upper()}</b>", "<b>(hidden)</b>"),
        (f"cut {CODE[:20]}", "cut (hidden)"),
        (f"{CODE} {CODE[24:]}", "(hidden) (hidden)"),
        (f"{CODE[:16]}\r\n10\r\n{CODE[16:]}", "(hidden)\r\n10\r\n(hidden)"),
        ("0123456 is too little of it", "0123456 is too little of it"),
        ("nothing of it", "nothing of it"),
        ("", ""),
    ],
)
def test_a_code_is_hidden_also_in_part(text: str, shown: str) -> None:
    assert hide_code(text, CODE) == shown
    assert hide_code_in_bytes(text.encode(), CODE) == shown.encode()


def test_where_there_is_no_code_nothing_is_hidden() -> None:
    assert hide_code(CODE, None) == CODE
    assert hide_code_in_bytes(b"\xff\x00", CODE) == b"\xff\x00"
