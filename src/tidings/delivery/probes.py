"""A look at the network between us and a receiver, as it is at this moment: resolve, judge, connect, secure.

The road is the one that deliveries take (`guard.py`, `dial.py`), with the same limits, so what is found here is what they
meet. What is always true: no request is sent, nothing is read, and only addresses that the guard judged are dialled. Where
a certificate is not accepted, it is fetched on a second connection that accepts any, to be read and for nothing else.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import cast

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from tidings.clock import SECOND
from tidings.delivery.allow import AllowList
from tidings.delivery.connections import Connection
from tidings.delivery.destination import Destination, read_address, read_url
from tidings.delivery.dial import Dialer
from tidings.delivery.evidence import Certificate, Fault, Probe, Stage
from tidings.delivery.exchange import Exchange
from tidings.delivery.guard import Guard, judge_url
from tidings.delivery.networks import refusal
from tidings.delivery.outcomes import NoConnection, Outcome, Reason
from tidings.delivery.tls import Trust
from tidings.delivery.wording import plain
from tidings.errors import Invalid

LONGEST_NAME = 100  # characters of a name in a certificate that are shown
MOST_NAMES = 20

_VERIFY_FAULTS: dict[int, Fault] = {  # by OpenSSL's X509_V_ERR numbers, as in `tls.py`
    9: "certificate_not_yet",
    10: "certificate_expired",
    18: "certificate_self_signed",
    19: "certificate_chain",
    20: "certificate_chain",
    21: "certificate_chain",
    62: "certificate_host",
    64: "certificate_host",
}


async def probe(url: str, ca: str | None, guard: Guard, allow: AllowList, *, seconds: float) -> Probe:
    """How far one comes on the way to `url`. `seconds` is for each of at most three tries; `guard` is this loop's."""
    try:
        destination = judge_url(url, allow, ca)
    except Invalid as refused:
        return _refused(url, refused.description)
    found = Probe(destination.scheme, destination.host, destination.authority)
    try:
        async with asyncio.timeout(seconds):
            addresses = (await guard.route(destination)).addresses
    except NoConnection as failure:
        return _stopped(found, "name", _name_fault(failure), failure.detail)
    except TimeoutError:
        return _stopped(found, "name", "dns", f"{destination.host} does not resolve within {seconds:g} seconds")
    return await _visit(replace(found, addresses=addresses), destination, guard, seconds)


def _refused(url: str, why: str) -> Probe:
    """A URL that hooks may not have, as far as it says itself."""
    try:
        destination = read_url(url)
    except Invalid:
        return Probe("", "", "the URL", "url", "url", why)
    address = destination.address
    fault: Fault = "port" if address is None or refusal(address) is None else "address"
    return Probe(destination.scheme, destination.host, destination.authority, "url", fault, why)


def _name_fault(failure: NoConnection) -> Fault:
    if failure.reason is Reason.DNS:
        return "dns"
    address = read_address(failure.address or "")
    return "port" if address is None or refusal(ip_address(str(address))) is None else "address"


# --- connecting --------------------------------------------------------------------------------------------------------


async def _visit(found: Probe, destination: Destination, guard: Guard, seconds: float) -> Probe:
    exchange = _exchange(destination, seconds)
    try:
        der = await _shown(exchange, guard, seconds, Trust())
    except NoConnection as failure:
        stage, fault = _what_failed(exchange, failure)
        stopped = replace(_stopped(found, stage, fault, failure.detail), address=exchange.address)
        if fault in ("tls", *_NETWORK):
            return stopped
        with suppress(NoConnection):
            der = await _shown(_exchange(destination, seconds), guard, seconds, _AnyCertificate())
            return replace(stopped, certificate=read_certificate(der))
        return stopped
    return replace(found, address=exchange.address, certificate=read_certificate(der))


_NETWORK: tuple[Fault, ...] = ("dns", "address", "port", "nothing_listens", "firewall", "unreachable")


async def _shown(exchange: Exchange, guard: Guard, seconds: float, trust: Trust) -> bytes:
    """The certificate that a receiver shows, in DER; empty where there is no TLS. Raises `NoConnection`."""
    owner = _Owner()
    dialer = Dialer(guard, seconds, time.monotonic, trust)
    connection = await dialer.dial(exchange, lambda address: _Visit(owner, exchange.destination, address, time.monotonic))
    connection.close()
    await owner.closed.wait()
    return cast(_Visit, connection).certificate


def _exchange(destination: Destination, seconds: float) -> Exchange:
    begun = time.monotonic()
    return Exchange(destination, b"", _nobody_hears, 0, begun, begun + seconds)


def _nobody_hears(_outcome: Outcome) -> None:
    """Nothing is sent, so nothing comes of it."""


class _Visit(Connection):
    """A connection that notes the certificate it was shown."""

    __slots__ = ("certificate",)

    def __init__(self, owner: _Owner, destination: Destination, address: str, now: Callable[[], float]) -> None:
        super().__init__(owner, destination, address, now)
        self.certificate = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        super().connection_made(transport)
        secured: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        self.certificate = (secured and secured.getpeercert(binary_form=True)) or b""


class _Owner:
    """Keeps no connection, and knows when its one is closed: see `connections.Owner`."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def rest(self, _connection: Connection, _now: float) -> bool:
        """Nothing rests here."""
        return False

    def retire(self, connection: Connection) -> None:
        """It is about to close."""

    def lost(self, _connection: Connection) -> None:
        """It is closed."""
        self.closed.set()

    def again(self, exchange: Exchange) -> None:
        """There is nothing that could be sent again."""


class _AnyCertificate(Trust):
    """Believes whatever it is shown: a connection made so is for reading the certificate, and carries nothing."""

    async def context(self, _ca: str | None) -> ssl.SSLContext:
        """A context that verifies nothing."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


# --- what went wrong ---------------------------------------------------------------------------------------------------


def _what_failed(exchange: Exchange, failure: NoConnection) -> tuple[Stage, Fault]:
    match failure.reason:
        case Reason.TLS:
            return "certificate", _tls_fault(failure)
        case Reason.TIMEOUT_CONNECT if exchange.connected is not None:
            return "certificate", "tls"
        case Reason.TIMEOUT_CONNECT if exchange.resolved is not None:
            return "connection", "firewall"
        case Reason.CONNECT:
            return "connection", _connect_fault(failure)
        case _:
            return "name", _name_fault(failure)


def _connect_fault(failure: NoConnection) -> Fault:
    error = failure.__context__  # what the system said, and `dial.py` made a sentence of
    number = error.errno if isinstance(error, OSError) else None
    return "nothing_listens" if number == errno.ECONNREFUSED else "firewall" if number == errno.ETIMEDOUT else "unreachable"


def _tls_fault(failure: NoConnection) -> Fault:
    error = failure.__context__
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "tls"
    return _VERIFY_FAULTS.get(error.verify_code, "certificate")


def _stopped(found: Probe, stage: Stage, fault: Fault, detail: str) -> Probe:
    return replace(found, stage=stage, fault=fault, detail=detail)


# --- certificates ------------------------------------------------------------------------------------------------------


def read_certificate(der: bytes) -> Certificate | None:
    """What a certificate says of itself; None where it cannot be read."""
    try:
        return _read(x509.load_der_x509_certificate(der))  # it parses as it is asked
    except Exception:  # noqa: BLE001  a stranger's bytes: the parser may raise anything
        return None


def _read(certificate: x509.Certificate) -> Certificate:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return Certificate(tuple(_names(certificate)), _issuer(certificate), int(begins.timestamp()) * SECOND, int(ends.timestamp()) * SECOND)


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    names = [*named.get_values_for_type(x509.DNSName), *map(str, named.get_values_for_type(x509.IPAddress))]
    return [plain(name, LONGEST_NAME) for name in names[:MOST_NAMES]]


def _issuer(certificate: x509.Certificate) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in certificate.issuer.get_attributes_for_oid(kind):
            return plain(str(attribute.value), LONGEST_NAME)
    return "an authority without a name"
