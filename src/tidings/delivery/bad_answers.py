"""What is wrong with an answer that is not a success, and what to do about it. Pure."""

from __future__ import annotations

from typing import Literal

from tidings.delivery.decide import GONE
from tidings.delivery.evidence import Tried
from tidings.delivery.wording import lasting

BadAnswer = Literal["slow", "redirects", "refused", "server_error", "broken_answer", "gone"]

_SERVER_ERROR = 500


def judge_answer(tried: Tried, patience: float) -> tuple[BadAnswer, str] | None:
    """What is wrong with an answer, in a word and as the end of a sentence about it, and what to do; None where it never came to one.

    `patience`, in seconds, is what an exchange may take.
    """
    match tried.reason:
        case "timeout_response":
            todo = f"Answer within {patience:g} seconds: take the delivery in, answer 200, and do the work afterwards."
            return "slow", f"had no whole answer after {lasting(tried.took)}. {todo}"
        case "redirected":
            where = f" to {tried.location}" if tried.location else ""
            todo = "Redirects are never followed: edit the hook's URL so that it leads there at once."
            return "redirects", f"was answered {tried.status}, a redirect{where}. {todo}"
        case "status":
            return _judge_status(tried.status or 0)
        case "reset" | "protocol" | "too_large":
            return "broken_answer", f"had no proper answer: {tried.detail}. Look into the receiver's own log at that moment."
    return None


def _judge_status(status: int) -> tuple[BadAnswer, str]:
    failed = "The receiver failed at it: look into its own log at that moment."
    otherwise = failed if status >= _SERVER_ERROR else "Have it answer 2xx: nothing else counts as delivered."
    cause: BadAnswer = "gone" if status == GONE else "server_error" if status >= _SERVER_ERROR else "refused"
    return cause, f"was answered {status}. {_ADVICE.get(status, otherwise)}"


_ADVICE = {
    400: "The receiver does not like what it reads: check that it expects the hook's format (a form, unless another was chosen).",
    401: "The receiver asks for credentials: have it let deliveries in without, and check their signature instead.",
    403: "The receiver, or what stands before it, forbids this: have it let deliveries in, and check their signature instead.",
    404: "There is nothing at this path: correct the path in the hook's URL, or the receiver's routes.",
    405: "The receiver takes no POST there: correct the path in the hook's URL, or the receiver's routes.",
    410: "That says that nobody wants this any more, and makes a hook inactive: answer 2xx instead.",
    415: "The receiver wants another content type: have it take the hook's format, or choose another format.",
    429: "The receiver wants fewer at once: give the hook a lower concurrency, or the receiver a higher limit.",
}
