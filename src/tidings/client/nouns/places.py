"""Organizations, spaces, who is in them, and the account that one acts as (contract section 6.4)."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.client.calls import Call, D_co, Many, Noun, changed, given, many, nothing, one, operation, path
from tidings.client.objects import Member, NewSpace, Org, Profile, Space, User


class Users(Noun[D_co]):
    """The account that one acts as. A token of an app has none."""

    @operation
    def get(self) -> Call[User]:
        """The account."""
        return Call("GET", "/user/", one(User, "user_id"))

    @operation
    def get_profile(self) -> Call[Profile]:
        """The person whose it is."""
        return Call("GET", "/user/profile/", one(Profile, "profile_id"))


class Orgs(Noun[D_co]):
    """Organizations."""

    @operation
    def create(self, name: str) -> Call[Org]:
        """A new organization."""
        return Call("POST", "/org/", one(Org, "org_id"), {"name": name})

    @operation
    def get(self, org_id: int) -> Call[Org]:
        """The organization."""
        return Call("GET", path("/org/{}", org_id), one(Org, "org_id"))

    @operation
    def get_by_url(self, url: str) -> Call[Org]:
        """The organization that an address leads to, or into."""
        return Call("GET", "/org/url", one(Org, "org_id"), query={"url": url})

    @operation
    def update(self, /, org_id: int, **changes: object) -> Call[None]:
        """Change what is named: `name`, `url_label`."""
        return Call("PUT", path("/org/{}", org_id), nothing, dict(changes))

    @operation
    def list(self) -> Call[Many[Org]]:
        """All that one is in, with their spaces."""
        return Call("GET", "/org/", many(Org, "org_id"))


class Spaces(Noun[D_co]):
    """Spaces."""

    @operation
    def create(self, /, org_id: int, name: str, *, privacy: str | None = None, **options: object) -> Call[NewSpace]:
        """A new space; `options` are `auto_join`, `post_on_new_app`, `post_on_new_member`."""
        return Call("POST", "/space/", one(NewSpace, "space_id"), {"org_id": org_id, "name": name, **given(privacy=privacy), **options})

    @operation
    def get(self, space_id: int) -> Call[Space]:
        """The space."""
        return Call("GET", path("/space/{}", space_id), one(Space, "space_id"))

    @operation
    def get_by_url(self, url: str) -> Call[Space]:
        """The space that an address leads to, or into."""
        return Call("GET", "/space/url", one(Space, "space_id"), query={"url": url})

    @operation
    def list(self, org_id: int) -> Call[Many[Space]]:
        """The spaces of an organization that one may look into."""
        return Call("GET", path("/space/org/{}/", org_id), many(Space, "space_id"))

    @operation
    def list_top(self, *, limit: int | None = None) -> Call[Many[Space]]:
        """One's own spaces, of all organizations; Podio gives those used most."""
        return Call("GET", "/space/top", many(Space, "space_id"), query={"limit": limit})

    @operation
    def update(self, /, space_id: int, **changes: object) -> Call[None]:
        """Change what is named: `name`, `privacy`, `auto_join`, `post_on_new_app`, `post_on_new_member`."""
        return Call("PUT", path("/space/{}", space_id), nothing, dict(changes))

    @operation
    def delete(self, space_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Delete the space, and its apps."""
        return Call("DELETE", path("/space/{}", space_id), nothing, query=changed(hook=hook, silent=silent))

    @operation
    def join(self, space_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Become a member of an open space."""
        return Call("POST", path("/space/{}/join", space_id), nothing, {}, changed(hook=hook, silent=silent))

    @operation
    def leave(self, space_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Be a member no more."""
        return Call("POST", path("/space/{}/leave", space_id), nothing, {}, changed(hook=hook, silent=silent))


class Members(Noun[D_co]):
    """Who is in a space."""

    @operation
    def add(
        self,
        space_id: int,
        role: str,
        *,
        users: Sequence[int] = (),
        mails: Sequence[str] = (),
        hook: bool = True,
        silent: bool = False,
    ) -> Call[None]:
        """Take people in, as `light`, `regular` or `admin`."""
        body = {"role": role, "users": [*users], "mails": [*mails]}
        return Call("POST", path("/space/{}/member/", space_id), nothing, body, changed(hook=hook, silent=silent))

    @operation
    def get(self, space_id: int, user_id: int) -> Call[Member]:
        """One of them."""
        return Call("GET", path("/space/{}/member/{}", space_id, user_id), one(Member, "role"))

    @operation
    def list(self, space_id: int) -> Call[Many[Member]]:
        """All of them."""
        return Call("GET", path("/space/{}/member/", space_id), many(Member, "role"))

    @operation
    def set_role(self, space_id: int, user_ids: Sequence[int], role: str) -> Call[None]:
        """Give them another role."""
        return Call("PUT", path("/space/{}/member/{}", space_id, ids(user_ids)), nothing, {"role": role})

    @operation
    def remove(self, space_id: int, user_ids: Sequence[int], *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Take them out."""
        target = path("/space/{}/member/{}", space_id, ids(user_ids))
        return Call("DELETE", target, nothing, query=changed(hook=hook, silent=silent))


def ids(several: Sequence[int]) -> str:
    """As a part of a path has them."""
    return ",".join(str(each) for each in several)
