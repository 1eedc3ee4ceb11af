"""TLS on real sockets: who is trusted, who is not, and what is said about it."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from tests.support.certificates import authority_pem, self_signed, server_context
from tests.support.scripted_server import OK, Peer, ScriptedServer, answering
from tests.support.sending import BOTH_LOOPS, NOTHING_OPEN, exchange, loopback_guard, open_sockets, to, until_sockets_are
from tidings.delivery import tls
from tidings.delivery.destination import Destination
from tidings.delivery.outcomes import Outcome, Reason
from tidings.delivery.sender import Sender
from tidings.delivery.tls import Trust, check_authority
from tidings.errors import Invalid

NAME = "receiver.test"


@pytest.fixture(scope="module", params=BOTH_LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca(authority: trustme.CA) -> str:
    return authority_pem(authority)


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    made = Sender(loopback_guard({NAME: ["127.0.0.1"]}))
    yield made
    await made.aclose()
    assert repr(made) == NOTHING_OPEN


async def answered(sender: Sender, tls: ssl.SSLContext, ca: str | None) -> Outcome:
    async with ScriptedServer(answering(OK), tls=tls) as server:
        return await exchange(sender, to(server, NAME, ca=ca))


async def test_a_certificate_of_the_hooks_own_authority_is_trusted(sender: Sender, authority: trustme.CA, ca: str) -> None:
    outcome = await answered(sender, server_context(authority, NAME), ca)
    assert (outcome.reason, outcome.status, outcome.answer_body) == (None, 200, b"ok")
    timings = outcome.timings
    assert timings.resolved is not None
    assert timings.connected is not None
    assert timings.secured is not None
    assert timings.answered is not None
    assert timings.resolved <= timings.connected < timings.secured <= timings.answered <= timings.ended


async def test_the_name_is_told_and_not_the_address(sender: Sender, authority: trustme.CA, ca: str) -> None:
    secured = server_context(authority, NAME)
    told: list[str | None] = []
    secured.sni_callback = lambda _, name, __: told.append(name)
    outcome = await answered(sender, secured, ca)
    assert (told, outcome.address) == ([NAME], "127.0.0.1")


async def test_an_address_is_verified_as_an_address(sender: Sender, authority: trustme.CA, ca: str) -> None:
    for name, reason in (("127.0.0.1", None), (NAME, Reason.TLS)):
        async with ScriptedServer(answering(OK), tls=server_context(authority, name)) as server:
            assert (await exchange(sender, to(server, ca=ca))).reason is reason


async def test_a_secured_connection_is_kept_and_used_again(sender: Sender, authority: trustme.CA, ca: str) -> None:
    async with ScriptedServer(answering(OK), tls=server_context(authority, NAME)) as server:
        outcomes = [await exchange(sender, to(server, NAME, ca=ca)) for _ in range(3)]
        assert server.connections == 1
    assert [outcome.timings.secured is None for outcome in outcomes] == [False, True, True]
    assert {outcome.reason for outcome in outcomes} == {None}


async def test_a_body_until_the_end_is_read_over_tls(sender: Sender, authority: trustme.CA, ca: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\n\r\nok")

    async with ScriptedServer(script, tls=server_context(authority, NAME)) as server:
        outcome = await exchange(sender, to(server, NAME, ca=ca))
    assert (outcome.reason, outcome.answer_body) == (None, b"ok")


async def test_an_authority_that_nobody_knows_is_refused(sender: Sender, authority: trustme.CA) -> None:
    outcome = await answered(sender, server_context(authority, NAME), None)
    assert outcome.reason is Reason.TLS
    assert outcome.detail is not None
    assert "authority that is not trusted" in outcome.detail
    assert outcome.timings.connected is not None
    assert outcome.timings.secured is None


async def test_a_hooks_own_authority_is_trusted_for_that_hook_only(sender: Sender, authority: trustme.CA, ca: str) -> None:
    async with ScriptedServer(answering(OK), tls=server_context(authority, NAME)) as server:
        assert (await exchange(sender, to(server, NAME, ca=ca))).reason is None
        assert (await exchange(sender, to(server, NAME))).reason is Reason.TLS
        assert (await exchange(sender, to(server, NAME, ca=authority_pem(trustme.CA())))).reason is Reason.TLS


async def test_a_certificate_for_another_host_is_refused(sender: Sender, authority: trustme.CA, ca: str) -> None:
    outcome = await answered(sender, server_context(authority, "other.test"), ca)
    assert (outcome.reason, outcome.detail) == (Reason.TLS, "its certificate is for another host")


async def test_an_expired_certificate_is_refused(sender: Sender, authority: trustme.CA, ca: str) -> None:
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    outcome = await answered(sender, server_context(authority, NAME, not_after=yesterday), ca)
    assert (outcome.reason, outcome.detail) == (Reason.TLS, "its certificate has expired")


async def test_a_self_signed_certificate_is_refused_unless_the_hook_brings_it(sender: Sender, tmp_path: Path) -> None:
    secured, pem = self_signed(tmp_path, NAME)
    outcome = await answered(sender, secured, None)
    assert (outcome.reason, outcome.detail) == (Reason.TLS, "its certificate is self-signed")
    assert (await answered(sender, secured, pem)).reason is None


async def test_tls_older_than_1_2_is_refused(sender: Sender, authority: trustme.CA, ca: str) -> None:
    secured = server_context(authority, NAME)
    secured.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        secured.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        secured.maximum_version = ssl.TLSVersion.TLSv1_1
    assert (await answered(sender, secured, ca)).reason is Reason.TLS


async def test_a_server_without_tls_is_a_tls_failure(sender: Sender) -> None:
    async def script(peer: Peer) -> None:
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.gone()

    async with ScriptedServer(script) as server:
        outcome = await exchange(sender, Destination("https", NAME, server.port))
    assert (outcome.reason, outcome.detail) == (Reason.TLS, "it does not speak TLS on this port")


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_a_handshake_that_breaks_off_is_a_tls_failure(sender: Sender, end: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.some()
        if end == "reset":
            peer.reset()

    async with ScriptedServer(script) as server:
        outcome = await exchange(sender, Destination("https", NAME, server.port))
    assert (outcome.reason, outcome.detail) == (Reason.TLS, "it broke off the TLS handshake")


async def test_a_handshake_that_does_not_end_is_a_timeout_of_connecting() -> None:
    sockets = open_sockets()
    sender = Sender(loopback_guard(), connect_timeout=0.15)

    async def script(peer: Peer) -> None:
        await peer.gone()

    async with ScriptedServer(script) as server:
        outcome = await exchange(sender, Destination("https", "127.0.0.1", server.port))
        await sender.aclose()
    assert (outcome.reason, outcome.address) == (Reason.TIMEOUT_CONNECT, "127.0.0.1")
    assert outcome.timings.connected is not None
    assert "TLS" in (outcome.detail or "")
    await until_sockets_are(sockets)


async def test_certificates_that_cannot_be_read_are_a_tls_failure(sender: Sender, authority: trustme.CA) -> None:
    for ca in ("no certificate", "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "ünicode"):
        outcome = await answered(sender, server_context(authority, NAME), ca)
        assert (outcome.reason, outcome.detail) == (Reason.TLS, "the hook's own certificates cannot be read")


async def test_session_keys_are_written_nowhere(
    sender: Sender, authority: trustme.CA, ca: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    secured = server_context(authority, NAME)
    assert (await answered(sender, secured, ca)).reason is None
    assert not (tmp_path / "keys").exists()


async def test_the_contexts_used_last_are_kept(ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "CONTEXTS_KEPT", 2)
    trust, other, third = Trust(), authority_pem(trustme.CA()), authority_pem(trustme.CA())
    first, second = await trust.context(ca), await trust.context(other)
    assert await trust.context(ca) is first
    await trust.context(third)  # takes the place of the one not used for longest
    assert await trust.context(ca) is first
    assert await trust.context(other) is not second


def test_what_a_hook_may_bring_is_checked(authority: trustme.CA) -> None:
    pem = authority_pem(authority)
    check_authority(pem)
    check_authority(pem + pem)
    for bad in ("", "x", pem.replace("A", "!"), "é", pem * 200, "\x00", pem.replace("CERTIFICATE", "PRIVATE KEY")):
        with pytest.raises(Invalid, match="ca"):
            check_authority(bad)
