"""Only addresses of the open internet may be called on behalf of a template."""

import asyncio
import socket

import pytest

from oncue.workers.addresses import Forbidden, PublicResolver, is_public, public_socket

PRIVATE = {
    "0.0.0.0": "this host",
    "10.1.2.3": "private",
    "100.64.0.1": "carrier-grade NAT",
    "100.100.100.200": "Alibaba's metadata",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback, its far end",
    "168.63.129.16": "Azure's own, public in form",
    "169.254.169.254": "link-local: metadata of most clouds",
    "172.16.0.1": "private",
    "172.31.255.255": "private, its last",
    "192.0.0.192": "Oracle's metadata",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4 relays",
    "192.168.1.1": "private",
    "198.18.0.1": "benchmarks",
    "203.0.113.9": "documentation",
    "224.0.0.1": "multicast",
    "255.255.255.255": "broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "::7f00:1": "127.0.0.1, IPv4-compatible",
    "::ffff:127.0.0.1": "127.0.0.1, IPv4-mapped",
    "::ffff:169.254.169.254": "metadata, IPv4-mapped",
    "::ffff:0:127.0.0.1": "127.0.0.1, IPv4-translated",
    "64:ff9b::7f00:1": "127.0.0.1 through NAT64",
    "64:ff9b::a9fe:a9fe": "metadata through NAT64",
    "64:ff9b:1::1": "local-use NAT64",
    "100::1": "discard-only",
    "2001::1": "Teredo",
    "2001:10::1": "ORCHID",
    "2001:db8::1": "documentation",
    "2002:7f00:1::1": "127.0.0.1 through 6to4",
    "2002:808:808::1": "6to4, which nobody routes any more",
    "3fff::1": "documentation",
    "5f00::1": "segment routing",
    "fc00::1": "unique local",
    "fd00:ec2::254": "AWS's metadata",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local with its zone",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
}

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2606:4700::1111",
    "2a00:1450:4001:80b::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", PRIVATE, ids=[f"{address} {why}" for address, why in PRIVATE.items()])
def test_an_address_that_is_not_of_the_open_internet_is_refused(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_and_those_next_to_private_ranges_are_not_refused(address: str):
    assert is_public(address)


def test_no_socket_is_made_for_a_private_address():
    with pytest.raises(Forbidden, match=r"10\.0\.0\.1"):
        public_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.1", 80)))
    public_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("1.1.1.1", 80))).close()


@pytest.mark.parametrize("found", [["10.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["1.1.1.1", "::1"]])
def test_a_name_that_leads_to_any_private_address_is_refused(found: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [_info(address) for address in found])

    async def resolve() -> None:
        await PublicResolver().resolve("innocent.example", 80)

    with pytest.raises(Forbidden, match=r"innocent\.example leads to"):
        asyncio.run(resolve())


def test_a_name_that_leads_to_public_addresses_is_resolved(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [_info("1.1.1.1"), _info("2606:4700::1111")])

    async def resolve() -> list[str]:
        return [one["host"] for one in await PublicResolver().resolve("honest.example", 80)]

    assert asyncio.run(resolve()) == ["1.1.1.1", "2606:4700::1111"]


def _info(address: str) -> tuple[object, ...]:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 80, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)
