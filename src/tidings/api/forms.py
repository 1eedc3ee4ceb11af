"""The endpoints of an app's web forms (contract section 6.5)."""

from __future__ import annotations

from typing import Any, TypedDict

from tidings.api.bylines import Byline, byline
from tidings.api.call import Call, ChangeQuery
from tidings.api.shapes import Timestamp
from tidings.store.database import Tx
from tidings.wire.podio import timestamp
from tidings.workspace import forms
from tidings.workspace.access import Caller
from tidings.workspace.accounts.authors import Author, find_authors
from tidings.workspace.forms import Form, FormParts, FormSettings, FormStatus


class FormFieldObject(TypedDict):
    """A field that a form asks for."""

    field_id: int
    settings: dict[str, Any]


class FormObject(TypedDict):
    """A web form. Tidings shows none, so there is nothing to embed."""

    form_id: int
    app_id: int
    space_id: int
    status: FormStatus
    settings: FormSettings
    domains: list[str]
    fields: list[FormFieldObject]
    field_ids: list[int]
    attachments: bool
    link: str
    embed_code: None
    created_on: Timestamp
    created_by: Byline


class NewFormObject(TypedDict):
    """The form that was made."""

    form_id: int


async def create_form(call: Call, body: FormParts, query: ChangeQuery) -> NewFormObject:
    """`POST /form/app/{app_id}`."""
    form = await call.write(forms.create_form, call.caller, call.id("app_id"), body, now=call.now, heard=query.hook)
    return {"form_id": form.form_id}


async def list_forms(call: Call) -> list[FormObject]:
    """`GET /form/app/{app_id}`."""
    found, authors = await call.read(_list_with_authors, call.caller, call.id("app_id"))
    return [form_object(form, authors[form.created_by], call.house.settings.public_url) for form in found]


async def get_form(call: Call) -> FormObject:
    """`GET /form/{form_id}`."""
    form, author = await call.read(_get_with_author, call.caller, call.id("form_id"))
    return form_object(form, author, call.house.settings.public_url)


async def update_form(call: Call, body: FormParts, query: ChangeQuery) -> None:
    """`PUT /form/{form_id}`."""
    await call.write(forms.update_form, call.caller, call.id("form_id"), body, now=call.now, heard=query.hook)


async def delete_form(call: Call, query: ChangeQuery) -> None:
    """`DELETE /form/{form_id}`."""
    await call.write(forms.delete_form, call.caller, call.id("form_id"), now=call.now, heard=query.hook)


async def activate_form(call: Call, query: ChangeQuery) -> None:
    """`POST /form/{form_id}/activate`."""
    await call.write(forms.set_form_status, call.caller, call.id("form_id"), "active", now=call.now, heard=query.hook)


async def deactivate_form(call: Call, query: ChangeQuery) -> None:
    """`POST /form/{form_id}/deactivate`."""
    await call.write(forms.set_form_status, call.caller, call.id("form_id"), "disabled", now=call.now, heard=query.hook)


def _list_with_authors(tx: Tx, caller: Caller, app_id: int) -> tuple[list[Form], dict[str, Author]]:
    found = forms.list_forms(tx, caller, app_id)
    return found, find_authors(tx, {form.created_by for form in found})


def _get_with_author(tx: Tx, caller: Caller, form_id: int) -> tuple[Form, Author]:
    form = forms.get_form(tx, caller, form_id)
    return form, find_authors(tx, {form.created_by})[form.created_by]


def form_object(form: Form, author: Author, public_url: str) -> FormObject:
    """A form as Podio writes it."""
    config = form.config
    return {
        "form_id": form.form_id,
        "app_id": form.app_id,
        "space_id": form.space_id,
        "status": form.status,
        "settings": config.settings,
        "domains": list(config.domains),
        "fields": [{"field_id": field.field_id, "settings": field.settings} for field in config.fields],
        "field_ids": [field.field_id for field in config.fields],
        "attachments": config.attachments,
        "link": f"{public_url}/form/{form.form_id}",
        "embed_code": None,
        "created_on": timestamp(form.created_at),
        "created_by": byline(author, public_url),
    }
