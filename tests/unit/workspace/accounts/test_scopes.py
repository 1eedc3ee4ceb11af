"""What a scope's text means, and what each call needs of it."""

from __future__ import annotations

import pytest

from tidings.api.routes import ROUTES
from tidings.errors import Forbidden, InvalidScope
from tidings.workspace.accounts.scopes import PATHS, Right, allows, checked_scope, narrowed, narrowed_to, require, right_needed


def test_a_scope_is_parted_by_spaces_or_commas_and_kept_once() -> None:
    assert checked_scope("user:read space:all") == "user:read space:all"
    assert checked_scope(" user:read,space:all,, user:read ") == "user:read space:all"
    assert checked_scope("") == checked_scope(" ,") == "global:all"


@pytest.mark.parametrize(
    "text", ["x", "user", "user:", ":read", "user:admin", "User:read", "user:read:all", "user: read", "global:*", "é:all"]
)
def test_a_text_that_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(InvalidScope, match="is no scope"):
        checked_scope(text)


def test_an_endless_scope_is_refused() -> None:
    with pytest.raises(InvalidScope, match="longer than"):
        checked_scope("user:read " * 1000)


@pytest.mark.parametrize(
    ("scope", "right", "allowed"),
    [
        ("global:all", Right(("app",), "delete"), True),
        ("global:read", Right(("app",), "read"), True),
        ("global:read", Right(("app",), "write"), False),
        ("app:all", Right(("app",), "delete"), True),
        ("app:write", Right(("app",), "read"), False),
        ("space:all", Right(("app",), "read"), False),
        ("space:read", Right(("app", "space"), "read"), True),
        ("user:read org:read", Right(("org",), "read"), True),
        ("user:all org:all space:all app:all", Right(("global",), "read"), False),
    ],
)
def test_a_scope_opens_what_it_names(scope: str, right: Right, allowed: bool) -> None:
    assert allows(scope, right) is allowed


def test_who_lacks_a_scope_is_told_which() -> None:
    with pytest.raises(Forbidden, match=r"The token's scope is 'user:read'; this needs app:write or space:write"):
        require("user:read", Right(("app", "space"), "write"))


def test_a_refresh_may_ask_for_less_and_never_for_more() -> None:
    assert narrowed("app:all user:read", "") == "app:all user:read"
    assert narrowed("app:all user:read", "app:read") == "app:read"
    assert narrowed("global:all", "space:all,app:all") == "space:all app:all"
    for more in ("app:all user:all", "global:read", "org:read"):
        with pytest.raises(InvalidScope, match="more than was given"):
            narrowed("app:all user:read", more)


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "/item/{item_id:int}", "app:read"),
        ("POST", "/item/app/{app_id:int}", "app:write"),
        ("PUT", "/item/{item_id:int}", "app:write"),
        ("DELETE", "/item/{item_id:int}", "app:delete"),
        ("POST", "/item/app/{app_id:int}/filter", "app:read"),
        ("POST", "/item/app/{app_id:int}/filter/{view_id:int}", "app:read"),
        ("POST", "/item/app/{app_id:int}/delete", "app:delete"),
        ("GET", "/app/space/{space_id:int}", "app:read"),
        ("GET", "/space/org/{org_id:int}", "space:read"),
        ("GET", "/org", "org:read"),
        ("GET", "/user/status", "user:read"),
        ("POST", "/client", "user:write"),
        ("POST", "/task", "app:write or space:write"),
        ("POST", "/task/space/{space_id:int}", "space:write"),
        ("DELETE", "/hook/{hook_id:int}", "app:delete or space:delete"),
        ("GET", "/something/new", "global:read"),
    ],
)
def test_what_a_call_needs_is_read_off_its_row(method: str, path: str, needed: str) -> None:
    assert str(right_needed(method, path)) == needed


def test_the_ref_type_of_a_path_says_which_of_two_is_needed() -> None:
    either = right_needed("POST", "/hook/{ref_type}/{ref_id:int}")
    assert str(either) == "app:write or space:write"
    assert [str(narrowed_to(either, ref_type)) for ref_type in ("app", "app_field", "space", "task")] == [
        "app:write",
        "app:write",
        "space:write",
        "app:write or space:write",
    ]
    assert str(narrowed_to(right_needed("GET", "/user"), "space")) == "user:read"


def test_every_path_that_needs_a_token_belongs_to_a_noun() -> None:
    assert {row.path.split("/")[1] for row in ROUTES if not row.open} - set(PATHS) == set()
