"""What both clients are: one server, one login there, and the nouns. How calls are driven is the one difference.

A noun is imported when it is first used: all of them, with the types of what they answer, take as long as the rest.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlencode

from tidings.client.calls import NOTHING, Call, D_co, Noun, anything, deed, operation
from tidings.client.exchange import read_url
from tidings.client.plans import Plan
from tidings.client.retries import Patience
from tidings.client.session import RateLimit, Session
from tidings.client.tokens import MemoryStore, Tokens, TokenStore
from tidings.errors import Invalid

if TYPE_CHECKING:
    from tidings.client.nouns.apps import Apps, Forms
    from tidings.client.nouns.contacts import Contacts
    from tidings.client.nouns.deliveries import Deliveries, Replays
    from tidings.client.nouns.files import Files
    from tidings.client.nouns.hooks import Hooks
    from tidings.client.nouns.items import Items
    from tidings.client.nouns.places import Members, Orgs, Spaces, Users
    from tidings.client.nouns.talk import Comments, Statuses, Tags
    from tidings.client.nouns.tasks import Tasks

TIMEOUT = 30.0  # seconds
PODIO_SIGNS_IN_AT = {"api.podio.com": "https://podio.com"}  # people sign in elsewhere than programs


_HOMES = {
    "apps": "apps",
    "comments": "talk",
    "contacts": "contacts",
    "deliveries": "deliveries",
    "files": "files",
    "forms": "apps",
    "hooks": "hooks",
    "items": "items",
    "members": "places",
    "orgs": "places",
    "replays": "deliveries",
    "spaces": "places",
    "statuses": "talk",
    "tags": "talk",
    "tasks": "tasks",
    "users": "places",
}


class Login(Noun[D_co]):
    """One server and one login. Authenticate, then use the nouns, or any path through `request`."""

    if TYPE_CHECKING:
        apps: Apps[D_co]
        comments: Comments[D_co]
        contacts: Contacts[D_co]
        deliveries: Deliveries[D_co]
        files: Files[D_co]
        forms: Forms[D_co]
        hooks: Hooks[D_co]
        items: Items[D_co]
        members: Members[D_co]
        orgs: Orgs[D_co]
        replays: Replays[D_co]
        spaces: Spaces[D_co]
        statuses: Statuses[D_co]
        tags: Tags[D_co]
        tasks: Tasks[D_co]
        users: Users[D_co]
    else:  # for a checker, what is named above is all there is

        def __getattr__(self, name: str) -> Noun[Any]:
            if name not in _HOMES:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            noun = getattr(importlib.import_module(f"tidings.client.nouns.{_HOMES[name]}"), name.capitalize())(self._driver)
            setattr(self, name, noun)
            return noun

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *_HOMES]

    @property
    def url(self) -> str:
        """The server's."""
        return self._driver.session.url

    @property
    def tokens(self) -> Tokens | None:
        """What the client acts with; None until it is authenticated."""
        return self._driver.session.tokens

    @property
    def access_token(self) -> str:
        """What is sent as authorization: a secret. Empty until the client is authenticated."""
        return self.tokens.access_token if self.tokens else ""

    @property
    def rate_limit(self) -> RateLimit | None:
        """What the server said last of how many calls it takes, and how many of them are left; None where it says nothing."""
        return self._driver.session.rate_limit

    @operation
    def request(self, method: str, path: str, body: object = NOTHING, *, query: Mapping[str, object] | None = None) -> Call[Any]:
        """Any call: `body` is sent as JSON, `query` is added to the path; the answer's JSON, or None where it has no body.

        Raises what the server said, as one of `tidings.errors`; `Unavailable` when it could not be asked.
        """
        if not path.startswith("/"):
            raise Invalid("a path begins with a slash")
        return Call(method.upper(), path, anything, NOTHING if body is None else body, query or {})

    # --- logging in ---

    @deed
    def authenticate_with_app(self, app_id: int, app_token: str) -> Plan[None]:
        """Act as the app: see and change what is in it, and nothing else. Raises `InvalidClient`, `InvalidGrant`."""
        return self._driver.session.authenticate({"grant_type": "app", "app_id": str(app_id), "app_token": app_token})

    @deed
    def authenticate_with_password(self, username: str, password: str) -> Plan[None]:
        """Act as a person. Raises `InvalidClient`, `InvalidGrant`."""
        return self._driver.session.authenticate({"grant_type": "password", "username": username, "password": password})

    @deed
    def authenticate_with_code(self, code: str, redirect_uri: str, *, code_verifier: str | None = None) -> Plan[None]:
        """Act as the person who came back to `redirect_uri` with this code. Raises `InvalidClient`, `InvalidGrant`."""
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if code_verifier is not None:
            grant["code_verifier"] = code_verifier
        return self._driver.session.authenticate(grant, again=False)

    def authorize_url(
        self, redirect_uri: str, *, scope: str | None = None, state: str | None = None, code_verifier: str | None = None
    ) -> str:
        """Where to send a person who is to let you act for them; they come back to `redirect_uri` with a code.

        Give a random `state`, and compare it when they come back; a `code_verifier` of 43 characters or more is for PKCE.
        """
        session = self._driver.session
        server = session.server
        page = PODIO_SIGNS_IN_AT.get(server.hostname or "", session.url)
        query = {"client_id": session.credentials["client_id"], "redirect_uri": redirect_uri, "response_type": "code"}
        asked = {"scope": scope, "state": state} | ({} if code_verifier is None else _challenge(code_verifier))
        return f"{page}/oauth/authorize?{urlencode(query | {name: text for name, text in asked.items() if text is not None})}"


def _challenge(verifier: str) -> dict[str, str | None]:
    import base64  # noqa: PLC0415  seldom needed, as is the next
    import hashlib  # noqa: PLC0415

    digest = hashlib.sha256(verifier.encode()).digest()
    return {"code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), "code_challenge_method": "S256"}


def open_session(
    url: str | None,
    client_id: str,
    client_secret: str,
    *,
    store: TokenStore | None,
    retries: int,
    wait_for_rate_limit: bool,
    longest_wait: float,
) -> Session:
    """What a client is made of. Raises `Invalid` for a URL that is none, or for none at all."""
    credentials = {"client_id": client_id, "client_secret": client_secret}
    patience = Patience(retries, wait_for_rate_limit, longest_wait)
    return Session(_server(url), credentials, MemoryStore() if store is None else store, patience)


def _server(url: str | None) -> SplitResult:
    given = url or os.environ.get("TIDINGS_URL", "")
    if not given:
        raise Invalid("url: is missing; give one, or set TIDINGS_URL")
    return read_url(given)
