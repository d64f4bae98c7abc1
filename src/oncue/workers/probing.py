"""Does a provider's call come back to us? A signed call to the public URL, as the provider would make it, told step by step.

It stops at the first step that fails and says what to do about it. It starts on this machine: that a firewall lets the provider in, only
the provider's own call can show. `oncue doctor` walks the same way, and looks closer (`reaching.py`).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from oncue.core.adaptor import Adaptor
from oncue.core.http import Answer, Response
from oncue.core.probe import BAD, GOOD, WARN, Probe, Step
from oncue.workers.addresses import is_public
from oncue.workers.http import Client

WITHIN = 5.0
"""Seconds for each step before the call."""

ANSWER_WITHIN = 15.0
"""Seconds for the answer: as long as providers wait."""


class Stopped(Exception):
    """Here it stopped: what was found, and what to do about it."""

    def __init__(self, found: str, remedy: str = "") -> None:
        super().__init__(f"{found} {remedy}".strip())
        self.found = found
        self.remedy = remedy


async def probe(adaptor: Adaptor, config: Mapping[str, Any], public_url: str) -> tuple[Step, ...]:
    """The steps that were taken; the last is where it stopped, or that it is good."""
    call = call_of(adaptor, config, public_url)
    parts = urlsplit(call.url)
    steps: list[Step] = []
    label = "Name"
    try:
        steps.append(_named(parts, await resolve(parts)))
        label = "Connection"
        await connect(parts)
        steps.append(_good(label, f"{parts.hostname} takes connections on port {_port(parts)}."))
        label = "Encryption"
        steps.append(await _encrypt(parts))
        label = "Answer"
        steps.append(_good(label, judge(await make(call), adaptor.label, parts.path)))
    except Stopped as stopped:
        steps.append(Step(label=label, tone=BAD, sentence=str(stopped)))
    return tuple(steps)


def call_of(adaptor: Adaptor, config: Mapping[str, Any], public_url: str) -> Probe:
    """The call that the provider would make to report a status."""
    assert adaptor.probe is not None
    return adaptor.probe(config, f"{public_url}/hooks/{adaptor.name}/{adaptor.status_inbound}")


async def make(call: Probe) -> Answer:
    """Make a call, to an address that an administrator configured."""
    client = Client()
    try:
        return await client.request(
            call.method,
            call.url,
            headers=call.headers,
            body=call.body,
            deadline=ANSWER_WITHIN,
            trusted=True,
            limit=20_000,
        )
    finally:
        await client.close()


def judge(answer: Answer, provider: str, path: str) -> str:
    """What an answer means. Raises `Stopped` for any but oncue's own 200."""
    if not isinstance(answer, Response):
        raise Stopped(
            f"No answer came. {answer.reason}", "Look whether the proxy passes calls on, and how long it waits."
        )
    status, said = answer.status, said_of(answer)
    what = f"The answer is {status}"
    if status == 200:
        if answer.body:
            raise Stopped(
                f"{what}, but it is not oncue's: something else answers there.",
                f"Have the proxy pass {path} on to oncue.",
            )
        return f"{what}: oncue heard the call and believed its signature. A call of {provider}'s gets the same."
    if 300 <= status < 400:
        target = answer.headers.get("location", "another address")
        raise Stopped(
            f"{what}, a redirect to {target}.",
            "A signature holds for one address only: set ONCUE_PUBLIC_URL to the address that answers itself, or take the redirect away"
            " from /hooks.",
        )
    if status == 403 and said:
        raise Stopped(
            f"{what}. oncue got the call, but: {said}",
            f"A proxy that changes the path on its way does this; {path} must arrive as it is.",
        )
    if status in (401, 403):
        raise Stopped(
            f"{what}, and it is not oncue's: something in front of it asks who is calling.",
            "Let calls to /hooks through without that; oncue checks their signatures itself.",
        )
    if status == 404 and said:
        raise Stopped(f"{what}. oncue got the call, but: {said}", "A proxy that changes the path on its way does this.")
    if status == 404:
        raise Stopped(
            f"{what}, and it is not oncue's: the proxy does not pass /hooks on to oncue.", f"Have it pass {path} on."
        )
    if status in (502, 503, 504):
        if said:
            raise Stopped(f"{what}: {said}")
        raise Stopped(
            f"{what}: the proxy is there, but does not reach oncue.",
            "Look at the address and port it passes calls on to.",
        )
    raise Stopped(f"{what}, where 200 was expected{': ' + said if said else ''}.")


async def resolve(parts: SplitResult) -> list[str]:
    """The addresses that a name leads to. Raises `Stopped`."""
    host = parts.hostname or ""
    try:
        async with asyncio.timeout(WITHIN):
            found = await asyncio.get_running_loop().getaddrinfo(host, _port(parts), type=socket.SOCK_STREAM)
    except TimeoutError:
        raise Stopped(f"The name {host} could not be looked up within {WITHIN:.0f} seconds.") from None
    except OSError:  # socket.gaierror
        raise Stopped(
            f"The name {host} leads nowhere.", "Add it to the domain's DNS records, or mend ONCUE_PUBLIC_URL."
        ) from None
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def _named(parts: SplitResult, addresses: list[str]) -> Step:
    host, shown = parts.hostname or "", ", ".join(addresses)
    if any(map(is_public, addresses)):
        return _good("Name", f"{host} is {shown}.")
    return Step(
        label="Name",
        tone=WARN,
        sentence=f"{only_here(host, shown)} A simulator here can call it; a provider on the internet cannot.",
    )


def only_here(host: str, addresses: str) -> str:
    """The sentence for a name whose addresses are not public."""
    named = f"{host} is an address" if addresses == host else f"{host} is {addresses}, an address"
    return f"{named} that only this machine or its own network can reach."


async def connect(parts: SplitResult, context: ssl.SSLContext | None = None) -> dict[str, Any]:
    """Whether the host takes a connection, with TLS if there is a context; then its certificate. Raises `Stopped`."""
    host, port = parts.hostname or "", _port(parts)
    try:
        async with asyncio.timeout(WITHIN):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLCertVerificationError as error:
        raise Stopped(
            f"The certificate of {host} is not good: {error.verify_message}.",
            "Providers refuse it too; renew it, with all its intermediate certificates.",
        ) from None
    except ssl.SSLError as error:
        raise Stopped(
            f"Port {port} of {host} does not speak TLS as it should ({error.reason or error}), though the address begins with https."
        ) from None
    except ConnectionRefusedError:
        raise Stopped(
            f"Nothing listens on port {port} of {host}.", "Start the proxy in front of oncue, or mend ONCUE_PUBLIC_URL."
        ) from None
    except TimeoutError:
        raise Stopped(
            f"{host} does not answer on port {port}.", "A firewall that drops connections does this; open the port."
        ) from None
    except OSError as error:
        raise Stopped(f"{host} cannot be reached on port {port}: {error.strerror or error}.") from None
    certificate = writer.get_extra_info("peercert")
    writer.transport.abort()  # what is shown is that it could be made; nobody waits for a goodbye
    return certificate or {}


async def _encrypt(parts: SplitResult) -> Step:
    if parts.scheme == "https":
        await connect(parts, ssl.create_default_context())
        return _good("Encryption", f"The certificate of {parts.hostname} is good.")
    return Step(label="Encryption", tone=WARN, sentence=f"There is none: {IN_CLEAR} Use https on the internet.")


IN_CLEAR = "the address begins with http, so what people write travels in clear."


def _good(label: str, sentence: str) -> Step:
    return Step(label=label, tone=GOOD, sentence=sentence)


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def said_of(answer: Response) -> str:
    """The sentence of an answer of oncue's own; empty if it is another's."""
    try:
        said = msgspec.json.decode(answer.body, type=dict[str, Any]).get("error")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return said if isinstance(said, str) else ""
