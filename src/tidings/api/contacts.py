"""The contact endpoints: contacts of a space, and the profiles of people beside them.

Podio's paths: `/contact/{ids}` and `/contact/{ids}/v2` answer an object for one id, and a list for several.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict, cast

import msgspec
from msgspec import Meta, Struct

from tidings.api.call import GREATEST_ID, Call, ChangeQuery
from tidings.api.members import read_ids
from tidings.api.shapes import parts_of
from tidings.errors import Invalid
from tidings.workspace import contacts
from tidings.workspace.contacts import PAGE_LIMIT, Contact, ContactConfig, ContactFilter, ProfileType, Several

GREATEST_LIMIT = 500  # contacts of one page

NewContact = Annotated[dict[str, Any], parts_of(ContactConfig, required=["name"])]
ContactChange = Annotated[dict[str, Any], parts_of(ContactConfig)]


class ContactQuery(Struct):
    """Which profiles of a space are asked for. `contact_type` is `user`, `space`, or both with a comma; nothing means both."""

    contact_type: str | None = None
    name: str | None = None
    external_id: str | None = None
    exclude_self: bool = True
    limit: Annotated[int, Meta(ge=1, le=GREATEST_LIMIT)] = PAGE_LIMIT
    offset: Annotated[int, Meta(ge=0, le=GREATEST_ID)] = 0


class ProfileParts(TypedDict):
    """What is known of somebody beside their name."""

    about: str | None
    address: Several
    birthdate: str | None
    city: str | None
    country: str | None
    department: str | None
    im: Several
    linkedin: str | None
    location: Several
    mail: Several
    organization: str | None
    phone: Several
    skill: Several
    skype: str | None
    state: str | None
    title: Several
    twitter: str | None
    url: Several
    vatin: str | None
    zip: str | None


class ProfileObject(ProfileParts):
    """A profile as Podio writes it."""

    profile_id: int
    user_id: int | None
    space_id: int | None
    org_id: None
    type: ProfileType
    external_id: str | None
    name: str
    link: str
    avatar: None
    image: None
    last_seen_on: None
    is_employee: bool
    role: None
    removable: bool
    rights: tuple[str, ...]


async def create_contact(call: Call, body: NewContact, query: ChangeQuery) -> ProfileObject:
    """`POST /contact/space/{space_id}`."""
    made = await call.write(contacts.create_contact, call.caller, call.id("space_id"), body, now=call.now, heard=query.hook)
    return _profile_object(made, call.house.settings.public_url)


async def list_contacts(call: Call, query: ContactQuery) -> list[ProfileObject]:
    """`GET /contact/space/{space_id}`: by name."""
    wanted = ContactFilter(_types(query.contact_type), query.name, query.external_id, not query.exclude_self)
    space_id, limit, offset = call.id("space_id"), query.limit, query.offset
    found = await call.read(contacts.list_contacts, call.caller, space_id, wanted, limit=limit, offset=offset)
    return [_profile_object(contact, call.house.settings.public_url) for contact in found]


async def get_contacts(call: Call) -> ProfileObject | list[ProfileObject]:
    """`GET /contact/{profile_ids}`, and `/v2` of it."""
    found = await call.read(contacts.get_contacts, call.caller, read_ids(call, "profile_ids"))
    objects = [_profile_object(contact, call.house.settings.public_url) for contact in found]
    return objects if "," in call.text("profile_ids") else objects[0]


async def get_user_contact(call: Call) -> ProfileObject:
    """`GET /contact/user/{user_id}`: a person has one profile here, with their own id."""
    found = await call.read(contacts.get_contact, call.caller, call.id("user_id"))
    return _profile_object(found, call.house.settings.public_url)


async def update_contact(call: Call, body: ContactChange, query: ChangeQuery) -> ProfileObject:
    """`PUT /contact/{profile_id}`: what is not named stays, and null empties."""
    after = await call.write(contacts.update_contact, call.caller, call.id("profile_id"), body, now=call.now, heard=query.hook)
    return _profile_object(after, call.house.settings.public_url)


async def delete_contacts(call: Call, query: ChangeQuery) -> None:
    """`DELETE /contact/{profile_ids}`, with commas between them."""
    await call.write(contacts.delete_contacts, call.caller, read_ids(call, "profile_ids"), now=call.now, heard=query.hook)


def _types(text: str | None) -> list[ProfileType]:
    names = text.split(",") if text else []
    types: list[ProfileType] = [known for known in ("user", "space") if known in names]
    if not set(names) <= set(types):
        allowed = {"field": "contact_type", "contact_type": ["user", "space"]}
        raise Invalid("contact_type: must be 'user', 'space', or both with a comma between them", parameters=allowed)
    return types


def _profile_object(contact: Contact, public_url: str) -> ProfileObject:
    where = f"user/{contact.user_id}" if contact.type == "user" else f"contact/{contact.profile_id}"
    return {
        "profile_id": contact.profile_id,
        "user_id": contact.user_id,
        "space_id": contact.space_id,
        "org_id": None,
        "type": contact.type,
        "external_id": contact.external_id,
        "name": contact.name,
        "link": f"{public_url}/{where}",
        "avatar": None,
        "image": None,
        "last_seen_on": None,
        "is_employee": False,
        "role": None,
        "removable": contact.type == "space",
        "rights": contact.rights,
        **cast(ProfileParts, msgspec.structs.asdict(contact.profile)),
    }
