"""Apps, their fields and their web forms (contract sections 6.3 and 6.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidings.client.calls import Call, D_co, Many, Noun, changed, given, many, nothing, one, operation, path, perhaps
from tidings.client.objects import App, Defined, Field, Form, NewApp, NewField, NewForm

Config = Mapping[str, object]


class Apps(Noun[D_co]):
    """Apps and their fields."""

    @operation
    def create(
        self, space_id: int, config: Config, fields: Sequence[Config] = (), *, hook: bool = True, silent: bool = False
    ) -> Call[NewApp]:
        """A new app in a space; `config` has at least its `name`, a field its `type` and its `config`."""
        body = {"space_id": space_id, "config": dict(config), "fields": [dict(each) for each in fields]}
        return Call("POST", "/app/", one(NewApp, "app_id"), body, changed(hook=hook, silent=silent))

    @operation
    def get(self, app_id: int) -> Call[App]:
        """The app, with its fields."""
        return Call("GET", path("/app/{}", app_id), one(App, "app_id"))

    @operation
    def get_by_label(self, space_id: int, url_label: str) -> Call[App]:
        """The app by what its address calls it."""
        return Call("GET", path("/app/space/{}/{}", space_id, url_label), one(App, "app_id"))

    @operation
    def list(self, space_id: int, *, include_inactive: bool = False) -> Call[Many[App]]:
        """The apps of a space."""
        query = {"include_inactive": True if include_inactive else None}
        return Call("GET", path("/app/space/{}/", space_id), many(App, "app_id"), query=query)

    @operation
    def list_own(self) -> Call[Many[App]]:
        """All apps that one may look into."""
        return Call("GET", "/app/v2/", many(App, "app_id"))

    @operation
    def update(
        self,
        app_id: int,
        config: Config | None = None,
        fields: Sequence[Config] | None = None,
        *,
        hook: bool = True,
        silent: bool = False,
    ) -> Call[Defined | None]:
        """Change the parts of the config that are named, and fields: with a `field_id` that field, without one a new one."""
        body = given(config=config and dict(config), fields=None if fields is None else [dict(each) for each in fields])
        query = changed(hook=hook, silent=silent)
        return Call("PUT", path("/app/{}", app_id), perhaps(Defined, "revision"), body, query, repeatable=not fields)

    @operation
    def delete(self, app_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Delete the app, and what is in it."""
        return Call("DELETE", path("/app/{}", app_id), nothing, query=changed(hook=hook, silent=silent))

    @operation
    def install(self, app_id: int, space_id: int, *, hook: bool = True, silent: bool = False) -> Call[NewApp]:
        """A copy of the app in a space, without its items."""
        body, query = {"space_id": space_id}, changed(hook=hook, silent=silent)
        return Call("POST", path("/app/{}/install", app_id), one(NewApp, "app_id"), body, query)

    @operation
    def activate(self, app_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Take the app back into use."""
        return Call("POST", path("/app/{}/activate", app_id), nothing, {}, changed(hook=hook, silent=silent))

    @operation
    def deactivate(self, app_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Take the app out of use."""
        return Call("POST", path("/app/{}/deactivate", app_id), nothing, {}, changed(hook=hook, silent=silent))

    # --- fields ---

    @operation
    def create_field(self, app_id: int, type: str, config: Config, *, hook: bool = True, silent: bool = False) -> Call[NewField]:
        """A new field; `config` has at least its `label`."""
        body, query = {"type": type, "config": dict(config)}, changed(hook=hook, silent=silent)
        return Call("POST", path("/app/{}/field/", app_id), one(NewField, "field_id"), body, query)

    @operation
    def get_field(self, app_id: int, field: int | str) -> Call[Field]:
        """One field, by its id or external_id."""
        return Call("GET", path("/app/{}/field/{}", app_id, field), one(Field, "field_id"))

    @operation
    def update_field(
        self, app_id: int, field: int | str, config: Config, *, hook: bool = True, silent: bool = False
    ) -> Call[Defined | None]:
        """Change the parts of the field's config that are named."""
        return Call(
            "PUT", path("/app/{}/field/{}", app_id, field), perhaps(Defined, "revision"), dict(config), changed(hook=hook, silent=silent)
        )

    @operation
    def delete_field(
        self, app_id: int, field: int | str, *, delete_values: bool = False, hook: bool = True, silent: bool = False
    ) -> Call[Defined | None]:
        """Delete the field."""
        query = changed(hook=hook, silent=silent) | {"delete_values": True if delete_values else None}
        return Call("DELETE", path("/app/{}/field/{}", app_id, field), perhaps(Defined, "revision"), query=query)


class Forms(Noun[D_co]):
    """Web forms of apps."""

    @operation
    def create(self, /, app_id: int, settings: Config, *, hook: bool = True, silent: bool = False, **parts: object) -> Call[NewForm]:
        """A new form; `parts` are `domains`, `fields`, `attachments`."""
        body, query = {"settings": dict(settings), **parts}, changed(hook=hook, silent=silent)
        return Call("POST", path("/form/app/{}/", app_id), one(NewForm, "form_id"), body, query)

    @operation
    def get(self, form_id: int) -> Call[Form]:
        """The form."""
        return Call("GET", path("/form/{}", form_id), one(Form, "form_id"))

    @operation
    def list(self, app_id: int) -> Call[Many[Form]]:
        """The forms of an app."""
        return Call("GET", path("/form/app/{}/", app_id), many(Form, "form_id"))

    @operation
    def update(self, /, form_id: int, *, hook: bool = True, silent: bool = False, **parts: object) -> Call[None]:
        """Change the parts that are named: `settings`, `domains`, `fields`, `attachments`."""
        return Call("PUT", path("/form/{}", form_id), nothing, dict(parts), changed(hook=hook, silent=silent))

    @operation
    def delete(self, form_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Delete the form."""
        return Call("DELETE", path("/form/{}", form_id), nothing, query=changed(hook=hook, silent=silent))

    @operation
    def activate(self, form_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Switch the form on."""
        return Call("POST", path("/form/{}/activate", form_id), nothing, {}, changed(hook=hook, silent=silent))

    @operation
    def deactivate(self, form_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Switch the form off."""
        return Call("POST", path("/form/{}/deactivate", form_id), nothing, {}, changed(hook=hook, silent=silent))
