"""The heralds: carry alerts to members by e-mail and webhook, through the adaptors' own actions but beside users' messages: no rule made
them, no cap or quiet hour holds them back, and they appear in no log of messages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from oncue.core import clock, ids
from oncue.core.adaptor import Config, Impossible, Outgoing
from oncue.core.outcome import Outcome, Submitted, Unknown
from oncue.store.config import Snapshot
from oncue.store.rows import Row
from oncue.workers.http import Client
from oncue.workers.sender import LONGEST_FOR, redactor

log = logging.getLogger("oncue.alerts")

EMAIL, WEBHOOK = "email", "webhook"


class Herald(msgspec.Struct, frozen=True):
    """A way to somebody: by which adaptor, and their address."""

    adaptor: str
    address: str

    @property
    def shown(self) -> str:
        """The address for people and logs: of a web address the host alone, since the rest is often a secret."""
        return self.address if self.adaptor == EMAIL else urlsplit(self.address).netloc


def ways(snapshot: Snapshot, emails: Sequence[str], webhook_url: str) -> list[Herald]:
    """The ways there are: by e-mail only while that adaptor is active; a webhook needs no configuration."""
    by_mail = [Herald(EMAIL, one) for one in emails] if snapshot.active(EMAIL) else []
    return [*by_mail, *([Herald(WEBHOOK, webhook_url)] if webhook_url else [])]


async def tell(client: Client, snapshot: Snapshot, way: Herald, alerts: Sequence[Row], page: str) -> str:
    """Tell one of these alerts; empty if that went well, else the sentence that says why not. `page` is where they are shown, if known."""
    adaptor = snapshot.catalogue[way.adaptor]
    action = adaptor.action("send" if way.adaptor == EMAIL else "request")
    config = _config(snapshot, way.adaptor)
    assert action is not None and action.send is not None
    fields = _mail(way.address, alerts, page) if way.adaptor == EMAIL else _call(way.address, alerts, page)
    try:
        prepared = action.prepare(config, fields, {})
        if isinstance(prepared, Impossible):
            return prepared.sentence
        outgoing = Outgoing(
            id=_id(way, alerts), attempt=1, fields=prepared.fields, recipient=prepared.recipient, send_by=clock.now() + clock.MINUTE
        )  # fmt: skip
        async with asyncio.timeout(LONGEST_FOR):
            outcome: Outcome = await action.send(client.recording(redactor(adaptor, config)), config, outgoing)
    except TimeoutError:
        return "It took too long."
    except Exception as bug:  # contained: the others are told all the same
        log.exception("telling %s of alerts failed because of a fault in oncue", way.shown)
        return f"A fault in oncue interrupted it: {type(bug).__name__}."
    # What may have arrived is not told again.
    return "" if isinstance(outcome, Submitted | Unknown) else outcome.reason


def _config(snapshot: Snapshot, adaptor: str) -> Config:
    configured = snapshot.active(adaptor)
    found = configured.config if configured else {}
    # An owner gave this address, not a rule: it may be one of the company's own network.
    return {**found, "allow_private_addresses": True} if adaptor == WEBHOOK else found


def _id(way: Herald, alerts: Sequence[Row]) -> str:
    """The same for the same news, so that the other side can tell a repeat."""
    return ids.derived(f"{alerts[0]['opened_at']:012x}", way.address, *(str(row["seq"]) for row in alerts))


def _mail(address: str, alerts: Sequence[Row], page: str) -> dict[str, Any]:
    first = alerts[0]["sentence"]
    subject = f"oncue: {first}" if len(alerts) == 1 else f"oncue: {len(alerts)} alerts"
    lines = [row["sentence"] for row in alerts]
    lines.append(
        f"Open alerts and who is told of them: {page}"
        if page
        else "Settings, Alerts, shows what is open and who is told of it."
    )
    return {"to": address, "subject": " ".join(subject.split())[:200], "text": "\n\n".join(lines) + "\n"}


def _call(address: str, alerts: Sequence[Row], page: str) -> dict[str, Any]:
    """`text` is what chat systems show of such a call."""
    said = [
        {"id": row["seq"], "kind": row["kind"], "about": row["key"], "sentence": row["sentence"], "opened_at": clock.iso(row["opened_at"])}
        for row in alerts
    ]  # fmt: skip
    text = "\n".join(row["sentence"] for row in alerts)
    return {
        "method": "POST",
        "url": address,
        "json": {"type": "oncue.alerts", "text": text, "alerts": said, "page": page},
    }
