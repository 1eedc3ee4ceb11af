"""Every event type of `events/types.py`, fired by the change that it names, through the HTTP API, to a real receiver.

Each case makes its change three times: once in a transaction that is rolled back, once with `hook=false`, and once so that
the hook hears of it. That the one delivery which comes has the next number of its hook shows that there was no other. What
each change does in the database, on both engines, is tested in `tests/store`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx
import pytest
from sqlalchemy import func, select

from tests.support.databases import AnyDatabase
from tests.support.house import ADDRESS, Api, open_api
from tests.support.in_process import InProcess
from tests.support.receiver import Answer, Received, Receiver, receiving
from tidings.delivery.engine import Engine
from tidings.errors import Conflict
from tidings.events.types import EVENT_TYPES
from tidings.server import build_app
from tidings.store.database import Tx
from tidings.store.schema import deliveries
from tidings.telemetry.facts import Telemetry
from tidings.workspace.accounts.users import create_user

P = ParamSpec("P")
T = TypeVar("T")
Ids = dict[str, Any]
Setup = Callable[[Api], Awaitable[Ids]]

_numbers = itertools.count(1)


# --- what must be there before the change ------------------------------------------------------------------------------


async def asked(api: Api, method: str, path: str, body: Any = None, **more: Any) -> Any:
    """The answer of a call that must succeed. No hook hears of it."""
    answer = await api.send(method, path, body, params={"hook": "false"}, **more)
    assert answer.is_success, f"{method} {path}: {answer.text}"
    return answer.json() if answer.content else None


async def nothing(_api: Api) -> Ids:
    return {}


async def an_item(api: Api) -> Ids:
    made = await asked(api, "POST", f"/item/app/{api.people.app_id}", {"fields": {"title": "A"}, "external_id": "ERP-9"})
    return {"item_id": made["item_id"]}


async def a_comment(api: Api) -> Ids:
    ids = await an_item(api)
    return {**ids, **(await asked(api, "POST", f"/comment/item/{ids['item_id']}", {"value": "Hm"}))}


async def a_file(api: Api) -> Ids:
    parts = {"files": {"source": ("a.txt", b"bytes", "text/plain")}, "data": {"filename": "a.txt"}}
    return {"file_id": (await asked(api, "POST", "/file", **parts))["file_id"]}


async def an_item_and_a_file(api: Api) -> Ids:
    return {**(await an_item(api)), **(await a_file(api))}


async def an_item_with_a_file(api: Api) -> Ids:
    ids = await an_item_and_a_file(api)
    await asked(api, "POST", f"/file/{ids['file_id']}/attach", {"ref_type": "item", "ref_id": ids["item_id"]})
    return ids


async def a_file_and_its_successor(api: Api) -> Ids:
    return {**(await an_item_with_a_file(api)), "new_id": (await a_file(api))["file_id"]}


async def a_tagged_item(api: Api) -> Ids:
    ids = await an_item(api)
    await asked(api, "POST", f"/tag/item/{ids['item_id']}", ["red"])
    return ids


async def an_app(api: Api) -> Ids:
    body = {"space_id": api.people.space_id, "config": {"name": f"App {next(_numbers)}"}}
    return {"app_id": (await asked(api, "POST", "/app", body))["app_id"]}


async def a_form(api: Api) -> Ids:
    body = {"settings": {"text": {"submit": "Send"}}, "fields": [{"external_id": "title"}]}
    return {"form_id": (await asked(api, "POST", f"/form/app/{api.people.app_id}", body))["form_id"]}


async def a_task(api: Api) -> Ids:
    return {"task_id": (await asked(api, "POST", f"/task/space/{api.people.space_id}", {"text": "Do it"}))["task_id"]}


async def a_completed_task(api: Api) -> Ids:
    ids = await a_task(api)
    await asked(api, "POST", f"/task/{ids['task_id']}/complete")
    return ids


async def a_status(api: Api) -> Ids:
    return {"status_id": (await asked(api, "POST", f"/status/space/{api.people.space_id}", {"value": "Hi"}))["status_id"]}


async def a_contact(api: Api) -> Ids:
    return {"profile_id": (await asked(api, "POST", f"/contact/space/{api.people.space_id}", {"name": "Eve"}))["profile_id"]}


async def a_user(api: Api) -> Ids:
    number = next(_numbers)
    made = await api.house.database.write(create_user, f"{number}@example.org", "", f"User {number}", now=api.clock())
    return {"user_id": made.user_id}


async def a_member(api: Api) -> Ids:
    ids = await a_user(api)
    await asked(api, "POST", f"/space/{api.people.space_id}/member", {"role": "regular", "users": [ids["user_id"]]})
    return ids


# --- the changes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One change. `{names}` are ids: those of the setup, of the people, and of the change's own answer."""

    type: str
    hook_on: tuple[str, str]  # ref_type, ref_id
    setup: Setup
    method: str
    path: str
    body: Any = None
    says: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.type} on {self.hook_on[0]}: {self.method} {self.path}"


APP, FIELD, SPACE = ("app", "{app_id}"), ("app_field", "{title}"), ("space", "{space_id}")
ITEM = {"item_id": "{item_id}", "external_id": "ERP-9"}
TEXT = {"title": "B"}

CASES = [
    *(
        case
        for place in (APP, FIELD)
        for case in (
            Case(
                "item.create", place, nothing, "POST", "/item/app/{app_id}", {"fields": TEXT, "external_id": "ERP-9"},
                {**ITEM, "item_revision_id": "0"},
            ),
            Case("item.update", place, an_item, "PUT", "/item/{item_id}", {"fields": TEXT}, {**ITEM, "item_revision_id": "1"}),
            Case("item.update", place, an_item, "PUT", "/item/{item_id}/value", TEXT, {**ITEM, "item_revision_id": "1"}),
            Case("item.update", place, an_item, "PUT", "/item/{item_id}/value/title", "B", {**ITEM, "item_revision_id": "1"}),
            Case("item.delete", place, an_item, "DELETE", "/item/{item_id}", None, {**ITEM, "item_revision_id": "1"}),
        )
    ),
    Case(
        "comment.create", APP, an_item, "POST", "/comment/item/{item_id}", {"value": "Hm"},
        {"item_id": "{item_id}", "comment_id": "{comment_id}"},
    ),
    Case("comment.delete", APP, a_comment, "DELETE", "/comment/{comment_id}", None, {"item_id": "{item_id}", "comment_id": "{comment_id}"}),
    Case(
        "file.change", APP, an_item_and_a_file, "POST", "/file/{file_id}/attach", {"ref_type": "item", "ref_id": "{item_id}"},
        {"item_id": "{item_id}", "action_type": "file_created", "file_ids": "{file_id}"},
    ),
    Case(
        "file.change", APP, a_file_and_its_successor, "POST", "/file/{new_id}/replace", {"old_file_id": "{file_id}"},
        {"item_id": "{item_id}", "action_type": "file_replaced", "file_ids": "{new_id}"},
    ),
    Case(
        "file.change", APP, an_item_with_a_file, "DELETE", "/file/{file_id}", None,
        {"item_id": "{item_id}", "action_type": "file_deleted", "file_ids": "{file_id}"},
    ),
    Case("tag.add", APP, an_item, "POST", "/tag/item/{item_id}", ["red"], {"item_id": "{item_id}", "tag": "red"}),
    Case("tag.delete", APP, a_tagged_item, "DELETE", "/tag/item/{item_id}?text=red", None, {"item_id": "{item_id}", "tag": "red"}),
    Case("app.create", SPACE, nothing, "POST", "/app", {"space_id": "{space_id}", "config": {"name": "New"}}, {"app_id": "{app_id}"}),
    Case("app.update", APP, an_app, "PUT", "/app/{app_id}", {"config": {"description": "Other"}}, {"app_id": "{app_id}"}),
    Case(
        "app.update", APP, an_app, "POST", "/app/{app_id}/field", {"type": "text", "config": {"label": "More"}}, {"app_id": "{app_id}"}
    ),
    Case("app.delete", APP, an_app, "DELETE", "/app/{app_id}", None, {"app_id": "{app_id}"}),
    Case("form.create", APP, nothing, "POST", "/form/app/{app_id}", {}, {"form_id": "{form_id}", "app_id": "{app_id}"}),
    Case(
        "form.update", APP, a_form, "PUT", "/form/{form_id}", {"settings": {"text": {"submit": "Go"}}},
        {"form_id": "{form_id}", "app_id": "{app_id}"},
    ),
    Case("form.update", APP, a_form, "POST", "/form/{form_id}/deactivate", None, {"form_id": "{form_id}", "app_id": "{app_id}"}),
    Case("form.delete", APP, a_form, "DELETE", "/form/{form_id}", None, {"form_id": "{form_id}", "app_id": "{app_id}"}),
    Case("task.create", SPACE, nothing, "POST", "/task/space/{space_id}", {"text": "Do it"}, {"task_id": "{task_id}"}),
    Case("task.update", SPACE, a_task, "PUT", "/task/{task_id}", {"text": "Do that"}, {"task_id": "{task_id}"}),
    Case("task.update", SPACE, a_task, "POST", "/task/{task_id}/complete", None, {"task_id": "{task_id}"}),
    Case("task.update", SPACE, a_completed_task, "POST", "/task/{task_id}/incomplete", None, {"task_id": "{task_id}"}),
    Case("task.delete", SPACE, a_task, "DELETE", "/task/{task_id}", None, {"task_id": "{task_id}"}),
    Case("status.create", SPACE, nothing, "POST", "/status/space/{space_id}", {"value": "Hi"}, {"status_id": "{status_id}"}),
    Case("status.update", SPACE, a_status, "PUT", "/status/{status_id}", {"value": "Ho"}, {"status_id": "{status_id}"}),
    Case("status.delete", SPACE, a_status, "DELETE", "/status/{status_id}", None, {"status_id": "{status_id}"}),
    Case(
        "contact.create", SPACE, nothing, "POST", "/contact/space/{space_id}", {"name": "Eve"},
        {"space_id": "{space_id}", "profile_id": "{profile_id}"},
    ),
    Case(
        "contact.update", SPACE, a_contact, "PUT", "/contact/{profile_id}", {"name": "Eva"},
        {"space_id": "{space_id}", "profile_id": "{profile_id}"},
    ),
    Case(
        "contact.delete", SPACE, a_contact, "DELETE", "/contact/{profile_id}", None,
        {"space_id": "{space_id}", "profile_id": "{profile_id}"},
    ),
    Case(
        "member.add", SPACE, a_user, "POST", "/space/{space_id}/member", {"role": "regular", "users": ["{user_id}"]},
        {"space_id": "{space_id}", "user_id": "{user_id}"},
    ),
    Case(
        "member.remove", SPACE, a_member, "DELETE", "/space/{space_id}/member/{user_id}", None,
        {"space_id": "{space_id}", "user_id": "{user_id}"},
    ),
]  # fmt: skip


def test_every_event_type_has_its_case_on_every_object_that_it_may_be_heard_on() -> None:
    scopes = {(name, scope) for name, event_type in EVENT_TYPES.items() for scope in event_type.scopes}
    assert {(case.type, case.hook_on[0]) for case in CASES} == scopes


# --- the machine -------------------------------------------------------------------------------------------------------


class RollsBack:
    """A database whose every writing is undone at the very end of its transaction."""

    def __init__(self, database: AnyDatabase) -> None:
        self._database = database
        self.read = database.read

    async def write(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn`, and take back what it did. Raises `Conflict`."""

        def run(tx: Tx) -> T:
            fn(tx, *args, **kwargs)
            raise Conflict("rolled back by the test")

        return await self._database.write(run)


@dataclass(frozen=True)
class Machine:
    """The API with an engine behind it, its double in which nothing comes to pass, and a receiver."""

    api: Api
    undone: Api
    receiver: Receiver


@pytest.fixture
async def machine(sqlite: AnyDatabase) -> AsyncIterator[Machine]:
    """A receiver that validates from inside its own handler."""

    async def answer(came: Received) -> Answer:
        if came.form["type"] == "hook.verify":
            await asked(api, "POST", f"/hook/{came.form['hook_id']}/verify/validate", {"code": came.form["code"]})
        return 200

    async with open_api(sqlite, allow=["127.0.0.1:*"]) as api, receiving(answer) as receiver:
        undone = dataclasses.replace(api.house, database=RollsBack(sqlite))  # type: ignore[arg-type]  # all that operations use
        app = build_app(undone)
        async with httpx.AsyncClient(transport=InProcess(app), base_url=ADDRESS) as http:
            telemetry = Telemetry()
            house = api.house
            engine = Engine(sqlite, house.keyring, house.settings, house.allow, clock=house.clock, telemetry=telemetry)
            await engine.start()
            yield Machine(api, dataclasses.replace(api, house=undone, app=app, http=http), receiver)
            await engine.stop()


def filled(template: Any, ids: Mapping[str, Any]) -> Any:
    """`template` with the ids in it: a text that is nothing but one name becomes the id itself."""
    match template:
        case str() if name := re.fullmatch(r"\{(\w+)\}", template):
            return ids[name[1]]
        case str():
            return template.format_map(ids)
        case list():
            return [filled(each, ids) for each in template]
        case dict():
            return {key: filled(value, ids) for key, value in template.items()}
        case _:
            return template


async def active_hook(machine: Machine, case: Case, ids: Ids) -> int:
    """The hook on the object of the case, made when it is not there yet, and active."""
    ref_type, ref_id = case.hook_on[0], filled(case.hook_on[1], ids)
    made = await asked(machine.api, "POST", f"/hook/{ref_type}/{ref_id}", {"url": machine.receiver.url, "type": case.type})
    async with asyncio.timeout(20):
        while any(hook["status"] != "active" for hook in await asked(machine.api, "GET", f"/hook/{ref_type}/{ref_id}")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    hook_id: int = made["hook_id"]
    return hook_id


async def change(api: Api, case: Case, ids: Ids, *, hook: str) -> httpx.Response:
    path = filled(case.path, ids) if "{" in case.path else case.path
    joint = "&" if "?" in path else "?"
    return await api.send(case.method, f"{path}{joint}hook={hook}", filled(case.body, ids))


def count_deliveries(tx: Tx) -> int:
    return tx.execute(select(func.count()).select_from(deliveries)).scalar_one()


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_change_is_told_of_once_and_not_with_hook_false_and_not_when_it_is_rolled_back(machine: Machine, case: Case) -> None:
    people = machine.api.people
    always = {"app_id": people.app_id, "space_id": people.space_id, "title": people.fields["title"]}
    hooks = set()

    ids = always | await case.setup(machine.api)
    hooks.add(await active_hook(machine, case, ids))
    undone = await change(machine.undone, case, ids, hook="true")
    assert (undone.status_code, undone.json()["error_description"]) == (409, "rolled back by the test")

    ids = always | await case.setup(machine.api)
    hooks.add(await active_hook(machine, case, ids))
    unheard = await change(machine.api, case, ids, hook="false")
    assert unheard.is_success, unheard.text

    ids = always | await case.setup(machine.api)
    hooks.add(hook_id := await active_hook(machine, case, ids))
    heard = await change(machine.api, case, ids, hook="true")
    assert heard.is_success, heard.text

    answer = heard.json() if heard.content else {}
    says = {name: str(filled(value, ids | (answer if isinstance(answer, dict) else {}))) for name, value in case.says.items()}
    await machine.receiver.wait_for_count(1, case.type)
    [came] = [each for each in machine.receiver.received if each.form["type"] == case.type]
    assert came.form == {**says, "type": case.type, "hook_id": str(hook_id)}
    assert came.headers["tidings-sequence"] == "2"  # 1 was its verification
    assert await machine.api.house.database.read(count_deliveries) == len(hooks) + 1
