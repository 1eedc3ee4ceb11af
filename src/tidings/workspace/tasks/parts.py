"""What a caller says of a task, and how it is read: each part named in the error that refuses it.

A part that is not named (UNSET) stays; null, or nothing, is its default. When a task is due can be said in two ways:
`due_date` and `due_time`, or `due_on` alone. Some clients send back all three as they read them and one of them changed,
so `due_on` counts unless it only repeats what is there; midnight beside an empty `due_time` is a day without a time.
All of it is UTC: Tidings knows of nobody's time zone. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Annotated, Any, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType

from tidings.errors import Invalid
from tidings.workspace.fields.settings import GREATEST_ID
from tidings.workspace.names import NAME_LIMIT, TEXT_LIMIT, checked_name
from tidings.workspace.values.given import clean_text

LABEL_LIMIT = 50  # labels of one task
PEOPLE_LIMIT = 50  # people whom one call may give a task to

Id = Annotated[int, Meta(ge=1, le=GREATEST_ID)]


class PersonGiven(Struct, frozen=True):
    """Somebody, as Podio's contact identifiers name them, or as a task that was read shows who is responsible."""

    type: str | None = None
    id: int | str | None = None
    value: int | str | None = None
    user_id: int | None = None


class LabelGiven(Struct, frozen=True):
    """A label, as a task that was read shows it."""

    text: str


class ReminderGiven(Struct, frozen=True):
    """When to remind of a task."""

    remind_delta: Annotated[int, Meta(ge=0, le=GREATEST_ID, description="minutes before it is due")] | None = None


People = int | str | PersonGiven | list[int | str | PersonGiven] | None


class TaskParts(Struct, frozen=True):
    """What a caller says of a task."""

    text: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    private: bool | UnsetType | None = UNSET
    due_date: str | UnsetType | None = UNSET
    due_time: str | UnsetType | None = UNSET
    due_on: str | UnsetType | None = UNSET
    responsible: People | UnsetType = UNSET
    ref_type: str | UnsetType | None = UNSET
    ref_id: Id | UnsetType | None = UNSET
    completed: bool | UnsetType | None = UNSET
    labels: list[str | LabelGiven] | UnsetType | None = UNSET
    file_ids: list[Id] | UnsetType | None = UNSET
    reminder: ReminderGiven | UnsetType | None = UNSET
    external_id: str | int | UnsetType | None = UNSET
    label_ids: Any = None
    recurrence: Any = None


def refuse_what_is_not_offered(parts: TaskParts) -> None:
    """Raise `Invalid` for labels by number, which have none here, and for a task that comes again."""
    for name, instead in (("label_ids", "labels are named by their text, as `labels`"), ("recurrence", "tasks do not come again")):
        if getattr(parts, name):
            raise _refused(name, f"left out: {instead}")


# --- texts -------------------------------------------------------------------------------------------------------------


def read_text(given: str) -> str:
    """What is to be done. Raises `Invalid` when it is blank or too long."""
    text = _clean(given, "text", TEXT_LIMIT).strip()
    if not text:
        raise Invalid("text: must not be blank", parameters={"field": "text"})
    return text


def read_description(given: str | None) -> str | None:
    """More about it. Raises `Invalid` when it is too long."""
    return _clean(given, "description", TEXT_LIMIT) if given else None


def read_external_id(given: str | int | None) -> str | None:
    """The caller's own word for the task. Raises `Invalid` when it is too long."""
    return None if given is None or given == "" else _clean(str(given), "external_id", NAME_LIMIT)


def read_labels(given: Sequence[str | LabelGiven] | None) -> tuple[str, ...]:
    """The labels, each of them once. Raises `Invalid` for a blank or over-long one, and for too many."""
    texts = [label.text if isinstance(label, LabelGiven) else label for label in given or ()]
    labels = [checked_name(_clean(text, "labels", NAME_LIMIT), f"labels[{place}]") for place, text in enumerate(texts)]
    if len(labels) > LABEL_LIMIT:
        raise _refused("labels", f"at most {LABEL_LIMIT}")
    return tuple(dict.fromkeys(labels))


def _clean(given: str, what: str, limit: int) -> str:
    try:
        return clean_text(given, limit=limit)
    except Invalid as error:
        raise Invalid(f"{what}: {error.description}", parameters={"field": what}) from None


# --- when it is due ----------------------------------------------------------------------------------------------------

MIDNIGHT = "00:00:00"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_CLOCK = re.compile(r"(\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?", re.ASCII)


class Due(NamedTuple):
    """A day, YYYY-MM-DD, and perhaps a time of it, HH:MM:SS; no time without a day."""

    day: str | None
    time: str | None

    @property
    def moment(self) -> str | None:
        """Both in one, as `due_on` is answered; midnight where there is no time."""
        return None if self.day is None else f"{self.day} {self.time or MIDNIGHT}"


def read_due(parts: TaskParts, before: Due) -> Due:
    """When the task is due. Raises `Invalid`, naming the part."""
    if _says_otherwise(parts, before):
        assert parts.due_on is not UNSET
        return _read_whole(parts.due_on, parts.due_time)
    day, clock = _read_day(parts.due_date, before)
    if parts.due_time is not UNSET:
        clock = _read_clock(parts.due_time)
    if day is None and clock is not None:
        if parts.due_time:
            raise _refused("due_time", "left out where there is no due_date")
        clock = None
    return Due(day, clock)


def _says_otherwise(parts: TaskParts, before: Due) -> bool:
    """Whether `due_on` says anything that what is there, `due_date` and `due_time` do not."""
    if parts.due_on is UNSET:
        return False
    if parts.due_on:
        return _read_moment(parts.due_on, "due_on").moment != before.moment
    return parts.due_date is UNSET and parts.due_time is UNSET


def _read_whole(given: str | None, clock_beside: str | UnsetType | None) -> Due:
    if not given:
        return Due(None, None)
    day, clock = _read_moment(given, "due_on")
    if clock_beside is UNSET:
        return Due(day, clock)
    if clock is None:
        return Due(day, _read_clock(clock_beside))
    return Due(day, None if clock == MIDNIGHT and not clock_beside else clock)


def _read_day(given: str | UnsetType | None, before: Due) -> Due:
    if given is UNSET:
        return before
    if not given:
        return Due(None, None)
    day, clock = _read_moment(given, "due_date")
    return Due(day, before.time if clock in (None, MIDNIGHT) else clock)


def _read_moment(given: str, what: str) -> Due:
    """A day without a time, or a moment in UTC; one that says how far it is from UTC is taken there."""
    expected = "a date, YYYY-MM-DD, or a moment in UTC, YYYY-MM-DD HH:MM:SS"
    if not _MOMENT.fullmatch(given):
        raise _refused(what, expected)
    try:
        moment = datetime.fromisoformat(given)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused(what, f"{expected}, that exists") from None
    day = f"{moment:%m-%d}"
    return Due(f"{moment.year:04}-{day}", f"{moment:%H:%M:%S}" if len(given) > len("YYYY-MM-DD") else None)


def _read_clock(given: str | None) -> str | None:
    if not given:
        return None
    match = _CLOCK.fullmatch(given)
    try:
        return f"{time.fromisoformat(match[1]):%H:%M:%S}" if match else _no_clock()
    except ValueError:
        return _no_clock()


def _no_clock() -> str:
    raise _refused("due_time", "a time, HH:MM:SS")


# --- who is responsible ------------------------------------------------------------------------------------------------


class Named(NamedTuple):
    """Somebody, by their id or by their mail address, which is their username."""

    user_id: int | None
    username: str | None


def read_people(given: People | UnsetType) -> list[Named] | None:
    """Who is named, each once, in their order; None where nothing is said, as podio-java says by 0. Raises `Invalid`."""
    if given is UNSET or given == 0:
        return None
    several = given if isinstance(given, list) else [] if given is None or given == "" else [given]
    if len(several) > PEOPLE_LIMIT:
        raise _refused("responsible", f"at most {PEOPLE_LIMIT} people")
    return list(dict.fromkeys(_read_person(each) for each in several))


def _read_person(given: int | str | PersonGiven) -> Named:
    if not isinstance(given, PersonGiven):
        return _by_id(given) if isinstance(given, int) or given.isdecimal() else _by_mail(given)
    if given.type in (None, "user", "profile") and given.user_id is not None:
        return _by_id(given.user_id)
    value = given.id if given.id is not None else given.value
    match given.type:
        case None | "user" | "profile" if value is not None:  # a person has one profile here, with their own id
            return _by_id(value)
        case "mail" if isinstance(value, str):
            return _by_mail(value)
        case _:
            raise _refused("responsible", "{'type': 'user', 'profile' or 'mail', 'id': ...}, a user's id, or a list of these")


def _by_id(given: int | str) -> Named:
    text = str(given)
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 0 < int(text) <= GREATEST_ID):
        raise _refused("responsible", "the id of a user")
    return Named(int(text), None)


def _by_mail(given: str) -> Named:
    return Named(None, checked_name(_clean(given, "responsible", NAME_LIMIT), "responsible"))


def _refused(what: str, expected: str) -> Invalid:
    return Invalid(f"{what}: must be {expected}", parameters={"field": what})
