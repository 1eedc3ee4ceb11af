"""What a developer copies from an app's page: an example of a value for each field, and calls with the app's own ids in them.

An example is one that the field would take: one of its own options, a kind that it offers, an end where a date needs one.
A line never has a secret in it; it names the variable that holds one. Pure.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tidings.workspace.fields.fields import Field

FIELDS_IN_EXAMPLE = 3  # of the item that the examples make
LISTEN = "tidings listen --port 9000"
DAY, TIME = "2030-01-31", "2030-01-31 14:00:00"


class Snippet(NamedTuple):
    """One thing to copy."""

    name: str  # as an id on the page
    title: str
    text: str


def example_value(field: Field) -> object:
    """A value that the field takes, as the API writes it."""
    return _EXAMPLES[field.type](field.config.settings)


def example_fields(fields: Sequence[Field]) -> dict[str, object]:
    """Values for a new item: of the fields that must have one, and of a few more that refer to nothing."""
    plain = [field for field in fields if field.type not in _REFERENCES]
    needed = [field for field in fields if field.config.required]
    others = [field for field in plain if not field.config.required][: max(0, FIELDS_IN_EXAMPLE - len(needed))]
    return {field.external_id: example_value(field) for field in fields if field in needed or field in others}


def app_snippets(server: str, app_id: int, fields: Sequence[Field]) -> list[Snippet]:
    """How a program signs in as the app, makes an item and a hook, and takes what the hook is told."""
    values = example_fields(fields)
    return [
        Snippet("curl-token", "Sign in as this app", _curl_token(server, app_id)),
        Snippet("curl-item", "Make an item", _curl_item(server, app_id, values)),
        Snippet("python-item", "The same in Python", _python_item(server, app_id, values)),
        receive_snippet(server, app_id, None, "item.update"),
    ]


def verify_snippets(server: str, app_id: int | None, hook_id: int, type: str) -> list[Snippet]:
    """How the code of a hook is sent back: by a receiver that is there already, by hand, by a receiver of one's own."""
    made = [
        Snippet("listen", "A ready-made receiver on this machine: it prints the code", LISTEN),
        Snippet("curl-validate", "Send the code back by hand", _curl_validate(server, hook_id)),
    ]
    if app_id is None:
        return made
    signing_in = f"--app-id {app_id} --app-token $APP_TOKEN --client-id $CLIENT_ID --client-secret $CLIENT_SECRET"
    itself = f"{LISTEN} --url {shlex.quote(server)} \\\n  {signing_in}"
    by_itself = Snippet("listen-itself", "The same, and it sends the code back by itself", itself)
    return [made[0], by_itself, made[1], receive_snippet(server, app_id, hook_id, type)]


def receive_snippet(server: str, app_id: int, hook_id: int | None, type: str) -> Snippet:
    """A whole receiver in Python: it checks signatures, answers `hook.verify` for this hook, and hears of `type`."""
    expected = str(hook_id) if hook_id else 'int(os.environ["HOOK_ID"])'
    text = (
        "import os\nfrom tidings import Client\nfrom tidings.receiver import Receiver, asgi\n\n"
        f'client = Client({server!r}, os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])\n'
        f'client.authenticate_with_app({app_id}, os.environ["APP_TOKEN"])\n'
        f'hooks = Receiver(client, secret=os.environ["HOOK_SECRET"], expect=[{expected}])\n\n'
        f'@hooks.on("{type}")\ndef heard(event):\n    print(event)\n\n'
        "app = asgi.app(hooks)  # uvicorn receive:app --port 9000"
    )
    return Snippet("python-receive", "Receive deliveries in Python", text)


def _curl_token(server: str, app_id: int) -> str:
    return (
        f"curl {shlex.quote(server + '/oauth/token')} \\\n"
        f"  -d grant_type=app -d app_id={app_id} -d app_token=$APP_TOKEN \\\n"
        "  -d client_id=$CLIENT_ID -d client_secret=$CLIENT_SECRET"
    )


def _curl_validate(server: str, hook_id: int) -> str:
    return (
        f"curl {shlex.quote(f'{server}/hook/{hook_id}/verify/validate')} \\\n"
        '  -H "Authorization: OAuth2 $ACCESS_TOKEN" -H "Content-Type: application/json" \\\n'
        """  -d '{"code": "CODE"}'"""
    )


def _curl_item(server: str, app_id: int, values: Mapping[str, object]) -> str:
    body = json.dumps({"fields": values}, ensure_ascii=False)
    return (
        f"curl {shlex.quote(f'{server}/item/app/{app_id}/')} \\\n"
        '  -H "Authorization: OAuth2 $ACCESS_TOKEN" -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(body)}"
    )


def _python_item(server: str, app_id: int, values: Mapping[str, object]) -> str:
    return (
        "import os\nfrom tidings import Client\n\n"
        f'client = Client({server!r}, os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])\n'
        f'client.authenticate_with_app({app_id}, os.environ["APP_TOKEN"])\n'
        f"item = client.items.create({app_id}, {dict(values)!r})\n"
        'print(item["item_id"])'
    )


# --- one example a type ------------------------------------------------------------------------------------------------


def _date(settings: Mapping[str, Any]) -> object:
    moment = TIME if settings.get("time") == "required" else DAY
    return {"start": moment, "end": moment} if settings.get("end") == "required" else {"start": moment}


def _category(settings: Mapping[str, Any]) -> object:
    texts = [option["text"] for option in settings.get("options", ()) if option.get("status", "active") == "active"]
    return texts[0] if texts else "the text or the id of an option"


def _money(settings: Mapping[str, Any]) -> object:
    return {"value": "12.50", "currency": next(iter(settings.get("allowed_currencies", ())), "EUR")}


def _address(text: str) -> Callable[[Mapping[str, Any]], object]:
    return lambda settings: {"type": next(iter(settings.get("possible_types", ())), "other"), "value": text}


def _always(value: object) -> Callable[[Mapping[str, Any]], object]:
    return lambda _settings: value


_EXAMPLES: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "text": _always("A short text"),
    "number": _always(42),
    "date": _date,
    "category": _category,
    "money": _money,
    "progress": _always(75),
    "duration": _always(5400),
    "phone": _address("+45 12 34 56 78"),
    "email": _address("ada@example.org"),
    "embed": _always({"url": "https://example.org/"}),
    "location": _always("Vesterbrogade 34, Copenhagen"),
    "contact": _always(1),
    "member": _always(1),
    "app": _always(1),
    "image": _always(1),
    "file": _always(1),
}
_REFERENCES = frozenset({"contact", "member", "app", "image", "file"})
