"""What JSON says of an event's parameters."""

from __future__ import annotations

from tidings.events.types import EVENT_TYPES, typed


def test_every_parameter_of_every_type_has_its_way_of_being_said() -> None:
    for event_type in EVENT_TYPES.values():
        told = typed(dict.fromkeys(event_type.parameters, "7"))
        assert {name: type(value) for name, value in told.items()} == {name: _kind(name) for name in event_type.parameters}


def _kind(name: str) -> type:
    return {"external_id": str, "action_type": str, "tag": str, "code": str, "file_ids": list}.get(name, int)


def test_ids_are_numbers_and_words_stay_words() -> None:
    assert typed({"item_id": "7", "item_revision_id": "0", "external_id": "0042"}) == {
        "item_id": 7,
        "item_revision_id": 0,
        "external_id": "0042",
    }
    assert typed({"item_id": "7", "action_type": "file_created", "file_ids": "1,2"}) == {
        "item_id": 7,
        "action_type": "file_created",
        "file_ids": [1, 2],
    }
    assert typed({"item_id": "7", "tag": "42"}) == {"item_id": 7, "tag": "42"}


def test_no_external_id_is_null() -> None:
    assert typed({"external_id": ""}) == {"external_id": None}
