"""One call of the API, as an operation sees it: who calls, what they sent, when; and the store to run functions on.

An operation is `async def create_item(call: Call, body: ItemBody, query: ChangeQuery) -> ItemObject` (`api/operations.py`):
it runs one function of the floors below as a transaction, and answers a value for the body (None is 204). Errors are
raised; `api/dispatch.py` turns all of it into HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request

from tidings.api.callers import Callers
from tidings.api.limits import Limits
from tidings.clock import Clock
from tidings.delivery.allow import AllowList
from tidings.delivery.guard import Guard
from tidings.errors import NotFound
from tidings.events.causes import caused
from tidings.settings import Settings
from tidings.store.blobs.blobs import Blobs
from tidings.store.database import Database, Tx
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller
from tidings.workspace.accounts.logins import Logins

P = ParamSpec("P")
T = TypeVar("T")

UNHEARD = "tidings.unheard"
"""Where a request's scope says why no hook hears of what it has changed, though hooks might have."""

GREATEST_ID = 2**31 - 1  # contract section 0, decision 23


class ChangeQuery(Struct):
    """What the query says of a change. `silent` is taken and means nothing: nobody is notified but hooks (section 6.1)."""

    hook: Annotated[bool, Meta(description="false: no hook hears of it")] = True
    silent: Annotated[bool, Meta(description="Taken, and without a meaning here")] = False


NOBODY = Caller("user", 0)
"""Who calls an operation that is open to all. No user has this id, so it has no right anywhere."""


@dataclass(frozen=True, slots=True)
class House:
    """What the operations stand on; made once, in `server.py`."""

    database: Database
    keyring: Keyring
    settings: Settings = field(repr=False)  # it holds the key
    clock: Clock
    allow: AllowList
    guard: Guard
    blobs: Blobs
    callers: Callers = field(default_factory=Callers)
    limits: Limits = field(default_factory=Limits)
    logins: Logins = field(default_factory=Logins)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, its body already read (and within the limit), its caller known."""

    house: House
    request: Request
    caller: Caller
    raw_body: bytes = field(repr=False)
    now: int  # microseconds since the epoch, one moment for the whole call

    def id(self, name: str) -> int:
        """The id `name` of the path. Raises `NotFound` for text that no id can be."""
        text = self.text(name)
        if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= GREATEST_ID):
            raise NotFound(parameters={name: text[:60]})
        return int(text)

    def text(self, name: str) -> str:
        """The part `name` of the path, decoded. It is never empty and has no NUL character."""
        text: str = self.request.path_params[name]
        return text

    async def read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` to read."""
        return await self.house.database.read(fn, *args, **kwargs)

    async def glance(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for what looks up a few rows by their keys (see `Database.glance`)."""
        return await self.house.database.glance(fn, *args, **kwargs)

    async def write(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` as one durable transaction; what it changes was led to by the delivery that the call names."""
        cause = header(self.request, b"tidings-cause")
        if not cause:
            return await self.house.database.write(fn, *args, **kwargs)
        limit = self.house.settings.cause_limit
        answer, looped = await self.house.database.write(caused, cause, limit, lambda tx: fn(tx, *args, **kwargs))
        if looped:
            self.request.scope[UNHEARD] = "loop"
        return answer


def header(request: Request, name: bytes) -> str:
    """What the head of a request says under `name`, which is in lower case; "" where it says nothing.

    For what every call is asked: Starlette's own way takes three times as long.
    """
    for key, value in request.scope["headers"]:
        if key == name:
            said: str = value.decode("latin-1")
            return said
    return ""


def json_bytes(value: Any) -> bytes:
    """`value` as the JSON of an answer."""
    return _encode(value)


_encode = msgspec.json.Encoder().encode
