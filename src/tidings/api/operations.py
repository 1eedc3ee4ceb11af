"""From an operation's signature to what runs for a request, and to what the OpenAPI document says of it.

An operation is `async def update_task(call: Call, body: TaskBody, query: HookQuery) -> TaskObject`. `body` is the JSON body,
`query` the parameters of the query; either is left out where there is none, and each names a type that msgspec knows. What
is there is decoded before the operation runs, and what does not fit is `Invalid`, naming the field. The signature is all
that there is to say: nothing is declared twice.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, get_type_hints

from tidings.api.bodies import read_body, read_query
from tidings.api.call import Call

Operation = Callable[..., Awaitable[object]]
"""It answers a value (sent as JSON), bytes (JSON already), None (204, no body), or a Starlette `Response`."""


class Signature(NamedTuple):
    """What an operation takes beside the call, and what it answers, as types; None where it takes none."""

    body: Any
    query: Any
    answer: Any


def read_signature(operation: Operation) -> Signature:
    """Raises TypeError for a parameter after the call that is neither `body` nor `query`."""
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
            given["body"] = read_body(call.raw_body, body, content_type=call.request.headers.get("content-type", ""))
        if query is not None:
            given["query"] = read_query(call.request.scope["query_string"], query)
        return operation(call, **given)

    return run
