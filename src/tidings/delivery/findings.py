"""What is wrong with a hook, from the evidence: a list of checks, and one sentence that a person can act on. Pure.

The checks stand in the order in which a delivery meets what they look at. What is found wrong first is not always the
cause: a hook whose URL cannot be reached becomes inactive for it, and its deliveries wait for it. `conclude` knows what
explains what. A sentence of a problem says what is so, and then what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast, get_args

from msgspec import Struct

from tidings.delivery.bad_answers import BadAnswer, judge_answer
from tidings.delivery.breaker import FAILURES_TO_OPEN, FIRST_OPEN, LONGEST_OPEN
from tidings.delivery.decide import GONE
from tidings.delivery.evidence import DAYS_LOOKED_AT, Evidence, Fault, Happened, HookFacts, Probe, Stage, Tried, Verification, Waiting
from tidings.delivery.faults import explain_fault, explain_passed
from tidings.delivery.wording import at, counted, lasting, listed, times
from tidings.hooks.health import FAILURES_TO_INACTIVE
from tidings.hooks.verification import WRONG_TRIES

Name = Literal["hook", "url", "name", "connection", "certificate", "answers", "verification", "events", "waiting"]
State = Literal["ok", "problem", "unknown", "skipped"]
Cause = Literal[
    "none",
    "paused",
    "no_server",
    Fault,
    "slow",
    "redirects",
    "refused",
    "server_error",
    "broken_answer",
    "gone",
    "failing",
    "verification_expired",
    "verification_wrong_code",
    "verification_pending",
    "verification_not_arrived",
    "verification_under_way",
    "breaker",
    "order",
    "retry",
    "given_up",
    "no_match",
    "no_event",
    "moving",
]
"""Why nothing arrives: a closed list, in the order in which one explains the other. `none`: nothing is wrong."""

CAUSES: tuple[Cause, ...] = get_args(Cause)
_FAULTS: tuple[Fault, ...] = get_args(Fault)
_STAGES: tuple[Stage, ...] = get_args(Stage)
_ANSWERS = tuple(cause for cause in get_args(BadAnswer) if cause != "gone")  # a hook that is gone says by itself what is to be done

Finding = tuple[Cause, str]


class Check(Struct, frozen=True):
    """One thing that was looked at. `cause` is there where it may be why nothing arrives."""

    name: Name
    state: State
    sentence: str
    cause: Cause | None = None


class Diagnosis(Struct, frozen=True):
    """All that was looked at, in order, and what comes of it."""

    hook_id: int
    made_at: int  # microseconds since the epoch
    checks: tuple[Check, ...]
    cause: Cause
    conclusion: str  # what is wrong, and what to do

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return self.cause == "none"


def find(evidence: Evidence, probe: Probe, *, now: int, patience: float) -> Diagnosis:
    """The diagnosis. `now` is in microseconds since the epoch; `patience`, in seconds, is what an exchange may take."""
    hook = evidence.hook
    checks = (
        check_hook(hook),
        *check_network(probe),
        check_answers(hook, evidence.tried, patience),
        check_verification(hook, evidence.verification, now=now),
        check_events(hook, evidence.happened, somebody_delivers=evidence.waiting.somebody_delivers),
        check_waiting(hook, evidence.waiting, now=now),
    )
    cause, conclusion = conclude(hook, checks, evidence.waiting)
    return Diagnosis(hook.hook_id, now, checks, cause, conclusion)


# --- the hook itself ---------------------------------------------------------------------------------------------------


def check_hook(hook: HookFacts) -> Check:
    """Whether it is active."""
    if hook.active and hook.paused_at is None:
        return Check("hook", "ok", f"The hook is active: it hears {hook.type} of {place_of(hook)}.")
    if hook.active:
        sentence = f"The hook is paused since {at(hook.paused_at)}. Resume it, and what waits goes out in order."
        return Check("hook", "problem", sentence, "paused")
    since, verify = f"The hook is inactive since {at(hook.deactivated_at)}", f"ask for a verification ({_verify(hook)})"
    if hook.reason == "gone":
        why = f"its URL answered {GONE}, which says that nobody wants this any more"
        return Check("hook", "problem", f"{since}: {why}. Have it answer 2xx, then {verify}.", "gone")
    if hook.reason == "failing":
        why = f"{FAILURES_TO_INACTIVE} attempts in a row had failed, and none had succeeded for 24 hours"
        return Check("hook", "problem", f"{since}: {why}. Once its URL works again, {verify}.", "failing")
    return Check("hook", "problem", "The hook is inactive: its URL has not shown yet that it wants it. See its verification.")


# --- the network -------------------------------------------------------------------------------------------------------


def check_network(probe: Probe) -> tuple[Check, ...]:
    """The URL, its name, the connection and the certificate. What comes behind a fault has not been looked at."""
    checks: list[Check] = []
    for stage in _STAGES:
        if stage == probe.stage and probe.fault is not None:
            checks.append(Check(stage, "problem", explain_fault(probe, probe.fault), probe.fault))
            break
        looked_at, sentence = explain_passed(stage, probe)
        checks.append(Check(stage, "ok" if looked_at else "skipped", sentence))
    return (*checks, *(Check(stage, "skipped", f"Not looked at, because of the {probe.stage}.") for stage in _STAGES[len(checks) :]))


# --- what it answered --------------------------------------------------------------------------------------------------


def check_answers(hook: HookFacts, tried: Tried | None, patience: float) -> Check:
    """How the last attempt ended."""
    if tried is None:
        todo = "Send a test delivery" if hook.active else "Ask for a verification"
        return Check("answers", "unknown", f"No attempt is on record, so nothing is known of its answers. {todo} to see one.")
    which = "the verification" if tried.verification else f"delivery {tried.sequence}, attempt {tried.number}"
    what = f"The last attempt ({which}, {at(tried.started_at)})"
    if tried.reason is None:
        return Check("answers", "ok", f"{what} was answered {tried.status} after {lasting(tried.took)}.")
    if hook.active and tried.started_at < (hook.activated_at or 0):
        return Check("answers", "unknown", f"{what} failed before the URL was verified again. Send a test delivery to see how it does now.")
    found = judge_answer(tried, patience)
    if found is None:
        return Check("answers", "unknown", f"{what} found no connection: {tried.detail}. What is so now, the other checks say.")
    cause, sentence = found
    full_stop = "" if tried.body.endswith((".", "!", "?")) else "."
    said = f' It said: "{tried.body}"{full_stop}' if tried.body else ""
    return Check("answers", "problem", f"{what} {sentence}{said}", cause)


# --- its verification --------------------------------------------------------------------------------------------------


def check_verification(hook: HookFacts, asked: Verification | None, *, now: int) -> Check:
    """Whether the URL has shown that it wants the hook, and if not, how far that has come."""
    if hook.active and not hook.moving:
        return Check("verification", "ok", f"The URL showed at {at(hook.activated_at)} that it wants the hook.")
    if not hook.has_code or asked is None:
        return Check("verification", "skipped", "No verification is under way.")
    cause, sentence = _dead_code(hook, now) or _way_there(hook, asked) or _way_back(hook, asked)
    if hook.moving:
        kept = "Until its code has been validated, deliveries go to the former one."
        return Check("verification", "problem", f"The hook's new URL is not verified yet. {kept} {sentence}", "moving")
    return Check("verification", "problem", sentence, cause)


def _dead_code(hook: HookFacts, now: int) -> Finding | None:
    again = f"Ask for a new one ({_verify(hook)})"
    if hook.wrong_tries >= WRONG_TRIES:
        tried = f"A wrong code was given {times(hook.wrong_tries)}, so the right one is dead"
        return "verification_wrong_code", f"{tried}. {again}, and send back its `code` just as it arrives."
    if hook.code_expires_at is not None and now >= hook.code_expires_at:
        return "verification_expired", f"The code was never validated, and expired at {at(hook.code_expires_at)}. {again}."
    return None


def _way_there(hook: HookFacts, asked: Verification) -> Finding | None:
    when = f"The verification of {at(asked.asked_at)}"
    if asked.state == "delivered":
        return None
    if asked.state in ("exhausted", "cancelled"):
        return "verification_not_arrived", f"{when} did not arrive, tried {times(asked.attempts)}. Ask for another ({_verify(hook)})."
    if asked.attempts:
        soon = f"has not arrived yet, tried {times(asked.attempts)}; the next attempt is at {at(asked.due_at)}"
        return "verification_not_arrived", f"{when} {soon}. Have the receiver answer 2xx until then, or ask for another ({_verify(hook)})."
    return "verification_under_way", f"{when} is about to go out. Look again in a moment (`tidings serve` has to be running)."


def _way_back(hook: HookFacts, asked: Verification) -> Finding:
    arrived, validate = f"The verification arrived at {at(asked.ended_at)}", f"POST /hook/{hook.hook_id}/verify/validate"
    if hook.wrong_tries:
        wrong = f"a wrong code has been sent back {times(hook.wrong_tries)} ({WRONG_TRIES} kill it)"
        return "verification_wrong_code", f"{arrived}, but {wrong}. Send back the `code` just as it arrived: {validate}."
    never = "but nobody has validated its code (an answer that repeats the code does not)"
    return "verification_pending", f"{arrived}, {never}. Have the receiver send it back ({validate}), or enter it on the hook's page."


# --- what happened -----------------------------------------------------------------------------------------------------


def check_events(hook: HookFacts, happened: Happened, *, somebody_delivers: bool) -> Check:
    """Whether anything happened that the hook was to be told of, and somebody is there to find that out."""
    if hook.active and happened.waiting and not somebody_delivers:
        wait = f"{counted(happened.waiting, 'event', 'wait')} to be looked through for hooks"
        return Check("events", "problem", f"{wait}{_NOBODY_DELIVERS}", "no_server")
    if happened.heard:
        were = f"{'At least ' if happened.heard_more else ''}{counted(happened.heard, 'event', 'were')}"
        nearest = f" One that was not: {happened.miss}" if happened.miss else ""
        return Check("events", "ok", f"{were} for this hook in {_DAYS}, the last at {at(happened.last_heard_at)}.{nearest}")
    if not hook.active:
        return Check("events", "skipped", "An inactive hook hears of nothing; what happens meanwhile is not kept for it.")
    if happened.waiting:
        return Check("events", "ok", f"{counted(happened.waiting, 'event', 'wait')} to be looked through for hooks.")
    if not happened.counts:
        todo = f"Make a change that is {hook.type}, or send a test delivery."
        return Check("events", "problem", f"Nothing has happened in {_around(hook)} in {_DAYS}. {todo}", "no_event")
    return Check("events", "problem", _explain_miss(hook, happened), "no_match")


_DAYS = f"the last {DAYS_LOOKED_AT} days"


def _explain_miss(hook: HookFacts, happened: Happened) -> str:
    total = counted(sum(happened.counts.values()), "event")
    which = listed([f"{count} {type}" for type, count in happened.counts.items()])
    seen = f"{'At least ' if happened.more else ''}{total} happened in {_around(hook)} in {_DAYS} ({which})"
    none = f"none of them for this hook, which hears {hook.type} of {place_of(hook)}"
    nearest = f" One of them: {happened.miss}" if happened.miss else ""
    others = listed([f"hook {hook_id} hears {type}" for hook_id, type in happened.others])
    there = f" Beside it, {others}." if others else ""
    todo = _MISSED.get(happened.missed_by, f"Make a change that is {hook.type}, or add a hook for what does happen.")
    return f"{seen}, {none}.{nearest}{there} {todo}"


_NOW_IT_HEARS = "It hears of such things now: make such a change again."
_MISSED = {
    "hook=false": "Make such a change without hook=false.",
    "quiet": "Let the app tell again: set disable_notifications to false in its config.",
    "loop": "Have the receivers not change again what they are told of.",
    "field": "Change that field, or make a hook on the whole app.",
    **dict.fromkeys(("changed", "inactive", "unverified", "later", "deleted"), _NOW_IT_HEARS),
}


def _around(hook: HookFacts) -> str:
    """Where what it might hear of happens."""
    return f"the app of {place_of(hook)}" if hook.ref_type == "app_field" else place_of(hook)


# --- what waits --------------------------------------------------------------------------------------------------------


def check_waiting(hook: HookFacts, waiting: Waiting, *, now: int) -> Check:
    """Whether deliveries are held back, by what, and until when."""
    if not hook.active:
        return Check("waiting", "skipped", "Nothing but its verification is sent to an inactive hook.")
    if not waiting.count:
        return _check_given_up(hook, waiting)
    wait = f"{'At least ' if waiting.more else ''}{counted(waiting.count, 'delivery', 'wait')}"
    for cause, why in _HOLDS:
        if reason := why(hook, waiting, now):
            return Check("waiting", "problem", f"{wait}{reason}", cause)
    return Check("waiting", "ok", f"{counted(waiting.count, 'delivery')} under way, or about to be.")


def _paused(hook: HookFacts, _waiting: Waiting, _now: int) -> str:
    return "" if hook.paused_at is None else ": the hook is paused. Resume it, and they go out in order."


def _nobody_delivers(_hook: HookFacts, waiting: Waiting, _now: int) -> str:
    return "" if waiting.somebody_delivers else _NOBODY_DELIVERS


def _breaker_is_open(hook: HookFacts, waiting: Waiting, now: int) -> str:
    until = breaker_opens_until(hook)
    if until is None or until <= now:
        return ""
    why = f"after {hook.failures_in_row} failures in a row the hook's breaker is open, and attempts are spaced out"
    next_at = max(until, waiting.first.due_at if waiting.first else 0)
    return f": {why}. The next is at {at(next_at)} at the latest. Repair the receiver until then."


def _order_is_kept(_hook: HookFacts, waiting: Waiting, _now: int) -> str:
    blocker = waiting.blocker
    if blocker is None or not blocker.attempts:
        return ""
    behind = f"{waiting.behind} of them behind delivery {blocker.sequence} ({blocker.what}), which has failed {times(blocker.attempts)}"
    todo = "Repair the receiver, redeliver that one at once, or give the hook the order `none`."
    return f", {behind}: the hook keeps each object's events in order. Its next attempt is at {at(blocker.due_at)}. {todo}"


def _tried_again_later(_hook: HookFacts, waiting: Waiting, now: int) -> str:
    first = waiting.first
    if first is None or first.due_at <= now or waiting.under_way:
        return ""
    failed = f", which has failed {times(first.attempts)}" if first.attempts else ""
    which = f"delivery {first.sequence} ({first.what}){failed}"
    return f" for the next attempt, at {at(first.due_at)}: {which}. Repair the receiver; redeliver to have one sent at once."


_NOBODY_DELIVERS = ", and no server delivers at the moment. Start `tidings serve` on this database."
_HOLDS: tuple[tuple[Cause, Callable[[HookFacts, Waiting, int], str]], ...] = (
    ("paused", _paused),
    ("no_server", _nobody_delivers),
    ("breaker", _breaker_is_open),
    ("order", _order_is_kept),
    ("retry", _tried_again_later),
)


def breaker_opens_until(hook: HookFacts) -> int | None:
    """Until when the hook's breaker may be open, at the latest: None where it is closed.

    Each server has a breaker of its own, in memory. The failures on record say how far the furthest of them can be.
    """
    if hook.failures_in_row < FAILURES_TO_OPEN or hook.last_failure_at is None:
        return None
    doublings = min(hook.failures_in_row - FAILURES_TO_OPEN, LONGEST_OPEN.bit_length())
    return hook.last_failure_at + min(FIRST_OPEN << doublings, LONGEST_OPEN)


def _check_given_up(hook: HookFacts, waiting: Waiting) -> Check:
    if not waiting.given_up:
        return Check("waiting", "ok", "Nothing waits.")
    least = "At least " if waiting.given_up_more else ""
    lost = f"{least}{counted(waiting.given_up, 'delivery', 'were')} given up in {_DAYS}, the last at {at(waiting.given_up_at)}"
    todo = f"Once the receiver is well, send them again: `tidings replay {hook.hook_id}`, or replay on the hook's page."
    return Check("waiting", "problem", f"{lost}. {todo}", "given_up")


# --- what comes of it --------------------------------------------------------------------------------------------------


def conclude(hook: HookFacts, checks: Sequence[Check], waiting: Waiting) -> Finding:
    """The cause, and what to do: of the problems found, the one that explains the others."""
    problems = [check for check in checks if check.cause is not None]
    if not problems:
        return "none", _all_is_well(hook)
    root = min(problems, key=lambda check: CAUSES.index(cast(Cause, check.cause)))
    cause = cast(Cause, root.cause)
    return cause, root.sentence + (_what_follows(hook, waiting) if cause in (*_FAULTS, *_ANSWERS) else "")


def _what_follows(hook: HookFacts, waiting: Waiting) -> str:
    """Of a receiver that cannot be reached or answers badly: what that has led to."""
    if not hook.active:
        return f" The hook is inactive: once that is done, ask for a verification ({_verify(hook)})."
    if waiting.count:
        again = max(breaker_opens_until(hook) or 0, waiting.first.due_at) if waiting.first else None
        return f" Meanwhile {counted(waiting.count, 'delivery', 'wait')}{f'; the next attempt is at {at(again)}' if again else ''}."
    return f" Then send again what was given up: `tidings replay {hook.hook_id}`." if waiting.given_up else ""


def _all_is_well(hook: HookFacts) -> str:
    last = f"The last delivery arrived at {at(hook.last_success_at)}." if hook.last_success_at else "Nothing has been sent to it yet."
    return f"Nothing is wrong with this hook. {last}"


def place_of(hook: HookFacts) -> str:
    """What the hook hangs on: `app 3`."""
    return f"{'field' if hook.ref_type == 'app_field' else hook.ref_type} {hook.ref_id}"


def _verify(hook: HookFacts) -> str:
    return f"POST /hook/{hook.hook_id}/verify/request, or the button on its page"
