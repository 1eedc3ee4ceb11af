"""Where a code or a token may be sent back to: the rule for redirect URIs, and how an answer is put into one. Pure.

A client registers domains, `host` or `host:port`. A redirect URI must be on one of them: the same host, to the letter, and
the same port, or its scheme's own where none was registered. On this machine (`localhost`, `127.0.0.1`, `[::1]`) a host
without a port means any, since what runs on a desk listens where it can (RFC 8252, section 7.3).

Browsers read URLs more generously than any rule, so what a browser might read otherwise is not read at all: no name and
password, no backslash, no blank, no fragment, no letter beyond ASCII (an international name is written `xn--`), no
percent sign or final dot in a host, http and https only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from tidings.errors import Invalid

LONGEST_URI = 2_000  # characters
MOST_DOMAINS = 20  # of one client
LONGEST_HOST = 253  # characters: DNS's own limit

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
PORTS = {"http": 80, "https": 443}

_HOST = r"(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*)"
_DOMAIN = re.compile(rf"{_HOST}(?::(?P<port>[0-9]{{1,5}}))?")
_URI = re.compile(
    rf"(?P<scheme>https?)://{_HOST}(?::(?P<port>[0-9]{{1,5}}))?(?:[/?][A-Za-z0-9\-._~:/?@!$&'()*+,;=%\[\]]*)?", re.IGNORECASE | re.ASCII
)


class Place(NamedTuple):
    """Where a redirect URI leads: its scheme and host in lower case, its port written out or the scheme's own."""

    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """As a browser writes it."""
        return f"{self.scheme}://{self.host}" + ("" if self.port == PORTS[self.scheme] else f":{self.port}")


def checked_domains(domains: Iterable[str]) -> list[str]:
    """The domains of a client in lower case, each once. Raises `Invalid` for one that is none, or too many."""
    checked = list(dict.fromkeys(_checked_domain(domain.strip().lower()) for domain in domains))
    if len(checked) > MOST_DOMAINS:
        raise Invalid(f"domains: must be at most {MOST_DOMAINS}", parameters={"field": "domains", "limit": MOST_DOMAINS})
    return checked


def _checked_domain(domain: str) -> str:
    match = _DOMAIN.fullmatch(domain)
    if match is None or len(domain) > LONGEST_HOST or not 0 < int(match["port"] or 1) < 2**16:
        shown = domain[:60].encode("ascii", "replace").decode()
        raise Invalid(
            f"domains: '{shown}' is not a host or host:port (an international name is written xn--)", parameters={"field": "domains"}
        )
    return domain


def find_place(redirect_uri: str, domains: Iterable[str]) -> Place | None:
    """Where `redirect_uri` leads, when that is on one of a client's `domains`; None when it is not, or cannot be told."""
    match = _URI.fullmatch(redirect_uri) if len(redirect_uri) <= LONGEST_URI else None
    if match is None:
        return None
    scheme, host = match["scheme"].lower(), match["host"].lower()
    place = Place(scheme, host, int(match["port"] or PORTS[scheme]))
    if not 0 < place.port < 2**16:
        return None
    return place if any(_is_on(place, domain) for domain in domains) else None


def _is_on(place: Place, domain: str) -> bool:
    match = _DOMAIN.fullmatch(domain)
    if match is None or match["host"] != place.host:
        return False
    if match["port"]:
        return int(match["port"]) == place.port
    return place.host in LOOPBACK or place.port == PORTS[place.scheme]


def with_query(redirect_uri: str, answer: Mapping[str, str]) -> str:
    """`redirect_uri` with `answer` behind whatever query it has."""
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}"


def with_fragment(redirect_uri: str, answer: Mapping[str, str]) -> str:
    """`redirect_uri` with `answer` as its fragment, which the browser keeps to itself."""
    return f"{redirect_uri}#{urlencode(answer)}"
