"""What comes of the evidence: which problem is the cause, and what is said of it."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from msgspec.structs import replace

from tidings.clock import DAY, HOUR, MINUTE, SECOND
from tidings.delivery.evidence import Certificate, Evidence, Fault, Front, Happened, HookFacts, Probe, Stage, Tried, Verification, Waiting
from tidings.delivery.faults import explain_fault
from tidings.delivery.findings import CAUSES, Diagnosis, breaker_opens_until, find
from tidings.delivery.wording import at, counted, lasting, listed, plain, times

NOW = 1_800_000_000 * SECOND

HOOK = HookFacts(
    hook_id=7,
    type="item.create",
    ref_type="app",
    ref_id=3,
    active=True,
    reason=None,
    paused_at=None,
    moving=False,
    activated_at=NOW - DAY,
    deactivated_at=None,
    has_code=False,
    code_expires_at=None,
    wrong_tries=0,
    failures_in_row=0,
    last_success_at=NOW - HOUR,
    last_failure_at=None,
)
UNVERIFIED = replace(HOOK, active=False, reason="unverified", activated_at=None, has_code=True, code_expires_at=NOW + DAY)
WELL = Probe("https", "r.test", "r.test", addresses=("93.184.215.14",), address="93.184.215.14")
DELIVERED = Tried(12, 1, verification=False, started_at=NOW - HOUR, took=80_000, reason=None, status=204)
HEARD = Happened(counts={"item.create": 1}, heard=1, last_heard_at=NOW - HOUR)
PENDING = Front(13, "item 42", 2, NOW + MINUTE)
CERTIFICATE = Certificate(("a.test",), "Acme", NOW - DAY, NOW - HOUR)


def diagnosis(hook: HookFacts = HOOK, probe: Probe = WELL, **found: Any) -> Diagnosis:
    """Of a hook with which all is well but for what is given."""
    given: dict[str, Any] = {"tried": DELIVERED, "verification": None, "waiting": Waiting(), "happened": HEARD, **found}
    return find(Evidence(hook=hook, url="https://r.test/", ca=None, **given), probe, now=NOW, patience=15.0)


def failing_with(stage: Stage, fault: Fault, detail: str = "why") -> Probe:
    return replace(WELL, stage=stage, fault=fault, detail=detail, certificate=CERTIFICATE)


def failed(reason: str, status: int | None = None, **more: Any) -> Tried:
    return replace(DELIVERED, reason=reason, status=status, detail="why", **more)


def sentence(found: Diagnosis, name: str) -> str:
    return next(check.sentence for check in found.checks if check.name == name)


# --- which one it is ---------------------------------------------------------------------------------------------------


def test_where_all_is_well_nothing_is_wrong() -> None:
    found = diagnosis()
    assert (found.cause, found.is_well) == ("none", True)
    assert found.conclusion == f"Nothing is wrong with this hook. The last delivery arrived at {at(NOW - HOUR)}."
    assert [check.state for check in found.checks] == ["ok"] * 9


def test_each_kind_of_problem_is_outdone_by_what_explains_it() -> None:
    waiting = Waiting(count=3, first=PENDING, blocker=PENDING, behind=1)
    failing = replace(HOOK, failures_in_row=6, last_failure_at=NOW)
    down = failing_with("connection", "nothing_listens")
    assert diagnosis(replace(HOOK, paused_at=NOW), down, tried=failed("status", 500), waiting=waiting).cause == "paused"
    assert diagnosis(failing, down, tried=failed("status", 500), waiting=waiting).cause == "nothing_listens"
    assert diagnosis(failing, tried=failed("status", 500), waiting=waiting).cause == "server_error"
    assert diagnosis(failing, tried=failed("connect"), waiting=waiting).cause == "breaker"
    assert diagnosis(tried=failed("connect"), waiting=waiting).cause == "order"
    assert diagnosis(tried=failed("connect"), waiting=replace(waiting, blocker=None)).cause == "retry"
    assert diagnosis(tried=failed("connect"), waiting=Waiting(given_up=2, given_up_at=NOW)).cause == "given_up"
    assert diagnosis(waiting=replace(waiting, somebody_delivers=False)).cause == "no_server"
    assert diagnosis(waiting=Waiting(somebody_delivers=False), happened=Happened(waiting=2)).cause == "no_server"
    assert diagnosis(replace(HOOK, moving=True, has_code=True), verification=Verification(NOW), happened=Happened()).cause == "no_event"


def test_a_receiver_that_is_down_is_why_a_hook_is_inactive_or_not_verified() -> None:
    down = failing_with("connection", "nothing_listens")
    for hook in (UNVERIFIED, *(replace(HOOK, active=False, reason=reason, deactivated_at=NOW) for reason in ("failing", "gone"))):
        found = diagnosis(hook, down, verification=Verification(NOW, "pending", 1, NOW + MINUTE))
        assert found.cause == "nothing_listens"
        assert found.conclusion.endswith(
            "once that is done, ask for a verification (POST /hook/7/verify/request, or the button on its page)."
        )


def test_what_waits_for_a_receiver_that_is_down_is_told_with_it() -> None:
    found = diagnosis(probe=failing_with("name", "dns"), waiting=Waiting(count=2, first=PENDING))
    assert found.conclusion.endswith(f"Meanwhile 2 deliveries wait; the next attempt is at {at(NOW + MINUTE)}.")
    lost = diagnosis(probe=failing_with("name", "dns"), waiting=Waiting(given_up=2, given_up_at=NOW))
    assert lost.conclusion.endswith("Then send again what was given up: `tidings replay 7`.")


def test_a_failure_from_before_the_last_verification_is_none_of_now() -> None:
    found = diagnosis(tried=failed("status", 410, started_at=NOW - 2 * DAY))
    assert found.cause == "none"
    assert "Send a test delivery to see how it does now." in sentence(found, "answers")


def test_what_stands_behind_a_fault_of_the_network_is_not_looked_at() -> None:
    found = diagnosis(probe=failing_with("name", "dns"))
    states = {check.name: check.state for check in found.checks}
    assert (states["url"], states["name"], states["connection"], states["certificate"]) == ("ok", "problem", "skipped", "skipped")


# --- what is said ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_fault_of_the_network_is_a_cause_with_a_sentence_that_says_what_to_do(fault: Fault) -> None:
    said = explain_fault(failing_with("certificate", fault, "{0} {braces} are text"), fault)
    assert fault in CAUSES
    assert len(said.rstrip(".").split(". ")) >= 2
    assert said.endswith(".")


def test_a_certificate_that_could_not_be_read_has_its_sentence_all_the_same() -> None:
    for fault in get_args(Fault):
        assert explain_fault(replace(failing_with("certificate", fault), certificate=None), fault)


@pytest.mark.parametrize("status", [200 + 99, 400, 401, 403, 404, 405, 409, 410, 415, 418, 429, 500, 502, 503, 599])
def test_every_status_is_told_with_what_to_do(status: int) -> None:
    found = diagnosis(tried=failed("status", status, body="<b>no</b>"))
    assert found.cause == ("gone" if status == 410 else "server_error" if status >= 500 else "refused")
    assert f"was answered {status}. " in found.conclusion
    assert 'It said: "<b>no</b>".' in found.conclusion


def test_an_order_is_told_with_the_one_in_front() -> None:
    found = diagnosis(waiting=Waiting(count=3, more=True, first=PENDING, blocker=PENDING, behind=2))
    assert found.conclusion.startswith(
        "At least 3 deliveries wait, 2 of them behind delivery 13 (item 42), which has failed twice: "
        "the hook keeps each object's events in order."
    )


def test_what_is_under_way_or_due_is_no_problem() -> None:
    due = replace(PENDING, due_at=NOW - SECOND)
    for waiting in (Waiting(count=1, under_way=1), Waiting(count=1, first=due), Waiting(count=2, under_way=1, first=PENDING)):
        assert diagnosis(waiting=waiting).cause == "none"


def test_a_breaker_is_known_by_the_failures_on_record() -> None:
    opens = [breaker_opens_until(replace(HOOK, failures_in_row=failures, last_failure_at=NOW)) for failures in (4, 5, 6, 9, 10, 1_000)]
    assert opens == [None, NOW + 10 * SECOND, NOW + 20 * SECOND, NOW + 160 * SECOND, NOW + 300 * SECOND, NOW + 300 * SECOND]
    over = replace(HOOK, failures_in_row=5, last_failure_at=NOW - 11 * SECOND)
    assert diagnosis(over, tried=failed("connect"), waiting=Waiting(count=1, first=PENDING)).cause == "retry"


def test_how_far_a_verification_has_come_is_told() -> None:
    arrived = Verification(NOW - HOUR, "delivered", 1, NOW - HOUR, NOW - HOUR)
    cases: list[tuple[HookFacts, Verification, str]] = [
        (UNVERIFIED, arrived, "verification_pending"),
        (replace(UNVERIFIED, wrong_tries=1), arrived, "verification_wrong_code"),
        (replace(UNVERIFIED, wrong_tries=5), arrived, "verification_wrong_code"),
        (replace(UNVERIFIED, code_expires_at=NOW), arrived, "verification_expired"),
        (UNVERIFIED, Verification(NOW, "exhausted", 10), "verification_not_arrived"),
        (UNVERIFIED, Verification(NOW, "pending", 1, NOW + MINUTE), "verification_not_arrived"),
        (UNVERIFIED, Verification(NOW, "sending"), "verification_under_way"),
        (UNVERIFIED, Verification(NOW), "verification_under_way"),
    ]
    for hook, asked, cause in cases:
        found = diagnosis(hook, tried=None, verification=asked)
        assert found.cause == cause
        assert "verify/" in found.conclusion or "Look again" in found.conclusion


def test_a_hook_without_a_code_is_told_only_why_it_is_inactive() -> None:
    gone = replace(HOOK, active=False, reason="gone", deactivated_at=NOW)
    found = diagnosis(gone, tried=failed("status", 410))
    assert (found.cause, sentence(found, "verification")) == ("gone", "No verification is under way.")
    assert found.conclusion.count("ask for a verification") == 1


@pytest.mark.parametrize("missed_by", ["hook=false", "quiet", "loop", "field", "later", "inactive", "type", ""])
def test_a_miss_is_told_with_what_to_do(missed_by: str) -> None:
    happened = Happened(counts={"item.update": 2, "item.create": 1}, miss="It.", missed_by=missed_by, others=((9, "item.update"),))
    found = diagnosis(replace(HOOK, ref_type="app_field"), happened=happened)
    assert found.cause == "no_match"
    assert found.conclusion.startswith("3 events happened in the app of field 3 in the last 7 days (2 item.update and 1 item.create)")
    assert "One of them: It. Beside it, hook 9 hears item.update. " in found.conclusion


def test_words_for_people() -> None:
    assert [counted(1, "delivery", "wait"), counted(2, "delivery", "wait"), counted(1, "event", "were"), counted(0, "event")] == [
        "1 delivery waits",
        "2 deliveries wait",
        "1 event was",
        "0 events",
    ]
    assert [times(1), times(2), times(3)] == ["once", "twice", "3 times"]
    assert [lasting(80_000), lasting(1_500_000)] == ["80 ms", "1.5 s"]
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert plain("a\x00\x1b[31m\r\n b\u202e" + "x" * 10, 8) == "a [31m b..."
