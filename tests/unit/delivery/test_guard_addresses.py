"""Which addresses are the public's: whole ranges, both ends of each, and every disguise of IPv4."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.delivery.networks import Network, refusal

# Written down apart from the table under test, from IANA's registries.
CLOSED_IPV4 = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
    "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "168.63.129.16/32",
]  # fmt: skip
CLOSED_IPV6 = [
    "::/128", "::1/128", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
    "2001::/23", "2001::/32", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
    "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "::/3", "4000::/2", "8000::/1",
]  # fmt: skip
NETWORKS: list[Network] = [*map(IPv4Network, CLOSED_IPV4), *map(IPv6Network, CLOSED_IPV6)]

ipv4 = st.integers(0, 2**32 - 1).map(IPv4Address)


def last(network: Network) -> IPv4Address | IPv6Address:
    return network.broadcast_address


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_both_ends_of_a_closed_network_are_refused(network: Network) -> None:
    assert refusal(network.network_address)
    assert refusal(last(network))


@given(st.sampled_from(NETWORKS), st.data())
def test_every_address_of_a_closed_network_is_refused(network: Network, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, network.num_addresses - 1))
    assert refusal(network[offset])


@given(ipv4)
def test_an_ipv4_address_is_public_exactly_when_no_closed_network_holds_it(address: IPv4Address) -> None:
    assert (refusal(address) is None) == all(address not in IPv4Network(network) for network in CLOSED_IPV4)


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_an_ipv6_address_outside_of_2000_3_is_refused(address: IPv6Address) -> None:
    if int(address) >> 125 != 0b001:
        assert refusal(address)


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "168.63.129.15",
        "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255",
        "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "1.0.0.0",
    ],
)  # fmt: skip
def test_the_neighbours_of_closed_ipv4_networks_are_public(text: str) -> None:
    assert refusal(IPv4Address(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "2606:4700:4700::1111",
        "2001:4860:4860::8888",
        "2001:200::",
        "2003::1",
        "2a00:1450:4001::1",
        "2400:cb00::1",
        "3ffd:ffff::",
        "2000::1",
    ],
)
def test_addresses_that_are_given_out_are_public(text: str) -> None:
    assert refusal(IPv6Address(text)) is None


DISGUISES: dict[str, Callable[[int], int]] = {
    "mapped": lambda v4: 0xFFFF << 32 | v4,
    "compatible": lambda v4: v4,
    "SIIT": lambda v4: 0xFFFF << 48 | v4,
    "NAT64": lambda v4: 0x64FF9B << 96 | v4,
    "NAT64 local": lambda v4: 0x64FF9B0001 << 80 | v4,
    "6to4": lambda v4: 0x2002 << 112 | v4 << 80 | 1,
    "Teredo server": lambda v4: 0x20010000 << 96 | v4 << 64 | 0xABCD,
    "Teredo client": lambda v4: 0x20010000 << 96 | 0x01020304 << 64 | (v4 ^ 0xFFFFFFFF),
    "ISATAP": lambda v4: 0x20010DB9 << 96 | 0x5EFE << 32 | v4,
    "ISATAP, universal": lambda v4: 0x26064700 << 96 | 0x02005EFE << 32 | v4,
    "ISATAP, group": lambda v4: 0x26064700 << 96 | 0x03005EFE << 32 | v4,
    "ISATAP, link-local": lambda v4: 0xFE80 << 112 | 0x5EFE << 32 | v4,
}


@given(address=ipv4)
@settings(max_examples=30)
def test_an_ipv4_address_in_disguise_is_refused_whatever_it_is(address: IPv4Address) -> None:
    for disguise, wear in DISGUISES.items():
        assert refusal(IPv6Address(wear(int(address)))), disguise


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("169.254.169.254", "metadata"), ("169.254.170.2", "credentials"), ("100.100.100.200", "metadata"),
        ("192.0.0.192", "metadata"), ("168.63.129.16", "Azure"), ("fd00:ec2::254", "metadata"),
        ("fd20:ce::254", "metadata"), ("127.0.0.1", "loopback"), ("::1", "loopback"), ("10.0.0.1", "private"),
        ("fd00::1", "private"), ("169.254.1.1", "link-local"), ("fe80::1", "link-local"), ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"), ("255.255.255.255", "broadcast"), ("::", "means none"), ("0.0.0.0", "means none"),
        ("::ffff:8.8.8.8", "mapped"), ("::ffff:0:8.8.8.8", "SIIT"), ("::8.8.8.8", "compatible"),
        ("64:ff9b::808:808", "NAT64"), ("2002:808:808::1", "6to4"), ("2001:0:808:808::1", "Teredo"),
        ("2a00::5efe:808:808", "ISATAP"), ("4000::1", "2000::/3"), ("1::1", "2000::/3"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_the_address_is(text: str, word: str) -> None:
    address = IPv6Address(text) if ":" in text else IPv4Address(text)
    assert word in (refusal(address) or "")


def test_an_address_with_a_scope_is_refused() -> None:
    assert "scope" in (refusal(IPv6Address("fe80::1%eth0")) or "")
    assert "scope" in (refusal(IPv6Address("2606:4700::1%2")) or "")
