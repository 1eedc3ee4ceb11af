"""Contacts of spaces, and the profiles of people beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidings.client.calls import Call, D_co, Many, Noun, Pages, changed, many, nothing, one, operation, paging, path, perhaps
from tidings.client.nouns.places import ids
from tidings.client.objects import Profile

PAGE = 100  # contacts fetched at once, where one iterates


class Contacts(Noun[D_co]):
    """Contacts. `parts` are those of a profile: `mail`, `phone`, `organization`, `address`, `title` ..."""

    @operation
    def create(self, /, space_id: int, name: str, *, hook: bool = True, silent: bool = False, **parts: object) -> Call[Profile]:
        """A new contact of a space."""
        body, query = {"name": name, **parts}, changed(hook=hook, silent=silent)
        return Call("POST", path("/contact/space/{}/", space_id), one(Profile, "profile_id"), body, query)

    @operation
    def get(self, profile_id: int) -> Call[Profile]:
        """One, by its profile."""
        return Call("GET", path("/contact/{}/v2", profile_id), one(Profile, "profile_id"))

    @operation
    def get_many(self, profile_ids: Sequence[int]) -> Call[Many[Profile]]:
        """Several."""
        return Call("GET", path("/contact/{}/v2", ids(profile_ids)), _several)

    @operation
    def get_user(self, user_id: int) -> Call[Profile]:
        """The profile of a person."""
        return Call("GET", path("/contact/user/{}", user_id), one(Profile, "profile_id"))

    @operation
    def list(self, /, space_id: int, *, limit: int | None = None, offset: int | None = None, **wanted: object) -> Call[Many[Profile]]:
        """Those of a space; `wanted` are `name`, `contact_type`, `external_id`, `exclude_self`."""
        query = {**wanted, "limit": limit, "offset": offset}
        return Call("GET", path("/contact/space/{}/", space_id), many(Profile, "profile_id"), query=query)

    @paging
    def iterate(self, /, space_id: int, *, page: int = PAGE, **wanted: object) -> Pages[Profile]:
        """All of them, fetched `page` at a time."""

        def at(offset: int) -> Call[Many[Profile]]:
            query = {**wanted, "limit": page, "offset": offset}
            return Call("GET", path("/contact/space/{}/", space_id), many(Profile, "profile_id"), query=query)

        return Pages(at, page)

    @operation
    def update(self, /, profile_id: int, *, hook: bool = True, silent: bool = False, **parts: object) -> Call[Profile | None]:
        """Change what is named; None empties. Podio answers nothing, Tidings the contact."""
        return Call("PUT", path("/contact/{}", profile_id), perhaps(Profile), dict(parts), changed(hook=hook, silent=silent))

    @operation
    def delete(self, profile_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Delete the contact."""
        return Call("DELETE", path("/contact/{}", profile_id), nothing, query=changed(hook=hook, silent=silent))


def _several(answer: Any) -> list[Profile]:
    """For one id, the server answers an object."""
    return many(Profile, "profile_id")([answer] if isinstance(answer, dict) else answer)
