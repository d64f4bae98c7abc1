"""Sending one e-mail over SMTP. The phase in which a conversation breaks decides what may be said of it: before the final dot nothing was
taken; after it, without an answer, nobody knows."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Any

import aiosmtplib
import msgspec
from aiosmtplib import SMTP

from oncue.adaptors.email.address import BREAKS, read
from oncue.adaptors.email.fields import Server, server
from oncue.core import clock
from oncue.core.adaptor import Checked, Config, Impossible, Lane, Outgoing, Prepared
from oncue.core.http import Http
from oncue.core.outcome import Blame, Outcome, Rejected, Retry, Submitted, Unknown
from oncue.core.redact import Redactor

DEADLINE = 30.0


class Letter(msgspec.Struct, frozen=True):
    """An e-mail, written. `id` is its Message-ID."""

    id: str
    sender: str
    recipient: str
    content: bytes


def prepare(config: Config, fields: dict[str, Any], user: Mapping[str, Any]) -> Prepared | Impossible:
    """Who gets it and from whom; the addresses checked."""
    found = _mailboxes(config, fields)
    if isinstance(found, Impossible):
        return found
    if BREAKS.search(str(fields.get("subject") or "")):
        return Impossible(
            "subject",
            "A subject is one line without control characters or encoded words (=?…?=); write it as it is to be read.",
        )
    if not fields.get("text") and not fields.get("html"):
        return Impossible("text", "An e-mail needs a text, an HTML body, or both; both came out empty.")
    return Prepared(
        fields=fields,
        recipient=found["to"].addr_spec,
        sender=found["from"].addr_spec,
        lane=Lane("email", float(config.get("messages_per_second") or 0)),
    )


def _mailboxes(config: Config, fields: Mapping[str, Any]) -> dict[str, Address] | Impossible:
    """`to`, `from` and, if there is one, `reply_to`; what a rule leaves out comes from the adaptor."""
    found = {}
    for name in ("to", "from", "reply_to"):
        text = fields.get(name) or ("" if name == "to" else config.get(name))
        if not text and name == "reply_to":
            continue
        mailbox = read(str(text))
        if isinstance(mailbox, str):
            return Impossible(name, mailbox)
        found[name] = mailbox
    return found


async def send(http: Http, config: Config, outgoing: Outgoing) -> Outcome:
    """One conversation with the server. `http` only keeps what was said: e-mail is not HTTP."""
    found = server(config["smtp_url"])
    if isinstance(found, str):
        return Rejected(found, Blame.ACCOUNT)
    mailboxes = _mailboxes(config, outgoing.fields)
    if isinstance(mailboxes, Impossible):  # the configuration has changed since it was prepared
        return Rejected(mailboxes.sentence, Blame.ACCOUNT)
    try:
        message = _message(mailboxes, outgoing)
        content = message.as_bytes()
    except ValueError as error:
        return Rejected(f"This cannot be written as an e-mail: {error}.", Blame.MESSAGE)
    letter = Letter(str(message["Message-ID"]), mailboxes["from"].addr_spec, outgoing.recipient, content)
    began = clock.elapsed()
    outcome = await _converse(found, letter)
    _keep(http, found, content, outcome, clock.elapsed() - began)
    return outcome


def _keep(http: Http, found: Server, content: bytes, outcome: Outcome, took: float) -> None:
    """The exchange, in the words of those over HTTP."""
    record = {"method": "SMTP", "url": f"{found.host}:{found.port}", "took_ms": round(took * 1000, 1)}
    match outcome:
        case Submitted(properties=properties):
            http.keep({**record, "status": 250, "response_body": properties["answer"]}, content)
        case _:
            http.keep({**record, "error": outcome.reason}, content)


async def _converse(found: Server, letter: Letter) -> Outcome:
    """`phases` tells how far it came, whoever interrupts it. What a server says may repeat a password."""
    hide = Redactor([found.password]).text
    phases = ["connect"]
    try:
        async with asyncio.timeout(DEADLINE):
            said = await _hand_over(found, letter, phases)
    except aiosmtplib.SMTPResponseException as error:
        return _refused(found, phases[-1], error.code, hide(_one_line(error.message)))
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        what = f"{found.host}: {hide(explain(error))}"
        return Unknown(f"{what}, after the e-mail had been handed over.") if phases[-1] == "content" else Retry(what)
    return Submitted(letter.id, "sent", {"from": letter.sender, "answer": hide(_one_line(said))})


async def _hand_over(found: Server, letter: Letter, phases: list[str]) -> str:
    client = _client(found)
    try:
        await client.connect()
        phases.append("login")
        if found.username:
            await client.login(found.username, found.password)
        phases.append("sender")
        await client.mail(letter.sender)
        phases.append("recipient")
        await client.rcpt(letter.recipient)
        phases.append("content")
        return (await client.data(letter.content)).message
    finally:
        await _leave(client)


def explain(error: BaseException) -> str:
    """What went wrong, for the person who set it up."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER":
            return "this port does not begin with TLS; write smtp+starttls:// in place of smtps://, or another port"
        cause = cause.__cause__
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return _one_line(str(error)).rstrip(".") or type(error).__name__


def _one_line(said: str) -> str:
    return " ".join(said.encode("utf-8", "replace").decode().replace("\0", "").split())[:300]


def _client(found: Server) -> SMTP:
    return SMTP(
        hostname=found.host,
        port=found.port,
        use_tls=found.tls == "implicit",
        start_tls={"offered": None, "required": True, "implicit": False}[found.tls],
        validate_certs=not is_here(found.host),
        timeout=DEADLINE / 2,
    )


async def _leave(client: SMTP) -> None:
    """Say goodbye, but do not wait for it; nor for the other side to end TLS, which would keep the connection open meanwhile."""
    transport = client.transport
    try:
        if client.is_connected:
            async with asyncio.timeout(1):
                await client.quit()
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        pass
    finally:
        client.close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()


def is_here(host: str) -> bool:
    """Whether the server is on this machine: nobody stands between, and its certificate is one that nobody signed."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


_SIGN_IN = frozenset({530, 534, 535, 538})
"""RFC 4954 6: sign in first, or encrypt first. Said of any command, and never the recipient's fault."""

_BLAME = {"login": Blame.ACCOUNT, "sender": Blame.SENDER, "recipient": Blame.RECIPIENT, "content": Blame.MESSAGE}


def _refused(found: Server, phase: str, code: int, said: str) -> Outcome:
    reason = f"{found.host} said {code} {said}"
    if 500 <= code < 600 and phase != "connect":
        return Rejected(reason, Blame.ACCOUNT if code in _SIGN_IN else _BLAME[phase], str(code))
    if phase == "content" and not 400 <= code < 500:
        return Unknown(f"{reason}, which is no answer to an e-mail; it may have taken it.")
    return Retry(reason)


_POLICY = SMTP_POLICY.clone(cte_type="7bit")  # not every server takes eight bits (RFC 6152), and every one takes this


def _message(mailboxes: dict[str, Address], outgoing: Outgoing) -> EmailMessage:
    """Raises ValueError for what no e-mail can carry."""
    fields = outgoing.fields
    message = EmailMessage(policy=_POLICY)
    message["From"] = mailboxes["from"]
    message["To"] = outgoing.recipient
    message["Subject"] = str(fields["subject"])
    message["Date"] = format_datetime(datetime.fromtimestamp(clock.now() / clock.SECOND, UTC))
    # The same for every attempt, so that a mail server or reader that sees two can tell that they are one.
    message["Message-ID"] = f"<{outgoing.id}@{mailboxes['from'].domain}>"
    if "reply_to" in mailboxes:
        message["Reply-To"] = mailboxes["reply_to"]
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
        said = Redactor([found.password]).text(f"{error.code} {_one_line(error.message)}")
        return Checked(ok=False, sentence=f"{found.host} refuses the user name or password ({said}).")
    except aiosmtplib.SMTPResponseException as error:
        return Checked(ok=False, sentence=f"{found.host} turns us away: {error.code} {_one_line(error.message)}.")
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return Checked(ok=False, sentence=f"{found.host}:{found.port} cannot be used: {explain(error)}.")
    finally:
        await _leave(client)
    return Checked(ok=True, sentence=f"{found.host} takes e-mails.")
