"""How a hook and its deliveries stand, in a word, a colour and a sentence. Pure.

A colour is never the only sign: the word says the same.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from tidings.delivery.breaker import FAILURES_TO_OPEN
from tidings.hooks.registry import HookRecord

Tone = Literal["good", "busy", "warn", "bad", "quiet"]
"""`busy`: nothing is wrong, something is still to come."""


class Standing(NamedTuple):
    """How something stands."""

    tone: Tone
    word: str
    sentence: str = ""


def hook_standing(hook: HookRecord) -> Standing:
    """How a hook stands, and why."""
    if hook.status == "inactive":
        return _INACTIVE.get(hook.reason or "", Standing("bad", "Inactive"))
    if hook.paused_at is not None:
        return Standing("warn", "Paused", "What it hears of waits, and goes out in order when it is resumed.")
    if hook.failures_in_row >= FAILURES_TO_OPEN:
        return Standing("bad", "Failing", f"The last {hook.failures_in_row} attempts have failed: {last_failure(hook)}.")
    if hook.failures_in_row:
        return Standing("warn", "Unsteady", f"The last attempt has failed: {last_failure(hook)}. It is tried again.")
    return Standing("good", "Active", "Its URL has proved that it wants to be told." if hook.last_success_at is None else "")


_INACTIVE = {
    "unverified": Standing("warn", "Not verified", "Its URL has not proved yet that it wants to be told, so it hears of nothing."),
    "failing": Standing(
        "bad", "Inactive", "50 attempts in a row had failed and none had succeeded for 24 hours. Ask for a verification to bring it back."
    ),
    "gone": Standing(
        "bad", "Inactive", "Its URL answered 410 Gone, which means: tell me no more. Ask for a verification to bring it back."
    ),
}


def why_so(hook: HookRecord) -> str:
    """The same in a few words, for a list; empty where all is well."""
    if hook.status == "inactive":
        return _WHY_INACTIVE.get(hook.reason or "", "")
    return last_failure(hook) if hook.failures_in_row else ""


_WHY_INACTIVE = {"unverified": "it has not sent the code back", "failing": "it failed for a day", "gone": "it answered 410 Gone"}


def last_failure(hook: HookRecord) -> str:
    """Why the last attempt that failed did."""
    return reason_words(hook.last_reason, hook.last_status)


def reason_words(reason: str | None, status: int | None = None) -> str:
    """Why an attempt failed, or a delivery was cancelled; empty where nothing did."""
    if reason == "status" and status is not None:
        return f"answered {status}"
    if reason == "redirected" and status is not None:
        return f"redirects ({status})"
    return _REASONS.get(reason or "", reason or "")


_REASONS = {
    "dns": "its name does not resolve",
    "refused_address": "its address is not one that hooks may call",
    "connect": "nobody listens there",
    "tls": "its certificate is not good",
    "timeout_connect": "no connection in time",
    "timeout_response": "no answer in time",
    "reset": "the connection broke",
    "protocol": "what it answered is not HTTP",
    "redirected": "redirects",
    "too_large": "the head of its answer is too large",
    "status": "answered with an error",
    "stopped": "this server was stopped",
    "hook_deleted": "the hook was deleted",
    "hook_inactive": "the hook became inactive",
    "verified": "the hook was verified meanwhile",
    "superseded": "another code was made meanwhile",
    "replay_stopped": "the replay was stopped before its turn",
}


def delivery_standing(state: str, attempts: int, reason: str | None = None, status: int | None = None) -> Standing:
    """How a delivery stands."""
    why = reason_words(reason, status)
    if state == "pending":
        return Standing("warn", "Pending", why) if attempts and why else Standing("busy", "Pending")
    if state == "sending":
        return Standing("busy", "Sending")
    if state == "delivered":
        return Standing("good", "Delivered")
    return Standing("bad", "Exhausted", why) if state == "exhausted" else Standing("quiet", "Cancelled", why)


FORMATS = {
    "podio": "Podio form",
    "json": "Full JSON",
    "cloudevents": "CloudEvents, structured",
    "cloudevents-binary": "CloudEvents, binary",
}
ORDERS = {"none": "As soon as possible", "object": "In order, object by object"}
SIGNINGS = {"hmac": "Its own secret (HMAC-SHA256)", "ed25519": "The server's key (Ed25519)"}
STATES = {state: state.capitalize() for state in ("pending", "sending", "delivered", "exhausted", "cancelled")}
