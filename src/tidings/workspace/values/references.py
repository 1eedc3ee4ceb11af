"""References: to an item of another app, to a person, to a file. Kept as `{"value": 5}`, the id.

Here only the way of writing is judged; whether there is such an item, person or file, within reach, is asked of the store
(`workspace/items/references.py`). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tidings.workspace.fields.settings import AppSettings, FileSettings
from tidings.workspace.values.given import sub_value, whole_number, wrong
from tidings.workspace.values.rule import Key, Known, Rule, Value

GREATEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ItemReference(Rule):
    """The type `app`: an item of one of the apps that the field names; of any, where it names none."""

    apps: frozenset[int]
    many: bool
    compares: Literal["id"] = "id"
    refers_to: Literal["item"] = "item"

    @classmethod
    def of(cls, settings: AppSettings) -> ItemReference:
        """The rule that these settings make."""
        return cls(frozenset(settings.referenceable_types), settings.multiple)

    def read(self, given: object, _held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        named = sub_value(sub_value(given, "value", "item_id"), "item_id")
        return {"value": whole_number(named, least=1, most=GREATEST_ID, expected="the id of an item")}

    def show(self, value: Value, known: Known, /) -> Value:
        """See `Rule.show`. Of an item that is not known, only the id is said."""
        item = known.items.get(_id(value))
        if item is None:
            return {"value": {"item_id": value["value"]}}
        app = {"app_id": item.app_id, "name": item.app_name, "item_name": item.item_name}
        return {"value": {"item_id": item.item_id, "app_item_id": item.app_item_id, "title": item.title, "app": app}}

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return float(_id(value)), None


@dataclass(frozen=True, slots=True)
class PersonReference(Rule):
    """The types `contact` and `member`: a person of the organization. The profile_id is the user_id here."""

    many: bool = True
    compares: Literal["id"] = "id"
    refers_to: Literal["person"] = "person"

    def read(self, given: object, _held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        named = sub_value(given, "value")
        if isinstance(named, dict) and named.get("type") not in (None, "user", "profile"):
            raise wrong(named["type"], "'user' or 'profile'")
        named = sub_value(named, "profile_id", "user_id", "id")
        return {"value": whole_number(named, least=1, most=GREATEST_ID, expected="the id of a person")}

    def show(self, value: Value, known: Known, /) -> Value:
        """See `Rule.show`. Of a person who is not known, only the id is said."""
        number = _id(value)
        person: Value = {"profile_id": number, "user_id": number, "type": "user"}
        if number in known.people:
            person |= {"name": known.people[number], "avatar": None, "image": None}
        return {"value": person}

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return float(_id(value)), None


@dataclass(frozen=True, slots=True)
class FileReference(Rule):
    """The types `image` and `file`: an uploaded file, of one of the media types that the field names; of any, where it names none."""

    types: tuple[str, ...] = ()
    many: bool = True
    compares: Literal["id"] = "id"
    refers_to: Literal["file"] = "file"

    @classmethod
    def of(cls, settings: FileSettings) -> FileReference:
        """The rule that these settings make."""
        return cls(tuple(name.strip().lower() for name in settings.allowed_mimetypes))

    def allows(self, mimetype: str) -> bool:
        """Whether the field takes files of this media type; `image/*` means all images."""
        kind = mimetype.partition("/")[0]
        return not self.types or any(name in (mimetype, f"{kind}/*", "*/*") for name in self.types)

    def read(self, given: object, _held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        named = sub_value(sub_value(given, "value", "file_id"), "file_id")
        return {"value": whole_number(named, least=1, most=GREATEST_ID, expected="the id of a file")}

    def show(self, value: Value, known: Known, /) -> Value:
        """See `Rule.show`. Of a file that is not known, only the id is said; where it is fetched, the API adds."""
        file = known.files.get(_id(value))
        if file is None:
            return {"value": {"file_id": value["value"]}}
        return {
            "value": {
                "file_id": file.file_id,
                "name": file.name,
                "mimetype": file.mimetype,
                "size": file.size,
                "description": file.description,
                "hosted_by": "podio",
                "hosted_by_humanized_name": "Podio",
            }
        }

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return float(_id(value)), None


def _id(value: Value) -> int:
    number = value["value"]
    assert isinstance(number, int)
    return number
