"""Why did it not arrive? Every sentence, produced by the condition itself: real sockets, certificates and answers on loopback."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from sqlalchemy import update

from tests.support.certificates import authority_pem, self_signed, server_context
from tests.support.databases import AnyDatabase
from tests.support.house import open_api
from tests.support.processes import free_port
from tests.support.receiver import Answer, Received, receiving
from tests.support.scripted_server import OK, Peer, ScriptedServer, answering
from tests.support.sending import LOOPBACK, loopback_guard
from tests.support.world import KEYRING, World, append_update, code_of, make_world
from tidings.cli.diagnose import run_diagnose
from tidings.clock import DAY, system_clock
from tidings.delivery.allow import AllowList
from tidings.delivery.diagnose import diagnose
from tidings.delivery.engine import Engine
from tidings.delivery.evidence import Happened
from tidings.delivery.findings import Cause, Check, Diagnosis
from tidings.delivery.guard import Guard
from tidings.delivery.happenings import read_happened
from tidings.errors import Forbidden, NotFound
from tidings.events.outbox import NewEvent, append
from tidings.hooks import registry, verification
from tidings.hooks.moving import move_hook
from tidings.hooks.pausing import pause_hook
from tidings.hooks.reach import reach_hook
from tidings.settings import Settings
from tidings.store import schema
from tidings.store.database import Tx
from tidings.telemetry.facts import Telemetry
from tidings.workspace.access import SYSTEM, Caller

NAME = "receiver.test"
QUICK = Settings(schedule=(3600,), retention=10_000)
NAMES = {NAME: ["127.0.0.1"]}
CHECKS = ["hook", "url", "name", "connection", "certificate", "answers", "verification", "events", "waiting"]


@pytest.fixture
async def world(sqlite: AnyDatabase) -> World:
    return await sqlite.write(make_world)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


# --- what the tests say ------------------------------------------------------------------------------------------------


async def make_hook(database: AnyDatabase, world: World, url: str, *, active: bool = True, ref: str = "app", **more: Any) -> int:
    def make(tx: Tx) -> int:
        now = system_clock()
        ref_id = {"app": world.app_id, "app_field": world.field_id, "space": world.space_id}[ref]
        type = more.pop("type", "item.update")
        hook_id = registry.create_hook(tx, world.user, KEYRING, ref, ref_id, url, type, now=now, limit=10, **more).hook_id
        if active:
            assert verification.validate(tx, world.user, hook_id, code_of(tx, hook_id), now=now)
        return hook_id

    return await database.write(make)


async def ask(
    database: AnyDatabase,
    hook_id: int,
    *,
    caller: Caller = SYSTEM,
    guard: Guard | None = None,
    allow: AllowList = LOOPBACK,
    clock: Callable[[], int] = system_clock,
    seconds: float = 10.0,
    settings: Settings = QUICK,
) -> Diagnosis:
    settings = dataclasses.replace(settings, connect_timeout=seconds)
    return await diagnose(database, settings, allow, guard or loopback_guard(NAMES), hook_id, caller, clock=clock)


async def why(database: AnyDatabase, hook_id: int, cause: Cause, **more: Any) -> str:
    """The conclusion, which must be of this cause."""
    found = await ask(database, hook_id, **more)
    assert found.cause == cause, found
    return found.conclusion


def check(found: Diagnosis, name: str) -> Check:
    (one,) = [check for check in found.checks if check.name == name]
    return one


@asynccontextmanager
async def delivering(database: AnyDatabase, settings: Settings = QUICK) -> AsyncIterator[None]:
    engine = Engine(database, KEYRING, settings, LOOPBACK, clock=system_clock, telemetry=Telemetry())
    await engine.start()
    try:
        yield
    finally:
        await engine.stop()


async def until(database: AnyDatabase, condition: str, seconds: float = 10) -> None:
    """Until this is true of the database."""
    ends = time.monotonic() + seconds
    while not await database.read(lambda tx: tx.exec_driver_sql(f"SELECT {condition}").scalar()):
        assert time.monotonic() < ends, condition
        await asyncio.sleep(0.01)


async def tell(database: AnyDatabase, world: World, *, revision: int = 1, **more: Any) -> None:
    await database.write(append_update, world, revision=revision, at=system_clock(), **more)


async def attempted(database: AnyDatabase, world: World, answer: Answer, settings: Settings = QUICK) -> tuple[int, Diagnosis]:
    """An active hook whose one delivery was answered so, and its diagnosis while the receiver still listens."""

    async def answers(_: Received) -> Answer:
        return answer

    async with receiving(answers) as receiver:
        hook_id = await make_hook(database, world, f"{receiver.url}/in?key=hunter2")
        async with delivering(database, settings):
            await tell(database, world)
            await until(database, "count(*) FROM attempts")
            await until(database, "(SELECT count(*) FROM deliveries WHERE state = 'sending') = 0")
            return hook_id, await ask(database, hook_id, settings=settings)


# --- the network -------------------------------------------------------------------------------------------------------


async def test_a_port_that_is_not_the_schemes_own_is_named(sqlite: AnyDatabase, world: World) -> None:
    hook_id = await make_hook(sqlite, world, "http://example.org:8080/in?key=hunter2")
    said = await why(sqlite, hook_id, "port", allow=AllowList())
    assert "http goes to port 80 only, not to 8080. Use the scheme's own port" in said
    assert "hunter2" not in said


async def test_an_address_that_is_not_public_is_named(sqlite: AnyDatabase, world: World) -> None:
    hook_id = await make_hook(sqlite, world, "http://127.0.0.1/in")
    assert "127.0.0.1 is loopback: this machine. Use a public address" in await why(sqlite, hook_id, "address", allow=AllowList())


async def test_a_name_that_leads_to_an_address_that_is_not_public_is_named(sqlite: AnyDatabase, world: World) -> None:
    hook_id = await make_hook(sqlite, world, f"http://{NAME}/in")
    guard = Guard(AllowList(), resolver=lambda _: ["10.1.2.3"])
    found = await ask(sqlite, hook_id, allow=AllowList(), guard=guard)
    assert found.cause == "address"
    assert f"{NAME} resolves to 10.1.2.3, which is a private network. Use a public address" in found.conclusion
    assert [check.state for check in found.checks][:5] == ["ok", "ok", "problem", "skipped", "skipped"]


async def test_a_url_that_no_hook_may_have_is_named(sqlite: AnyDatabase, world: World) -> None:
    hook_id = await make_hook(sqlite, world, "ftp://example.org/in")
    assert "its scheme is neither http nor https. Edit the hook's URL" in await why(sqlite, hook_id, "url")


async def test_a_name_that_does_not_resolve_is_named(sqlite: AnyDatabase, world: World) -> None:
    hook_id = await make_hook(sqlite, world, "http://nowhere.test/in")
    assert "nowhere.test does not resolve: Name or service not known. Check how" in await why(sqlite, hook_id, "dns")


async def test_a_name_that_takes_too_long_to_resolve_is_named(sqlite: AnyDatabase, world: World) -> None:
    def slow(_: str) -> list[str]:
        time.sleep(0.3)  # a resolver blocks its thread, as the system's does
        return ["127.0.0.1"]

    hook_id = await make_hook(sqlite, world, f"http://{NAME}/in")
    assert "does not resolve within 0.1 seconds" in await why(sqlite, hook_id, "dns", guard=Guard(LOOPBACK, resolver=slow), seconds=0.1)


async def test_a_port_that_nobody_listens_on_is_named(sqlite: AnyDatabase, world: World) -> None:
    port = free_port()
    hook_id = await make_hook(sqlite, world, f"http://127.0.0.1:{port}/in")
    said = await why(sqlite, hook_id, "nothing_listens")
    assert f"nobody listens on port {port} of 127.0.0.1 (connection refused). Start the receiver" in said


@contextmanager
def dropping() -> Iterator[int]:
    """A port whose connections never come about: its queue is full, and the system drops what comes, as a firewall does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        try:
            yield listener.getsockname()[1]
        finally:
            for caller in callers:
                caller.close()


async def test_a_firewall_that_drops_is_named(sqlite: AnyDatabase, world: World) -> None:
    with dropping() as port:
        hook_id = await make_hook(sqlite, world, f"http://127.0.0.1:{port}/in")
        assert "no connection came about within 0.2 seconds. A firewall that drops" in await why(sqlite, hook_id, "firewall", seconds=0.2)


async def test_a_proxy_that_does_not_let_us_through_is_named(sqlite: AnyDatabase, world: World) -> None:
    async with ScriptedServer(answering(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as proxy:
        guard = loopback_guard(proxy=f"http://127.0.0.1:{proxy.port}")
        hook_id = await make_hook(sqlite, world, "http://127.0.0.1:9/in")
        assert "the proxy answered 403 when asked" in await why(sqlite, hook_id, "unreachable", guard=guard)


async def test_a_port_that_speaks_no_tls_is_named(sqlite: AnyDatabase, world: World) -> None:
    async def script(peer: Peer) -> None:
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.gone()

    async with ScriptedServer(script) as server:
        hook_id = await make_hook(sqlite, world, f"https://{NAME}:{server.port}/in")
        assert "it does not speak TLS on this port. Repair" in await why(sqlite, hook_id, "tls")


async def test_a_handshake_that_does_not_end_is_named(sqlite: AnyDatabase, world: World) -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    async with ScriptedServer(script) as server:
        hook_id = await make_hook(sqlite, world, f"https://{NAME}:{server.port}/in")
        assert "the TLS handshake did not end within 0.5 seconds" in await why(sqlite, hook_id, "tls", seconds=0.5)


# --- certificates ------------------------------------------------------------------------------------------------------


async def secured(database: AnyDatabase, world: World, tls: ssl.SSLContext, ca: str | None = None) -> Diagnosis:
    """The diagnosis of a hook whose receiver shows this certificate."""
    async with ScriptedServer(answering(OK), tls=tls) as server:
        hook_id = await make_hook(database, world, f"https://{NAME}:{server.port}/in", ca=ca)
        found = await ask(database, hook_id)
        assert server.requests == []
        return found


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def test_a_certificate_that_has_expired_is_told_with_its_day(sqlite: AnyDatabase, world: World, authority: trustme.CA) -> None:
    ended = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    found = await secured(sqlite, world, server_context(authority, NAME, not_after=ended), authority_pem(authority))
    assert found.cause == "certificate_expired"
    assert "expired at 2026-01-02 03:04:05 UTC. Renew it." in found.conclusion


async def test_a_certificate_that_is_not_good_yet_is_told_with_its_day(sqlite: AnyDatabase, world: World, authority: trustme.CA) -> None:
    begins = dt.datetime(2096, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    early = authority.issue_cert(NAME, not_before=begins, not_after=begins + dt.timedelta(days=1))
    found = await secured(sqlite, world, context_of(early), authority_pem(authority))
    assert found.cause == "certificate_not_yet"
    assert "is good from 2096-01-02 03:04:05 UTC on" in found.conclusion


async def test_a_certificate_for_other_hosts_is_told_with_their_names(sqlite: AnyDatabase, world: World, authority: trustme.CA) -> None:
    found = await secured(sqlite, world, server_context(authority, "a.test", "10.0.0.7"), authority_pem(authority))
    assert found.cause == "certificate_host"
    assert f"is for a.test and 10.0.0.7, not for {NAME}. Get one for {NAME}" in found.conclusion


async def test_a_self_signed_certificate_is_told(sqlite: AnyDatabase, world: World, tmp_path: Path) -> None:
    found = await secured(sqlite, world, self_signed(tmp_path, NAME)[0])
    assert found.cause == "certificate_self_signed"
    assert "is self-signed: nobody else vouches for it. Get one from an authority" in found.conclusion


async def test_an_authority_that_is_not_trusted_is_told_with_its_name(sqlite: AnyDatabase, world: World) -> None:
    unknown = trustme.CA(organization_name="Acme Trust")
    found = await secured(sqlite, world, server_context(unknown, NAME))
    assert found.cause == "certificate_chain"
    assert "is signed by Acme Trust, whom nothing here leads to. Have the receiver send its whole chain" in found.conclusion


async def test_a_good_certificate_is_told_with_its_last_day(sqlite: AnyDatabase, world: World, authority: trustme.CA) -> None:
    found = await secured(sqlite, world, server_context(authority, NAME), authority_pem(authority))
    assert check(found, "certificate").sentence.startswith("The certificate is good, until 3000-01-01")
    assert [each.state for each in found.checks][:5] == ["ok"] * 5


# --- what it answers ---------------------------------------------------------------------------------------------------


async def test_an_answer_that_takes_too_long_is_told(sqlite: AnyDatabase, world: World) -> None:
    _, found = await attempted(sqlite, world, None, dataclasses.replace(QUICK, exchange_timeout=0.4))
    assert found.cause == "slow"
    assert "Answer within 0.4 seconds: take the delivery in, answer 200, and do the work afterwards." in found.conclusion


async def test_a_redirect_is_told_with_where_it_leads_and_without_its_query(sqlite: AnyDatabase, world: World) -> None:
    moved = b"HTTP/1.1 301 Moved\r\nLocation: https://www.example.org/in?key=hunter2\r\nContent-Length: 0\r\n\r\n"
    _, found = await attempted(sqlite, world, moved)
    assert found.cause == "redirects"
    assert "was answered 301, a redirect to https://www.example.org/in. Redirects are never followed" in found.conclusion
    assert "hunter2" not in str(found)


async def test_a_refusal_is_told_with_its_body_as_text(sqlite: AnyDatabase, world: World) -> None:
    body = b"<b>No\x1b[31m login</b>\n" + b"x" * 300
    _, found = await attempted(sqlite, world, b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert found.cause == "refused"
    assert "was answered 403. The receiver, or what stands before it, forbids this" in found.conclusion
    assert 'It said: "<b>No [31m login</b> xxx' in found.conclusion
    assert "x" * 200 not in found.conclusion
    assert "Meanwhile 1 delivery waits; the next attempt is at" in found.conclusion
    assert "1 delivery waits for the next attempt" in check(found, "waiting").sentence


async def test_a_receiver_that_fails_is_told(sqlite: AnyDatabase, world: World) -> None:
    _, found = await attempted(sqlite, world, 500)
    assert found.cause == "server_error"
    assert 'was answered 500. The receiver failed at it: look into its own log at that moment. It said: "ok".' in found.conclusion


async def test_an_answer_that_is_no_http_is_told(sqlite: AnyDatabase, world: World) -> None:
    _, found = await attempted(sqlite, world, b"220 mail.example.org ESMTP\r\n")
    assert found.cause == "broken_answer"
    assert "had no proper answer: the answer is not HTTP" in found.conclusion


async def test_a_url_that_is_gone_is_told_with_what_brings_it_back(sqlite: AnyDatabase, world: World) -> None:
    hook_id, found = await attempted(sqlite, world, 410)
    assert found.cause == "gone"
    assert "Have it answer 2xx" in found.conclusion or "answer 2xx instead" in found.conclusion
    assert f"POST /hook/{hook_id}/verify/request" in check(found, "hook").sentence


async def test_when_all_arrives_nothing_is_wrong(sqlite: AnyDatabase, world: World) -> None:
    _, found = await attempted(sqlite, world, 201)
    assert (found.is_well, found.conclusion[:58]) == (True, "Nothing is wrong with this hook. The last delivery arrived")
    assert {each.state for each in found.checks} == {"ok", "skipped"}
    assert "1 event was for this hook in the last 7 days" in check(found, "events").sentence


async def test_a_hook_that_failed_for_too_long_is_told_what_is_wrong_and_to_verify_again(sqlite: AnyDatabase, world: World) -> None:
    def nearly(tx: Tx) -> None:
        tx.execute(update(schema.hook_health).values(failures_in_row=49))
        tx.execute(update(schema.hooks).values(activated_at=system_clock() - 2 * DAY))

    port = free_port()
    hook_id = await make_hook(sqlite, world, f"http://127.0.0.1:{port}/in")
    await sqlite.write(nearly)
    async with delivering(sqlite):
        await tell(sqlite, world)
        await until(sqlite, "count(*) FROM hooks WHERE status = 'inactive'")
    assert f"ask for a verification (POST /hook/{hook_id}/verify/request" in await why(sqlite, hook_id, "nothing_listens")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
    said = await why(sqlite, hook_id, "failing")
    server.close()
    assert "50 attempts in a row had failed, and none had succeeded for 24 hours. Once its URL works again, ask" in said


# --- verification ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def asked_to_verify(database: AnyDatabase, world: World, answer: int = 200) -> AsyncIterator[int]:
    """An inactive hook whose verification was answered so."""

    async def answers(_: Received) -> Answer:
        return answer

    async with receiving(answers) as receiver, delivering(database):
        hook_id = await make_hook(database, world, receiver.url, active=False)
        await until(database, "(SELECT count(*) FROM attempts) AND NOT (SELECT count(*) FROM deliveries WHERE state = 'sending')")
        yield hook_id


async def give_wrong_codes(database: AnyDatabase, world: World, hook_id: int, count: int) -> None:
    for _ in range(count):
        assert not await database.write(verification.validate, world.user, hook_id, "0" * 32, now=system_clock())


async def test_a_code_that_nobody_validates_is_told(sqlite: AnyDatabase, world: World) -> None:
    async with asked_to_verify(sqlite, world) as hook_id:
        said = await why(sqlite, hook_id, "verification_pending")
    assert "but nobody has validated its code (an answer that repeats the code does not)" in said
    assert f"POST /hook/{hook_id}/verify/validate" in said


async def test_a_wrong_code_is_told_and_counted(sqlite: AnyDatabase, world: World) -> None:
    async with asked_to_verify(sqlite, world) as hook_id:
        await give_wrong_codes(sqlite, world, hook_id, 2)
        assert "a wrong code has been sent back twice (5 kill it)" in await why(sqlite, hook_id, "verification_wrong_code")
        await give_wrong_codes(sqlite, world, hook_id, 3)
        said = await why(sqlite, hook_id, "verification_wrong_code")
    assert "A wrong code was given 5 times, so the right one is dead. Ask for a new one" in said


async def test_a_code_that_has_expired_is_told(sqlite: AnyDatabase, world: World) -> None:
    async with asked_to_verify(sqlite, world) as hook_id:
        said = await why(sqlite, hook_id, "verification_expired", clock=lambda: system_clock() + 8 * DAY)
    assert "The code was never validated, and expired at" in said


async def test_a_verification_that_is_refused_is_told_and_shows_no_code(sqlite: AnyDatabase, world: World) -> None:
    async def echo(came: Received) -> Answer:
        return b"HTTP/1.1 404 No\r\nContent-Length: %d\r\n\r\n" % len(came.body) + came.body

    async with receiving(echo) as receiver, delivering(sqlite):
        hook_id = await make_hook(sqlite, world, receiver.url, active=False)
        await until(sqlite, "count(*) FROM attempts")
        found = await ask(sqlite, hook_id)
        code = await sqlite.read(code_of, hook_id)
    assert found.cause == "refused"
    assert "The last attempt (the verification, " in found.conclusion
    assert "There is nothing at this path" in found.conclusion
    assert "code=(hidden)&type=hook.verify" in found.conclusion
    assert code not in str(found)


async def test_a_verification_that_found_nobody_is_told_when_somebody_listens_now(sqlite: AnyDatabase, world: World) -> None:
    port = free_port()
    async with delivering(sqlite):
        hook_id = await make_hook(sqlite, world, f"http://127.0.0.1:{port}/in", active=False)
        await until(sqlite, "count(*) FROM attempts")
        await until(sqlite, "(SELECT count(*) FROM deliveries WHERE state = 'sending') = 0")
        assert "Start the receiver" in await why(sqlite, hook_id, "nothing_listens")
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
        said = await why(sqlite, hook_id, "verification_not_arrived")
        server.close()
    assert "has not arrived yet, tried once; the next attempt is at" in said


async def test_a_verification_that_waits_to_be_sent_is_told(sqlite: AnyDatabase, world: World) -> None:
    async with receiving() as receiver:
        hook_id = await make_hook(sqlite, world, receiver.url, active=False)
        assert "is about to go out. Look again in a moment" in await why(sqlite, hook_id, "verification_under_way")


async def test_a_new_url_that_is_not_verified_is_told(sqlite: AnyDatabase, world: World) -> None:
    async with receiving() as receiver, delivering(sqlite):
        hook_id = await make_hook(sqlite, world, receiver.url)
        await tell(sqlite, world)
        await receiver.wait_for_count(1, "item.update")
        await sqlite.write(move_hook, world.user, hook_id, f"{receiver.url}/new", now=system_clock())
        await receiver.wait_for_count(1, "hook.verify")
        await until(sqlite, "NOT (SELECT count(*) FROM deliveries WHERE ended_at IS NULL)")
        said = await why(sqlite, hook_id, "moving")
    assert "The hook's new URL is not verified yet. Until its code has been validated, deliveries go to the former one." in said


# --- what happened -----------------------------------------------------------------------------------------------------


async def test_a_place_where_nothing_has_happened_is_told(sqlite: AnyDatabase, world: World) -> None:
    async with receiving() as receiver:
        hook_id = await make_hook(sqlite, world, receiver.url)
        said = await why(sqlite, hook_id, "no_event")
    assert said == (
        f"Nothing has happened in app {world.app_id} in the last 7 days. Make a change that is item.update, or send a test delivery."
    )


async def test_events_of_other_types_are_told_with_the_hooks_that_hear_them(sqlite: AnyDatabase, world: World) -> None:
    async with receiving() as receiver, delivering(sqlite):
        hook_id = await make_hook(sqlite, world, receiver.url, type="item.create")
        other = await make_hook(sqlite, world, receiver.url)
        await tell(sqlite, world, item_id=42)
        await receiver.wait_for_count(1, "item.update")
        await until(sqlite, "NOT (SELECT count(*) FROM deliveries WHERE ended_at IS NULL)")
        said = await why(sqlite, hook_id, "no_match")
    assert f"1 event happened in app {world.app_id} in the last 7 days (1 item.update)" in said
    assert "none of them for this hook, which hears item.create of app 1. One of them: item.update of item 42, at " in said
    assert f"Beside it, hook {other} hears item.update." in said
    assert "Make a change that is item.create, or add a hook for what does happen." in said


@pytest.mark.parametrize("case", ["unheard", "field", "earlier"])
async def test_the_nearest_miss_is_told(sqlite: AnyDatabase, world: World, case: str) -> None:
    async with receiving() as receiver, delivering(sqlite):
        await tell(sqlite, world, heard=case != "unheard")
        await until(sqlite, "count(*) FROM events WHERE matched IS NOT NULL")
        hook_id = await make_hook(sqlite, world, receiver.url, ref="app_field" if case == "field" else "app")
        if case == "unheard":
            await tell(sqlite, world, revision=2, heard=False)
            await until(sqlite, "NOT (SELECT count(*) FROM events WHERE matched IS NULL)")
        said = await why(sqlite, hook_id, "no_match")
    because, todo = {
        "unheard": ("asked with hook=false", "Make such a change without hook=false."),
        "field": (f"the field {world.field_id}", "Change that field, or make a hook on the whole app."),
        "earlier": ("was made later", "make such a change again."),
    }[case]
    assert because in said
    assert said.endswith(todo)


async def test_what_a_hook_was_told_of_long_ago_is_no_miss(sqlite: AnyDatabase, world: World) -> None:
    async with receiving() as receiver, delivering(sqlite):
        hook_id = await make_hook(sqlite, world, receiver.url)
        for revision in range(3):
            await tell(sqlite, world, revision=revision)
        await receiver.wait_for_count(3, "item.update")

    def read(tx: Tx, *, more: bool) -> Happened:
        row = reach_hook(tx, SYSTEM, hook_id)
        last = tx.exec_driver_sql("SELECT max(event_id), max(created_at) FROM events").one()
        return read_happened(tx, row, {last[0]: last[1]}, more=more, since=0)

    assert (await sqlite.read(read, more=True)).miss == ""
    assert (await sqlite.read(read, more=False)).missed_by == "changed"


async def test_what_happened_on_a_space_is_told_to_its_hooks(sqlite: AnyDatabase, world: World) -> None:
    def add_status(tx: Tx) -> None:
        parameters = {"status_id": "7"}
        append(tx, NewEvent("status.create", world.space_id, None, 7, parameters, world.user.author, system_clock()))

    async with receiving() as receiver, delivering(sqlite):
        hook_id = await make_hook(sqlite, world, receiver.url, ref="space", type="task.create")
        await sqlite.write(add_status)
        await until(sqlite, "NOT (SELECT count(*) FROM events WHERE matched IS NULL)")
        assert f"1 event happened in space {world.space_id}" in await why(sqlite, hook_id, "no_match")


# --- what waits --------------------------------------------------------------------------------------------------------


async def test_a_paused_hook_is_told_to_be_resumed(sqlite: AnyDatabase, world: World) -> None:
    async with receiving() as receiver, delivering(sqlite):
        hook_id = await make_hook(sqlite, world, receiver.url)
        await sqlite.write(pause_hook, world.user, hook_id, now=system_clock())
        await tell(sqlite, world)
        await until(sqlite, "count(*) FROM deliveries JOIN events USING (event_id) WHERE state = 'pending' AND type = 'item.update'")
        found = await ask(sqlite, hook_id)
    assert found.cause == "paused"
    assert "Resume it, and what waits goes out in order." in found.conclusion
    assert check(found, "waiting").sentence.startswith("1 delivery waits: the hook is paused.")


async def test_that_no_server_delivers_is_told(sqlite: AnyDatabase, world: World) -> None:
    port = free_port()
    async with delivering(sqlite):
        hook_id = await make_hook(sqlite, world, f"http://127.0.0.1:{port}/in")
        await tell(sqlite, world)
        await until(sqlite, "count(*) FROM attempts")
    assert "and no server delivers at the moment. Start `tidings serve`" in await why(sqlite, hook_id, "no_server")


async def test_deliveries_held_back_by_the_breaker_are_told_until_when(sqlite: AnyDatabase, world: World) -> None:
    async with receiving(lambda _: _answer(500)) as receiver, delivering(sqlite):
        hook_id = await make_hook(sqlite, world, receiver.url)
        for revision in range(5):
            await tell(sqlite, world, revision=revision)
        await until(sqlite, "(SELECT failures_in_row FROM hook_health) = 5")
        found = await ask(sqlite, hook_id)
    assert (found.cause, check(found, "waiting").cause) == ("server_error", "breaker")
    assert (
        "after 5 failures in a row the hook's breaker is open, and attempts are spaced out. The next is at"
        in check(found, "waiting").sentence
    )


async def test_deliveries_held_back_by_order_are_told_which_one_is_in_front(database: AnyDatabase) -> None:
    world = await database.write(make_world)
    async with receiving(lambda _: _answer(500)) as receiver, delivering(database):
        hook_id = await make_hook(database, world, receiver.url, order="object")
        await tell(database, world, item_id=42, revision=1)
        await until(database, "count(*) FROM deliveries WHERE state = 'pending' AND attempts = 1")
        await tell(database, world, item_id=42, revision=2)
        await tell(database, world, item_id=42, revision=3)
        await until(database, "(SELECT count(*) FROM deliveries WHERE state = 'pending') = 3")
        found = await ask(database, hook_id)
    assert check(found, "waiting").cause == "order"
    front = await database.read(lambda tx: tx.exec_driver_sql("SELECT min(sequence) FROM deliveries WHERE lane IS NOT NULL").scalar())
    assert f"3 deliveries wait, 2 of them behind delivery {front} (item 42), which has failed once" in check(found, "waiting").sentence


async def test_a_retry_is_told_with_its_time_when_the_receiver_is_well_again(sqlite: AnyDatabase, world: World) -> None:
    port = free_port()
    async with delivering(sqlite):
        hook_id = await make_hook(sqlite, world, f"http://127.0.0.1:{port}/in")
        await tell(sqlite, world)
        await until(sqlite, "count(*) FROM deliveries WHERE attempts = 1 AND state = 'pending' AND lane IS NULL")
        await until(sqlite, "NOT (SELECT count(*) FROM deliveries WHERE state = 'sending')")
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
        said = await why(sqlite, hook_id, "retry")
        server.close()
    assert "1 delivery waits for the next attempt, at " in said
    assert "which has failed once. Repair the receiver; redeliver to have one sent at once." in said


async def test_what_was_given_up_is_told_to_be_replayed(sqlite: AnyDatabase, world: World) -> None:
    def give_up(tx: Tx) -> None:
        now = system_clock()
        tx.exec_driver_sql(f"UPDATE deliveries SET state = 'exhausted', ended_at = {now}, due_at = {now} WHERE attempts = 1")

    async with receiving() as receiver, delivering(sqlite):
        hook_id = await make_hook(sqlite, world, receiver.url)
        await tell(sqlite, world)
        await until(sqlite, "count(*) FROM deliveries WHERE state = 'delivered' AND attempts = 1")
        await sqlite.write(give_up)
        said = await why(sqlite, hook_id, "given_up")
    assert "1 delivery was given up in the last 7 days, the last at" in said
    assert f"`tidings replay {hook_id}`" in said


async def _answer(status: int) -> Answer:
    return status


# --- who may ask -------------------------------------------------------------------------------------------------------


async def test_only_who_may_change_the_hook_may_ask(sqlite: AnyDatabase, world: World) -> None:
    hook_id = await make_hook(sqlite, world, "http://nowhere.test/in")
    stranger = (await sqlite.write(make_world, "two")).user
    for caller in (world.user, world.app):
        assert (await ask(sqlite, hook_id, caller=caller)).cause == "dns"
    with pytest.raises((NotFound, Forbidden)):
        await ask(sqlite, hook_id, caller=stranger)
    with pytest.raises(NotFound):
        await ask(sqlite, 999)


# --- the command -------------------------------------------------------------------------------------------------------


async def test_the_command_prints_a_list_and_a_sentence_and_says_by_its_code_whether_all_is_well(
    sqlite: AnyDatabase, world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    hook_id = await make_hook(sqlite, world, f"http://127.0.0.1:{port}/in")
    closed, opened = Settings(data=tmp_path), Settings(data=tmp_path, allow=("127.0.0.1:*",))

    def run(settings: Settings, *, as_json: bool = False) -> tuple[int, str]:
        return run_diagnose(settings, hook_id, as_json=as_json), capsys.readouterr().out

    code, told = await asyncio.to_thread(run, closed)
    assert (code, told.splitlines()[-1]) == (1, "If the server runs with --allow, give the same here.")
    code, told = await asyncio.to_thread(run, opened)
    assert code == 1
    assert [line.split()[1] for line in told.splitlines()[:9]] == CHECKS
    assert "nobody listens on port" in told.splitlines()[-1]
    async with receiving() as receiver, delivering(sqlite):
        well = await make_hook(sqlite, world, receiver.url)
        await tell(sqlite, world)
        await receiver.wait_for_count(1, "item.update")
        await until(sqlite, f"last_success_at FROM hook_health WHERE hook_id = {well}")
        hook_id = well
        code, told = await asyncio.to_thread(run, opened, as_json=True)
    assert (code, json.loads(told)["cause"]) == (0, "none")
    with pytest.raises(NotFound, match="there is no hook 999 in this database"):
        await asyncio.to_thread(run_diagnose, opened, 999, as_json=False)


async def test_it_is_answered_by_the_api_on_each_engine(database: AnyDatabase) -> None:
    async with open_api(database) as api:
        made = await api.post(f"/hook/app/{api.people.app_id}", {"url": "https://nowhere.test/in", "type": "item.create"})
        hook_id = made.json()["hook_id"]
        await api.post(f"/item/app/{api.people.app_id}", {"fields": {"title": "T"}})
        answer = await api.get(f"/hook/{hook_id}/diagnosis")
        refused = await api.get(f"/hook/{hook_id}/diagnosis", access="bob")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["hook_id"], told["cause"]) == (hook_id, "dns")
    assert told["conclusion"].startswith("nowhere.test does not resolve")
    assert [each["name"] for each in told["checks"]] == CHECKS
    assert refused.status_code == 404
