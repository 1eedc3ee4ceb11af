"""Hooks: who wants to be told of what (contract section 2)."""

from __future__ import annotations

from typing import Any

from tidings.client.calls import Call, D_co, Many, Noun, given, many, nothing, one, operation, path
from tidings.client.objects import Diagnosis, Hook, NewHook
from tidings.errors import TidingsError


class Hooks(Noun[D_co]):
    """Hooks on apps, on fields of apps, and on spaces."""

    @operation
    def create(self, /, ref_type: str, ref_id: int, url: str, type: str, **options: object) -> Call[NewHook]:
        """A hook for events of `type` on `app`, `app_field` or `space`. Inactive until `url` has proved that it wants it.

        `options` go into the body as they are; Tidings knows `order`, `preserve_query`, `concurrency`, `ca`,
        `format` and `signing`.
        """
        return Call("POST", path("/hook/{}/{}/", ref_type, ref_id), _new_hook, {"url": url, "type": type, **options})

    @operation
    def list(self, ref_type: str, ref_id: int) -> Call[Many[Hook]]:
        """The hooks of one object."""
        return Call("GET", path("/hook/{}/{}/", ref_type, ref_id), many(Hook, "hook_id"))

    @operation
    def get(self, hook_id: int) -> Call[Hook]:
        """One hook. Tidings has it; Podio lists those of an object."""
        return Call("GET", path("/hook/{}", hook_id), one(Hook, "hook_id"))

    @operation
    def update(self, hook_id: int, /, **changes: object) -> Call[Hook]:
        """The hook, changed in place: its `url`, `format`, `order`, `concurrency` (None: the server's setting), `preserve_query`.

        An active hook is told at its URL until the new one has proved that it wants it, with a code of its own. Tidings has
        it; Podio does not.
        """
        return Call("PUT", path("/hook/{}", hook_id), one(Hook, "hook_id"), changes)

    @operation
    def pause(self, hook_id: int) -> Call[None]:
        """Let what the hook hears of wait. Tidings has it; Podio does not."""
        return Call("POST", path("/hook/{}/pause", hook_id), nothing, {}, repeatable=True)

    @operation
    def resume(self, hook_id: int) -> Call[None]:
        """Have sent what has waited, in its order. Tidings has it; Podio does not."""
        return Call("POST", path("/hook/{}/resume", hook_id), nothing, {}, repeatable=True)

    @operation
    def test(self, hook_id: int) -> Call[None]:
        """Have the hook, and no other, told of something that has not happened. Tidings has it; Podio does not."""
        return Call("POST", path("/hook/{}/test", hook_id), nothing, {})

    @operation
    def diagnose(self, hook_id: int) -> Call[Diagnosis]:
        """Why its deliveries do not arrive: its URL is connected to, and sent nothing. Tidings has it; Podio does not."""
        return Call("GET", path("/hook/{}/diagnosis", hook_id), one(Diagnosis, "hook_id", "cause"))

    @operation
    def verify(self, hook_id: int) -> Call[None]:
        """Have the hook's URL sent its verification code (again)."""
        return Call("POST", path("/hook/{}/verify/request", hook_id), nothing, {})

    @operation
    def validate(self, hook_id: int, code: str) -> Call[None]:
        """Make the hook active, with the code that its URL was sent. Raises `Invalid` for a wrong one."""
        return Call("POST", path("/hook/{}/verify/validate", hook_id), nothing, {"code": code})

    @operation
    def renew_secret(self, hook_id: int, *, overlap: int | None = None) -> Call[NewHook]:
        """The hook with a new secret, shown this once; the former one signs as well for `overlap` seconds, a day by default.

        Tidings has it; Podio signs nothing.
        """
        return Call("POST", path("/hook/{}/secret", hook_id), _new_hook, given(overlap=overlap))

    @operation
    def delete(self, hook_id: int) -> Call[None]:
        """Delete the hook."""
        return Call("DELETE", path("/hook/{}", hook_id), nothing)


def _new_hook(answer: Any) -> NewHook:
    made = one(dict, "hook_id")(answer)
    secret = made.get("secret")
    if not isinstance(secret, str | None):
        raise TidingsError("the server's answer has a secret that is no text")
    return NewHook(made["hook_id"], secret)
