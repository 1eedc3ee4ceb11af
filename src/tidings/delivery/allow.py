"""What an operator opens beyond the rule `public`: hosts, networks and ports.

An entry is `host[:ports]` or `network[:ports]`; an IPv6 address or network that has ports is written in brackets.

    127.0.0.1:*             this address, every port
    10.0.0.0/8              these addresses, on the rule's own ports: 80 for http, 443 for https
    10.0.0.0/8:8000-9000    these addresses, on these ports, by http and https alike
    [::1]:*, [fd00::/8]     the same for IPv6
    hooks.internal:8080     this name, on this port, whatever address it resolves to
    *.internal:*            every name that ends in .internal, whatever it resolves to

What is always true: an entry with a network opens addresses, so a name that resolves into the network is opened too,
but only where every address of the answer is opened or public. An entry with a name opens that name and nothing else:
not its addresses, not other names of theirs. An entry never closes anything. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_network

from msgspec import Struct

from tidings.delivery.destination import OWN_PORTS, read_address, read_host
from tidings.delivery.networks import Address, Network
from tidings.errors import Invalid

_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_ANY_PORT = (1, 65_535)


class Opening(Struct, frozen=True):
    """One entry: a network or a name, and the first and last port; None stands for the rule's own ports."""

    ports: tuple[int, int] | None
    network: Network | None = None
    name: str = ""  # a final part of a name where it begins with a dot

    def opens_port(self, scheme: str, port: int) -> bool:
        """Whether `port` is one of this entry's."""
        return port == OWN_PORTS[scheme] if self.ports is None else self.ports[0] <= port <= self.ports[1]

    def holds_name(self, host: str) -> bool:
        """Whether `host` is this entry's name, or ends in it."""
        return host.endswith(self.name) if self.name.startswith(".") else host == self.name


class AllowList(Struct, frozen=True):
    """The entries of an operator, read. An empty one opens nothing."""

    networks: tuple[Opening, ...] = ()
    names: tuple[Opening, ...] = ()

    def opens_name(self, host: str, scheme: str, port: int) -> bool:
        """Whether the name `host` is open on `port`, whatever it resolves to."""
        return any(entry.holds_name(host) and entry.opens_port(scheme, port) for entry in self.names)

    def opens_address(self, address: Address, scheme: str, port: int) -> bool:
        """Whether `address` is open on `port`, whatever name led to it."""
        return any(entry.network is not None and address in entry.network and entry.opens_port(scheme, port) for entry in self.networks)

    def opens_port(self, scheme: str, port: int) -> bool:
        """Whether there is any address that is open on `port`: a name may yet resolve to it."""
        return any(entry.opens_port(scheme, port) for entry in self.networks)


def parse_allow(entries: Iterable[str]) -> AllowList:
    """An allow-list from its texts. Raises `Invalid` naming the entry that cannot be read, and why."""
    openings = [_parse(entry.strip()) for entry in entries]
    return AllowList(
        networks=tuple(opening for opening in openings if opening.network is not None),
        names=tuple(opening for opening in openings if opening.network is None),
    )


def _parse(entry: str) -> Opening:
    where, ports = _split(entry)
    opened = None if ports is None else _parse_ports(entry, ports)
    if where.startswith("*."):
        name = _parse_host(entry, where.removeprefix("*."))
        if read_address(name) is not None:
            raise _bad(entry, "`*.` stands before a name")
        return Opening(opened, name=f".{name}")
    if "/" in where or ":" in where:
        return Opening(opened, _parse_network(entry, where))
    host = _parse_host(entry, where)
    return Opening(opened, name=host) if read_address(host) is None else Opening(opened, _parse_network(entry, host))


def _split(entry: str) -> tuple[str, str | None]:
    """The part that says where, without brackets, and the ports, None where none are written."""
    if entry.startswith("["):
        where, bracket, rest = entry[1:].partition("]")
        if not bracket or ":" not in where or (rest and not rest.startswith(":")):
            raise _bad(entry, "brackets hold an IPv6 address or network, and only `:ports` follows them")
        return where, rest[1:] if rest else None
    if entry.count(":") == 1 and "://" not in entry:
        where, _, ports = entry.partition(":")
        return where, ports
    return entry, None


def _parse_ports(entry: str, text: str) -> tuple[int, int]:
    if text == "*":
        return _ANY_PORT
    match = _PORTS.fullmatch(text)
    if match is None:
        raise _bad(entry, "ports are `*`, one number, or two with a `-` between them")
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last <= 65_535:
        raise _bad(entry, "ports lie between 1 and 65535, the lower one first")
    return first, last


def _parse_network(entry: str, text: str) -> Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise _bad(entry, f"{text!a} is neither a host, an address nor a network") from None
    if "%" in text:
        raise _bad(entry, "an address with a scope id is never opened")
    if "/" in text and str(network.network_address) != str(ip_network(text.partition("/")[0]).network_address):
        raise _bad(entry, f"bits are set behind the network's length; did you mean {network}?")
    return network


def _parse_host(entry: str, text: str) -> str:
    try:
        return read_host(text)
    except Invalid as error:
        raise _bad(entry, error.description.partition(": ")[2]) from None


def _bad(entry: str, why: str) -> Invalid:
    return Invalid(f"The allow-list's entry {entry!a} cannot be read: {why}", parameters={"allow": entry})
