"""One login at one server: every call is performed here, whoever drives it.

A call carries the token there is. When the server says that it has expired, the pair is renewed once, however many calls
wait for it, and each is sent again; when the new one is refused too, that is the answer. Programs that share a store take
over one another's new tokens. What failed is repeated only where `retries.py` says so.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from urllib.parse import SplitResult, urlencode

from tidings.client.answers import read_answer
from tidings.client.calls import NOTHING, Call, nothing
from tidings.client.exchange import Answer, Lost, Request
from tidings.client.plans import Alone, Pause, Plan, Send
from tidings.client.retries import Failure, Patience, pause_after, read_retry_after
from tidings.client.tokens import MemoryStore, Tokens, TokenStore, read_tokens
from tidings.errors import Gone, Invalid, InvalidGrant, NotFound, TidingsError, Unauthorized, Unavailable
from tidings.wire.cause import cause

R = TypeVar("R")

FORM = "application/x-www-form-urlencoded"
SAVED_WITHIN = (0.1, 0.4, 1.0)  # seconds between looks into a store that another program may be about to save to
EXPIRED = ("expired_token", "invalid_token")  # the two words for it, in either place of the envelope


class RateLimit(NamedTuple):
    """What the server said last of its limit: calls in all, and how many are left."""

    limit: int
    remaining: int


@dataclass(eq=False)
class Session:
    """What a client knows of its server and of its login there."""

    server: SplitResult
    credentials: Mapping[str, str] = field(repr=False)  # client_id, client_secret
    store: TokenStore = field(repr=False)
    patience: Patience = field(default_factory=Patience)
    dice: Callable[[], float] = field(default=random.random, repr=False)
    tokens: Tokens | None = field(default=None, init=False)
    rate_limit: RateLimit | None = field(default=None, init=False)
    grant: Mapping[str, str] = field(default_factory=dict, init=False, repr=False)  # to ask with again, where a refresh is refused

    def __post_init__(self) -> None:
        self.tokens = self.store.load()

    @property
    def url(self) -> str:
        """The server's."""
        return self.server.geturl()

    # --- calls ---

    def perform(self, call: Call[R]) -> Plan[R]:
        """Make the call, and read its answer. Raises what the server said, as one of `tidings.errors`, or `Unavailable`."""
        fresh = False
        while True:
            used = self.tokens if call.form is None else None
            try:
                return call.read((yield from self._deliver(call, used)))
            except Unauthorized as error:
                if used is None or fresh or not _has_expired(error):
                    raise
            yield Alone(self._renew(used))
            fresh = self._asked_for is self.tokens

    def _deliver(self, call: Call[R], tokens: Tokens | None) -> Plan[Any]:
        """Send it, as often as that is sensible, and answer the JSON that came."""
        request = _request(call, tokens)
        tried, waited, doubtful = 0, 0.0, False
        while True:
            answer: Answer | None = None
            try:
                answer = yield Send(request)
                self.rate_limit = _read_limit(answer) or self.rate_limit
                return read_answer(answer) if call.sink is None or not 200 <= answer.status <= 299 else None
            except Lost as lost:
                error: TidingsError = Unavailable(str(lost))
                failure = Failure(None, lost.sent, call.is_repeatable and not lost.handed_on)
            except TidingsError as refused:
                if doubtful and isinstance(refused, NotFound | Gone) and call.method == "DELETE" and call.read is nothing:
                    return None  # it was done the time before, and nobody told us
                error = refused
                failure = _failure(call, answer)
            pause = pause_after(failure, self.patience, tried=tried, waited=waited, dice=self.dice())
            if pause is None:
                raise error from None
            if failure.is_limit:
                waited += pause
            else:
                tried, doubtful = tried + 1, doubtful or failure.sent
            yield Pause(pause)

    # --- tokens ---

    def authenticate(self, grant: Mapping[str, str], *, again: bool = True) -> Plan[None]:
        """Log in. `again`: whether the same grant may be asked with once more. Raises `InvalidClient`, `InvalidGrant`."""
        yield from self._ask_for_tokens(grant)
        self.grant = grant if again else {}

    def _ask_for_tokens(self, grant: Mapping[str, str]) -> Plan[None]:
        call = Call("POST", "/oauth/token/v2", read_tokens, form={**grant, **self.credentials})
        self.tokens = yield from self.perform(call)
        self._asked_for = self.tokens
        self.store.save(self.tokens)

    _asked_for: Tokens | None = None  # the tokens that we asked for ourselves, last

    def _renew(self, used: Tokens) -> Plan[None]:
        """Have other tokens than those that were `used`, from whoever has them. Run one at a time."""
        if self.tokens is not used or self._took_over(used):
            return
        try:
            yield from self._ask_for_tokens(self._next_grant(used))
        except InvalidGrant:
            if (yield from self._wait_for_others(used)):
                return
            if not self.grant:
                raise
            yield from self._ask_for_tokens(self.grant)

    def _wait_for_others(self, used: Tokens) -> Plan[bool]:
        """Whether another program was quicker: of two refreshes with one token one is refused, maybe before the other is saved."""
        if isinstance(self.store, MemoryStore):
            return False
        for seconds in SAVED_WITHIN:
            if self._took_over(used):
                return True
            yield Pause(seconds)
        return self._took_over(used)

    def _next_grant(self, used: Tokens) -> Mapping[str, str]:
        if used.refresh_token is not None:
            return {"grant_type": "refresh_token", "refresh_token": used.refresh_token}
        if self.grant:
            return self.grant
        raise Unauthorized("expired_token")

    def _took_over(self, used: Tokens) -> bool:
        stored = self.store.load()
        if stored is None or stored.access_token == used.access_token:
            return False
        self.tokens = stored
        return True


def _read_limit(answer: Answer) -> RateLimit | None:
    said = [answer.headers.get(f"x-rate-limit-{name}", "") for name in ("limit", "remaining")]
    if not all(text.isascii() and text.isdigit() and len(text) <= 9 for text in said):
        return None
    return RateLimit(int(said[0]), int(said[1]))


def _has_expired(error: Unauthorized) -> bool:
    return any(word in text for word in EXPIRED for text in (error.code, error.description))


def _failure(call: Call[Any], answer: Answer | None) -> Failure:
    if answer is None:  # an error of ours, before anything was sent
        return Failure(0, sent=True, repeatable=False)
    wait = read_retry_after(answer.headers.get("retry-after"), now=time.time())
    return Failure(answer.status, sent=True, repeatable=call.is_repeatable, retry_after=wait)


def _request(call: Call[Any], tokens: Tokens | None) -> Request:
    body, content_type = _body(call)
    return Request(
        method=call.method,
        path=call.target,
        body=body,
        content_type=content_type,
        authorization=None if tokens is None else f"OAuth2 {tokens.access_token}",
        cause=cause.get(),
        repeatable=call.is_repeatable,
        sink=call.sink,
    )


def _body(call: Call[Any]) -> tuple[Any, str]:
    if call.form is not None:
        return urlencode(call.form).encode(), FORM
    if call.upload is not None:
        return call.upload, call.content_type
    return (None, "") if call.body is NOTHING else (_json(call.body), "application/json")


def _json(body: object) -> bytes:
    import json  # noqa: PLC0415  as in `answers.py`

    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise Invalid("what is to be sent cannot be written as JSON") from None
