"""Web forms: how people who have no account may send items to an app. Tidings keeps how a form is set up, and shows none.

The admins of the app make, read and change its forms. What is not named of a form stays; of its settings and their texts
too. A form asks for fields of its app; one that the app no longer has is shown no more. A change that changes nothing writes
nothing; deleting the app takes its forms out of reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace
from sqlalchemy import RowMapping, bindparam, insert, select, update

from tidings.errors import Gone, Invalid, NotFound
from tidings.events.outbox import NewEvent, append
from tidings.store.database import Tx
from tidings.store.schema import forms
from tidings.workspace.access import Caller, reach_app
from tidings.workspace.fields.fieldsets import Fieldset, fieldset
from tidings.workspace.names import NAME_LIMIT, TEXT_LIMIT, checked_name
from tidings.workspace.parts import Parts, merged, read
from tidings.workspace.quiet import tells

DOMAIN_LIMIT = 100  # of one form
CONFIG_LIMIT = 200_000  # characters of all that is kept of one form

FormStatus = Literal["active", "disabled"]

Name = Annotated[str, Meta(max_length=NAME_LIMIT)]
Text = Annotated[str, Meta(max_length=TEXT_LIMIT)]


class FormText(Struct, frozen=True):
    """What a form says to people."""

    submit: Name | None = None
    success: Text | None = None
    heading: Name | None = None
    description: Text | None = None


class FormSettings(Struct, frozen=True):
    """How a form looks and asks."""

    captcha: bool = False
    text: FormText = FormText()
    theme: Name | None = None
    font: Name | None = None
    color: Name | None = None
    colors: dict[Name, Name] = {}
    css: Text | None = None


class FormField(Struct, frozen=True):
    """A field of the app that the form asks for."""

    field_id: int
    settings: dict[str, Any] = {}


class FormConfig(Struct, frozen=True):
    """All that is set of a form."""

    settings: FormSettings = FormSettings()
    domains: tuple[str, ...] = ()  # the sites that may show it; none named: any
    fields: tuple[FormField, ...] = ()
    attachments: bool = False


class FieldGiven(Struct, frozen=True):
    """A field, as a caller names it."""

    field_id: int | str | None = None
    external_id: str | None = None
    settings: dict[str, Any] | None = None


class FormParts(Struct, frozen=True):
    """What a caller says of a form. `field_ids` are `fields` without settings."""

    settings: dict[str, Any] | UnsetType | None = UNSET
    domains: list[str] | UnsetType | None = UNSET
    fields: list[FieldGiven | int | str] | UnsetType | None = UNSET
    field_ids: list[int | str] | UnsetType | None = UNSET
    attachments: bool | UnsetType | None = UNSET


class Form(Struct, frozen=True):
    """A form as it stands."""

    form_id: int
    app_id: int
    space_id: int
    status: FormStatus
    config: FormConfig
    created_by: str  # an author
    created_at: int  # microseconds since the epoch


_ONE = select(forms).where(forms.c.form_id == bindparam("form_id"))
_LOCKED = _ONE.with_for_update(key_share=True)
_OF_APP = select(forms).where(forms.c.app_id == bindparam("app_id"), forms.c.deleted_at.is_(None)).order_by(forms.c.form_id)
_decode_config = msgspec.json.Decoder(FormConfig).decode


# --- making ------------------------------------------------------------------------------------------------------------


def create_form(tx: Tx, caller: Caller, app_id: int, parts: FormParts, *, now: int, heard: bool = True) -> Form:
    """A new form of the app, switched on. Raises `Invalid`, naming the part; `NotFound`, `Forbidden`, `Gone`."""
    app = reach_app(tx, caller, app_id, "admin")
    config = _changed(FormConfig(), parts, fieldset(tx, app))
    values = {"app_id": app_id, "status": "active", "config": _encoded(config), "created_by": caller.author, "created_at": now}
    form_id: int = tx.execute(insert(forms).values(values).returning(forms.c.form_id)).scalar_one()
    form = Form(form_id, app_id, app["space_id"], "active", config, caller.author, now)
    _tell(tx, caller, "form.create", form, now=now, heard=heard)
    return form


# --- reading -----------------------------------------------------------------------------------------------------------


def get_form(tx: Tx, caller: Caller, form_id: int) -> Form:
    """The form. Raises `NotFound`, `Forbidden`, `Gone`."""
    return _reach(tx, caller, form_id).form


def list_forms(tx: Tx, caller: Caller, app_id: int) -> list[Form]:
    """The forms of the app, oldest first. Raises `NotFound`, `Forbidden`, `Gone`."""
    app = reach_app(tx, caller, app_id, "admin")
    rows = tx.execute(_OF_APP, {"app_id": app_id}).mappings().all()
    return [_form(row, app["space_id"], fieldset(tx, app)) for row in rows]


class _Reached(NamedTuple):
    form: Form
    fieldset: Fieldset


def _reach(tx: Tx, caller: Caller, form_id: int, *, lock: bool = False) -> _Reached:
    row = tx.execute(_LOCKED if lock else _ONE, {"form_id": form_id}).mappings().first()
    if row is None:
        raise NotFound(parameters={"form_id": form_id})
    try:
        app = reach_app(tx, caller, row["app_id"], "admin")
    except NotFound:
        raise NotFound(parameters={"form_id": form_id}) from None
    if row["deleted_at"] is not None:
        raise Gone(parameters={"form_id": form_id})
    those = fieldset(tx, app)
    return _Reached(_form(row, app["space_id"], those), those)


def _form(row: RowMapping, space_id: int, those: Fieldset) -> Form:
    config = _decode_config(row["config"])
    shown = tuple(field for field in config.fields if those.find(field.field_id) is not None)
    return Form(
        form_id=row["form_id"],
        app_id=row["app_id"],
        space_id=space_id,
        status=row["status"],
        config=replace(config, fields=shown),
        created_by=row["created_by"],
        created_at=row["created_at"],
    )


# --- changing ----------------------------------------------------------------------------------------------------------


def update_form(tx: Tx, caller: Caller, form_id: int, parts: FormParts, *, now: int, heard: bool = True) -> Form:
    """Change what `parts` names. Raises `Invalid`, naming the part; `NotFound`, `Forbidden`, `Gone`."""
    form, those = _reach(tx, caller, form_id, lock=True)
    config = _changed(form.config, parts, those)
    if config != form.config:
        _write(tx, form_id, config=_encoded(config))
        _tell(tx, caller, "form.update", form, now=now, heard=heard)
    return replace(form, config=config)


def set_form_status(tx: Tx, caller: Caller, form_id: int, status: FormStatus, *, now: int, heard: bool = True) -> None:
    """Switch a form on or off. Raises `NotFound`, `Forbidden`, `Gone`."""
    form = _reach(tx, caller, form_id, lock=True).form
    if form.status != status:
        _write(tx, form_id, status=status)
        _tell(tx, caller, "form.update", form, now=now, heard=heard)


def delete_form(tx: Tx, caller: Caller, form_id: int, *, now: int, heard: bool = True) -> None:
    """Delete a form; its row stays for the record. Raises `NotFound`, `Forbidden`, `Gone`."""
    form = _reach(tx, caller, form_id, lock=True).form
    _write(tx, form_id, deleted_at=now)
    _tell(tx, caller, "form.delete", form, now=now, heard=heard)


def _write(tx: Tx, form_id: int, **values: object) -> None:
    tx.execute(update(forms).where(forms.c.form_id == form_id).values(values))


def _tell(tx: Tx, caller: Caller, event_type: str, form: Form, *, now: int, heard: bool) -> None:
    append(
        tx,
        NewEvent(
            type=event_type,
            space_id=form.space_id,
            app_id=form.app_id,
            object_id=form.form_id,
            parameters={"form_id": str(form.form_id), "app_id": str(form.app_id)},
            created_by=caller.author,
            created_at=now,
            heard=heard,
            quiet=not tells(tx, form.app_id),
        ),
    )


# --- what a caller says ------------------------------------------------------------------------------------------------


def _changed(before: FormConfig, parts: FormParts, those: Fieldset) -> FormConfig:
    fields = parts.field_ids if parts.fields is UNSET else parts.fields
    config = FormConfig(
        settings=before.settings if parts.settings is UNSET else _settings(before.settings, parts.settings or {}),
        domains=before.domains if parts.domains is UNSET else _domains(parts.domains or ()),
        fields=before.fields if fields is UNSET else _fields(fields or (), before, those),
        attachments=before.attachments if parts.attachments is UNSET else bool(parts.attachments),
    )
    if len(_encoded(config)) > CONFIG_LIMIT:
        raise Invalid(f"The form: must have at most {CONFIG_LIMIT} characters in all", parameters={"limit": CONFIG_LIMIT})
    return config


def _settings(before: FormSettings, given: Parts) -> FormSettings:
    text = given.get("text")
    if isinstance(text, dict):
        given = {**given, "text": merged(before.text, text)}
    return read(FormSettings, merged(before, given), "settings")


def _domains(given: Sequence[str]) -> tuple[str, ...]:
    if len(given) > DOMAIN_LIMIT:
        raise Invalid(f"domains: must be at most {DOMAIN_LIMIT}", parameters={"field": "domains", "limit": DOMAIN_LIMIT})
    return tuple(checked_name(domain, f"domains[{place}]") for place, domain in enumerate(given))


def _fields(given: Sequence[FieldGiven | int | str], before: FormConfig, those: Fieldset) -> tuple[FormField, ...]:
    """The fields that are named. One without settings keeps those that it has in the form."""
    held = {field.field_id: field.settings for field in before.fields}
    fields: dict[int, FormField] = {}
    for place, each in enumerate(given):
        named = each if isinstance(each, FieldGiven) else FieldGiven(each)
        field_id = _field_id(named, place, those)
        if field_id in fields:
            raise Invalid(f"fields[{place}]: is there twice", parameters={"field": f"fields[{place}]"})
        fields[field_id] = FormField(field_id, held.get(field_id, {}) if named.settings is None else named.settings)
    return tuple(fields.values())


def _field_id(named: FieldGiven, place: int, those: Fieldset) -> int:
    slot = those.find(named.external_id if named.field_id is None else named.field_id)
    if slot is None:
        what = f"fields[{place}]"
        shown = named.external_id if named.field_id is None else named.field_id
        raise Invalid(f"{what}: {str(shown)[:NAME_LIMIT]} is no field of this app", parameters={"field": what})
    return slot.field.field_id


def _encoded(config: FormConfig) -> str:
    return msgspec.json.encode(config).decode()
