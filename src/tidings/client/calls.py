"""Calls described once, as data, and driven in two ways.

A method of a noun (`Items.get`) says which `Call` its arguments mean, and nothing more. `operation` makes of it what the
client's driver makes of calls: a function that answers, where the driver blocks, or a coroutine function, where it awaits.
Type checkers follow: of one description they know both. `paging` does the same for what is fetched page by page.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload
from urllib.parse import quote, urlencode

from tidings.client.exchange import Upload
from tidings.client.plans import Plan
from tidings.errors import Invalid, TidingsError

if TYPE_CHECKING:
    from tidings.client.awaiting import Awaiting
    from tidings.client.blocking import Blocking

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
D_co = TypeVar("D_co", bound="Blocking | Awaiting", covariant=True)

LONGEST_PAGE = 500  # Podio's limit; a server that gave fewer than were asked for would seem to be at the end

Many = list[T]  # in classes where `list` is an operation
Fields = Mapping[str, object]  # values by external_id or field_id


class _Nothing:
    """No body at all, which is not the same as null."""


NOTHING = _Nothing()


@dataclass(frozen=True, slots=True)
class Call(Generic[R]):
    """One call, whole: what is asked, and how its answer is read."""

    method: str
    path: str
    read: Callable[[Any], R]  # from the answer's JSON, None where it has no body; raises `TidingsError`
    body: object = field(default=NOTHING, repr=False)  # sent as JSON
    query: Mapping[str, object] = field(default_factory=dict)
    repeatable: bool | None = None  # sent twice, it does what it does once; None: as its method says
    form: Mapping[str, str] | None = field(default=None, repr=False)  # sent as a form; such a call carries no token
    upload: Upload | None = field(default=None, repr=False)
    content_type: str = "application/json"  # of `upload`
    sink: Callable[[bytes], object] | None = field(default=None, repr=False)

    @property
    def target(self) -> str:
        """The path with its query."""
        pairs = {name: self._text(value) for name, value in self.query.items() if value is not None}
        return f"{self.path}{'&' if '?' in self.path else '?'}{urlencode(pairs)}" if pairs else self.path

    def _text(self, value: object) -> str:
        if isinstance(value, bool):  # what is read is asked for with 0 and 1 (contract section 6.0), a change says true or false (6.1)
            return str(int(value)) if self.method == "GET" else str(value).lower()
        return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows what became of it."""
        return self.method in ("GET", "HEAD", "PUT", "DELETE") if self.repeatable is None else self.repeatable


def path(template: str, *parts: str | int) -> str:
    """`template` with each `{}` filled by a part, whatever that holds. Raises `Invalid` for an empty part, or `.` and `..`."""
    for part in parts:
        if str(part) in ("", ".", ".."):
            raise Invalid("a part of the path is empty, or dots alone")
    return template.format(*(quote(str(part), safe=",") for part in parts))


def changed(*, hook: bool, silent: bool) -> dict[str, object]:
    """The query of a change: whether hooks hear of it, and whether people do. What is the default is left out."""
    return {"hook": None if hook else False, "silent": True if silent else None}


def given(**named: object) -> dict[str, object]:
    """Those of the names that were given: not None."""
    return {name: value for name, value in named.items() if value is not None}


# --- how answers are read ----------------------------------------------------------------------------------------------


def one(shape: type[T], *names: str) -> Callable[[Any], T]:
    """Reads an object that has `names`; ids are whole numbers. What else `shape` promises is the server's word."""

    def read(value: Any) -> T:
        _check(value, shape, names)
        answer: T = value
        return answer

    return read


def many(shape: type[T], *names: str) -> Callable[[Any], list[T]]:
    """Reads a list of them."""

    def read(value: Any) -> list[T]:
        if not isinstance(value, list):
            raise TidingsError(f"the server's answer is not a list, each a {shape.__name__}")
        for each in value:
            _check(each, shape, names)
        return value

    return read


def perhaps(shape: type[T], *names: str) -> Callable[[Any], T | None]:
    """Reads one, or None where the answer has no body."""
    whole = one(shape, *names)
    return lambda value: None if value is None else whole(value)


def nothing(value: Any) -> None:
    """Reads what says nothing but that it is done."""


def anything(value: Any) -> Any:
    """Reads any JSON."""
    return value


def _check(value: Any, shape: type, names: tuple[str, ...]) -> None:
    if not (isinstance(value, dict) and value.keys() >= set(names)):
        raise TidingsError(f"the server's answer is not the object that it should be: {shape.__name__}")
    for name in names:
        if name.endswith("_id") and (not isinstance(value[name], int) or isinstance(value[name], bool)):
            raise TidingsError(f"the server's answer has a {name} that is no whole number")


# --- how calls are driven ----------------------------------------------------------------------------------------------


class Noun(Generic[D_co]):
    """Operations that belong together, and who drives them."""

    def __init__(self, driver: D_co) -> None:
        self._driver = driver

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._driver.session.url!r})"


class _Described(Generic[P]):
    """What stands in a noun's class: a description, and in its place, on an instance, what drives it."""

    def __init__(self, describe: Callable[..., Any]) -> None:
        self.describe = describe
        self.__doc__ = describe.__doc__
        self._signature: inspect.Signature | None = None

    def _bind(self, noun: Noun[Any], how: str) -> Callable[P, Any]:
        drive = getattr(noun._driver, how)  # noqa: SLF001  it stands in the noun's own class

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return drive(self.describe(noun, *args, **kwargs))

        functools.update_wrapper(call, self.describe)
        call.__signature__ = self._signature = self._signature or _without_self(self.describe)  # type: ignore[attr-defined]
        return call


def _without_self(describe: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(describe)
    return signature.replace(parameters=[*signature.parameters.values()][1:])


class Operation(_Described[P], Generic[P, R]):
    """One call's description."""

    @overload
    def __get__(self, noun: None, owner: type) -> Self: ...
    @overload
    def __get__(self, noun: Noun[Blocking], owner: type) -> Callable[P, R]: ...
    @overload
    def __get__(self, noun: Noun[Awaiting], owner: type) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __get__(self, noun: Noun[Any] | None, owner: type) -> Any:
        """On the class the description, on an instance what does it."""
        return self if noun is None else self._bind(noun, "perform")


class Deed(_Described[P], Generic[P, R]):
    """A plan of several calls."""

    @overload
    def __get__(self, noun: None, owner: type) -> Self: ...
    @overload
    def __get__(self, noun: Noun[Blocking], owner: type) -> Callable[P, R]: ...
    @overload
    def __get__(self, noun: Noun[Awaiting], owner: type) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __get__(self, noun: Noun[Any] | None, owner: type) -> Any:
        """As for an operation."""
        return self if noun is None else self._bind(noun, "run")


@dataclass(frozen=True, slots=True)
class Pages(Generic[R]):
    """Calls that answer a list's parts, one after the other."""

    at: Callable[[int], Call[list[R]]]  # from the offset
    size: int  # a page that has fewer is the last

    def __post_init__(self) -> None:
        if not 1 <= self.size <= LONGEST_PAGE:
            raise Invalid(f"page: must be from 1 to {LONGEST_PAGE}")


class Paging(_Described[P], Generic[P, R]):
    """What is fetched page by page, as one iterates."""

    @overload
    def __get__(self, noun: None, owner: type) -> Self: ...
    @overload
    def __get__(self, noun: Noun[Blocking], owner: type) -> Callable[P, Iterator[R]]: ...
    @overload
    def __get__(self, noun: Noun[Awaiting], owner: type) -> Callable[P, AsyncIterator[R]]: ...
    def __get__(self, noun: Noun[Any] | None, owner: type) -> Any:
        """As for an operation."""
        return self if noun is None else self._bind(noun, "iterate")


def operation(describe: Callable[Concatenate[Any, P], Call[R]]) -> Operation[P, R]:
    """Have the described call driven."""
    return Operation(describe)


def deed(describe: Callable[Concatenate[Any, P], Plan[R]]) -> Deed[P, R]:
    """Have the plan driven."""
    return Deed(describe)


def paging(describe: Callable[Concatenate[Any, P], Pages[R]]) -> Paging[P, R]:
    """Have the pages driven."""
    return Paging(describe)
