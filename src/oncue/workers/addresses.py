"""Which addresses a template may make us call: public ones. Everything private, local or special is refused, however it is written."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")


class Forbidden(OSError):
    """The name leads to an address that may not be called."""


def is_public(address: str) -> bool:
    """Whether this IP address is one of the open internet. IPv4 addresses wrapped in IPv6 are judged by what they wrap."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped
        if wrapped is None and ip in _NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if wrapped is None and ip in _SIX_TO_FOUR:
            wrapped = ipaddress.IPv4Address((int(ip) >> 80) & 0xFFFF_FFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
    return ip.is_global and not ip.is_multicast


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
