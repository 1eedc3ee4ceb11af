"""Files over HTTP (contract section 6.5): uploaded as clients do, attached, replaced, copied, deleted, fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests.support.answers import ENVELOPE, bob_in
from tests.support.house import Api
from tidings.store.blobs.disk import Disk
from tidings.store.database import Tx
from tidings.store.schema import events, files, items

KEYS = {
    "file_id", "link", "link_target", "perma_link", "thumbnail_link", "name", "description", "mimetype", "size", "hosted_by",
    "hosted_by_humanized_name", "context", "created_on", "created_by", "created_via", "rights", "replaces", "files", "preset_id",
    "position", "external_file_id",
}  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def refused(answer: httpx.Response, status: int, error: str) -> dict[str, Any]:
    """Podio's envelope, asserted to be this one."""
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["error"], set(body)) == (status, error, ENVELOPE), answer.text
    return body


async def upload(api: Api, content: bytes = b"hello", name: str = "hello.txt", **more: Any) -> dict[str, Any]:
    answer = await api.post("/file/", files={"source": ("x", content)}, data={"filename": name}, **more)
    assert answer.status_code == 200, answer.text
    file: dict[str, Any] = answer.json()
    return file


async def make_item(api: Api) -> int:
    answer = await api.post(f"/item/app/{api.people.app_id}/", {"fields": {"title": "A"}})
    return int(answer.json()["item_id"])


async def attach(api: Api, file_id: int, item_id: int, **more: Any) -> httpx.Response:
    return await api.post(f"/file/{file_id}/attach", {"ref_type": "item", "ref_id": item_id}, **more)


async def file_changes(api: Api) -> list[tuple[str, bool]]:
    def read(tx: Tx) -> list[tuple[str, bool]]:
        chosen = select(events.c.parameters, events.c.heard).where(events.c.type == "file.change").order_by(events.c.event_id)
        return [(row.parameters, row.heard) for row in tx.execute(chosen)]

    return await api.house.database.read(read)


def stored(api: Api) -> list[Path]:
    """Every file of the store's folder, unfinished ones too."""
    assert isinstance(api.house.blobs, Disk)
    return [path for path in api.house.blobs._folder.rglob("*") if path.is_file()]


# --- uploading ---------------------------------------------------------------------------------------------------------


async def test_an_upload_answers_the_file_with_every_key_that_clients_read(api: Api) -> None:
    file = await upload(api, PNG, "logo.png")
    assert set(file) == KEYS
    assert (file["name"], file["size"], file["mimetype"], file["context"]) == ("logo.png", len(PNG), "image/png", None)
    assert file["link"] == f"http://tidings.test/file/{file['file_id']}/raw"
    assert (await api.get(f"/file/{file['file_id']}")).json() == file


@pytest.mark.parametrize("path", ["/file", "/file/", "/file/v2/", "/file/v2"])
@pytest.mark.parametrize(
    "parts",
    [
        [("source", ("on-disk.txt", b"12345", "text/plain")), ("filename", (None, "a.txt"))],
        [("filename", (None, "a.txt")), ("source", ("on-disk.txt", b"12345"))],
        [("source", ("a.txt", b"12345", "text/plain"))],
        [("source", (None, b"12345")), ("filename", (None, "a.txt"))],
        [("comment", (None, "?")), ("filename", (None, "a.txt")), ("source", ("b", b"12345", "application/octet-stream"))],
    ],
    ids=["podio-js and podio-java", "podio-php and podio-rb", "name on the part alone", "pypodio2", "and something else"],
)
async def test_each_client_s_way_of_sending_a_file_is_understood(api: Api, path: str, parts: list[Any]) -> None:
    answer = await api.post(path, files=parts)
    assert answer.status_code == 200, answer.text
    assert [answer.json()[key] for key in ("name", "size", "mimetype")] == ["a.txt", 5, "text/plain"]
    assert (await api.get(f"/file/{answer.json()['file_id']}/raw")).content == b"12345"


async def test_a_file_may_be_empty(api: Api) -> None:
    file = await upload(api, b"", "nothing")
    answer = await api.get(f"/file/{file['file_id']}/raw")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\bild.png", "bild.png"),
        ("Übersicht 日本.txt", "Übersicht 日本.txt"),
        (" a ", "a"),
        ("b/", "b"),
    ],
)
async def test_of_a_name_its_last_part_is_kept(api: Api, name: str, kept: str) -> None:
    file = await upload(api, b"x", name)
    assert file["name"] == kept
    assert all(path.name != kept for path in stored(api))


@pytest.mark.parametrize("name", ["a\nb", "a\x00b", "x" * 300, "x" * 5000, "   ", "/", "a\x7f", "\u202egnp.exe"])
async def test_a_name_that_is_none_is_refused_and_nothing_is_kept(api: Api, name: str) -> None:
    rows = await api.written()
    refused(await api.post("/file/", files={"source": ("y", b"x")}, data={"filename": name}), 400, "invalid_value")
    assert (await api.written(), stored(api)) == (rows, [])


def form(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end


SOURCE = b'Content-Disposition: form-data; name="source"; filename="a"\r\n\r\n12345'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", form(SOURCE)),
        ("multipart/form-data; boundary=" + "b" * 1000, form(SOURCE)),
        ("application/json", b"{}"),
        ("", b"12345"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"12345"),
        ("multipart/form-data; boundary=c", form(SOURCE)),
        ("multipart/form-data; boundary=b", form(SOURCE, end=b"")),
        ("multipart/form-data; boundary=b", form(SOURCE)[:-20]),
        ("multipart/form-data; boundary=b", form()),
        ("multipart/form-data; boundary=b", form(SOURCE, SOURCE)),
        ("multipart/form-data; boundary=b", form(SOURCE, *[b'Content-Disposition: form-data; name="n"\r\n\r\n'] * 5000)),
        ("multipart/form-data; boundary=b", form(b"X: " + b"x" * 60_000 + b"\r\n" + SOURCE)),
        ("multipart/form-data; boundary=b", form(b"".join(b"X%d: x\r\n" % number for number in range(1000)) + SOURCE)),
        ("multipart/form-data; boundary=b", form(b"\r\n12345")),
        ("multipart/form-data; boundary=b", form(SOURCE, b"\xff\xfe: \x00\r\n\r\n")),
    ],
)
async def test_a_body_that_is_no_such_form_is_refused_and_nothing_is_kept(api: Api, content_type: str, body: bytes) -> None:
    rows = await api.written()
    refused(await api.send("POST", "/file/", content=body, headers={"content-type": content_type}), 400, "invalid_value")
    assert (await api.written(), stored(api)) == (rows, [])


async def test_an_upload_needs_a_token(api: Api) -> None:
    refused(await api.post("/file/", files={"source": ("x", b"x")}, access=None), 401, "unauthorized")
    assert stored(api) == []


# --- attaching ---------------------------------------------------------------------------------------------------------


async def test_a_file_attached_to_an_item_is_told_and_counted(api: Api) -> None:
    item_id, file = await make_item(api), await upload(api)
    answer = await attach(api, file["file_id"], item_id)
    assert (answer.status_code, answer.content) == (204, b"")
    told = f'{{"item_id":"{item_id}","action_type":"file_created","file_ids":"{file["file_id"]}"}}'
    assert await file_changes(api) == [(told, True)]
    shown = (await api.get(f"/file/{file['file_id']}")).json()
    assert (shown["context"]["type"], shown["context"]["id"], shown["context"]["title"]) == ("item", item_id, "A")
    count = select(items.c.file_count).where(items.c.item_id == item_id)
    assert await api.house.database.read(lambda tx: tx.execute(count).scalar_one()) == 1


async def test_with_hook_false_no_hook_hears_of_it(api: Api) -> None:
    item_id, file = await make_item(api), await upload(api)
    await attach(api, file["file_id"], item_id, params={"hook": "false"})
    assert [heard for _, heard in await file_changes(api)] == [False]


async def test_attaching_again_changes_nothing_and_elsewhere_needs_a_copy(api: Api) -> None:
    first, second, file = await make_item(api), await make_item(api), await upload(api)
    assert (await attach(api, file["file_id"], first)).status_code == 204
    assert (await attach(api, file["file_id"], first)).status_code == 204
    refused(await attach(api, file["file_id"], second), 400, "invalid_value")
    copy = (await api.post(f"/file/{file['file_id']}/copy")).json()["file_id"]
    assert (await attach(api, copy, second)).status_code == 204
    assert len(await file_changes(api)) == 2
    assert (await api.get(f"/file/{copy}/raw")).content == b"hello"


@pytest.mark.parametrize(
    "body", [{"ref_type": "app", "ref_id": 1}, {"ref_type": "x\0", "ref_id": 1}, {"ref_id": 1}, {"ref_type": "item", "ref_id": 0}]
)
async def test_a_file_cannot_be_attached_to_what_takes_none(api: Api, body: dict[str, Any]) -> None:
    file = await upload(api)
    refused(await api.post(f"/file/{file['file_id']}/attach", body), 400, "invalid_value")


async def test_a_file_can_be_attached_to_a_space(api: Api) -> None:
    file = await upload(api)
    body = {"ref_type": "space", "ref_id": api.people.space_id}
    assert (await api.post(f"/file/{file['file_id']}/attach", body)).status_code == 204
    listed = (await api.get(f"/file/space/{api.people.space_id}/")).json()
    assert [(each["file_id"], each["context"]["title"]) for each in listed] == [(file["file_id"], "Workshop")]
    assert await file_changes(api) == []


async def test_an_unattached_file_is_its_uploader_s_alone(api: Api) -> None:
    await bob_in(api, "admin")
    item_id, file = await make_item(api), await upload(api)
    at = f"/file/{file['file_id']}"
    for access in ("bob", "app"):
        refused(await api.get(at, access=access), 404, "not_found")
        refused(await api.get(f"{at}/raw", access=access), 404, "not_found")
        refused(await attach(api, file["file_id"], item_id, access=access), 404, "not_found")
        refused(await api.post(f"{at}/copy", access=access), 404, "not_found")
        refused(await api.put(at, {"description": "mine"}, access=access), 404, "not_found")
        refused(await api.delete(at, access=access), 404, "not_found")


async def test_an_attached_file_is_seen_by_who_sees_its_item_and_changed_by_who_may_change_it(api: Api) -> None:
    item_id, file = await make_item(api), await upload(api)
    await attach(api, file["file_id"], item_id)
    at = f"/file/{file['file_id']}"
    refused(await api.get(at, access="bob"), 404, "not_found")
    await bob_in(api, "light")
    assert (await api.get(at, access="bob")).json()["rights"] == ["view", "download"]
    assert (await api.get(f"{at}/raw", access="bob")).content == b"hello"
    refused(await api.delete(at, access="bob"), 403, "forbidden")
    mine = await upload(api, access="bob")
    refused(await attach(api, mine["file_id"], item_id, access="bob"), 403, "forbidden")
    assert (await api.get(at, access="app")).json()["rights"] == ["view", "download", "update", "delete"]


async def test_a_file_of_a_deleted_item_is_gone(api: Api) -> None:
    item_id, file = await make_item(api), await upload(api)
    await attach(api, file["file_id"], item_id)
    await api.delete(f"/item/{item_id}")
    refused(await api.get(f"/file/{file['file_id']}/raw"), 410, "gone")
    assert (await api.get(f"/file/app/{api.people.app_id}/")).json() == []


# --- changing ----------------------------------------------------------------------------------------------------------


async def test_a_new_file_replaces_an_old_one_and_shows_it_as_its_past(api: Api) -> None:
    item_id, old, new = await make_item(api), await upload(api), await upload(api, b"better")
    await attach(api, old["file_id"], item_id)
    answer = await api.post(f"/file/{new['file_id']}/replace", {"old_file_id": old["file_id"]})
    assert (answer.status_code, answer.content) == (204, b"")
    shown = (await api.get(f"/file/{new['file_id']}")).json()
    assert ([past["file_id"] for past in shown["replaces"]], shown["context"]["id"]) == ([old["file_id"]], item_id)
    assert (await file_changes(api))[-1][0] == f'{{"item_id":"{item_id}","action_type":"file_replaced","file_ids":"{new["file_id"]}"}}'
    assert [each["file_id"] for each in (await api.get(f"/file/app/{api.people.app_id}/")).json()] == [new["file_id"]]
    assert (await api.get(f"/file/{old['file_id']}/raw")).content == b"hello"


async def test_only_a_new_file_replaces_and_only_an_attached_one_is_replaced(api: Api) -> None:
    item_id, old, new, third = await make_item(api), await upload(api), await upload(api), await upload(api)
    refused(await api.post(f"/file/{new['file_id']}/replace", {"old_file_id": old["file_id"]}), 400, "invalid_value")
    for file in (old, new):
        await attach(api, file["file_id"], item_id)
    refused(await api.post(f"/file/{new['file_id']}/replace", {"old_file_id": old["file_id"]}), 400, "invalid_value")
    assert (await api.post(f"/file/{third['file_id']}/replace", {"old_file_id": old["file_id"]})).status_code == 204
    fourth = await upload(api)
    refused(await api.post(f"/file/{fourth['file_id']}/replace", {"old_file_id": old["file_id"]}), 400, "invalid_value")


async def test_a_description_is_set_and_taken_away(api: Api) -> None:
    at = f"/file/{(await upload(api))['file_id']}"
    assert (await api.put(at, {"description": "Ours"})).status_code == 204
    assert (await api.get(at)).json()["description"] == "Ours"
    await api.put(at, {"description": ""})
    assert (await api.get(at)).json()["description"] is None
    refused(await api.put(at, {"description": "x" * 20_001}), 400, "invalid_value")


async def test_a_deleted_file_is_gone_with_its_bytes_unless_a_copy_needs_them(api: Api) -> None:
    item_id, file = await make_item(api), await upload(api)
    await attach(api, file["file_id"], item_id)
    copy = (await api.post(f"/file/{file['file_id']}/copy")).json()["file_id"]
    assert (await api.delete(f"/file/{file['file_id']}")).status_code == 204
    told = f'{{"item_id":"{item_id}","action_type":"file_deleted","file_ids":"{file["file_id"]}"}}'
    assert (await file_changes(api))[-1][0] == told
    for call in (api.get(f"/file/{file['file_id']}"), api.get(f"/file/{file['file_id']}/raw"), api.delete(f"/file/{file['file_id']}")):
        refused(await call, 410, "gone")
    refused(await attach(api, file["file_id"], item_id), 410, "gone")
    assert (await api.get(f"/file/{copy}/raw")).content == b"hello"
    assert len(stored(api)) == 1
    await api.delete(f"/file/{copy}")
    assert stored(api) == []


async def test_the_files_of_an_app_are_listed_page_by_page_newest_first(api: Api) -> None:
    item_id = await make_item(api)
    made = [(await upload(api))["file_id"] for _ in range(3)]
    for file_id in made:
        await attach(api, file_id, item_id)
    await upload(api)
    page = await api.get(f"/file/app/{api.people.app_id}/", params={"limit": 2, "offset": 1})
    assert [each["file_id"] for each in page.json()] == [made[1], made[0]]
    refused(await api.get(f"/file/app/{api.people.app_id}/", access="bob"), 404, "not_found")
    refused(await api.get(f"/file/app/{api.people.app_id}/", params={"limit": 101}), 400, "invalid_value")


# --- fetching ----------------------------------------------------------------------------------------------------------


async def test_a_file_is_fetched_as_an_attachment_that_no_browser_runs(api: Api) -> None:
    page = b"<script>alert(1)</script>"
    answer = await api.post("/file/", files={"source": ('"\u00fc.html', page, "text/html")})
    assert answer.json()["mimetype"] == "text/html"
    raw = await api.get(f"/file/{answer.json()['file_id']}/raw")
    assert raw.content == page
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert raw.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert raw.headers["content-disposition"].startswith('attachment; filename="')
    assert "filename*=UTF-8''" in raw.headers["content-disposition"]


async def test_the_token_may_stand_in_the_query_of_a_link(api: Api) -> None:
    file = await upload(api)
    raw = await api.get(f"/file/{file['file_id']}/raw", params={"oauth_token": api.people.ada_access}, access=None)
    assert raw.content == b"hello"


@pytest.mark.parametrize(
    ("said", "status", "content"),
    [
        ("bytes=0-1", 206, b"he"),
        ("bytes=3-", 206, b"lo"),
        ("bytes=-2", 206, b"lo"),
        ("bytes=1-999", 206, b"ello"),
        ("bytes=-999", 200, b"hello"),
        ("bytes=0-", 200, b"hello"),
        ("bytes=5-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=3-2", 200, b"hello"),
        ("bytes=0-1,3-4", 200, b"hello"),
        ("lines=1-2", 200, b"hello"),
        ("bytes=-", 200, b"hello"),
        ("bytes=99999999999999999999-", 200, b"hello"),
    ],
)
async def test_a_range_of_a_file_may_be_asked_for(api: Api, said: str, status: int, content: bytes) -> None:
    file = await upload(api)
    answer = await api.get(f"/file/{file['file_id']}/raw", headers={"range": said})
    assert (answer.status_code, answer.content) == (status, content)
    assert answer.headers["content-length"] == str(len(content))


async def test_a_range_of_something_else_is_not_answered(api: Api) -> None:
    file = await upload(api)
    answer = await api.get(f"/file/{file['file_id']}/raw", headers={"range": "bytes=0-1", "if-range": '"999"'})
    assert (answer.status_code, answer.content) == (200, b"hello")


async def test_the_head_of_a_file_says_how_long_it_is(api: Api) -> None:
    file = await upload(api)
    answer = await api.send("HEAD", f"/file/{file['file_id']}/raw")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "5")


async def test_bytes_that_the_store_has_lost_are_unavailable(api: Api) -> None:
    file = await upload(api)
    stored(api)[0].unlink()
    refused(await api.get(f"/file/{file['file_id']}/raw"), 503, "unavailable")


async def test_a_file_s_row_names_bytes_that_are_there(api: Api) -> None:
    await upload(api)
    key = await api.house.database.read(lambda tx: tx.execute(select(files.c.storage_key)).scalar_one())
    assert [path.name for path in stored(api)] == [key.partition("/")[2]]


# --- as values of fields -----------------------------------------------------------------------------------------------


async def test_a_file_as_a_value_is_answered_as_podio_does(api: Api) -> None:
    for kind in ("image", "file"):
        field = {"type": kind, "config": {"label": kind}}
        assert (await api.post(f"/app/{api.people.app_id}/field/", field)).status_code == 200
    photo, paper = await upload(api, PNG, "a.png"), await upload(api)
    values = {"title": "A", "image": [{"value": photo["file_id"]}], "file": paper["file_id"]}
    item = (await api.post(f"/item/app/{api.people.app_id}/", {"fields": values})).json()
    shown = {field["external_id"]: field["values"] for field in item["fields"]}["image"]
    keys = ("file_id", "name", "mimetype", "size", "link", "hosted_by", "description", "thumbnail_link", "perma_link")
    assert [{key: value["value"][key] for key in keys} for value in shown] == [{key: photo[key] for key in keys}]
    assert (await api.get(f"/item/{item['item_id']}/value/image")).json() == shown
    again = {"fields": {"image": shown}}
    assert (await api.put(f"/item/{item['item_id']}", again)).json()["revision"] == 0
    refused(await api.delete(f"/file/{photo['file_id']}"), 400, "invalid_value")
    assert await file_changes(api) == []
