"""The console's pages of items, as a browser without scripts has them: every type of field in a form, there and back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from tests.support.browsing import Browser, Page, signed_in
from tests.support.house import Api
from tidings.store import schema
from tidings.store.database import Tx
from tidings.workspace.apps import App, create_app
from tidings.workspace.fields.fields import NewField
from tidings.workspace.items.items import ItemChange, NewItem, create_items, get_item, update_item
from tidings.workspace.items.rows import Item
from tidings.workspace.members import add_members
from tidings.workspace.values.rule import Value


def field(field_type: str, label: str, **settings: Any) -> NewField:
    return NewField(field_type, {"label": label, "settings": settings})


async def new_app(api: Api, *fields: NewField, name: str = "Orders") -> App:
    config = {"name": name, "item_name": "Order"}
    people = api.people
    return await api.house.database.write(
        create_app, people.ada, people.space_id, config, list(fields), keyring=api.house.keyring, now=api.clock()
    )


async def new_items(api: Api, app_id: int, *values: dict[str, Any]) -> list[Item]:
    return await api.house.database.write(create_items, api.people.ada, app_id, [NewItem(each) for each in values], now=api.clock())


async def item_of(api: Api, page: Page) -> Item:
    """The item that the page is of."""
    return await api.house.database.read(get_item, api.people.ada, int(page.url.partition("?")[0].rpartition("/")[2]))


async def event_types(api: Api, item_id: int) -> list[str]:
    def read(tx: Tx) -> list[str]:
        events = schema.events
        of_item = select(events.c.type).where(events.c.object_id == item_id, events.c.type.startswith("item."))
        return list(tx.execute(of_item.order_by(events.c.event_id)).scalars())

    return await api.house.database.read(read)


def by_external_id(app: App, item: Item) -> dict[str, list[Value]]:
    names = {field.field_id: field.external_id for field in app.fields}
    return {names[field_id]: values for field_id, values in item.values.items()}


async def test_an_item_with_every_type_of_field_is_added_read_back_and_changed(api: Api, ada: Browser) -> None:
    app = await new_app(
        api,
        NewField("text", {"label": "Title", "required": True}),
        field("text", "Notes", size="large"),
        field("number", "Pieces"),
        field("date", "Due"),
        field("category", "State", options=["New", "Done"]),
        field("category", "Labels", options=["urgent", "gift"], multiple=True),
        field("money", "Total", allowed_currencies=["EUR", "DKK"]),
        field("progress", "Done"),
        field("duration", "Time"),
        field("phone", "Phone"),
        field("email", "Mail"),
        field("embed", "Link"),
        field("location", "Place", structured=True),
        field("contact", "Owner"),
        field("member", "Member"),
        field("app", "Part", referenceable_types=[api.people.app_id]),
        field("image", "Photo"),
        field("file", "Paper"),
    )
    [part] = await new_items(api, api.people.app_id, {"title": "A wheel"})
    ids = {each.external_id: f"f{each.field_id}_0" for each in app.fields}
    you = str(api.people.ada.id)
    texts = {
        f"{ids['title']}_value": "An order",
        f"{ids['notes']}_value": "\r\nfirst\r\n  second",
        f"{ids['pieces']}_value": "12.5",
        f"{ids['due']}_start_date": "2026-03-01",
        f"{ids['due']}_end_date": "2026-03-02",
        f"{ids['due']}_end_time": "10:00",
        f"{ids['state']}_value": "2",
        f"{ids['labels']}_1": "on",
        f"{ids['labels']}_2": "on",
        f"{ids['total']}_value": "99.90",
        f"{ids['total']}_currency": "DKK",
        f"{ids['done']}_value": "40",
        f"{ids['time']}_hours": "1",
        f"{ids['time']}_minutes": "30",
        f"{ids['phone']}_value": "+45 1",
        f"{ids['phone']}_type": "work",
        f"{ids['mail']}_value": "a@b.org",
        f"{ids['link']}_value": "https://example.org/",
        f"{ids['place']}_value": "Main Street 1",
        f"{ids['place']}_city": "Aarhus",
        f"{ids['owner']}_value": you,
        f"{ids['member']}_value": you,
        f"{ids['part']}_value": str(part.item_id),
        "external_id": "o-1",
    }
    here = f"/console/apps/{app.app_id}"
    page = await ada.send(await ada.open(f"{here}/items/new"), f"{here}/items", **texts)
    assert "The item has been added." in page.words
    item = await item_of(api, page)
    assert item.external_id == "o-1"
    assert by_external_id(app, item) == {
        "title": [{"value": "An order"}],
        "notes": [{"value": "\nfirst\n  second"}],
        "pieces": [{"value": "12.5000"}],
        "due": [{"start": "2026-03-01", "end": "2026-03-02 10:00:00"}],
        "state": [{"value": 2}],
        "labels": [{"value": 1}, {"value": 2}],
        "total": [{"value": "99.9000", "currency": "DKK"}],
        "done": [{"value": 40}],
        "time": [{"value": 5400}],
        "phone": [{"type": "work", "value": "+45 1"}],
        "mail": [{"type": "other", "value": "a@b.org"}],
        "link": [{"url": "https://example.org/"}],
        "place": [{"value": "Main Street 1", "city": "Aarhus"}],
        "owner": [{"value": api.people.ada.id}],
        "member": [{"value": api.people.ada.id}],
        "part": [{"value": part.item_id}],
    }
    page = await ada.send(page, f"/console/items/{item.item_id}")
    assert "Nothing was different" in page.words
    page = await ada.send(page, f"/console/items/{item.item_id}", **{f"{ids['pieces']}_value": "", f"{ids['state']}_value": "1"})
    assert "The item has been changed." in page.words
    changed = by_external_id(app, await item_of(api, page))
    assert ("pieces" in changed, changed["state"]) == (False, [{"value": 1}])
    assert await event_types(api, item.item_id) == ["item.create", "item.update"]


async def test_a_complaint_stands_beside_its_field_and_what_was_typed_is_kept(api: Api, ada: Browser) -> None:
    app = await new_app(api, NewField("text", {"label": "Title", "required": True}), field("number", "Pieces"), field("embed", "Link"))
    title, pieces, link = (f"f{each.field_id}" for each in app.fields)
    here = f"/console/apps/{app.app_id}"
    before = await api.written()
    page = await ada.send(await ada.open(f"{here}/items/new"), f"{here}/items", **{f"{pieces}_0_value": "many", "external_id": "x"})
    assert (page.status, f'id="{pieces}-wrong"' in page.text) == (400, True)
    assert "Must be a number" in page.words
    assert (page.form(f"{here}/items").fields[f"{pieces}.0.value"], page.form(f"{here}/items").fields["external_id"]) == ("many", "x")
    page = await ada.send(page, f"{here}/items", **{f"{pieces}_0_value": "3", f"{link}_0_value": "https://a.org"})
    assert (page.status, f'id="{title}-wrong"' in page.text, "A value is required." in page.words) == (400, True, True)
    assert page.form(f"{here}/items").fields[f"{link}.0.value"] == "https://a.org"
    assert await api.written() == before
    page = await ada.send(page, f"{here}/items", **{f"{title}_0_value": "At last", "then": "another"})
    assert (page.url, "The item has been added." in page.words) == (f"{here}/items/new?done=item-made", True)


async def test_two_who_write_different_fields_at_once_both_have_their_way(api: Api, ada: Browser) -> None:
    app = await new_app(api, field("text", "Title"), field("number", "Pieces"))
    [item] = await new_items(api, app.app_id, {"title": "A", "pieces": 1})
    here = f"/console/items/{item.item_id}"
    page = await ada.open(here)
    await api.house.database.write(update_item, api.people.ada, item.item_id, ItemChange({"title": "B"}), now=api.clock())
    page = await ada.send(page, here, **{f"f{app.fields[1].field_id}_0_value": "2"})
    assert by_external_id(app, await item_of(api, page)) == {"title": [{"value": "B"}], "pieces": [{"value": "2.0000"}]}


async def test_of_two_who_write_the_same_field_the_second_is_asked(api: Api, ada: Browser) -> None:
    app = await new_app(api, field("text", "Title"), field("number", "Pieces"))
    title, pieces = (f"f{each.field_id}" for each in app.fields)
    [item] = await new_items(api, app.app_id, {"title": "A", "pieces": 1})
    here = f"/console/items/{item.item_id}"
    page = await ada.open(here)
    theirs = ItemChange({"title": "B", "pieces": 7})
    await api.house.database.write(update_item, api.people.ada, item.item_id, theirs, now=api.clock())
    page = await ada.send(page, here, **{f"{title}_0_value": "C"})
    assert (page.status, "Somebody else has changed Title meanwhile." in page.words) == (409, True)
    assert (page.form(here).fields[f"{title}.0.value"], page.form(here).fields[f"{pieces}.0.value"]) == ("C", "7")
    page = await ada.send(page, here)
    assert by_external_id(app, await item_of(api, page)) == {"title": [{"value": "C"}], "pieces": [{"value": "7.0000"}]}


async def test_an_item_is_deleted_and_says_so(api: Api, ada: Browser) -> None:
    [item] = await new_items(api, api.people.app_id, {"title": "A"})
    here = f"/console/items/{item.item_id}"
    page = await ada.send(await ada.open(here), f"{here}/delete")
    assert (page.url, "No item yet" in page.words) == (f"/console/apps/{api.people.app_id}?done=item-deleted", True)
    assert await event_types(api, item.item_id) == ["item.create", "item.delete"]
    left = await ada.open(here)
    assert (left.status, "This item has been deleted" in left.words, "item.delete" in left.words) == (410, True, True)
    await api.house.database.write(add_members, api.people.ada, api.people.space_id, "light", [api.people.bob.id], now=api.clock())
    async with signed_in(api, api.people.bob) as bob:
        gone = await bob.open(here)
        assert (gone.status, "item.delete" in gone.words) == (410, False)


async def test_the_ledger_says_what_happened_to_an_item(api: Api, ada: Browser) -> None:
    [item] = await new_items(api, api.people.app_id, {"title": "A"})
    for number in range(25):
        change = ItemChange({"title": f"A {number}"})
        await api.house.database.write(update_item, api.people.ada, item.item_id, change, now=api.clock())
    page = await ada.open(f"/console/items/{item.item_id}")
    assert page.words.count("item.update Title revision") == 20
    older = await ada.open(next(link for link in page.links if "ledger=" in link))
    assert (older.words.count("item.update Title"), "item.create Title" in older.words) == (5, True)
    for before in ("0", "x", "9" * 18, "9" * 40):
        assert (await ada.open(f"/console/items/{item.item_id}?ledger={before}")).status == 200


async def test_the_table_has_pages_and_a_search(api: Api, ada: Browser) -> None:
    await new_items(api, api.people.app_id, *({"title": f"Wheel {number}"} for number in range(120)))
    here = f"/console/apps/{api.people.app_id}"
    page = await ada.open(here)
    assert "1 to 50 of 120 items" in page.words
    assert "Wheel 119" in page.words
    page = await ada.open(next(link for link in page.links if "page=2" in link))
    assert ("51 to 100 of 120 items" in page.words, "Wheel 69" in page.words) == (True, True)
    page = await ada.open(f"{here}?q=wheel+11&page=1")
    assert "11 items" in page.words
    assert "No title has" in (await ada.open(f"{here}?q=%25")).words
    for number in ("0", "-1", "x", "9" * 9, "9" * 30):
        assert (await ada.open(f"{here}?page={number}")).status == 200


async def test_items_are_found_whatever_the_field_of_their_titles_is_called(api: Api, ada: Browser) -> None:
    named, numbered = await new_app(api, field("text", "Name")), await new_app(api, field("number", "Title"))
    await new_items(api, named.app_id, {"name": "Wheel"})
    await new_items(api, numbered.app_id, {"title": "7"})
    for app, title in ((named, "whee"), (numbered, "7")):
        assert "1 item" in (await ada.open(f"/console/apps/{app.app_id}?q={title}")).words
        assert "No title has" in (await ada.open(f"/console/apps/{app.app_id}?q=8")).words


async def test_the_table_says_values_in_words(api: Api, ada: Browser) -> None:
    app = await new_app(api, field("text", "Title"), field("contact", "Owner"), field("money", "Total"), field("app", "Part"))
    [part] = await new_items(api, api.people.app_id, {"title": "A wheel"})
    total = {"value": "1234.5", "currency": "EUR"}
    await new_items(api, app.app_id, {"title": "A", "owner": api.people.ada.id, "total": total, "part": part.item_id})
    page = await ada.open(f"/console/apps/{app.app_id}")
    assert "A Ada 1,234.50 EUR A wheel" in page.words


async def test_values_are_text_whatever_they_hold(api: Api, ada: Browser) -> None:
    nasty = "\"'></textarea></option><script>alert(1)</script>{{ 7*7 }}"
    state, place, linked = field("category", "State", options=[nasty]), field("location", "Place"), field("embed", "Link")
    app = await new_app(api, field("text", nasty), state, place, linked, name=nasty)
    text, *_ = (each.field_id for each in app.fields)
    link = "https://example.org/\"'><script>alert(1)</script>"
    values = {str(text): nasty, "state": 1, "place": nasty, "link": link}
    [item] = await new_items(api, app.app_id, values)
    for path in (f"apps/{app.app_id}", f"apps/{app.app_id}/items/new", f"items/{item.item_id}"):
        page = await ada.open(f"/console/{path}")
        assert page.status == 200
        assert "<script>alert" not in page.text
    page = await ada.open(f"/console/items/{item.item_id}")
    form = page.form(f"/console/items/{item.item_id}")
    assert form.fields[f"f{text}.0.value"] == nasty
    assert link in form.fields.values()
    assert not any(each.startswith(("javascript:", "https://example.org")) for each in page.links)


async def test_who_may_only_look_sees_the_values_and_no_form(api: Api, ada: Browser) -> None:
    await api.house.database.write(add_members, api.people.ada, api.people.space_id, "light", [api.people.bob.id], now=api.clock())
    [item] = await new_items(api, api.people.app_id, {"title": "A wheel"})
    async with signed_in(api, api.people.bob) as bob:
        page = await bob.open(f"/console/items/{item.item_id}")
        assert ("Title A wheel" in page.words, [form.action for form in page.forms]) == (
            True,
            ["/sign-out", f"/console/items/{item.item_id}/comments"],
        )
        form = {"csrf": page.forms[0].fields["csrf"], "revision": "0", f"f{api.people.fields['title']}.0.value": "B"}
        assert (await bob.post(f"/console/items/{item.item_id}", form)).status == 403


async def test_who_is_in_another_organization_finds_no_item(api: Api) -> None:
    [item] = await new_items(api, api.people.app_id, {"title": "A wheel"})
    async with signed_in(api, api.people.bob) as bob:
        form = {"csrf": (await bob.open("/console")).forms[0].fields["csrf"], "revision": "0"}
        before = await api.written()
        here = f"/console/items/{item.item_id}"
        pages = [await bob.open(here), await bob.post(here, form), await bob.post(f"{here}/delete", form)]
        assert [page.status for page in pages] == [404] * 3
        assert not any("wheel" in page.text for page in pages)
        assert await api.written() == before


async def test_a_form_of_no_revision_is_refused(api: Api, ada: Browser) -> None:
    [item] = await new_items(api, api.people.app_id, {"title": "A wheel"})
    here = f"/console/items/{item.item_id}"
    csrf = (await ada.open(here)).form(here).fields["csrf"]
    for revision in ("", "1", "-1", "x", "9" * 12):
        assert (await ada.post(here, {"csrf": csrf, "revision": revision})).status == 404


async def test_tags_and_comments_come_and_go_each_with_its_event(api: Api, ada: Browser) -> None:
    [item] = await new_items(api, api.people.app_id, {"title": "A wheel"})
    here = f"/console/items/{item.item_id}"
    page = await ada.send(await ada.open(here), f"{here}/tags", tag="<b>red</b>")
    assert ("The tag has been put on." in page.words, "<b>red</b>" in page.words) == (True, True)
    page = await ada.send(page, f"{here}/tags", tag="  ")
    assert (page.status, "Must not be blank" in page.words) == (400, True)
    page = await ada.send(page, f"{here}/tags/remove")
    assert "<b>red</b>" not in page.words
    page = await ada.send(page, f"{here}/comments", value="   ")
    assert page.status == 400
    page = await ada.send(page, f"{here}/comments", value="Two\r\nlines <i>")
    assert "Two lines <i>" in page.words
    delete = next(form.action for form in page.forms if "/comments/" in form.action)
    page = await ada.send(page, delete)
    assert ("The comment has been deleted." in page.words, "Two lines" in page.words) == (True, False)
    types = [word for word in page.words.split() if word.startswith(("tag.", "comment.", "item."))]
    assert types[:5] == ["comment.delete", "comment.create", "tag.delete", "tag.add", "item.create"]
