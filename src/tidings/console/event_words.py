"""Every event type as a form offers it, in the order of the one table (`events/types.py`). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.events.types import EVENT_TYPES, Scope

_WORDS = {
    "item.create": "an item is added",
    "item.update": "an item is changed",
    "item.delete": "an item is deleted",
    "comment.create": "a comment is written",
    "comment.delete": "a comment is deleted",
    "file.change": "a file is attached or taken away",
    "tag.add": "a tag is set",
    "tag.delete": "a tag is taken away",
    "app.create": "an app is made",
    "app.update": "the app is changed",
    "app.delete": "the app is deleted",
    "form.create": "a form is made",
    "form.update": "a form is changed",
    "form.delete": "a form is deleted",
    "task.create": "a task is made",
    "task.update": "a task is changed",
    "task.delete": "a task is deleted",
    "status.create": "a status message is posted",
    "status.update": "a status message is changed",
    "status.delete": "a status message is deleted",
    "contact.create": "a contact is made",
    "contact.update": "a contact is changed",
    "contact.delete": "a contact is deleted",
    "member.add": "somebody joins the space",
    "member.remove": "somebody leaves the space",
}


def event_options(scope: Scope) -> Sequence[tuple[str, str]]:
    """What a hook on such an object can hear of: each type with its words."""
    return [(name, f"{name}: {_WORDS[name]}") for name, event_type in EVENT_TYPES.items() if scope in event_type.scopes]
