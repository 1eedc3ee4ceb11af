"""May a hook go there? Asked of the URL when a hook is made, and of every address before every connection.

The problem: a URL is given by a stranger, and whoever owns its name decides what it resolves to, each time anew. The
strategy: judgement is pure and apart from resolution; `Guard` resolves, judges every address of the answer, and hands
over the very addresses to dial, so that nothing is resolved a second time. TLS and `Host` still carry the name.

The rule `public`: http on port 80, https on port 443, public addresses only (`delivery/networks.py`); an operator's
allow-list opens more (`delivery/allow.py`). One bad address in an answer refuses the name: its owner either made a
mistake or tries something, and either way is better told than half served.

With a proxy (an explicit setting; the environment is never read) the proxy resolves names. The URL and literal
addresses are judged as ever, names are then the proxy's to judge, and the proxy itself is dialled as it was set.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

from msgspec import Struct

from tidings.delivery.allow import AllowList
from tidings.delivery.destination import OWN_PORTS, Destination, read_url
from tidings.delivery.lookups import Lookups, Resolver, system_resolver
from tidings.delivery.networks import Address, is_scoped, refusal
from tidings.delivery.outcomes import NoConnection, Reason
from tidings.errors import Invalid

RULE = "public"
RESOLVE_SECONDS = 2.0  # for the name of a hook that is about to be made


class Route(Struct, frozen=True):
    """Where to dial for a destination: judged addresses in the order to try them, and whether a proxy listens there."""

    addresses: tuple[str, ...]
    port: int
    proxied: bool = False


def judge_url(url: str, allow: AllowList, ca: str | None = None) -> Destination:
    """Where `url` leads, if a hook may go there as far as the URL alone can tell (names are judged when they resolve).

    Raises `Invalid` with the rule and why, and repeats nothing of the URL but its host and port.
    """
    destination = read_url(url, ca)
    if why := judge_destination(destination, allow):
        raise Invalid(f"The rule `{RULE}` refuses this URL: {why}", parameters={"rule": RULE})
    return destination


def judge_destination(destination: Destination, allow: AllowList) -> str | None:
    """Why a hook may not go to `destination`, as far as it can be told without resolving; None where it may."""
    if (address := destination.address) is not None:
        return judge_address(address, destination, allow)
    scheme, host, port = destination.scheme, destination.host, destination.port
    if port == OWN_PORTS[scheme] or allow.opens_name(host, scheme, port) or allow.opens_port(scheme, port):
        return None
    return _port_refusal(destination)


def judge_address(address: Address, destination: Destination, allow: AllowList) -> str | None:
    """Why `address`, which is or was resolved from `destination`'s host, may not be dialled; None where it may."""
    scheme, host, port = destination.scheme, destination.host, destination.port
    opened = allow.opens_name(host, scheme, port) or allow.opens_address(address, scheme, port)
    if opened and not is_scoped(address):
        return None
    if why := refusal(address):
        return f"{address} is {why}" if host == str(address) else f"{host} resolves to {address}, which is {why}"
    return None if port == OWN_PORTS[scheme] else _port_refusal(destination)


def _port_refusal(destination: Destination) -> str:
    scheme = destination.scheme
    return f"{scheme} goes to port {OWN_PORTS[scheme]} only, not to {destination.port}"


class Guard:
    """Finds the addresses to dial, having judged each; belongs to one event loop."""

    def __init__(self, allow: AllowList, *, resolver: Resolver = system_resolver, proxy: str = "") -> None:
        """`proxy` is `http://host:port` or empty. Raises `Invalid` when it is neither."""
        self._allow = allow
        self._lookups = Lookups(resolver)
        self._proxy = read_proxy(proxy) if proxy else None

    async def route(self, destination: Destination) -> Route:
        """Where to dial for `destination`. Raises `NoConnection`: `refused_address` or `dns`."""
        if why := judge_destination(destination, self._allow):
            raise NoConnection(Reason.REFUSED_ADDRESS, _sentence(why), destination.host)
        if self._proxy is not None:
            return Route(await self._resolve(self._proxy), self._proxy.port, proxied=True)
        addresses = await self._resolve(destination)
        for address in addresses:
            if why := judge_address(ip_address(address), destination, self._allow):
                raise NoConnection(Reason.REFUSED_ADDRESS, _sentence(why), address)
        return Route(addresses, destination.port)

    async def _resolve(self, destination: Destination) -> tuple[str, ...]:
        if destination.address is not None:
            return (destination.host,)
        try:
            addresses = await self._lookups.addresses(destination.host)
        except OSError as error:
            raise NoConnection(Reason.DNS, f"{destination.host} does not resolve: {error.strerror or error}") from None
        if not addresses:
            raise NoConnection(Reason.DNS, f"{destination.host} does not resolve: it has no address")
        return addresses


async def refuse_closed(guard: Guard, destination: Destination) -> None:
    """Raise `Invalid` when `destination` resolves, within `RESOLVE_SECONDS`, to what the guard refuses."""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            await guard.route(destination)
    except TimeoutError:
        return
    except NoConnection as error:
        if error.reason is Reason.REFUSED_ADDRESS:
            raise Invalid(f"The URL is refused: {error.detail}", parameters={"field": "url", "rule": RULE}) from None


def read_proxy(url: str) -> Destination:
    """The proxy at `url`, `http://host:port`. Raises `Invalid` for anything else."""
    try:
        proxy = read_url(url)
    except Invalid as error:
        raise Invalid(f"The setting proxy: {error.description}", parameters={"setting": "proxy"}) from None
    if proxy.scheme != "http" or url.lower().rstrip("/") not in (f"http://{proxy.authority}", f"http://{proxy.host_in_url}:{proxy.port}"):
        raise Invalid("The setting proxy is `http://host:port`, with nothing behind it", parameters={"setting": "proxy"})
    return proxy


def _sentence(why: str) -> str:
    return f"the rule `{RULE}` refuses this destination: {why}"
