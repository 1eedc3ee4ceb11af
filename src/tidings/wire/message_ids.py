"""What a delivery is called on the wire: `msg_4f1c09ae_5_12`, the twelfth of hook 5 of the instance `4f1c09ae`.

It is the `webhook-id` of every attempt, and what a call says in `Tidings-Cause` that this delivery led to. `instance` names
the database, so that ids of two of them never meet.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(r"msg_([0-9a-z]{1,32})_([1-9][0-9]{0,8})_([1-9][0-9]{0,17})", re.ASCII)


class MessageId(NamedTuple):
    """A delivery, and whose it is."""

    instance: str
    hook_id: int
    sequence: int


def message_prefix(instance: str, hook_id: int) -> str:
    """What the ids of all deliveries of a hook begin with; the delivery's number follows."""
    return f"msg_{instance}_{hook_id}_"


def read_message_id(text: str) -> MessageId | None:
    """The delivery that `text` names; None where it is no id of this form."""
    match = _FORM.fullmatch(text)
    return MessageId(match[1], int(match[2]), int(match[3])) if match else None
