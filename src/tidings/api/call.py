"""One call of the API, as an operation sees it: who calls, what they sent, when; and the store to run functions on.

An operation is `async def create_item(call: Call, body: ItemBody, query: ChangeQuery) -> ItemObject` (`api/operations.py`):
it runs one function of the floors below as a transaction, and answers a value for the body (None is 204). Errors are
raised; `api/dispatch.py` turns all of it into HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request

from tidings.api.bodies import read_body, read_flag, read_number
from tidings.api.callers import Callers
from tidings.clock import Clock
from tidings.delivery.allow import AllowList
from tidings.delivery.guard import Guard
from tidings.errors import NotFound
from tidings.settings import Settings
from tidings.store.database import Database, Tx
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller

P = ParamSpec("P")
T = TypeVar("T")

GREATEST_ID = 2**31 - 1  # contract section 0, decision 23


class ChangeQuery(Struct):
    """What the query says of a change. `silent` is taken and means nothing: nobody is notified but hooks (section 6.1)."""

    hook: bool = True
    silent: bool = False


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
    callers: Callers = field(default_factory=Callers)


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

    def body(self, shape: type[T]) -> T:
        """The JSON body as `shape` (a msgspec type). Raises `Invalid` naming the field that is wrong.

        No body is `{}`, and so is `[]` where `shape` is an object (contract section 4.5).
        """
        return read_body(self.raw_body, shape, content_type=self.request.headers.get("content-type", ""))

    def query(self, name: str) -> str | None:
        """The parameter `name` of the query, decoded, without NUL characters; None where it is not given."""
        return self.request.query_params.get(name) if self.request.scope["query_string"] else None

    def flag(self, name: str, *, default: bool) -> bool:
        """A yes-or-no parameter of the query: true, false, 1, 0, in any case (contract section 6.1)."""
        return read_flag(self.query(name), name, default=default)

    def number(self, name: str, *, default: int, least: int = 0, most: int = GREATEST_ID) -> int:
        """A whole number of the query. Raises `Invalid` when it is none, or not between `least` and `most`."""
        return read_number(self.query(name), name, default=default, least=least, most=most)

    @property
    def heard(self) -> bool:
        """Whether hooks are to hear of the change: false with `hook=false`."""
        return self.flag("hook", default=True)

    async def read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` to read."""
        return await self.house.database.read(fn, *args, **kwargs)

    async def write(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` as one durable transaction."""
        return await self.house.database.write(fn, *args, **kwargs)


def json_bytes(value: Any) -> bytes:
    """`value` as the JSON of an answer."""
    return _encode(value)


_encode = msgspec.json.Encoder().encode
