"""Every operation of the OpenAPI document, asked by schemathesis: no answer is a 5xx, and each is as the document says.

A new row is asked as soon as it is in the table. The server is the real one on a socket, with SQLite behind it. Each
operation has a space of its own with one of everything in it, and ids that schemathesis invents are replaced by those of
that space, so that calls reach what they are about; what they delete, nobody else misses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import anyio.from_thread
import pytest
import requests

from tests.support.databases import place_on_sqlite
from tests.support.house import KEYRING, NOON, People, open_api, serving_app
from tidings.api.health import health_rows
from tidings.api.openapi.document import document
from tidings.api.openapi.rows import docs_rows
from tidings.api.routes import ROUTES
from tidings.hooks.registry import create_hook
from tidings.store.database import Tx
from tidings.telemetry.facts import Telemetry
from tidings.telemetry.metrics import Metrics
from tidings.workspace.accounts.clients import create_client
from tidings.workspace.apps import create_app
from tidings.workspace.comments import NewComment, create_comment
from tidings.workspace.contacts import create_contact
from tidings.workspace.fields.fields import NewField
from tidings.workspace.forms import FormParts, create_form
from tidings.workspace.items.items import NewItem, create_item
from tidings.workspace.spaces import create_space
from tidings.workspace.statuses import NewStatus, create_status
from tidings.workspace.tasks.tasks import TaskParts, create_tasks

if TYPE_CHECKING:
    from tests.support.asking import Operation

Ids = dict[str, Any]

TOLD = [*ROUTES, *health_rows(None, Metrics(Telemetry()))]
ROWS = [*TOLD, *docs_rows(TOLD)]


@cache
def operations() -> dict[str, Operation]:
    """By form: rows of one form share the names of its parts."""
    from tests.support import asking  # noqa: PLC0415 (it says why)

    return {form(each.label): each for each in asking.operations(document(ROWS, public_url="http://tidings.test"))}


def form(label: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", label)


@dataclass
class Server:
    """A real server, and Ada, who asks it."""

    url: str
    people: People
    session: requests.Session
    write: Callable[[Callable[[Tx], Ids]], Ids]
    looked_at: Ids = field(default_factory=dict)  # what operations find that change nothing

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"OAuth2 {self.people.ada_access}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Any) -> Iterator[Server]:
    database = place_on_sqlite(tmp_path_factory.mktemp("schemathesis"), sqlite_template).open()
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_api(database)) as api,
        serving_app(api) as port,
        requests.Session() as session,
    ):
        session.trust_env = False  # to look for proxies at every call takes as long as the call
        yield Server(f"http://127.0.0.1:{port}", api.people, session, partial(portal.call, database.write))


def furnish(tx: Tx, people: People) -> Ids:
    """A space with one of everything in it, and the names by which paths, queries and bodies call that."""
    ada = people.ada
    space_id = create_space(tx, ada, people.org_id, {"name": "S"}, now=NOON).space_id
    fields = [NewField(kind, {"label": kind}) for kind in ("text", "number", "date")]
    app_id = create_app(tx, ada, space_id, {"name": "A"}, fields, keyring=KEYRING, now=NOON).app_id
    item_id = create_item(tx, ada, app_id, NewItem({"text": "T", "number": 1}, "e"), now=NOON).item_id
    profile_id = create_contact(tx, ada, space_id, {"name": "C"}, now=NOON).profile_id
    url = "http://nowhere.test/"  # it is dialled
    return {
        "org_id": people.org_id,
        "space_id": space_id,
        "app_id": app_id,
        "item_id": item_id,
        "app_item_id": 1,
        "comment_id": create_comment(tx, ada, "item", item_id, NewComment("V"), now=NOON).comment.comment_id,
        "task_id": create_tasks(tx, ada, TaskParts(text="T", ref_type="item", ref_id=item_id), now=NOON)[0].task_id,
        "status_id": create_status(tx, ada, space_id, NewStatus("V"), now=NOON).status.status_id,
        "form_id": create_form(tx, ada, app_id, FormParts(), now=NOON).form_id,
        "hook_id": create_hook(tx, ada, KEYRING, "app", app_id, url, "item.create", now=NOON, limit=10).hook_id,
        "auth_client_id": create_client(tx, "P", now=NOON, user_id=ada.id).auth_client_id,
        "profile_id": profile_id,
        "profile_ids": str(profile_id),
        "user_id": people.bob.id,
        "user_ids": str(people.bob.id),
        "ref_type": "item",
        "ref_id": item_id,
        "field": "text",
        "external_id": "e",
    }


def at_home(value: Any, ids: Ids) -> Any:
    """`value` with the names of `ids` given their values, where what stands there is of that type."""
    match value:
        case dict():
            return {
                name: ids[name] if name in ids and type(part) is type(ids[name]) else at_home(part, ids) for name, part in value.items()
            }
        case list():
            return [at_home(part, ids) for part in value]
        case _:
            return value


def test_no_operation_is_left_out() -> None:
    assert len(operations()) == len(ROWS)


@pytest.mark.parametrize("label", [f"{row.method} {row.path}" for row in ROWS])
def test_every_answer_is_as_the_document_says(label: str, server: Server) -> None:
    from tests.support.asking import ask  # noqa: PLC0415 (it says why)

    ids = found_by(label, server)

    ask(operations()[form(label)], server.url, server.session, server.headers, ids, lambda value: at_home(value, ids))


def found_by(label: str, server: Server) -> Ids:
    """What the operation finds: of its own, unless it only looks."""
    if not label.startswith("GET "):
        return server.write(lambda tx: furnish(tx, server.people))
    server.looked_at = server.looked_at or server.write(lambda tx: furnish(tx, server.people))
    return server.looked_at
