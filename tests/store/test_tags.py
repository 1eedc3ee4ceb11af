"""Tags, on both engines."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from tests.support.cast import NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tests.support.rights import who_may
from tests.support.told import places_told_of, told_of
from tidings.errors import Gone, Invalid
from tidings.store.database import Tx
from tidings.store.schema import items
from tidings.workspace import tags
from tidings.workspace.items.items import NewItem, create_item, delete_item
from tidings.workspace.tags import TagCount

pytestmark = pytest.mark.furnished(make=gather_cast)


@pytest.fixture
def cast(furniture: Cast) -> Cast:
    return furniture


def make(tx: Tx, cast: Cast, *texts: str) -> int:
    item_id = create_item(tx, cast.regular, cast.app_id, NewItem(), now=NOW).item_id
    tags.replace_tags(tx, cast.regular, item_id, texts, now=NOW, heard=False)
    return item_id


def count(tx: Tx, item_id: int) -> int:
    return int(tx.execute(select(items.c.tag_count).where(items.c.item_id == item_id)).scalar_one())


async def told(database: AnyDatabase) -> list[tuple[str, str]]:
    """What hooks heard of."""
    return [(type_, parameters["tag"]) for type_, parameters, heard in await database.read(told_of, "tag") if heard]


async def test_tags_are_added_once_and_each_is_told_of(database: AnyDatabase, cast: Cast) -> None:
    item_id = await database.write(make, cast, "old")
    await database.write(tags.add_tags, cast.regular, "item", item_id, ["new", " Red ", "old", "new", "red"], now=NOW)
    assert await database.read(tags.tags_on, [item_id]) == {item_id: ["Red", "new", "old", "red"]}
    assert await database.read(count, item_id) == 4
    assert await database.read(told_of, "tag") == [
        ("tag.add", {"item_id": str(item_id), "tag": "old"}, False),
        ("tag.add", {"item_id": str(item_id), "tag": "Red"}, True),
        ("tag.add", {"item_id": str(item_id), "tag": "new"}, True),
        ("tag.add", {"item_id": str(item_id), "tag": "red"}, True),
    ]
    assert await database.read(places_told_of, "tag") == {("item", item_id, cast.app_id, cast.space_id, cast.regular.author)}


async def test_setting_tags_takes_off_what_is_not_named(database: AnyDatabase, cast: Cast) -> None:
    item_id = await database.write(make, cast, "a", "b")
    await database.write(tags.set_tags, cast.regular, "item", item_id, ["b", "c"], now=NOW)
    assert await told(database) == [("tag.delete", "a"), ("tag.add", "c")]
    assert await database.read(tags.tags_on, [item_id]) == {item_id: ["b", "c"]}
    await database.write(tags.set_tags, cast.regular, "item", item_id, [], now=NOW, heard=False)
    assert await database.read(tags.tags_on, [item_id]) == {item_id: []}
    assert await database.read(count, item_id) == 0


async def test_a_tag_is_taken_off(database: AnyDatabase, cast: Cast) -> None:
    item_id = await database.write(make, cast, "a", "b")
    await database.write(tags.remove_tag, cast.regular, "item", item_id, "a", now=NOW)
    assert await told(database) == [("tag.delete", "a")]
    assert (await database.read(tags.tags_on, [item_id]), await database.read(count, item_id)) == ({item_id: ["b"]}, 1)


async def test_what_changes_nothing_is_not_told_of(database: AnyDatabase, cast: Cast) -> None:
    item_id = await database.write(make, cast, "a")
    await database.write(tags.add_tags, cast.regular, "item", item_id, ["a"], now=NOW)
    await database.write(tags.add_tags, cast.regular, "item", item_id, [], now=NOW)
    await database.write(tags.set_tags, cast.regular, "item", item_id, ["a"], now=NOW)
    await database.write(tags.remove_tag, cast.regular, "item", item_id, "b", now=NOW)
    assert await told(database) == []


async def test_who_may_change_the_item_may_tag_it(database: AnyDatabase, cast: Cast) -> None:
    item_id = await database.write(make, cast)
    tagging = await who_may(database, cast, lambda tx, who: tags.add_tags(tx, who, "item", item_id, ["a"], now=NOW))
    assert tagging == "ok ok ok 403 403 404 404 ok 403 404"
    for change in (
        await who_may(database, cast, lambda tx, who: tags.set_tags(tx, who, "item", item_id, ["a"], now=NOW)),
        await who_may(database, cast, lambda tx, who: tags.remove_tag(tx, who, "item", item_id, "a", now=NOW)),
    ):
        assert change == tagging
    listing = await who_may(database, cast, lambda tx, who: tags.list_tags(tx, who, cast.app_id))
    assert listing == "ok ok ok ok 403 404 404 ok 403 404"


async def test_the_tags_of_an_app_are_counted_without_deleted_items(database: AnyDatabase, cast: Cast) -> None:
    first = await database.write(make, cast, "wheel", "gear")
    for texts in (("gear", "Größe"), ("gear", "axle")):
        await database.write(make, cast, *texts)
    await database.write(delete_item, cast.regular, first, now=NOW)

    async def listed(**more: object) -> list[TagCount]:
        return await database.read(lambda tx: tags.list_tags(tx, cast.light, cast.app_id, **more))  # type: ignore[arg-type]

    assert await listed() == [TagCount("Größe", 1), TagCount("axle", 1), TagCount("gear", 2)]
    assert await listed(limit=1) == [TagCount("gear", 2)]
    assert await listed(text="GE") == [TagCount("gear", 2)]
    assert await listed(text="%") == []
    assert await database.read(tags.list_tags, cast.owner, cast.sibling_id) == []


async def test_what_is_no_tag_is_refused_by_name_and_nothing_is_written(database: AnyDatabase, cast: Cast) -> None:
    item_id = await database.write(make, cast)
    wrong = (["a", " "], ["x" * 256], [f"{n}" for n in range(tags.TAGS_LIMIT + 1)])
    for texts in wrong:
        with pytest.raises(Invalid) as raised:
            await database.write(tags.add_tags, cast.regular, "item", item_id, texts, now=NOW)
        assert raised.value.parameters["field"] == "tags"
    with pytest.raises(Invalid) as raised:
        await database.write(tags.add_tags, cast.regular, "status", item_id, ["a"], now=NOW)
    assert raised.value.parameters == {"ref_type": ["item"]}
    assert (await database.read(tags.tags_on, [item_id]), await told(database)) == ({item_id: []}, [])


async def test_a_deleted_item_is_not_tagged(database: AnyDatabase, cast: Cast) -> None:
    item_id = await database.write(make, cast, "a")
    await database.write(delete_item, cast.regular, item_id, now=NOW)
    with pytest.raises(Gone):
        await database.write(tags.add_tags, cast.regular, "item", item_id, ["b"], now=NOW)
    assert await database.read(tags.tags_on, [item_id]) == {item_id: ["a"]}


async def test_a_change_that_fails_leaves_neither_tag_nor_count_nor_event(database: AnyDatabase, cast: Cast) -> None:
    item_id = await database.write(make, cast, "a")

    def fail(tx: Tx) -> None:
        tags.set_tags(tx, cast.regular, "item", item_id, ["b"], now=NOW)
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError):
        await database.write(fail)
    assert await database.read(tags.tags_on, [item_id]) == {item_id: ["a"]}
    assert (await database.read(count, item_id), await told(database)) == (1, [])


async def test_those_who_tag_together_tag_once(database: AnyDatabase, cast: Cast) -> None:
    item_id = await database.write(make, cast)
    both = [database.write(tags.add_tags, who, "item", item_id, ["a", "b"], now=NOW) for who in (cast.regular, cast.admin) * 4]
    await asyncio.gather(*both)
    assert (await database.read(count, item_id), await told(database)) == (2, [("tag.add", "a"), ("tag.add", "b")])
