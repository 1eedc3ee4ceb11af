"""The items that refer to an item, on both engines."""

from __future__ import annotations

import pytest

from tests.support.cast import KEYRING, NOW, Cast
from tests.support.databases import AnyDatabase
from tests.support.rights import who_may
from tests.support.tasks import LATER, Tasks, make_item, make_tasks
from tidings.errors import Gone
from tidings.store.database import Tx
from tidings.workspace import apps
from tidings.workspace.access import Caller
from tidings.workspace.fields.fields import NewField, delete_field
from tidings.workspace.items import items
from tidings.workspace.items.items import NewItem
from tidings.workspace.items.referrers import list_referring
from tidings.workspace.spaces import create_space

pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


def make_app(tx: Tx, cast: Cast, name: str, space_id: int) -> int:
    fields = [NewField("app", {"label": "Uses"}), NewField("number", {"label": "Number"})]
    return apps.create_app(tx, cast.owner, space_id, {"name": name}, fields, keyring=KEYRING, now=NOW).app_id


def make(tx: Tx, caller: Caller, app_id: int, /, **values: object) -> int:
    return items.create_item(tx, caller, app_id, NewItem(values), now=NOW).item_id


def referring(tx: Tx, caller: Caller, item_id: int) -> dict[str, list[str]]:
    return {each.app.config.name: [item.title for item in each.items] for each in list_referring(tx, caller, item_id)}


async def test_what_refers_to_an_item_is_found_by_app_in_the_order_of_the_names(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        owner, target = tasks.cast.owner, make_item(tx, tasks, {"title": "Target"})
        for title, parts in (("B", [target]), ("A", [target, make_item(tx, tasks)]), ("C", [])):
            make_item(tx, tasks, {"title": title, "parts": parts})
        hall = make_app(tx, tasks.cast, "Hall", tasks.cast.open_space_id)
        make(tx, owner, hall, uses=[target])
        make(tx, owner, hall, number=target)
        assert referring(tx, owner, target) == {"Hall": ["Hall 1"], "Works": ["A", "B"]}
        assert referring(tx, tasks.regular, target) == {"Hall": ["Hall 1"], "Works": ["A", "B"]}
        assert referring(tx, tasks.token, target) == {"Works": ["A", "B"]}

    await database.write(run)


async def test_what_is_gone_or_out_of_reach_is_not_told_of(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        owner, target = tasks.cast.owner, make_item(tx, tasks, {"title": "Target"})
        closed = make_app(tx, tasks.cast, "Vault", _closed_space(tx, tasks.cast))
        make(tx, owner, closed, uses=[target])
        deleted = make_item(tx, tasks, {"title": "Deleted", "parts": [target]})
        changed = make_item(tx, tasks, {"title": "Changed", "parts": [target]})
        items.delete_item(tx, owner, deleted, now=LATER)
        items.update_values(tx, owner, changed, {"parts": []}, now=LATER)
        assert referring(tx, owner, target) == {"Vault": ["Vault 1"]}
        assert referring(tx, tasks.regular, target) == {}
        apps.delete_app(tx, owner, closed, now=LATER)
        make_item(tx, tasks, {"title": "Field", "parts": [target]})
        assert referring(tx, owner, target) == {"Works": ["Field"]}
        delete_field(tx, owner, tasks.app_id, "parts", now=LATER)
        assert referring(tx, owner, target) == {}
        items.delete_item(tx, owner, target, now=LATER)
        with pytest.raises(Gone):
            list_referring(tx, owner, target)

    await database.write(run)


def _closed_space(tx: Tx, cast: Cast) -> int:
    return create_space(tx, cast.owner, cast.org_id, {"name": "Vault"}, now=NOW).space_id


async def test_who_may_look_at_an_item_may_ask_what_refers_to_it(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make, tasks.regular, tasks.cast.app_id)
    answers = await who_may(database, tasks.cast, lambda tx, who: list_referring(tx, who, item_id))
    assert answers == "ok ok ok ok 403 404 404 ok 403 404"
