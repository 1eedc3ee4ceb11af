"""The whole API in one process, without a socket: `async with open_api(database) as api: await api.post("/item/app/1", {...})`.

It has a clock that tests turn, names that resolve to what a test says, and people to begin with: Ada, who is the admin of
an organization with one space and one app in it; Bob, who is nobody there; and an API client.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import msgspec
from argon2 import PasswordHasher
from sqlalchemy import Table, func, select, update
from starlette.applications import Starlette

from tests.support.in_process import InProcess
from tests.support.memory import folder_in_memory
from tests.support.prompt import PromptServer
from tidings.api.call import House
from tidings.api.routes import ROUTES, Row
from tidings.clock import SECOND
from tidings.delivery.allow import parse_allow
from tidings.delivery.guard import Guard
from tidings.server import build_app, configuration
from tidings.settings import Settings
from tidings.store import schema
from tidings.store.blobs.disk import Disk
from tidings.store.database import Database, Tx
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller
from tidings.workspace.accounts.clients import NewClient, create_client
from tidings.workspace.accounts.tokens import Lives, issue
from tidings.workspace.accounts.users import create_user
from tidings.workspace.apps import create_app, open_app_token
from tidings.workspace.fields.fields import NewField, load_fields
from tidings.workspace.orgs import create_org
from tidings.workspace.spaces import create_space

NOON = 1_767_322_800 * SECOND  # 2026-01-02 03:00:00 UTC
ADDRESS = "http://tidings.test"
KEYRING = Keyring(b"k" * 32)
PASSWORD = "correct horse battery staple"
_PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # to check it takes no time


class TurnableClock:
    """A clock that stands still until a test turns it."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def turn(self, seconds: float) -> None:
        """Let this much time pass."""
        self.now += round(seconds * SECOND)


@dataclass
class Names:
    """A resolver for tests: the addresses of each name it knows. Counts what it was asked."""

    known: dict[str, list[str]] = field(default_factory=lambda: {"example.org": ["93.184.215.14"]})
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str) -> Iterable[str]:
        self.asked.append(host)
        if host not in self.known:
            raise OSError(f"{host} is not known")
        return self.known[host]


@dataclass(frozen=True)
class People:
    """Who and what is there at the beginning."""

    client: NewClient
    ada: Caller
    bob: Caller
    org_id: int
    space_id: int
    app_id: int
    app_token: str
    fields: dict[str, int]  # by external_id
    ada_access: str
    bob_access: str
    app_access: str


@dataclass(frozen=True)
class Api:
    """The API, and what a test needs to talk to it."""

    house: House
    app: Starlette
    http: httpx.AsyncClient
    people: People
    clock: TurnableClock
    names: Names

    async def send(self, method: str, path: str, body: Any = None, *, access: str | None = "ada", **more: Any) -> httpx.Response:
        """One call, as `ada`, `bob`, `app`, with another access token, or with none (None). `body` is sent as JSON unless None."""
        known = {"ada": self.people.ada_access, "bob": self.people.bob_access, "app": self.people.app_access}
        headers = {**({"authorization": f"OAuth2 {known.get(access, access)}"} if access else {}), **more.pop("headers", {})}
        if body is not None:
            more["content"] = msgspec.json.encode(body)
            headers.setdefault("content-type", "application/json")
        return await self.http.request(method, f"{ADDRESS}{path}", headers=headers, **more)  # httpx takes longer to put it together

    async def get(self, path: str, **more: Any) -> httpx.Response:
        """See `send`."""
        return await self.send("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """See `send`."""
        return await self.send("POST", path, body, **more)

    async def put(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """See `send`."""
        return await self.send("PUT", path, body, **more)

    async def delete(self, path: str, **more: Any) -> httpx.Response:
        """See `send`."""
        return await self.send("DELETE", path, **more)

    async def written(self) -> dict[str, int]:
        """How many rows each table has: what must not change when nothing was to be written."""
        return await self.house.database.read(_count_rows)


@asynccontextmanager
async def open_api(
    database: Database, *, rows: Sequence[Row] = ROUTES, allow: Sequence[str] = (), settings: Mapping[str, Any] | None = None
) -> AsyncIterator[Api]:
    """The API on `database`, with its people; `settings` over the defaults. The caller closes the database."""
    clock, names, allowed = TurnableClock(), Names(), parse_allow(allow)
    files = TemporaryDirectory(dir=folder_in_memory(), prefix="tidings-files-")
    house = House(
        database,
        KEYRING,
        Settings(**{"url": ADDRESS, **(settings or {})}),
        clock,
        allowed,
        Guard(allowed, resolver=names),
        Disk(Path(files.name)),
    )
    people = _moved_in.get(await database.glance(_instance))
    if people is None:
        people = await database.write(move_in, house.keyring, now=clock())
    app = build_app(house, rows=rows)
    with files:
        async with httpx.AsyncClient(transport=InProcess(app), base_url=ADDRESS) as http:
            yield Api(house, app, http, people, clock, names)


def have_people(tx: Tx) -> None:
    """Let the people move in beforehand, for tests that are `furnished`: `open_api` finds them in every copy."""
    instance = secrets.token_hex(4)  # another than that of the database which has the tables alone
    tx.execute(update(schema.server).values(instance=instance))
    _moved_in[instance] = move_in(tx, KEYRING, now=NOON)


_moved_in: dict[str, People] = {}  # by the name of the database, which its copies share


def _instance(tx: Tx) -> str:
    instance: str = tx.execute(select(schema.server.c.instance)).scalar_one()
    return instance


def move_in(tx: Tx, keyring: Keyring, *, now: int) -> People:
    """Make the people, and what they have."""
    client = create_client(tx, "A client", now=now, url="http://client.test")
    ada = Caller("user", create_user(tx, "ada@example.org", _PASSWORD_HASH, "Ada", now=now).user_id, client.auth_client_id)
    bob = Caller("user", create_user(tx, "bob@example.org", _PASSWORD_HASH, "Bob", now=now).user_id, client.auth_client_id)
    org_id = create_org(tx, ada, "Analytical Engines", now=now).org_id
    space_id = create_space(tx, ada, org_id, {"name": "Workshop", "privacy": "closed"}, now=now).space_id
    title = NewField("text", {"label": "Title"})
    app_id = create_app(tx, ada, space_id, {"name": "Parts", "item_name": "Part"}, [title], keyring=keyring, now=now).app_id
    app = Caller("app", app_id, client.auth_client_id)
    lives = Lives(28_800, 2_419_200)
    return People(
        client=client,
        ada=ada,
        bob=bob,
        org_id=org_id,
        space_id=space_id,
        app_id=app_id,
        app_token=open_app_token(tx, ada, app_id, keyring=keyring),
        fields={each.external_id: each.field_id for each in load_fields(tx, app_id)},
        ada_access=issue(tx, ada, now=now, lives=lives).access_token,
        bob_access=issue(tx, bob, now=now, lives=lives).access_token,
        app_access=issue(tx, app, now=now, lives=lives).access_token,
    )


def _count_rows(tx: Tx) -> dict[str, int]:
    tables: list[Table] = schema.metadata.sorted_tables
    return {table.name: tx.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


async def keep_tokens(database: Database) -> None:
    """Let no token be pruned by an engine whose clock is the real one, while the house's stands still long before it."""

    def keep(tx: Tx) -> None:
        tx.execute(update(schema.tokens).values(refresh_expires_at=NOON * 2))

    await database.write(keep)


@contextmanager
def serving_app(api: Api) -> Iterator[int]:
    """The same house behind a real socket of 127.0.0.1, as `tidings serve` has it; answers the port. Closes the database."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = PromptServer(configuration(api.app, api.house.settings))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


async def talk(port: int, *pieces: bytes) -> bytes:
    """Send bytes to a port of 127.0.0.1, piece by piece, and answer all that comes back until the other side closes.

    It may close while we are still sending.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = bytearray()
    async with asyncio.timeout(10):
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        with suppress(ConnectionError):
            while more := await reader.read(65_536):
                answer += more
    writer.close()
    return bytes(answer)
