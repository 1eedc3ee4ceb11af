"""From an operation's signature to what runs for a request, and to what the OpenAPI document says of it.

An operation is `async def update_task(call: Call, body: TaskBody, query: HookQuery) -> TaskObject`. `body` is the JSON body,
`query` the parameters of the query; either is left out where there is none, and each names a type that msgspec knows. What
is there is decoded before the operation runs, and what does not fit is `Invalid`, naming the field. The signature is all
that there is to say: nothing is declared twice. Only an operation that reads its body by itself, or answers a Starlette
`Response`, says with `takes` and `answers` what a reader of the document could not know otherwise.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from types import CodeType
from typing import Any, NamedTuple, TypeVar, get_type_hints
from weakref import WeakKeyDictionary

from tidings.api.bodies import read_body, read_query
from tidings.api.call import Call, header

Operation = Callable[..., Awaitable[object]]
"""It answers a value (sent as JSON), bytes (JSON already), None (204, no body), or a Starlette `Response`."""

AnyOperation = TypeVar("AnyOperation", bound=Operation)


class Signature(NamedTuple):
    """What an operation takes beside the call, and what it answers, as types; None where it takes none."""

    body: Any
    query: Any
    answer: Any


class Content(NamedTuple):
    """A body that a signature does not tell of: its media type, and its shape where msgspec has a word for it."""

    media_type: str | None  # None: no body
    shape: Any = None
    status: int = 200  # of an answer


_TAKEN: WeakKeyDictionary[Operation, list[Content]] = WeakKeyDictionary()
_ANSWERED: WeakKeyDictionary[Operation, list[Content]] = WeakKeyDictionary()


def takes(media_type: str, shape: Any = None) -> Callable[[AnyOperation], AnyOperation]:
    """Say that an operation, which reads its body by itself, takes this. For the document alone; may be said repeatedly."""
    return _noted(_TAKEN, Content(media_type, shape))


def answers(media_type: str | None, shape: Any = None, *, status: int = 200) -> Callable[[AnyOperation], AnyOperation]:
    """Say the same of what it answers, when that is a `Response`; no media type is an answer without a body."""
    return _noted(_ANSWERED, Content(media_type, shape, status))


def _noted(where: WeakKeyDictionary[Operation, list[Content]], content: Content) -> Callable[[AnyOperation], AnyOperation]:
    def note(operation: AnyOperation) -> AnyOperation:
        where.setdefault(operation, []).append(content)
        return operation

    return note


def taken(operation: Operation) -> list[Content]:
    """What `takes` said, in the order of the decorators' running."""
    return _TAKEN.get(operation, [])


def answered(operation: Operation) -> list[Content]:
    """What `answers` said."""
    return _ANSWERED.get(operation, [])


def read_signature(operation: Operation) -> Signature:
    """Raises TypeError for a parameter after the call that is neither `body` nor `query`."""
    written = inspect.unwrap(operation)
    place = written.__module__, written.__code__
    if place not in _SIGNATURES:
        _SIGNATURES[place] = _read_anew(operation)
    return _SIGNATURES[place]


_SIGNATURES: dict[tuple[str, CodeType], Signature] = {}
"""By where each is written, which the closures share that are made anew for every server: to read all takes longer than the rest
of making one."""


def _read_anew(operation: Operation) -> Signature:
    _, *names = inspect.signature(operation).parameters
    if not set(names) <= {"body", "query"}:
        raise TypeError(f"{operation.__qualname__} takes {names}: an operation takes the call, and `body` and `query`")
    hints = get_type_hints(operation, include_extras=True)
    return Signature(hints.get("body"), hints.get("query"), hints.get("return"))


def bind(operation: Operation) -> Callable[[Call], Awaitable[object]]:
    """`operation`, to be run with the call alone."""
    body, query, _ = read_signature(operation)
    if body is None and query is None:
        return operation

    def run(call: Call) -> Awaitable[object]:
        given: dict[str, object] = {}
        if body is not None:
            given["body"] = read_body(call.raw_body, body, content_type=header(call.request, b"content-type"))
        if query is not None:
            given["query"] = read_query(call.request.scope["query_string"], query)
        return operation(call, **given)

    return run
