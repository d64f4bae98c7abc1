"""Sending one e-mail over SMTP. The phase in which a conversation breaks decides what may be said of it: before the final dot nothing was
taken; after it, without an answer, nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from typing import Any

import aiosmtplib
from aiosmtplib import SMTP

from oncue.adaptors.email.fields import Server, server
from oncue.core import clock
from oncue.core.adaptor import Checked, Config, Impossible, Lane, Outgoing, Prepared
from oncue.core.http import Http
from oncue.core.outcome import Blame, Outcome, Rejected, Retry, Submitted, Unknown

DEADLINE = 30.0


def prepare(config: Config, fields: dict[str, Any], user: Mapping[str, Any]) -> Prepared | Impossible:
    """Who gets it and from whom; the addresses checked."""
    to = _address(str(fields["to"]))
    if to is None:
        return Impossible("to", f"{str(fields['to'])[:100]!r} is not an e-mail address.")
    sender = _address(str(fields.get("from") or config["from"]))
    if sender is None:
        return Impossible("from", f"{str(fields.get('from'))[:100]!r} is not an e-mail address.")
    if not fields.get("text") and not fields.get("html"):
        return Impossible("text", "An e-mail needs a text, an HTML body, or both; both came out empty.")
    return Prepared(
        fields=fields,
        recipient=to,
        sender=sender,
        lane=Lane("email", float(config.get("messages_per_second") or 0)),
    )


def _address(text: str) -> str | None:
    """The bare address, its domain in ASCII; None if it is none."""
    if any(character in text for character in "\r\n\0,;"):
        return None
    _, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    try:
        domain = domain.encode("idna").decode() if at else ""
        Address(addr_spec=f"{local}@{domain}")
    except (ValueError, IndexError, UnicodeError):
        return None
    return f"{local}@{domain}" if local.isascii() and local and domain and len(local) <= 64 else None


async def send(http: Http, config: Config, outgoing: Outgoing) -> Outcome:
    """One conversation with the server. `http` is not used: e-mail is not HTTP."""
    found = server(config["smtp_url"])
    if isinstance(found, str):
        return Rejected(found, Blame.ACCOUNT)
    phases = ["connect"]
    try:
        async with asyncio.timeout(DEADLINE):
            return await _converse(found, config, outgoing, phases)
    except TimeoutError:
        what = f"{found.host} did not answer within {DEADLINE:.0f} seconds"
        return (
            Unknown(f"{what}, after the e-mail had been handed over.") if phases[-1] == "content" else Retry(f"{what}.")
        )


async def _converse(found: Server, config: Config, outgoing: Outgoing, phases: list[str]) -> Outcome:
    """`phases` tells how far it came, whoever interrupts it."""
    message = _message(config, outgoing)
    sender = _address(str(outgoing.fields.get("from") or config["from"])) or ""
    client = _client(found)
    try:
        await client.connect()
        phases.append("login")
        if found.username:
            await client.login(found.username, found.password)
        phases.append("sender")
        await client.mail(sender)
        phases.append("recipient")
        await client.rcpt(outgoing.recipient)
        phases.append("content")
        answer = await client.data(message.as_bytes(policy=SMTP_POLICY))
    except aiosmtplib.SMTPResponseException as error:
        return _refused(found, phases[-1], error.code, error.message)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        what = f"{found.host}: {str(error) or type(error).__name__}"
        return Unknown(f"{what}, after the e-mail had been handed over.") if phases[-1] == "content" else Retry(what)
    finally:
        await _leave(client)
    return Submitted(str(message["Message-ID"]), "sent", {"from": sender, "answer": answer.message[:200]})


def _client(found: Server) -> SMTP:
    return SMTP(
        hostname=found.host,
        port=found.port,
        use_tls=found.tls == "implicit",
        start_tls={"offered": None, "required": True, "implicit": False}[found.tls],
        timeout=DEADLINE / 2,
    )


async def _leave(client: SMTP) -> None:
    """Say goodbye, but do not wait for it."""
    try:
        if client.is_connected:
            async with asyncio.timeout(1):
                await client.quit()
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        pass
    finally:
        client.close()


_BLAME = {"login": Blame.ACCOUNT, "sender": Blame.SENDER, "recipient": Blame.RECIPIENT, "content": Blame.MESSAGE}


def _refused(found: Server, phase: str, code: int, said: str) -> Outcome:
    reason = f"{found.host} said {code} {said[:300]}"
    if 500 <= code < 600 and phase != "connect":
        return Rejected(reason, _BLAME[phase], str(code))
    return Retry(reason)


def _message(config: Config, outgoing: Outgoing) -> EmailMessage:
    fields = outgoing.fields
    message = EmailMessage()
    sender = str(fields.get("from") or config["from"])
    message["From"] = sender
    message["To"] = outgoing.recipient
    message["Subject"] = str(fields["subject"])
    message["Date"] = format_datetime(datetime.fromtimestamp(clock.now() / clock.SECOND, UTC))
    # The same for every attempt, so that a mail server or reader that sees two can tell that they are one.
    message["Message-ID"] = f"<{outgoing.id}@{parseaddr(sender)[1].rpartition('@')[2] or 'oncue'}>"
    reply_to = fields.get("reply_to") or config.get("reply_to")
    if reply_to:
        message["Reply-To"] = str(reply_to)
    if fields.get("text"):
        message.set_content(str(fields["text"]))
        if fields.get("html"):
            message.add_alternative(str(fields["html"]), subtype="html")
    else:
        message.set_content(str(fields["html"]), subtype="html")
    return message


async def check(http: Http, config: Config) -> Checked:
    """Connect and sign in, without sending anything."""
    found = server(config["smtp_url"])
    if isinstance(found, str):
        return Checked(ok=False, sentence=found)
    client = _client(found)
    try:
        async with asyncio.timeout(DEADLINE / 2):
            await client.connect()
            if found.username:
                await client.login(found.username, found.password)
            await client.noop()
    except aiosmtplib.SMTPAuthenticationError as error:
        return Checked(
            ok=False, sentence=f"{found.host} refuses the user name or password ({error.code} {error.message[:200]})."
        )
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        return Checked(
            ok=False, sentence=f"{found.host}:{found.port} cannot be reached: {str(error) or type(error).__name__}."
        )
    finally:
        await _leave(client)
    return Checked(ok=True, sentence=f"{found.host} takes e-mails.")
