"""The values of items over HTTP: every form in which clients write them (contract section 6.2), and lists page by page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.answers import refused
from tests.support.house import Api
from tidings.store.database import Tx
from tidings.workspace.fields import fields
from tidings.workspace.fields.fields import NewField


@pytest.fixture
async def ids(api: Api) -> dict[str, int]:
    """The app gets a field of each kind of value; the ids of all of them, and of a part and a file to name."""

    def add(tx: Tx) -> dict[str, int]:
        for new in (
            NewField("category", {"label": "Status", "settings": {"options": ["Open", "Done"]}}),
            NewField("category", {"label": "Labels", "settings": {"options": ["Red", "Green"], "multiple": True}}),
            NewField("number", {"label": "Estimate"}),
            NewField("money", {"label": "Price"}),
            NewField("progress", {"label": "Progress"}),
            NewField("duration", {"label": "Duration"}),
            NewField("date", {"label": "Due"}),
            NewField("phone", {"label": "Phone"}),
            NewField("email", {"label": "Mail"}),
            NewField("embed", {"label": "Link"}),
            NewField("location", {"label": "Place"}),
            NewField("contact", {"label": "Owner"}),
            NewField("app", {"label": "Parts"}),
            NewField("image", {"label": "Photo"}),
        ):
            fields.create_field(tx, api.people.ada, api.people.app_id, new, now=api.clock())
        return {each.external_id: each.field_id for each in fields.load_fields(tx, api.people.app_id)}

    return await api.house.database.write(add)


def forms_of(value: Any, sub_id: str = "value") -> list[Any]:
    """A value as the contract has it: `[{sub_id: v}]`, `[v]`, `{sub_id: v}`, and bare."""
    return [[{sub_id: value}], [value], {sub_id: value}, value]


def held(item: dict[str, Any], name: str) -> Any:
    """What is answered for a field, without the parts that say the same again."""
    [field] = [field for field in item["fields"] if field["external_id"] == name]
    return field["values"]


PRICE, DATE = {"value": "12.50", "currency": "EUR"}, {"start": "2026-02-01 10:00:00", "end": "2026-02-02 11:00:00"}
FORMS: dict[str, tuple[list[Any], Any]] = {
    # The ways of writing one value, and what is answered for each of them: all of it, or what it must contain.
    "title": (forms_of("Fix it"), {"value": "Fix it"}),
    "status": ([*forms_of(2), *forms_of("Done"), {"value": {"id": 2}}, [{"value": {"id": 2, "text": "Done"}}], {"id": 2}], {"id": 2}),
    "labels": ([*forms_of(1), ["Red", 1], [{"value": 1}, {"value": "Red"}]], {"id": 1}),
    "estimate": ([*forms_of(5), *forms_of("5"), *forms_of("5.0000"), *forms_of(5.0)], {"value": "5.0000"}),
    "price": ([[PRICE], PRICE], {"value": "12.5000", "currency": "EUR"}),
    "progress": ([*forms_of(55), *forms_of("55")], {"value": 55}),
    "duration": (forms_of(3600), {"value": 3600}),
    "due": ([[DATE], DATE, {**DATE, "start_date": "2026-02-01", "start_time": "10:00:00"}], {"start": "2026-02-01 10:00:00"}),
    "phone": ([*forms_of("+45 123"), [{"type": "other", "value": "+45 123"}]], {"type": "other", "value": "+45 123"}),
    "mail": ([*forms_of("a@example.org"), {"type": "other", "value": "a@example.org"}], {"value": "a@example.org"}),
    "link": ([*forms_of("https://example.org/", "url"), {"embed": {"url": "https://example.org/"}}], {"url": "https://example.org/"}),
    "place": ([*forms_of("Aarhus"), {"formatted": "Aarhus"}], {"value": "Aarhus"}),
    "owner": ([*forms_of(1), {"type": "user", "id": 1}, [{"value": {"type": "profile", "id": 1}}], {"profile_id": 1}], {"profile_id": 1}),
}


def contains(answered: Any, wanted: dict[str, Any]) -> bool:
    """Whether it, or what stands under one of its keys, has these."""
    within = [answered, *(part for part in answered.values() if isinstance(part, dict))]
    return any(wanted.items() <= part.items() for part in within)


@pytest.mark.parametrize("name", FORMS)
async def test_a_value_may_be_written_in_every_form(api: Api, ids: dict[str, int], name: str) -> None:
    (given, wanted), item_id = FORMS[name], 0
    path = f"/item/app/{api.people.app_id}/"
    for form in given:
        bodies = ({name: form}, {str(ids[name]): form}, [{"external_id": name, "values": form}], [{"field_id": ids[name], "values": form}])
        for body in bodies:
            made = await api.post(path, {"fields": body})
            assert made.status_code == 200, (form, made.text)
            item_id, [value] = made.json()["item_id"], held(made.json(), name)
            assert contains(value, wanted), form
        cleared = await api.put(f"/item/{item_id}/value/{name}", [])
        assert cleared.status_code == 200
        assert [field["external_id"] for field in (await api.get(f"/item/{item_id}/value")).json()] == []
        assert (await api.put(f"/item/{item_id}/value/{ids[name]}", form)).json()["revision"] == 2
        [value] = (await api.get(f"/item/{item_id}/value/{name}")).json()
        assert contains(value, wanted), form


async def test_references_to_items_and_files_may_be_written_in_every_form(api: Api, ids: dict[str, int]) -> None:
    part = (await api.post(f"/item/app/{api.people.app_id}", {"fields": {"title": "Part"}})).json()["item_id"]
    for form in [*forms_of(part), {"value": {"item_id": part}}, [{"value": {"item_id": part, "title": "Part"}}], {"item_id": part}]:
        made = await api.post(f"/item/app/{api.people.app_id}", {"fields": {"parts": form}})
        assert [value["value"]["item_id"] for value in held(made.json(), "parts")] == [part], form
    for form in (0, 1, 2, 3):
        file = (await api.post("/file", files={"source": ("x", b"bytes")}, data={"filename": "a.png"})).json()["file_id"]
        made = await api.post(f"/item/app/{api.people.app_id}", {"fields": {"photo": forms_of(file)[form]}})
        assert [value["value"]["file_id"] for value in held(made.json(), "photo")] == [file]


async def test_what_was_read_may_be_written_back(api: Api, ids: dict[str, int]) -> None:
    written = {name: given[0] for name, (given, _) in FORMS.items()}
    item = (await api.post(f"/item/app/{api.people.app_id}", {"fields": written})).json()
    back = [{"external_id": field["external_id"], "values": field["values"]} for field in item["fields"]]
    assert len(back) == len(FORMS)
    answer = await api.put(f"/item/{item['item_id']}", {"fields": back, "tags": item["tags"], "file_ids": []})
    assert answer.json() == {"revision": 0, "title": item["title"]}


async def test_an_update_touches_only_the_fields_that_it_names(api: Api, ids: dict[str, int]) -> None:
    item = (await api.post(f"/item/app/{api.people.app_id}", {"fields": {"title": "A", "estimate": 5, "status": 1}})).json()
    await api.put(f"/item/{item['item_id']}", {"fields": {"estimate": [], "status": "Done"}})
    after = {field["external_id"] for field in (await api.get(f"/item/{item['item_id']}")).json()["fields"]}
    assert after == {"title", "status"}
    for given in ({"title": "B", str(ids["title"]): "C"}, [{"external_id": "title"}], ["title"], {"": 1}, "title", 7):
        refused(await api.put(f"/item/{item['item_id']}", {"fields": given}), 400)
    assert (await api.get(f"/item/{item['item_id']}")).json()["revision"] == 1


async def test_pages_follow_one_another_without_a_gap(api: Api, ids: dict[str, int]) -> None:
    app_id = api.people.app_id
    made = [
        (await api.post(f"/item/app/{app_id}", {"fields": {"title": f"T{number}", "estimate": number // 2}})).json()["item_id"]
        for number in range(7)
    ]
    for sort_by in (None, "created_on", "title", "estimate", "last_edit_on"):
        for descending in (True, False):
            seen: list[int] = []
            for offset in (0, 3, 6, 9):
                body = {"limit": 3, "offset": offset, "sort_by": sort_by, "sort_desc": descending}
                page = (await api.post(f"/item/app/{app_id}/filter/", body)).json()
                assert (page["total"], page["filtered"], len(page["items"])) == (7, 7, max(0, min(3, 7 - offset)))
                listed = await api.get(f"/item/app/{app_id}/", params={name: value for name, value in body.items() if value is not None})
                assert listed.json() == page
                seen += [item["item_id"] for item in page["items"]]
            assert seen == (made[::-1] if descending else made), (sort_by, descending)
    default = (await api.post(f"/item/app/{app_id}/filter", {"remember": True})).json()
    assert [item["item_id"] for item in default["items"]] == made[::-1]
