"""For the tests of those who receive: signed sample deliveries of every event type, without a server.

    from tidings.receiver.testing import sample

    def test_a_new_item_is_fetched():
        headers, body = sample("item.create", item_id=42)
        assert hooks.receive(headers, body).status == 204

`SECRET` is the secret of the samples: give it to the Receiver under test. `pytest_plugins = ["tidings.receiver.fixtures"]`
in a conftest.py brings the same as fixtures.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

from tidings.receiver.answers import Answer
from tidings.receiver.receiver import Receiver
from tidings.wire.forms import CONTENT_TYPE, encode
from tidings.wire.signing import secret_key, sign

SECRET = "whsec_dGlkaW5ncyBzYW1wbGUgc2VjcmV0LCBub3QgYSBzZWNyZXQ="
"""What signs the samples. Everybody knows it: never have a receiver in earnest believe it."""

_Said = dict[str, int | str]

_ITEM: _Said = {"item_id": 42, "item_revision_id": 3, "external_id": "ERP-9"}
_TAG: _Said = {"item_id": 42, "tag": "urgent"}
_FORM: _Said = {"form_id": 3, "app_id": 5}
_CONTACT: _Said = {"space_id": 2, "profile_id": 66}
_MEMBER: _Said = {"space_id": 2, "user_id": 6}

SAMPLES: dict[str, _Said] = {
    "item.create": {**_ITEM, "item_revision_id": 0},
    "item.update": _ITEM,
    "item.delete": _ITEM,
    "comment.create": {"item_id": 42, "comment_id": 900},
    "comment.delete": {"item_id": 42, "comment_id": 900},
    "file.change": {"item_id": 42, "action_type": "file_created", "file_ids": "11,12"},
    "tag.add": _TAG,
    "tag.delete": _TAG,
    "app.create": {"app_id": 5},
    "app.update": {"app_id": 5},
    "app.delete": {"app_id": 5},
    "form.create": _FORM,
    "form.update": _FORM,
    "form.delete": _FORM,
    "task.create": {"task_id": 77},
    "task.update": {"task_id": 77},
    "task.delete": {"task_id": 77},
    "status.create": {"status_id": 55},
    "status.update": {"status_id": 55},
    "status.delete": {"status_id": 55},
    "contact.create": _CONTACT,
    "contact.update": _CONTACT,
    "contact.delete": _CONTACT,
    "member.add": _MEMBER,
    "member.remove": _MEMBER,
    "hook.verify": {"code": "b9079247b9079247b9079247b9079247"},
}
"""What the form of each type says, beside `type` and `hook_id`."""

_numbers = itertools.count(1)


def sample(
    type: str,
    /,
    *,
    hook_id: int = 7,
    secret: str | None = SECRET,
    message_id: str | None = None,
    sequence: int | None = None,
    attempt: int = 1,
    app_id_header: int | None = 5,
    space_id_header: int | None = 2,
    redelivery: str | None = None,
    test: bool = False,
    at: float | None = None,
    **parameters: int | str,
) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a delivery of `type`, as Tidings sends it; as Podio does with `secret=None`.

    `parameters` go over those of the sample, or make one of a type that is not in `SAMPLES`. `redelivery` and `test` are as
    `Event` has them. `at`: the time that is signed, in seconds since the epoch; now when it is None. Each call is another
    message unless `message_id` is given.
    """
    said = {**SAMPLES.get(type, {}), **parameters, "type": type, "hook_id": hook_id}
    body = encode([(name, str(value)) for name, value in said.items()]).encode()
    if secret is None:
        return {"content-type": CONTENT_TYPE}, body
    number = next(_numbers) if sequence is None else sequence
    identity = message_id or f"msg_sample_{hook_id}_{number}"
    seconds = int(time.time() if at is None else at)
    headers = {
        "content-type": CONTENT_TYPE,
        "webhook-id": identity,
        "webhook-timestamp": str(seconds),
        "webhook-signature": sign(secret_key(secret), identity, seconds, body),
        "tidings-sequence": str(number),
        "tidings-attempt": str(attempt),
    }
    told = (
        ("tidings-app", app_id_header),
        ("tidings-space", space_id_header),
        ("tidings-redelivery", redelivery),
        ("tidings-test", "true" if test else None),
    )
    return headers | {name: str(value) for name, value in told if value is not None}, body


def deliver_to(receiver: Receiver, type: str, /, **options: Any) -> Answer:
    """Have `receiver` take a sample, and answer: see `sample`."""
    return receiver.receive(*sample(type, **options))


async def deliver_to_async(receiver: Receiver, type: str, /, **options: Any) -> Answer:
    """The same, on this event loop."""
    return await receiver.receive_async(*sample(type, **options))
