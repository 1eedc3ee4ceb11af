"""How hooks and deliveries stand, in words."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tidings.console.hook_words import delivery_standing, hook_standing, reason_words, why_so
from tidings.delivery.outcomes import Reason
from tidings.hooks.registry import HookRecord

HOOK = HookRecord(
    hook_id=1,
    ref_type="app",
    ref_id=1,
    app_id=1,
    space_id=1,
    type="item.update",
    url="https://example.org/",
    next_url=None,
    status="active",
    paused_at=None,
    reason=None,
    verify_expires_at=None,
    verify_tries=0,
    created_by="user:1@0",
    created_at=0,
    activated_at=1,
    deactivated_at=None,
    order="none",
    concurrency=None,
    preserve_query=False,
    format="podio",
    signing="hmac",
    former_secret_until=None,
    failures_in_row=0,
    last_success_at=None,
    last_failure_at=None,
    last_reason=None,
    last_status=None,
    last_answer=None,
)


@pytest.mark.parametrize(
    ("changes", "tone", "word", "why"),
    [
        ({}, "good", "Active", ""),
        ({"failures_in_row": 1, "last_reason": "dns"}, "warn", "Unsteady", "its name does not resolve"),
        ({"failures_in_row": 5, "last_reason": "status", "last_status": 500}, "bad", "Failing", "answered 500"),
        ({"paused_at": 7, "failures_in_row": 9}, "warn", "Paused", ""),
        ({"status": "inactive", "reason": "unverified"}, "warn", "Not verified", "it has not sent the code back"),
        ({"status": "inactive", "reason": "gone"}, "bad", "Inactive", "it answered 410 Gone"),
        ({"status": "inactive", "reason": "failing"}, "bad", "Inactive", "it failed for a day"),
    ],
)
def test_a_hook_stands_as_it_does_and_says_why(changes: dict[str, object], tone: str, word: str, why: str) -> None:
    hook = replace(HOOK, **changes)
    assert hook_standing(hook)[:2] == (tone, word)
    assert why_so(hook) == why


@pytest.mark.parametrize(
    ("state", "attempts", "reason", "status", "expected"),
    [
        ("pending", 0, None, None, ("busy", "Pending", "")),
        ("pending", 2, "status", 503, ("warn", "Pending", "answered 503")),
        ("pending", 2, None, None, ("busy", "Pending", "")),
        ("sending", 1, None, None, ("busy", "Sending", "")),
        ("delivered", 1, None, 200, ("good", "Delivered", "")),
        ("exhausted", 10, "tls", None, ("bad", "Exhausted", "its certificate is not good")),
        ("cancelled", 0, "hook_deleted", None, ("quiet", "Cancelled", "the hook was deleted")),
    ],
)
def test_a_delivery_stands_as_it_does(state: str, attempts: int, reason: str | None, status: int | None, expected: tuple[str, ...]) -> None:
    assert delivery_standing(state, attempts, reason, status) == expected


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_of_a_failed_attempt_has_words(reason: Reason) -> None:
    assert " " in reason_words(reason, 302) or reason is Reason.REDIRECTED
    assert reason_words(reason) != reason
