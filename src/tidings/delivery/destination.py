"""Where a hook's URL leads: scheme, host and port, read strictly and written in one way only.

What is always true of a `Destination`: its host is lower-case ASCII, either a name (IDNA applied, no final dot) or an
address in its one canonical spelling. Two parsers that read a URL differently are how a guard is fooled, so a URL that
could be read in two ways is refused here: control characters, spaces, backslashes, user names, fragments, and numbers
that only some parsers take for an IPv4 address (`2130706433`, `0177.1`, `0x7f.1`, `127.1`). Pure.
"""

from __future__ import annotations

import re
import socket
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from msgspec import Struct

from tidings.delivery.networks import Address
from tidings.errors import Invalid

URL_LIMIT = 2_000  # characters; what servers and proxies take
OWN_PORTS = {"http": 80, "https": 443}  # contract section 3.1

_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)(.*)")
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]+)(?::(.*))?")
_PORT = re.compile(r"[0-9]{1,5}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# What RFC 3986 has no place for outside of %XX: it would go out raw on the request line.
_OUT_OF_PLACE = re.compile(r"[^!$&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~%]")


class Destination(Struct, frozen=True, cache_hash=True):
    """One origin, as connections to it are kept: the same four values are the same connections."""

    scheme: str
    host: str
    port: int
    ca: str | None = None  # PEM certificates trusted beside the system's

    @property
    def address(self) -> Address | None:
        """The address that the host is, or None where the host is a name."""
        return read_address(self.host)

    @property
    def authority(self) -> str:
        """The host and port as a `Host` header has them: the scheme's own port is left out."""
        return self.host_in_url if self.port == OWN_PORTS[self.scheme] else f"{self.host_in_url}:{self.port}"

    @property
    def host_in_url(self) -> str:
        """The host, an IPv6 address in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    def __repr__(self) -> str:
        return f"Destination({self.scheme}://{self.host_in_url}:{self.port}{', own ca' if self.ca else ''})"


def read_url(url: str, ca: str | None = None) -> Destination:
    """Where `url` leads; whether a hook may go there is for the guard to say.

    Raises `Invalid` with a sentence that repeats nothing of the URL's path or query: they may be secret.
    """
    if len(url) > URL_LIMIT:
        raise _bad(f"it is longer than {URL_LIMIT} characters")
    if any(character <= " " or character in "\\\x7f" for character in url):
        raise _bad("it holds a space, a control character or a backslash")
    if "#" in url:
        raise _bad("it has a fragment (#...), which is never sent")
    match = _SHAPE.fullmatch(url)
    if match is None:
        raise _bad("it is not of the form http://host/path or https://host/path")
    scheme, authority, rest = match[1].lower(), match[2], match[3]
    if scheme not in OWN_PORTS:
        raise _bad("its scheme is neither http nor https")
    if "@" in authority:
        raise _bad("it has a user name or password before the host")
    if found := _OUT_OF_PLACE.search(rest):
        raise _bad(f"its path or query holds {found[0]!a}, which must be percent-encoded")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise _bad("it has no host, or one that its port cannot be told from (an IPv6 address stands in brackets)")
    return Destination(scheme, read_host(parts[1]), OWN_PORTS[scheme] if parts[2] is None else _read_port(parts[2]), ca)


def read_host(text: str) -> str:
    """A host as `Destination` has it, a name in ASCII or an address, from a URL's: IPv6 stands in brackets there.

    Raises `Invalid` saying what is wrong with it.
    """
    if text.startswith("[") and text.endswith("]"):
        return _read_ipv6(text[1:-1])
    name = _in_ascii(text).removesuffix(".")
    labels = name.split(".")
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _bad(f"{text!a} is not a host name")
    return _read_ipv4(name) if _NUMBER.fullmatch(labels[-1]) else name


def read_address(host: str) -> Address | None:
    """The address that `host` is, or None where it is a name."""
    try:
        return IPv6Address(host) if ":" in host else IPv4Address(host)
    except AddressValueError:
        return None


def _read_port(text: str) -> int:
    if not _PORT.fullmatch(text) or not 1 <= int(text) <= 65_535:
        raise _bad("its port is not a number from 1 to 65535")
    return int(text)


def _in_ascii(text: str) -> str:
    try:
        return text.lower() if text.isascii() else text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise _bad(f"{text!a} is not a host name that can be written in IDNA") from None


def _read_ipv6(text: str) -> str:
    if "%" in text:
        raise _bad(f"{text!a} has a scope id, which names an interface of this machine")
    try:
        address = IPv6Address(text)
    except AddressValueError:
        raise _bad(f"{text!a} is not an IPv6 address") from None
    mapped = address.ipv4_mapped  # Python 3.13 writes these with dots, 3.11 without: one way only
    return str(address) if mapped is None else f"::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}"


def _read_ipv4(text: str) -> str:
    """An address of four decimal numbers. Other ways to write one mean different addresses to different readers."""
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        pass
    try:
        meant = socket.inet_ntoa(socket.inet_aton(text))
    except OSError:
        raise _bad(f"{text!a} is neither an IPv4 address nor a host name") from None
    raise _bad(f"{text!a} is an unusual way to write the address {meant}; four decimal numbers are the only one taken")


def _bad(why: str) -> Invalid:
    return Invalid(f"The URL is not valid: {why}", parameters={"rule": "syntax"})
