"""What can be set on a field: a closed table from each field type to its settings, and the rules of each.

Settings that leave here are complete: every key of the type is there, with Podio's default where nothing was said, so
that nobody who reads them asks whether a key exists. What a type does not know is dropped, as clients send what they
once read from elsewhere, and null means the default. What is not named in a change stays.

The options of a category keep their ids for ever: one that is left out of a change stays as `deleted`, and a new one
gets an id that none ever had. An option that comes without an id is the one with the same text, where there is one.
Pure.
"""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from tidings.errors import Invalid
from tidings.workspace.names import checked_name, not_one_of
from tidings.workspace.parts import Parts, changed, read

Settings = dict[str, Any]  # of one field type, as Podio spells them

DEFAULT_COLOR = "DCEBD8"
OPTION_LIMIT = 1_000  # options given for one category; a list that people pick from
REFERENCE_LIMIT = 100  # apps that one field may refer to

Color = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{6}\Z")]
GREATEST_ID = 2**31 - 1
Id = Annotated[int, Meta(ge=1, le=GREATEST_ID)]
Use = Literal["disabled", "enabled", "required"]
ShortText = Annotated[str, Meta(min_length=1, max_length=100)]
Few = Meta(max_length=50)


def _all_of(*words: str) -> Any:
    """The default of a list."""
    return msgspec.field(default_factory=lambda: list(words))


class TextSettings(Struct, frozen=True):
    """`size`: one line or many. `format`: how a client reads the text."""

    size: Literal["small", "large"] = "small"
    format: Literal["plain", "markdown", "html"] = "plain"


class NumberSettings(Struct, frozen=True):
    """`decimals`: how many a client shows; None leaves the number as it is."""

    decimals: Annotated[int, Meta(ge=0, le=15)] | None = None


class DateSettings(Struct, frozen=True):
    """Whether a date has an end and a time of day."""

    end: Use = "enabled"
    time: Use = "enabled"
    calendar: bool = True
    color: Color = DEFAULT_COLOR


class Option(Struct, frozen=True):
    """One option of a category. `id` is None only on the way in."""

    text: str
    id: Id | None = None
    status: Literal["active", "deleted"] = "active"
    color: Color = DEFAULT_COLOR


class CategorySettings(Struct, frozen=True):
    """What can be picked, and whether more than one at once."""

    options: Annotated[list[Option], Meta(max_length=OPTION_LIMIT)] = []
    multiple: bool = False
    display: Literal["inline", "list", "dropdown"] = "inline"


class MoneySettings(Struct, frozen=True):
    """The currencies that a value may be in, as ISO 4217 writes them; none named means any."""

    allowed_currencies: Annotated[list[Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]], Meta(max_length=300)] = []


class DurationSettings(Struct, frozen=True):
    """The units that a client shows. A value is in seconds, whatever they are."""

    fields: Annotated[list[Literal["days", "hours", "minutes", "seconds"]], Few] = _all_of("days", "hours", "minutes", "seconds")


class PhoneSettings(Struct, frozen=True):
    """The kinds of number that a client offers."""

    possible_types: Annotated[list[ShortText], Few] = _all_of("mobile", "work", "home", "main", "work_fax", "private_fax", "other")
    call_link_scheme: Literal["callto", "tel"] = "callto"


class EmailSettings(Struct, frozen=True):
    """The kinds of address that a client offers."""

    possible_types: Annotated[list[ShortText], Few] = _all_of("home", "work", "other")
    include_in_cc: bool = False
    include_in_bcc: bool = False


class LocationSettings(Struct, frozen=True):
    """`structured`: street, town and country apart, not one line."""

    has_map: bool = True
    structured: bool = False


class PeopleSettings(Struct, frozen=True):
    """Who may be named."""

    type: Literal["space_users", "all_users", "space_contacts", "space_users_and_contacts"] = "space_users"


class ReferencedApp(Struct, frozen=True):
    """An app whose items may be referred to."""

    app_id: Id
    view_id: Id | None = None


class AppSettings(Struct, frozen=True):
    """The apps whose items may be referred to: Podio says the same list twice."""

    referenceable_types: Annotated[list[Id], Meta(max_length=REFERENCE_LIMIT)] = []
    referenced_apps: Annotated[list[ReferencedApp], Meta(max_length=REFERENCE_LIMIT)] = []
    multiple: bool = True


class FileSettings(Struct, frozen=True):
    """The media types that may be attached; none named means any."""

    allowed_mimetypes: Annotated[list[ShortText], Few] = []


class NoSettings(Struct, frozen=True):
    """A type on which nothing is set."""


SETTINGS: dict[str, type[Struct]] = {
    "text": TextSettings,
    "number": NumberSettings,
    "date": DateSettings,
    "category": CategorySettings,
    "money": MoneySettings,
    "progress": NoSettings,
    "duration": DurationSettings,
    "phone": PhoneSettings,
    "email": EmailSettings,
    "embed": NoSettings,
    "location": LocationSettings,
    "contact": PeopleSettings,
    "member": PeopleSettings,
    "app": AppSettings,
    "image": FileSettings,
    "file": FileSettings,
}


def check_type(field_type: str) -> None:
    """Raise `Invalid` unless there are fields of this type."""
    if field_type in SETTINGS:
        return
    if field_type == "calculation":
        raise Invalid("type: fields of the type calculation do not exist here; nothing is computed", parameters={"field": "type"})
    raise not_one_of(field_type, list(SETTINGS), "type")


def changed_settings(field_type: str, before: Settings, given: Parts, what: str) -> Settings:
    """`before`, complete, with what is `given` set. Raises `Invalid`, beginning with `what`, for what the type forbids.

    `before` is empty for a new field.
    """
    settings = changed(SETTINGS[field_type], before, _as_written(given), what)
    match settings:
        case CategorySettings():
            known = read(CategorySettings, before, what).options
            settings = replace(settings, options=_with_ids(settings.options, known, f"{what}.options"))
        case AppSettings():
            settings = _said_twice(settings, given)
    complete: Settings = msgspec.to_builtins(settings)
    return complete


def _as_written(given: Parts) -> Parts:
    """An option may be its bare text, and a null in one is its default."""
    options = given.get("options")
    if not isinstance(options, list):
        return given
    return {**given, "options": [_option_as_written(option) for option in options]}


def _option_as_written(option: object) -> object:
    match option:
        case str():
            return {"text": option}
        case dict():
            return {name: value for name, value in option.items() if value is not None}
        case _:
            return option


def _with_ids(given: list[Option], before: list[Option], what: str) -> list[Option]:
    asked = {option.id for option in given if option.id is not None}
    by_text = {option.text: option.id for option in before if option.status == "active" and option.id not in asked}
    unused = count(max((*asked, *(option.id or 0 for option in before)), default=0) + 1)
    named = []
    for place, option in enumerate(given):
        text = checked_name(option.text, f"{what}[{place}].text")
        named.append(replace(option, text=text, id=option.id or by_text.pop(text, None) or next(unused)))
    _check_ids([option.id or 0 for option in named], what)
    kept = {option.id for option in named}
    return named + [replace(option, status="deleted") for option in before if option.id not in kept]


def _check_ids(ids: list[int], what: str) -> None:
    twice = [number for number, times in Counter(ids).items() if times > 1]
    if twice:
        raise Invalid(f"{what}: the id {twice[0]} is there more than once", parameters={"field": what, "id": twice[0]})
    if max(ids, default=0) > GREATEST_ID:
        raise Invalid(f"{what}: no id is left for a new option", parameters={"field": what})


def _said_twice(settings: AppSettings, given: Parts) -> AppSettings:
    """Both lists from the one that was given; from `referenced_apps` when both were, as it says more."""
    apps = {app.app_id: app for app in settings.referenced_apps}
    if given.get("referenced_apps") is None and given.get("referenceable_types") is not None:
        apps = {app_id: apps.get(app_id, ReferencedApp(app_id)) for app_id in settings.referenceable_types}
    return replace(settings, referenceable_types=list(apps), referenced_apps=list(apps.values()))
