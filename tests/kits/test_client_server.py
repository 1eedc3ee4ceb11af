"""Every operation of the client against a real server of ours, over a real socket."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.databases import AnyDatabase
from tests.support.either import Either
from tests.support.house import PASSWORD, Api, open_api, serving_app
from tests.support.past import make_past
from tests.support.world import NOW, World, code_of
from tidings import errors
from tidings.client import FileStore

pytestmark = pytest.mark.only("sqlite", reason="what the kit says does not depend on the engine")


@pytest.fixture
async def api(database: AnyDatabase) -> AsyncIterator[Api]:
    async with open_api(database, allow=["example.org"]) as made:
        yield made


@pytest.fixture(params=["blocking", "awaiting"])
async def either(request: pytest.FixtureRequest, api: Api) -> AsyncIterator[Either]:
    """Somebody who has signed in as Ada."""
    with serving_app(api) as port:
        made = Either(
            request.param, f"http://127.0.0.1:{port}", client_id=api.people.client.client_id, client_secret=api.people.client.client_secret
        )
        await made(lambda client: client.authenticate_with_password("ada@example.org", PASSWORD))
        yield made
        await asyncio.to_thread(made.client._driver.close)


async def test_items(either: Either, api: Api) -> None:
    app_id = api.people.app_id
    made = await either(lambda client: client.items.create(app_id, {"title": "One"}, external_id="ERP/9 ä"))
    item_id = made["item_id"]

    assert (await either(lambda client: client.items.get(item_id)))["title"] == "One"
    assert (await either(lambda client: client.items.get_by_external_id(app_id, "ERP/9 ä")))["item_id"] == item_id
    assert (await either(lambda client: client.items.get_by_app_item_id(app_id, made["app_item_id"])))["item_id"] == item_id
    assert (await either(lambda client: client.items.update(item_id, {"title": "Two"}, revision=0)))["revision"] == 1
    assert (await either(lambda client: client.items.update_values(item_id, {"title": "Three"}, hook=False, silent=True)))["revision"] == 2
    assert (await either(lambda client: client.items.update_field_value(item_id, "title", "Four")))["title"] == "Four"
    with pytest.raises(errors.Conflict) as caught:
        await either(lambda client: client.items.update(item_id, {"title": "Five"}, revision=0))
    assert caught.value.status == 409
    assert [field["external_id"] for field in await either(lambda client: client.items.get_values(item_id))] == ["title"]
    assert await either(lambda client: client.items.get_field_values(item_id, "title")) == [{"value": "Four"}]
    assert [each["revision"] for each in await either(lambda client: client.items.list_revisions(item_id))] == [0, 1, 2, 3]
    assert (await either(lambda client: client.items.get_revision(item_id, 0)))["type"] == "creation"
    (difference,) = await either(lambda client: client.items.compare_revisions(item_id, 0, 3))
    assert (difference["from"], difference["to"]) == ([{"value": "One"}], [{"value": "Four"}])
    assert await either(lambda client: client.items.revert_to_revision(item_id, 1)) == 4
    assert await either(lambda client: client.items.revert_revision(item_id, 4)) == 5
    assert await either(lambda client: client.items.clone(item_id)) != item_id
    assert await either(lambda client: client.items.count(app_id)) == 2
    await either(lambda client: client.items.delete(item_id))
    with pytest.raises(errors.Gone):
        await either(lambda client: client.items.get(item_id))


async def test_many_items(either: Either, api: Api) -> None:
    app_id = api.people.app_id
    made = [(await either(lambda client: client.items.create(app_id, {"title": "x"})))["item_id"] for _ in range(5)]

    page = await either(lambda client: client.items.filter(app_id, limit=2, offset=1))
    assert (page["total"], page["filtered"], len(page["items"])) == (5, 5, 2)
    assert (await either(lambda client: client.items.get_next(made[0])))["item_id"] == made[1]
    assert (await either(lambda client: client.items.get_previous(made[1])))["item_id"] == made[0]
    all_of_them = await either.listed(lambda client: client.items.iterate(app_id, page=2))
    assert [item["item_id"] for item in all_of_them] == made
    deleted = await either(lambda client: client.items.delete_many(app_id, made[:2]))
    assert deleted == {"deleted": made[:2], "pending": []}


async def test_apps_and_forms(either: Either, api: Api) -> None:
    space_id = api.people.space_id
    app_id = (await either(lambda client: client.apps.create(space_id, {"name": "Bugs", "item_name": "Bug"})))["app_id"]

    assert (await either(lambda client: client.apps.install(app_id, space_id)))["app_id"] != app_id
    app = await either(lambda client: client.apps.get(app_id))
    assert (app["config"]["name"], bool(app["token"])) == ("Bugs", True)
    assert (await either(lambda client: client.apps.get_by_label(space_id, app["url_label"])))["app_id"] == app_id
    assert app_id in [each["app_id"] for each in await either(lambda client: client.apps.list(space_id))]
    assert app_id in [each["app_id"] for each in await either(lambda client: client.apps.list_own())]
    field_id = (await either(lambda client: client.apps.create_field(app_id, "text", {"label": "Title"})))["field_id"]
    assert (await either(lambda client: client.apps.get_field(app_id, "title")))["field_id"] == field_id
    assert "revision" in await either(lambda client: client.apps.update_field(app_id, field_id, {"label": "Name"}))
    assert "revision" in await either(lambda client: client.apps.update(app_id, {"name": "Faults"}))
    form_id = (await either(lambda client: client.forms.create(app_id, {}, fields=[{"field_id": field_id}])))["form_id"]
    assert (await either(lambda client: client.forms.get(form_id)))["app_id"] == app_id
    assert [each["form_id"] for each in await either(lambda client: client.forms.list(app_id))] == [form_id]
    await either(lambda client: client.forms.deactivate(form_id))
    await either(lambda client: client.forms.activate(form_id))
    await either(lambda client: client.forms.update(form_id, attachments=False))
    await either(lambda client: client.forms.delete(form_id))
    assert "revision" in await either(lambda client: client.apps.delete_field(app_id, field_id, delete_values=True))
    await either(lambda client: client.apps.deactivate(app_id))
    assert app_id in [each["app_id"] for each in await either(lambda client: client.apps.list(space_id, include_inactive=True))]
    assert app_id not in [each["app_id"] for each in await either(lambda client: client.apps.list(space_id))]
    await either(lambda client: client.apps.activate(app_id))
    await either(lambda client: client.apps.delete(app_id))


async def test_places_and_people(either: Either, api: Api) -> None:
    ada, bob = api.people.ada.id, api.people.bob.id
    org = await either(lambda client: client.orgs.create("Difference Engines"))
    space = await either(lambda client: client.spaces.create(org["org_id"], "Attic", privacy="open"))
    space_id = space["space_id"]

    assert (await either(lambda client: client.users.get()))["user_id"] == ada
    assert (await either(lambda client: client.users.get_profile()))["name"] == "Ada"
    assert (await either(lambda client: client.orgs.get(org["org_id"])))["name"] == "Difference Engines"
    assert len(await either(lambda client: client.orgs.list())) == 2
    assert (await either(lambda client: client.orgs.get_by_url(org["url"])))["org_id"] == org["org_id"]
    await either(lambda client: client.orgs.update(org["org_id"], name="Engines"))
    assert len(await either(lambda client: client.spaces.list_top(limit=5))) == 2
    assert (await either(lambda client: client.spaces.get(space_id)))["privacy"] == "open"
    assert (await either(lambda client: client.spaces.get_by_url(space["url"])))["space_id"] == space_id
    assert [each["space_id"] for each in await either(lambda client: client.spaces.list(org["org_id"]))] == [space_id]
    await either(lambda client: client.spaces.update(space_id, name="Cellar"))
    await either(lambda client: client.members.add(space_id, "regular", users=[bob]))
    await either(lambda client: client.members.set_role(space_id, [bob], "admin"))
    assert (await either(lambda client: client.members.get(space_id, bob)))["role"] == "admin"
    assert len(await either(lambda client: client.members.list(space_id))) == 2
    await either(lambda client: client.members.remove(space_id, [bob]))
    contact = await either(lambda client: client.contacts.create(space_id, "Charles", mail=["charles@example.org"]))
    profile_id = contact["profile_id"]
    assert (await either(lambda client: client.contacts.get(profile_id)))["name"] == "Charles"
    assert (await either(lambda client: client.contacts.get_user(ada)))["name"] == "Ada"
    assert len(await either(lambda client: client.contacts.get_many([profile_id]))) == 1
    assert len(await either(lambda client: client.contacts.get_many([profile_id, ada]))) == 2
    assert [each["name"] for each in await either(lambda client: client.contacts.list(space_id, exclude_self=False))] == ["Ada", "Charles"]
    assert len(await either.listed(lambda client: client.contacts.iterate(space_id, page=1, contact_type="space"))) == 1
    await either(lambda client: client.contacts.update(profile_id, phone=["1"]))
    await either(lambda client: client.contacts.delete(profile_id))
    await either(lambda client: client.spaces.delete(space_id))


async def test_what_people_say(either: Either, api: Api) -> None:
    app_id, space_id = api.people.app_id, api.people.space_id
    item_id = (await either(lambda client: client.items.create(app_id, {"title": "x"})))["item_id"]

    comments = [(await either(lambda client: client.comments.create("item", item_id, "Yes")))["comment_id"] for _ in range(3)]
    assert (await either(lambda client: client.comments.get(comments[0])))["value"] == "Yes"
    assert (await either(lambda client: client.comments.update(comments[0], "No")))["value"] == "No"
    assert len(await either(lambda client: client.comments.list("item", item_id, limit=2))) == 2
    found = await either.listed(lambda client: client.comments.iterate("item", item_id, page=2))
    assert [each["comment_id"] for each in found] == comments
    await either(lambda client: client.comments.delete(comments[0]))
    status_id = (await either(lambda client: client.statuses.create(space_id, "Hello")))["status_id"]
    assert (await either(lambda client: client.statuses.get(status_id)))["value"] == "Hello"
    await either(lambda client: client.statuses.update(status_id, "Bye"))
    await either(lambda client: client.statuses.delete(status_id))
    await either(lambda client: client.tags.add("item", item_id, ["a", "b"]))
    await either(lambda client: client.tags.set("item", item_id, ["b", "c"]))
    await either(lambda client: client.tags.remove("item", item_id, "c"))
    assert await either(lambda client: client.tags.list(app_id)) == [{"text": "b", "count": 1}]


async def test_tasks(either: Either, api: Api) -> None:
    app_id = api.people.app_id
    item_id = (await either(lambda client: client.items.create(app_id, {"title": "x"})))["item_id"]
    task_id = (await either(lambda client: client.tasks.create_on("item", item_id, "Do it", responsible=api.people.ada.id)))["task_id"]
    other = (await either(lambda client: client.tasks.create("And that")))["task_id"]

    assert (await either(lambda client: client.tasks.get(task_id)))["text"] == "Do it"
    assert await either(lambda client: client.tasks.count_on("item", item_id)) == 1
    assert len(await either(lambda client: client.tasks.list_on("item", item_id, completed=False))) == 1
    assert len(await either(lambda client: client.tasks.list(limit=10))) == 2
    assert len(await either.listed(lambda client: client.tasks.iterate(page=1, completed=False))) == 2
    await either(lambda client: client.tasks.update(task_id, text="Do it now"))
    await either(lambda client: client.tasks.assign(task_id, None))
    assert (await either(lambda client: client.tasks.complete(task_id))) == {"recurring_task_id": None}
    await either(lambda client: client.tasks.incomplete(task_id))
    await either(lambda client: client.tasks.remove_ref(task_id))
    await either(lambda client: client.tasks.delete(task_id))
    await either(lambda client: client.tasks.delete(other))


async def test_files(either: Either, api: Api, tmp_path: Path) -> None:
    item_id = (await either(lambda client: client.items.create(api.people.app_id, {"title": "x"})))["item_id"]
    content = bytes(range(256)) * 4096
    source, target, opened = tmp_path / 'plan "A" ä.bin', tmp_path / "copy.bin", io.BytesIO()
    source.write_bytes(content)

    file = await either(lambda client: client.files.upload(source))
    file_id = file["file_id"]
    assert (file["name"], file["size"]) == (source.name, len(content))
    await either(lambda client: client.files.download(file_id, target))
    await either(lambda client: client.files.download(file_id, opened))
    assert target.read_bytes() == opened.getvalue() == await either(lambda client: client.files.read(file_id)) == content
    await either(lambda client: client.files.attach(file_id, "item", item_id))
    new = await either(lambda client: client.files.upload(b"bytes", "b.txt"))
    await either(lambda client: client.files.replace(new["file_id"], file_id))
    copy = await either(lambda client: client.files.copy(new["file_id"]))
    await either(lambda client: client.files.describe(copy["file_id"], "A copy"))
    assert (await either(lambda client: client.files.get(copy["file_id"])))["description"] == "A copy"
    assert len(await either(lambda client: client.files.list_in_app(api.people.app_id))) >= 1
    assert len(await either(lambda client: client.files.list_in_space(api.people.space_id, limit=5))) >= 1
    assert len(await either.listed(lambda client: client.files.iterate("app", api.people.app_id, page=1))) >= 1
    await either(lambda client: client.files.delete(copy["file_id"]))


async def test_hooks(either: Either, api: Api) -> None:
    app_id = api.people.app_id
    hook = await either(lambda client: client.hooks.create("app", app_id, "http://example.org/in", "item.create", order="object"))

    assert hook.secret.startswith("whsec_")
    (listed,) = await either(lambda client: client.hooks.list("app", app_id))
    assert (listed["hook_id"], listed["status"], listed["order"]) == (hook.hook_id, "inactive", "object")
    await either(lambda client: client.hooks.verify(hook.hook_id))
    with pytest.raises(errors.Invalid):
        await either(lambda client: client.hooks.validate(hook.hook_id, "wrong"))
    assert (await either(lambda client: client.hooks.renew_secret(hook.hook_id, overlap=60))).secret != hook.secret
    changed = await either(lambda client: client.hooks.update(hook.hook_id, order="none", concurrency=3))
    assert (changed.get("order"), changed.get("concurrency")) == ("none", 3)
    assert await either(lambda client: client.hooks.get(hook.hook_id)) == changed
    with pytest.raises(errors.Conflict, match="nothing to pause"):
        await either(lambda client: client.hooks.pause(hook.hook_id))
    with pytest.raises(errors.Conflict, match="must be verified first"):
        await either(lambda client: client.hooks.test(hook.hook_id))
    await either(lambda client: client.hooks.resume(hook.hook_id))
    await either(lambda client: client.hooks.update(hook.hook_id, url="http://nowhere.test/in"))
    assert (await either(lambda client: client.hooks.diagnose(hook.hook_id)))["cause"] == "dns"
    await either(lambda client: client.hooks.delete(hook.hook_id))
    assert await either(lambda client: client.hooks.list("app", app_id)) == []


async def test_what_was_missed_is_sent_again(either: Either, api: Api) -> None:
    people = api.people
    hook_id = (await either(lambda client: client.hooks.create("app", people.app_id, "http://example.org/in", "item.update"))).hook_id
    code = await api.house.database.read(code_of, hook_id)
    await either(lambda client: client.hooks.validate(hook_id, code))
    world = World(people.ada, people.org_id, people.space_id, people.app_id, 0)
    await api.house.database.write(make_past, world, hook_id, "delivered", "delivered", "exhausted", "cancelled", "exhausted", first=1)

    await either(lambda client: client.deliveries.redeliver(hook_id, 2))
    with pytest.raises(errors.Invalid, match="verification"):
        await either(lambda client: client.deliveries.redeliver(hook_id, 1))
    began = datetime.fromtimestamp(NOW // 1_000_000, UTC)
    last = {"since": began + timedelta(seconds=4), "until": (began + timedelta(seconds=60)).astimezone(), "rate": 2}
    plan = await either(lambda client: client.replays.plan(hook_id, **last))
    assert (plan["total"], plan["seconds"], plan["types"]) == (2, 1.0, {"item.update": 2})
    replay = await either(lambda client: client.replays.start(hook_id, states=["exhausted"], types=["item.update"], **last))
    assert (replay["total"], replay["state"]) == (1, "running")
    assert await either(lambda client: client.replays.list(hook_id)) == [replay]
    assert await either(lambda client: client.replays.get(replay["replay_id"])) == replay
    assert (await either(lambda client: client.replays.stop(replay["replay_id"])))["state"] == "stopped"


async def test_what_hooks_were_told_can_be_read(either: Either, api: Api) -> None:
    people = api.people
    hook_id = (await either(lambda client: client.hooks.create("app", people.app_id, "http://example.org/in", "item.update"))).hook_id
    item_id = (await either(lambda client: client.items.create(people.app_id, {"title": "One"})))["item_id"]
    world = World(people.ada, people.org_id, people.space_id, people.app_id, 0)
    await api.house.database.write(make_past, world, hook_id, "delivered", "delivered", "exhausted", first=1)

    page = await either(lambda client: client.deliveries.list(hook_id, limit=1))
    assert ([each["sequence"] for each in page["deliveries"]], page["next_before"]) == ([3], 3)
    began = datetime.fromtimestamp(NOW // 1_000_000, UTC)
    wanted = {"states": ["delivered", "exhausted"], "types": ["item.update"], "since": began, "before": 3}
    page = await either(lambda client: client.deliveries.list(hook_id, **wanted))
    assert [each["state"] for each in page["deliveries"]] == ["delivered"]
    assert (await either(lambda client: client.deliveries.get(hook_id, 3)))["delivery"]["state"] == "exhausted"
    assert (await either(lambda client: client.deliveries.health(hook_id)))["hook_id"] == hook_id
    *_, entry = await either(lambda client: client.deliveries.ledger(item_id, limit=5))
    assert (entry["type"], entry["deliveries"]) == ("item.create", [])
    late = await either(lambda client: client.deliveries.undelivered(people.app_id, since=began))
    assert [each["sequence"] for each in late["deliveries"]] == [3]


async def test_a_token_that_has_expired_is_refreshed_on_the_way(either: Either, api: Api) -> None:
    before = either.client.access_token
    api.clock.turn(9 * 3600)

    answers = await either.at_once(lambda client: client.users.get(), 8)

    assert {answer["user_id"] for answer in answers} == {api.people.ada.id}
    assert either.client.access_token != before


async def test_programs_share_what_one_of_them_refreshed(either: Either, api: Api, tmp_path: Path) -> None:
    options = {"client_id": api.people.client.client_id, "client_secret": api.people.client.client_secret}
    kind = "blocking" if either.blocks else "awaiting"
    first = Either(kind, either.client.url, store=FileStore(tmp_path / "tokens"), **options)
    await first(lambda client: client.authenticate_with_app(api.people.app_id, api.people.app_token))
    second = Either(kind, either.client.url, store=FileStore(tmp_path / "tokens"), **options)
    api.clock.turn(9 * 3600)

    await first(lambda client: client.items.count(api.people.app_id))
    await second(lambda client: client.items.count(api.people.app_id))

    assert first.client.access_token == second.client.access_token
    for each in (first, second):
        await asyncio.to_thread(each.client._driver.close)


async def test_anything_else_goes_through_request(either: Either, api: Api) -> None:
    assert (await either(lambda client: client.request("get", "/user/status")))["user"]["user_id"] == api.people.ada.id
    assert await either(lambda client: client.request("GET", "/tag/app/1/", query={"limit": 3, "text": None})) == []
    with pytest.raises(errors.NotFound) as caught:
        await either(lambda client: client.request("GET", "/calendar/"))
    assert (caught.value.status, caught.value.code) == (404, "not_found")
