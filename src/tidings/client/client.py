"""The client: one server, one login, and the calls that a webhook user needs, named as Podio names them.

Every failure is one of `tidings.errors`. An access token that has expired is replaced by asking again with the same
grant, once a call. A client may be shared by threads once it is authenticated. Secrets are never in a `repr`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tidings.client.answers import read_answer
from tidings.client.exchange import Request, exchange, read_url
from tidings.errors import Invalid, TidingsError, Unauthorized

TIMEOUT = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class NewHook:
    """A hook that was just made. `secret` signs its deliveries and is shown this once; None where the hook was there already."""

    hook_id: int
    secret: str | None = field(default=None, repr=False)


class Client:
    """Talks to the server at `url`. Authenticate it, then use `items` and `hooks`, or any path through `request`."""

    def __init__(self, url: str, client_id: str, client_secret: str, *, timeout: float = TIMEOUT) -> None:
        """`timeout`: seconds that any one wait for the network may take. Raises `Invalid` for a URL that is none."""
        self._server = read_url(url)
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._grant: dict[str, str] = {}
        self._access_token = ""
        self._timeout = timeout
        self.hooks = Hooks(self)
        self.items = Items(self)

    def __repr__(self) -> str:
        return f"Client({self._server.geturl()!r})"

    @property
    def access_token(self) -> str:
        """What is sent as authorization: a secret. Empty until the client is authenticated."""
        return self._access_token

    def authenticate_with_app(self, app_id: int, app_token: str) -> None:
        """Act as the app: see and change what is in it, and nothing else. Raises `InvalidClient`, `InvalidGrant`."""
        self._authenticate({"grant_type": "app", "app_id": str(app_id), "app_token": app_token})

    def authenticate_with_password(self, username: str, password: str) -> None:
        """Act as a person. Raises `InvalidClient`, `InvalidGrant`."""
        self._authenticate({"grant_type": "password", "username": username, "password": password})

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Any call: `body` is sent as JSON unless it is None; the answer's JSON, or None where it has no body.

        Raises what the server said, as one of `tidings.errors`; `Unavailable` when it could not be asked.
        """
        if not path.startswith("/"):
            raise Invalid("a path begins with a slash")
        content = None if body is None else json.dumps(body).encode()
        try:
            return self._send(Request(method, path, content, authorization=self._authorization))
        except Unauthorized:
            if not self._grant:
                raise
        self._authenticate(self._grant)
        return self._send(Request(method, path, content, authorization=self._authorization))

    def _authenticate(self, grant: dict[str, str]) -> None:
        form = urlencode({**grant, **self._credentials}).encode()
        answer = _object(self._send(Request("POST", "/oauth/token/v2", form, "application/x-www-form-urlencoded")))
        token = answer.get("access_token")
        if not (isinstance(token, str) and token.isascii() and token.isprintable()):
            raise TidingsError("the server's answer holds no access token")
        self._access_token, self._grant = token, grant

    @property
    def _authorization(self) -> str | None:
        return f"OAuth2 {self._access_token}" if self._access_token else None

    def _send(self, request: Request) -> Any:
        return read_answer(exchange(self._server, request, timeout=self._timeout))


class Hooks:
    """Hooks: who wants to be told of what."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, ref_type: str, ref_id: int, url: str, type: str) -> NewHook:
        """A hook for events of `type` on `app`, `app_field` or `space`. Inactive until `url` has proved that it wants it."""
        answer = _object(self._client.request("POST", f"/hook/{ref_type}/{ref_id}/", {"url": url, "type": type}), "hook_id")
        return NewHook(answer["hook_id"], answer.get("secret"))

    def list(self, ref_type: str, ref_id: int) -> list[dict[str, Any]]:
        """The hooks of one object."""
        hooks: list[dict[str, Any]] = self._client.request("GET", f"/hook/{ref_type}/{ref_id}/")
        return hooks

    def verify(self, hook_id: int) -> None:
        """Have the hook's URL sent its verification code (again)."""
        self._client.request("POST", f"/hook/{hook_id}/verify/request", {})

    def validate(self, hook_id: int, code: str) -> None:
        """Make the hook active, with the code that its URL was sent."""
        self._client.request("POST", f"/hook/{hook_id}/verify/validate", {"code": code})

    def delete(self, hook_id: int) -> None:
        """Delete the hook."""
        self._client.request("DELETE", f"/hook/{hook_id}")


class Items:
    """Items: what is kept in an app. With `hook=False` a change is made that no hook hears of."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, app_id: int, fields: Mapping[str, object], *, external_id: str | None = None, hook: bool = True) -> dict[str, Any]:
        """A new item: the whole of it, as it is now. `fields` are values by external_id or field_id."""
        body = {"fields": dict(fields), **({} if external_id is None else {"external_id": external_id})}
        return _object(self._client.request("POST", f"/item/app/{app_id}/{_heard(hook=hook)}", body))

    def get(self, item_id: int) -> dict[str, Any]:
        """The item."""
        return _object(self._client.request("GET", f"/item/{item_id}"))

    def update(self, item_id: int, fields: Mapping[str, object], *, hook: bool = True) -> dict[str, Any]:
        """Set the fields named, and no others. Answers the item's `revision` and `title`."""
        return _object(self._client.request("PUT", f"/item/{item_id}{_heard(hook=hook)}", {"fields": dict(fields)}))

    def delete(self, item_id: int, *, hook: bool = True) -> None:
        """Delete the item."""
        self._client.request("DELETE", f"/item/{item_id}{_heard(hook=hook)}")


def _heard(*, hook: bool) -> str:
    return "" if hook else "?hook=false"


def _object(answer: Any, *names: str) -> dict[str, Any]:
    if not (isinstance(answer, dict) and answer.keys() >= set(names)):
        raise TidingsError("the server's answer is not the object that it should be")
    return answer
