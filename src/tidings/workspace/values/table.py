"""The closed table from a field's type and settings to the rule of its values. Pure."""

from __future__ import annotations

import msgspec

from tidings.workspace.fields.settings import (
    SETTINGS,
    AppSettings,
    CategorySettings,
    DateSettings,
    EmailSettings,
    FileSettings,
    MoneySettings,
    PhoneSettings,
    Settings,
)
from tidings.workspace.values.addresses import email, phone
from tidings.workspace.values.categories import Category
from tidings.workspace.values.dates import Date
from tidings.workspace.values.links import Link
from tidings.workspace.values.locations import Location
from tidings.workspace.values.numbers import DURATION, PROGRESS, Money, Number
from tidings.workspace.values.references import FileReference, ItemReference, PersonReference
from tidings.workspace.values.rule import Rule
from tidings.workspace.values.text import Text

_WITHOUT_SETTINGS: dict[str, Rule] = {
    "text": Text(),
    "number": Number(),
    "progress": PROGRESS,
    "duration": DURATION,
    "embed": Link(),
    "location": Location(),
    "contact": PersonReference(),
    "member": PersonReference(),
}


def rule_of(field_type: str, settings: Settings) -> Rule:  # noqa: PLR0911 (a table: one return a type)
    """The rule of a field's values. `settings` have been checked when the field was made (`field_settings.py`)."""
    if field_type in _WITHOUT_SETTINGS:
        return _WITHOUT_SETTINGS[field_type]
    match msgspec.convert(settings, SETTINGS[field_type]):
        case DateSettings() as date:
            return Date(date)
        case CategorySettings() as category:
            return Category.of(category)
        case MoneySettings() as money:
            return Money(money)
        case PhoneSettings() as numbers:
            return phone(numbers.possible_types)
        case EmailSettings() as addresses:
            return email(addresses.possible_types)
        case AppSettings() as app:
            return ItemReference.of(app)
        case FileSettings() as files:
            return FileReference.of(files)
        case other:
            raise AssertionError(f"no rule for {other!r}")
