"""Where a hook hangs, for the head of its pages: its space, its app and its field, by name."""

from __future__ import annotations

from typing import NamedTuple

from tidings.hooks.registry import HookRecord, get_hook
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.apps import App, get_app
from tidings.workspace.orgs import Org, get_org
from tidings.workspace.spaces import Space, get_space


class HookPlace(NamedTuple):
    """A hook, and what it hangs on."""

    hook: HookRecord
    org: Org
    space: Space
    app: App | None  # None for a space's hook

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """The way here, the page where the hook is listed last."""
        space = (self.space.config.name, f"/console/spaces/{self.space.space_id}")
        if self.app is None:
            return [(self.org.name, "/console"), space, ("Webhooks", f"{space[1]}/hooks")]
        app = f"/console/apps/{self.app.app_id}"
        return [(self.org.name, "/console"), space, (self.app.config.name, app), ("Developer", f"{app}/developer")]

    @property
    def on(self) -> str:
        """What it hangs on, in words."""
        return place_words(self.hook, self.app)


def read_place(tx: Tx, caller: Caller, hook_id: int) -> HookPlace:
    """Raises `NotFound`, `Forbidden`, `Gone` as the hook does."""
    hook = get_hook(tx, caller, hook_id)
    app = None if hook.app_id is None else get_app(tx, caller, hook.app_id)
    space = get_space(tx, caller, hook.space_id)
    return HookPlace(hook, get_org(tx, caller, space.org_id), space, app)


def place_words(hook: HookRecord, app: App | None) -> str:
    """What a hook hangs on: `the whole app`, `the field Title`."""
    if hook.ref_type != "app_field":
        return f"the whole {hook.ref_type}"
    fields = {field.field_id: field.config.label for field in app.fields} if app else {}
    return f"the field {fields[hook.ref_id]}" if hook.ref_id in fields else f"field {hook.ref_id}"
