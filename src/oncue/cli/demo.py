"""`oncue demo`: oncue, a simulated carrier and sample rules on this machine; the terminal is the phone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from importlib.resources import files
from typing import Annotated, Any

import aiohttp
import msgspec
import typer
import uvloop
from aiosmtpd.controller import Controller
from django.db import transaction

from oncue import asgi
from oncue.cli.opened import Opened, open_installation, read_settings
from oncue.cli.serve import server
from oncue.cli.terminal import escaped, fail, say, sentences
from oncue.core import clock
from oncue.rules.document import AdaptorSpec, Document, read_document
from oncue.simulator.spawn import Simulator
from oncue.store import adaptors, apply, database, members, reading, rulebook
from oncue.workers.checks import set_inbound

KEY = "oncue-demo-key-0123456789"
EMAIL, PASSWORD = "demo@example.com", "right on cue 24"
ANN, BOB = "+15005551001", "+15005551002"
_NAMES = {ANN: "Ann's phone", BOB: "Bob's phone"}
_PACE = 0.7
_ADDRESSES = {"twilio": "api_base_url", "email": "smtp_url"}
"""Of the simulated carrier and mailbox: on this machine, on other ports at each start."""

_USERS: list[dict[str, Any]] = [
    {
        "type": "user",
        "user": "ann",
        "properties": {
            "first_name": "Ann",
            "phone_number": ANN,
            "email": "ann@example.com",
            "consent_promotional": True,
        },
    },
    {
        "type": "user",
        "user": "bob",
        "properties": {"first_name": "Bob", "phone_number": BOB, "email": "bob@example.com"},
    },
]

_HELP = """\
Type and press Enter:
  [bold]book[/bold]        Ann books: a text        [bold]book bob[/bold]  Bob books, but his phone is off: an e-mail instead
  [bold]offer[/bold]       an offer for Ann         [bold]STOP[/bold], [bold]START[/bold] or anything else: Ann replies so
  [bold]quit[/bold]        ends the demo            [bold]help[/bold]      this again"""


def demo(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port to listen on; the next free one if it is taken.")
    ] = None,
) -> None:
    """oncue with a simulated carrier, sample rules and users: no account needed."""
    given = read_settings()
    listening = _listen(port or given.port)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    place = given.data_dir.with_name(f"{given.data_dir.name}-demo")
    opened = open_installation(
        msgspec.structs.replace(given, data_dir=place, host="127.0.0.1", public_url=url), make=True
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    with sentences(database.InUse):
        database.lock(place).close()
    with Simulator(pace=_PACE) as simulator, _mailbox() as smtp:
        simulator.fault("undelivered", to=BOB, code=30003)
        _configure(opened, simulator, smtp)
        _admit()
        with contextlib.suppress(KeyboardInterrupt):
            uvloop.run(_run(opened, simulator, listening, url))
    say("The demo has ended. Its data stays in " + escaped(str(place)) + "; delete it to begin anew.")


def _listen(wanted: int) -> socket.socket:
    for port in range(wanted, min(wanted + 20, 65_536)):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError:
            listening.close()
            continue
        return listening
    fail(f"The ports from {wanted} on are all taken; choose another --port.")


def _configure(opened: Opened, simulator: Simulator, smtp: str) -> None:
    environ = {
        "DEMO_KEY": KEY,
        "TWILIO_ACCOUNT_SID": simulator.account_sid,
        "TWILIO_AUTH_TOKEN": simulator.auth_token,
        "TWILIO_URL": simulator.url,
        "DEMO_SMTP": smtp,
    }
    text = (files("oncue.samples") / "demo.yaml").read_text("utf-8")
    document, faults = read_document(text, "demo.yaml", opened.catalogue, environ)
    if faults:
        fail(" ".join(map(str, faults)))
    carrier = document.adaptors["twilio"].values
    if rulebook.taken():
        document = _again(document, opened)
    apply.apply(document, opened.catalogue, opened.vault, by="demo", found={})
    hook = f"{opened.settings.public_url}/hooks/twilio/message"
    asyncio.run(set_inbound(opened.catalogue["twilio"], carrier, hook))


def _again(document: Document, opened: Opened) -> Document:
    """What is left to apply when it is not the first start: where the carrier and the mailbox are this time. The rest is the work of
    whoever tries things out; so is an adaptor that they gave another address."""
    moved = {}
    for name, field in _ADDRESSES.items():
        given, stored = document.adaptors[name], adaptors.stored(name, opened.vault)
        if stored is None:
            moved[name] = given
        elif _host(stored.values.get(field)) == _host(given.values[field]):
            moved[name] = AdaptorSpec(state=stored.state, values={**stored.values, field: given.values[field]})
    return msgspec.structs.replace(document, adaptors=moved, policy=None, rules=None)


def _host(address: object) -> str:
    return str(address).rpartition(":")[0]


def _admit() -> None:
    """Have a member whose password is known: the demo listens on this machine only."""
    if members.by_email(EMAIL) is None:
        with transaction.atomic():
            members.add(EMAIL, "owner", members.password_hash(PASSWORD, EMAIL), "demo")


@contextlib.contextmanager
def _mailbox() -> Iterator[str]:
    """A mail server whose mailbox is the terminal; yields its address."""
    controller = Controller(_Mailbox(), hostname="127.0.0.1", port=_free_port(), ready_timeout=10)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Mailbox:
    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        text = message.get_body(("plain",))
        _bubble(
            f"E-mail to {envelope.rcpt_tos[0]}: {message['subject']}",
            text.get_content().strip() if text else "",
            "magenta",
        )
        return "250 OK"


async def _run(opened: Opened, simulator: Simulator, listening: socket.socket, url: str) -> None:
    process = asgi.Process(opened.settings, opened.vault, opened.catalogue)
    running = server(process)
    serving = asyncio.create_task(running.serve(sockets=[listening]))
    async with aiohttp.ClientSession() as session:
        watching = asyncio.create_task(_watch(session, simulator.url))
        playing = asyncio.create_task(_play(session, simulator, url))
        refusing = asyncio.create_task(_watch_refusals())
        await asyncio.wait({serving, playing}, return_when=asyncio.FIRST_COMPLETED)
        running.should_exit = True
        for task in (watching, playing, refusing):
            task.cancel()
        await asyncio.gather(serving, watching, playing, refusing, return_exceptions=True)


async def _play(session: aiohttp.ClientSession, simulator: Simulator, url: str) -> None:
    """Say what there is, make the first event happen, then do what is typed. Ends with `quit`; without a terminal, when the process is ended."""
    await _until_ready(session, url)
    _welcome(url, simulator)
    await _post(session, url, *_USERS)
    await _book(session, url, "ann")
    if not sys.stdin.isatty():
        await asyncio.Event().wait()
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode(errors="replace"):
        typed = line.strip()
        if typed.lower() in ("quit", "exit"):
            return
        await _obey(session, simulator, url, typed)


async def _obey(session: aiohttp.ClientSession, simulator: Simulator, url: str, typed: str) -> None:
    match typed.lower().split():
        case []:
            return
        case ["book"] | ["book", "ann"]:
            await _book(session, url, "ann")
        case ["book", "bob"]:
            await _book(session, url, "bob")
        case ["offer"]:
            await _post(
                session, url, {"type": "event", "user": "ann", "name": "offer_made", "properties": {"discount": "20%"}}
            )
            say("[dim]offer_made happened to ann[/dim]")
        case ["help"]:
            say(_HELP)
        case _:
            await asyncio.to_thread(simulator.text, ANN, typed)


async def _until_ready(session: aiohttp.ClientSession, url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return
        await asyncio.sleep(0.05)
    fail("oncue did not become ready; look above for why.")


def _welcome(url: str, simulator: Simulator) -> None:
    say(
        f"\n[bold]oncue[/bold] runs. Open [bold]{url}[/bold] and sign in as [bold]{EMAIL}[/bold] with the password [bold]{PASSWORD}[/bold]."
    )
    say(f"Apps send events with the API key [bold]{KEY}[/bold]:")
    body = '{"type":"event","user":"ann","name":"booking_confirmed","properties":{"amount":25,"booking_id":"B-2"}}'
    say(
        escaped(
            f"  curl {url}/v1/events -H 'Authorization: Bearer {KEY}' -H 'Content-Type: application/json' -d '{body}'"
        )
    )
    say("Texts arrive on the page Simulator, and here: this terminal is Ann's phone too.\n")
    if sys.stdin.isatty():
        say(_HELP + "\n")


_bookings = iter(range(1001, 1_000_000))


async def _book(session: aiohttp.ClientSession, url: str, user: str) -> None:
    booking = f"B-{next(_bookings)}"
    say(f"[dim]booking_confirmed happened to {user}: {booking}[/dim]")
    await _post(
        session,
        url,
        {
            "type": "event",
            "user": user,
            "name": "booking_confirmed",
            "properties": {"amount": 25, "booking_id": booking},
        },
    )


async def _post(session: aiohttp.ClientSession, url: str, *items: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with session.post(f"{url}/v1/events", json={"items": list(items)}, headers=headers) as answer:
        if answer.status != 202:
            say(f"[red]oncue answered {answer.status}[/red]: {escaped(await answer.text())}")


async def _watch(session: aiohttp.ClientSession, simulator_url: str) -> None:
    """Show each text as it arrives on a phone, and each status."""
    timeout = aiohttp.ClientTimeout(total=None)
    async with session.get(f"{simulator_url}/_sim/events", timeout=timeout) as stream:
        async for line in stream.content:
            if line.startswith(b"data: "):
                _show(msgspec.json.decode(line[6:]))


async def _watch_refusals() -> None:
    """Say what oncue itself did not send, and why."""
    told = clock.now()
    while True:
        await asyncio.sleep(0.3)
        rows = await asyncio.to_thread(reading.messages, limit=5, state="suppressed")
        for row in reversed([one for one in rows if one["created_at"] > told]):
            told = row["created_at"]
            say(
                f"[dim]  oncue: no text to {escaped(row['recipient'])}: {escaped(row['reason'].partition(': ')[2])}[/dim]"
            )


def _show(event: dict[str, Any]) -> None:
    if event["kind"] == "status":
        code = f" (error {event['error_code']})" if event["error_code"] else ""
        say(f"[dim]  carrier: the text to {event['to']} is {event['status']}{code}[/dim]")
        return
    phone = _NAMES.get(event["phone"], event["phone"])
    if event["direction"] == "in":
        _bubble(f"{phone}, from {event['from']}", event["body"], "green")
    else:
        _bubble(f"{phone} writes to {event['to']}", event["body"], "blue")


def _bubble(title: str, text: str, colour: str) -> None:
    say(f"[{colour}]┃[/{colour}] [bold]{escaped(title)}[/bold]")
    for line in text.splitlines() or [""]:
        say(f"[{colour}]┃[/{colour}] {escaped(line)}")
