"""Podio's ByLine and Via objects: who did something, and through which API client (contract section 2.3)."""

from __future__ import annotations

from typing import Literal, TypedDict

from tidings.workspace.accounts.authors import Author


class Byline(TypedDict):
    """Who did something."""

    type: Literal["user", "app", "system"]
    id: int
    name: str
    url: str
    avatar: None
    avatar_type: None
    avatar_id: None
    image: None


class Via(TypedDict):
    """The API client that it was done through; 0 is none, as on the command line."""

    id: int
    auth_client_id: int
    name: str
    url: str | None
    display: bool


def byline(author: Author, public_url: str) -> Byline:
    """The `created_by` of an answer."""
    caller = author.caller
    return {
        "type": caller.kind,
        "id": caller.id,
        "name": author.name,
        "url": public_url if caller.kind == "system" else f"{public_url}/{caller.kind}/{caller.id}",
        "avatar": None,
        "avatar_type": None,
        "avatar_id": None,
        "image": None,
    }


def via(author: Author) -> Via:
    """The `created_via` of an answer."""
    client = author.caller.auth_client_id
    return {"id": client, "auth_client_id": client, "name": author.client_name, "url": author.client_url, "display": False}
