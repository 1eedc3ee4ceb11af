"""Apps installed in other spaces, on both engines."""

from __future__ import annotations

import pytest

from tests.support.cast import KEYRING, NOW, Cast, read_events
from tests.support.databases import AnyDatabase
from tests.support.rights import who_may
from tests.support.tasks import Tasks, make_item, make_tasks, written
from tidings.errors import Forbidden, Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.apps import App, delete_app, get_app, open_app_token
from tidings.workspace.fields.fields import FieldChange, update_field
from tidings.workspace.installs import install_app
from tidings.workspace.items import filters
from tidings.workspace.orgs import create_org
from tidings.workspace.spaces import create_space

pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


@pytest.fixture
def cast(tasks: Tasks) -> Cast:
    return tasks.cast


def install(tx: Tx, caller: Caller, app_id: int, space_id: int) -> App:
    return install_app(tx, caller, app_id, space_id, keyring=KEYRING, now=NOW)


async def test_the_new_app_has_the_config_and_the_fields_and_no_items(database: AnyDatabase, tasks: Tasks, cast: Cast) -> None:
    def run(tx: Tx) -> None:
        make_item(tx, tasks)
        options = FieldChange(config={"settings": {"options": [{"id": 2, "text": "Green"}, "Yellow"]}, "required": True})
        update_field(tx, cast.owner, tasks.app_id, "labels", options, now=NOW)
        source = get_app(tx, cast.owner, tasks.app_id)
        made = install(tx, cast.owner, tasks.app_id, cast.open_space_id)
        assert (made.space_id, made.config, made.revision, made.status) == (cast.open_space_id, source.config, 0, "active")
        assert [(f.external_id, f.type, f.config, f.position) for f in made.fields] == [
            (f.external_id, f.type, f.config, f.position) for f in source.fields
        ]
        assert {field.field_id for field in made.fields}.isdisjoint(field.field_id for field in source.fields)
        assert filters.count_items(tx, cast.owner, made.app_id) == 0
        tokens = {open_app_token(tx, cast.owner, app_id, keyring=KEYRING) for app_id in (made.app_id, tasks.app_id)}
        assert len(tokens) == 2
        assert read_events(tx, made.app_id) == [("app.create", True)]

    await database.write(run)


async def test_a_reference_to_the_app_itself_is_to_the_new_one(database: AnyDatabase, tasks: Tasks, cast: Cast) -> None:
    def run(tx: Tx) -> None:
        settings = {"referenced_apps": [{"app_id": tasks.app_id}, {"app_id": cast.sibling_id}], "multiple": False}
        update_field(tx, cast.owner, tasks.app_id, "parts", FieldChange(config={"settings": settings}), now=NOW)
        made = install(tx, cast.owner, tasks.app_id, cast.space_id)
        [parts] = [field.config.settings for field in made.fields if field.external_id == "parts"]
        assert (parts["referenceable_types"], parts["multiple"]) == ([made.app_id, cast.sibling_id], False)
        assert made.url_label == "works-2"

    await database.write(run)


async def test_an_app_that_refers_to_others_cannot_leave_its_organization(database: AnyDatabase, tasks: Tasks, cast: Cast) -> None:
    def prepare(tx: Tx) -> int:
        settings = {"referenceable_types": [cast.sibling_id]}
        update_field(tx, cast.owner, tasks.app_id, "parts", FieldChange(config={"settings": settings}), now=NOW)
        org_id = create_org(tx, cast.owner, "Elsewhere too", now=NOW).org_id
        return create_space(tx, cast.owner, org_id, {"name": "Far"}, now=NOW).space_id

    space_id = await database.write(prepare)
    before = await database.read(written)
    with pytest.raises(Invalid, match=f"there is no app {cast.sibling_id} here"):
        await database.write(install, cast.owner, tasks.app_id, space_id)
    assert await database.read(written) == before


async def test_who_looks_at_the_one_and_is_admin_of_the_other_may_install(database: AnyDatabase, cast: Cast) -> None:
    answers = await who_may(database, cast, lambda tx, who: install(tx, who, cast.app_id, cast.space_id))
    assert answers == "ok ok 403 403 403 404 404 403 403 404"
    with pytest.raises(Forbidden):
        await database.write(install, cast.admin, cast.app_id, cast.open_space_id)
    with pytest.raises(NotFound):
        await database.write(install, cast.owner, cast.far_app_id, cast.space_id)


async def test_a_deleted_app_is_gone(database: AnyDatabase, tasks: Tasks, cast: Cast) -> None:
    await database.write(delete_app, cast.owner, tasks.app_id, now=NOW)
    with pytest.raises(Gone):
        await database.write(install, cast.owner, tasks.app_id, cast.space_id)
