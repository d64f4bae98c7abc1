"""Which addresses a template may make us call: public ones. Everything private, local or special is refused, however it is written."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

# iana.org/assignments/iana-ipv4-special-registry, and 168.63.129.16, public in form, behind which Azure answers its own machines
# (learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16). Listed here, not left to `ipaddress.is_global`, whose
# answers for several of these differ between releases of Python.
_SPECIAL_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3", "168.63.129.16/32",
    )
)  # fmt: skip

_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
"""All that is routed on the internet: what lies outside (::1, fc00::/7, fe80::/10, ff00::/8, …) needs no list."""

# iana.org/assignments/iana-ipv6-special-registry, those within 2000::/3: Teredo and its neighbours, documentation, 6to4.
_SPECIAL_6 = tuple(ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: on a network without IPv4 every IPv4 host has such an address; its last 32 bits are the host's."""


class Forbidden(OSError):
    """The name leads to an address that may not be called."""


def is_public(address: str) -> bool:
    """Whether this IP address is one of the open internet. IPv4 addresses wrapped in IPv6 are judged by what they wrap."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or (ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF) if ip in _NAT64 else None)
        if wrapped is None:
            return ip in _GLOBAL_6 and not any(ip in network for network in _SPECIAL_6)
        ip = wrapped
    return not any(ip in network for network in _SPECIAL_4)


def literal(host: str) -> str | None:
    """The IP address that a host is, if it is one; also in the forms that only the C library reads (`127.1`, `0x7f000001`)."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def public_socket(address_info: tuple[Any, ...]) -> socket.socket:
    """A socket for an address as getaddrinfo gives it. Raises `Forbidden` if it is not public: the last moment, and the only one for a
    number that aiohttp reads and `literal` does not (`①②⑦.⓪.⓪.①`), since no resolver is asked for it."""
    family, kind, protocol, _, address = address_info
    if not is_public(address[0]):
        raise Forbidden(f"{address[0]} is an address that is not public")
    return socket.socket(family, kind, protocol)


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those that lead anywhere else than the open internet. The address checked is the address called."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises `Forbidden` if any of the addresses is not public."""
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            if not is_public(one["host"]):
                raise Forbidden(f"{host} leads to {one['host']}, an address that is not public")
        return found

    async def close(self) -> None:
        """Nothing to let go of."""
        await self._resolver.close()
