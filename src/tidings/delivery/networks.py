"""Which addresses are the public's: an explicit table of every network that is not, each with its reason.

The problem: an address may lead back into the machine, its network or its cloud, and there are many ways to write one.
Python's `is_global` and `is_private` follow registries made for routers, not for this question, and differ between
versions (they let NAT64, 6to4 and multicast through), so they are not used. The strategy is a table that can be read
against the registries, in one pass from the particular to the general.

What is always true:
- IPv4 is public unless the table says otherwise. IPv6 is public only inside 2000::/3, the one block that is given out
  to the public, and there unless the table says otherwise: what is assigned next is refused until someone looks.
- An IPv4 address inside an IPv6 one is refused in every disguise, whatever the IPv4 address is. Nobody needs a disguise
  to be reached, and a rule that never decodes one cannot decode one wrongly.
- An address with a scope (`fe80::1%eth0`) is refused: it names a cable of this machine.

What it cannot see: a translator (NAT64) at a prefix of the operator's own choice. Who runs one names it to nobody else.

Sources: IANA's special-purpose address registries for IPv4 and IPv6; RFC 4291, 5214, 6052, 8215; the clouds' manuals.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_METADATA = "it answers with a cloud's credentials"

_IPV4 = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("169.254.169.254/32", f"cloud metadata (AWS, Google, Azure and others): {_METADATA}"),
        ("169.254.170.2/32", f"container credentials (AWS ECS): {_METADATA}"),
        ("169.254.170.23/32", f"container credentials (AWS EKS): {_METADATA}"),
        ("169.254.42.42/32", f"cloud metadata (Scaleway): {_METADATA}"),
        ("100.100.100.200/32", f"cloud metadata (Alibaba): {_METADATA}"),
        ("192.0.0.192/32", f"cloud metadata (Oracle): {_METADATA}"),
        ("168.63.129.16/32", "the platform address of Azure, public only in its looks"),
        ("0.0.0.0/8", "this machine, by an address that means none"),
        ("10.0.0.0/8", "a private network"),
        ("100.64.0.0/10", "a network behind a carrier's address translation"),
        ("127.0.0.0/8", "loopback: this machine"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "a private network"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "reserved for documentation"),
        ("192.88.99.0/24", "a relay from IPv6 (6to4), withdrawn"),
        ("192.168.0.0/16", "a private network"),
        ("198.18.0.0/15", "reserved for benchmarks"),
        ("198.51.100.0/24", "reserved for documentation"),
        ("203.0.113.0/24", "reserved for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("255.255.255.255/32", "broadcast"),
        ("240.0.0.0/4", "reserved"),
    )
)

_IPV6 = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("fd00:ec2::254/128", f"cloud metadata (AWS): {_METADATA}"),
        ("fd00:ec2::23/128", f"container credentials (AWS EKS): {_METADATA}"),
        ("fd20:ce::254/128", f"cloud metadata (Google): {_METADATA}"),
        ("fd00:42::42/128", f"cloud metadata (Scaleway): {_METADATA}"),
        ("::/128", "this machine, by an address that means none"),
        ("::1/128", "loopback: this machine"),
        ("::ffff:0:0/96", "an IPv4 address in disguise (mapped)"),
        ("::ffff:0:0:0/96", "an IPv4 address in disguise (SIIT)"),
        ("::/96", "an IPv4 address in disguise (compatible)"),
        ("64:ff9b::/96", "an IPv4 address in disguise (NAT64)"),
        ("64:ff9b:1::/48", "an IPv4 address in disguise (NAT64, local)"),
        ("2001::/32", "an IPv4 address in disguise (Teredo)"),
        ("2002::/16", "an IPv4 address in disguise (6to4)"),
        ("100::/64", "a network that discards what it is sent"),
        ("100:0:0:1::/64", "a network that leads nowhere"),
        ("2001:2::/48", "reserved for benchmarks"),
        ("2001:10::/28", "a hash in the shape of an address (ORCHID)"),
        ("2001:20::/28", "a hash in the shape of an address (ORCHID)"),
        ("2001:db8::/32", "reserved for documentation"),
        ("2001::/23", "reserved for protocols"),
        ("3ffe::/16", "a test network, withdrawn"),
        ("3fff::/20", "reserved for documentation"),
        ("5f00::/16", "segment routing, inside one operator's network"),
        ("fc00::/7", "a private network (unique local)"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "a private network (site-local), withdrawn"),
        ("ff00::/8", "multicast"),
    )
)

_GIVEN_OUT = IPv6Network("2000::/3")

# ISATAP hides an IPv4 address behind the interface identifier 0:5efe, under any prefix at all; two bits of it vary.
_ISATAP = 0x0000_5EFE
_ISATAP_BITS = 0xFCFF_FFFF


def refusal(address: Address) -> str | None:
    """Why `address` is not the public's, as the end of a sentence ("it is ..."); None where it is."""
    if isinstance(address, IPv4Address):
        return next((reason for network, reason in _IPV4 if address in network), None)
    if is_scoped(address):
        return "bound to one interface of this machine (a scope id)"
    for network, reason in _IPV6:
        if address in network:
            return reason
    if address not in _GIVEN_OUT:
        return "outside 2000::/3, the only block of IPv6 that is given out to the public"
    if int(address) >> 32 & _ISATAP_BITS == _ISATAP:
        return "an IPv4 address in disguise (ISATAP)"
    return None


def is_scoped(address: Address) -> bool:
    """Whether `address` is bound to an interface of this machine; no allow-list opens one that is."""
    return isinstance(address, IPv6Address) and address.scope_id is not None
