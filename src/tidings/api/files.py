"""The file endpoints (contract section 6.5), but for the bytes: these are `api/uploads.py` and `api/downloads.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict

import structlog
from msgspec import Meta, Struct

from tidings.api.bylines import Byline, Via, byline, via
from tidings.api.call import Call, ChangeQuery
from tidings.api.shapes import Id, Timestamp
from tidings.errors import Unavailable
from tidings.store.blobs.blobs import Blobs
from tidings.wire.podio import timestamp
from tidings.workspace.accounts.authors import Author
from tidings.workspace.files import files
from tidings.workspace.files import views as file_views
from tidings.workspace.files.files import PAGE_LIMIT
from tidings.workspace.files.rows import File
from tidings.workspace.files.views import LOOK, FilesView

log = structlog.get_logger("tidings.api")


class AttachBody(Struct):
    """What a file is to be attached to."""

    ref_type: str
    ref_id: Id


class ReplaceBody(Struct):
    """Whose place a file takes."""

    old_file_id: Id


class DescriptionBody(Struct):
    """What is to be said of a file."""

    description: str | None = None


class PageQuery(Struct):
    """Which part of a list."""

    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = 50
    offset: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class FileIdObject(TypedDict):
    """A new file."""

    file_id: int


class FileObject(TypedDict):
    """A file as Podio writes it."""

    file_id: int
    name: str
    description: str | None
    mimetype: str
    size: int
    link: str
    link_target: str
    perma_link: str | None
    thumbnail_link: str | None
    hosted_by: str
    hosted_by_humanized_name: str
    context: dict[str, Any] | None
    rights: Sequence[str]
    replaces: list[Any]
    files: list[Any]
    preset_id: int | None
    position: int | None
    external_file_id: str | None
    created_on: Timestamp
    created_by: Byline
    created_via: Via


def file_object(
    file: File,
    authors: Mapping[str, Author],
    public_url: str,
    *,
    title: str | None = None,
    replaces: Sequence[File] = (),
    rights: Sequence[str] = LOOK,
) -> FileObject:
    """A file; `authors` know who made it, and what it `replaces`. `title` is that of what it hangs on."""
    author = authors[file.created_by]
    return {
        "file_id": file.file_id,
        "name": file.name,
        "description": file.description,
        "mimetype": file.mimetype,
        "size": file.size,
        "link": file_link(file.file_id, public_url),
        "link_target": "_blank",
        "perma_link": None,
        "thumbnail_link": None,
        "hosted_by": "podio",
        "hosted_by_humanized_name": "Podio",
        "context": _context(file, title, public_url),
        "rights": rights,
        "replaces": [file_object(each, authors, public_url) for each in replaces],
        "files": [],
        "preset_id": None,
        "position": None,
        "external_file_id": None,
        "created_on": timestamp(file.created_at),
        "created_by": byline(author, public_url),
        "created_via": via(author),
    }


def linked_value(value: object, public_url: str) -> dict[str, Any]:
    """A value of the types `image` and `file`, with where its bytes are fetched."""
    assert isinstance(value, dict)
    file: dict[str, Any] = value["value"]
    links = {"link": file_link(file["file_id"], public_url), "link_target": "_blank", "perma_link": None, "thumbnail_link": None}
    return {"value": {**file, **links}}


def file_link(file_id: int, public_url: str) -> str:
    """Where the bytes of a file are fetched."""
    return f"{public_url}/file/{file_id}/raw"


def _context(file: File, title: str | None, public_url: str) -> dict[str, Any] | None:
    if file.ref_type is None:
        return None
    return {
        "type": file.ref_type,
        "id": file.ref_id,
        "title": title,
        "link": f"{public_url}/{file.ref_type}/{file.ref_id}",
        "data": {},
    }


# --- operations --------------------------------------------------------------------------------------------------------


async def get_file(call: Call) -> FileObject:
    """`GET /file/{file_id}`."""
    view = await call.read(file_views.view_file, call.caller, call.id("file_id"))
    return file_objects(view, call.house.settings.public_url)[0]


async def list_app_files(call: Call, query: PageQuery) -> list[FileObject]:
    """`GET /file/app/{app_id}`: newest first."""
    return await _list(call, "app", query)


async def list_space_files(call: Call, query: PageQuery) -> list[FileObject]:
    """`GET /file/space/{space_id}`: newest first."""
    return await _list(call, "space", query)


async def _list(call: Call, place: Literal["app", "space"], query: PageQuery) -> list[FileObject]:
    number = call.id(f"{place}_id")
    view = await call.read(file_views.view_files_in, call.caller, place, number, limit=query.limit, offset=query.offset)
    return file_objects(view, call.house.settings.public_url)


async def attach_file(call: Call, body: AttachBody, query: ChangeQuery) -> None:
    """`POST /file/{file_id}/attach`."""
    file_id = call.id("file_id")
    await call.write(files.attach_file, call.caller, file_id, body.ref_type, body.ref_id, now=call.now, heard=query.hook)


async def replace_file(call: Call, body: ReplaceBody, query: ChangeQuery) -> None:
    """`POST /file/{file_id}/replace`."""
    file_id = call.id("file_id")
    await call.write(files.replace_file, call.caller, file_id, body.old_file_id, now=call.now, heard=query.hook)


async def copy_file(call: Call) -> FileIdObject:
    """`POST /file/{file_id}/copy`: the same bytes, attached to nothing."""
    copy = await call.write(files.copy_file, call.caller, call.id("file_id"), now=call.now)
    return {"file_id": copy.file_id}


async def describe_file(call: Call, body: DescriptionBody) -> None:
    """`PUT /file/{file_id}`."""
    await call.write(files.describe_file, call.caller, call.id("file_id"), body.description)


async def delete_file(call: Call, query: ChangeQuery) -> None:
    """`DELETE /file/{file_id}`: the bytes go as well, unless a copy needs them."""
    key = await call.write(files.delete_file, call.caller, call.id("file_id"), now=call.now, heard=query.hook)
    if key is not None:
        await drop(call.house.blobs, key)


async def drop(blobs: Blobs, key: str) -> None:
    """Take bytes away that nothing names any more; where the store fails, the sweep will."""
    try:
        await blobs.delete([key])
    except Unavailable as error:
        log.warning("unavailable", path="files", why=error.description)


def file_objects(view: FilesView, public_url: str) -> list[FileObject]:
    """The files of a view."""
    return [
        file_object(
            file,
            view.authors,
            public_url,
            title=view.titles.get((file.ref_type, file.ref_id)),
            replaces=view.replaced.get(file.file_id, ()),
            rights=view.rights,
        )
        for file in view.files
    ]
