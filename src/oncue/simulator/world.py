"""What the carrier knows: messages, numbers, services, blocks, phones. In memory, for the length of a run."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict, deque
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import msgspec

from oncue.core import clock
from oncue.simulator import defaults
from oncue.simulator.faults import Faults


def sid(prefix: str) -> str:
    """A fresh SID."""
    return prefix + secrets.token_hex(16)


class Message(msgspec.Struct, kw_only=True):
    """A message, outgoing or incoming. `index` is its place in the order of creation."""

    index: int
    sid: str
    account: str
    to: str
    sender: str
    service: str = ""
    body: str
    media: list[str] = []
    status: str
    direction: str = "outbound-api"
    segments: int = 1
    error_code: int = 0
    callback: str = ""
    created_at: int
    updated_at: int
    sent_at: int = 0
    parameters: dict[str, Any] = {}
    history: list[tuple[str, int]] = []


class Number(msgspec.Struct, kw_only=True):
    """A number of the account, and where its incoming messages go."""

    sid: str
    number: str
    sms_url: str = ""
    sms_method: str = "POST"


class Service(msgspec.Struct, kw_only=True):
    """A messaging service: a pool of numbers. `advanced` is Advanced Opt-Out."""

    sid: str
    name: str
    pool: list[str]
    inbound_request_url: str = ""
    inbound_method: str = "POST"
    use_inbound_webhook_on_number: bool = False
    status_callback: str = ""
    advanced: bool = False


class World:
    """Everything, and the dial: `pace` is seconds between a message's statuses."""

    def __init__(self, pace: float = 0.0) -> None:
        self._pace = pace
        self.watchers: set[asyncio.Queue[dict[str, Any]]] = set()
        self.under_way = 0
        self.reset()

    def reset(self) -> None:
        """As at the start."""
        self.pace = self._pace
        self.messages: dict[str, Message] = {}
        self.order: list[Message] = []
        self.by_to: defaultdict[str, list[Message]] = defaultdict(list)
        self.numbers = {number: Number(sid=sid("PN"), number=number) for number in defaults.NUMBERS}
        self.services = {
            defaults.SERVICE_SID: Service(sid=defaults.SERVICE_SID, name="Simulated service", pool=list(defaults.POOL))
        }
        self.blocks: set[tuple[str, str]] = set()
        """(sender number or service, recipient) that the carrier refuses since a STOP."""
        self.phones: defaultdict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=1_000))
        self.faults = Faults()
        self.requests = 0
        self.callbacks = 0

    def add(self, message: Message) -> Message:
        """Keep a message, newest last."""
        self.messages[message.sid] = message
        self.order.append(message)
        self.by_to[message.to].append(message)
        message.history = [(message.status, message.created_at)]
        return message

    def move(self, message: Message, status: str, error_code: int = 0) -> None:
        """A message's status changes."""
        message.status = status
        message.updated_at = clock.now()
        message.error_code = error_code or message.error_code
        message.history.append((status, message.updated_at))
        if status == "sent":
            message.sent_at = message.updated_at
        self.tell({"kind": "status", "sid": message.sid, "to": message.to, "status": status, "error_code": error_code})

    def ring(self, phone: str, text: dict[str, Any]) -> None:
        """A text stands on a phone, as received (`in`) or sent (`out`)."""
        entry = {"at": clock.now(), **text}
        self.phones[phone].append(entry)
        self.tell({"kind": "text", "phone": phone, **entry})

    def tell(self, event: dict[str, Any]) -> None:
        """Whoever watches hears of it."""
        for watcher in self.watchers:
            with suppress(asyncio.QueueFull):  # one that does not read misses some
                watcher.put_nowait(event)

    def service_of(self, number: str) -> Service | None:
        """The messaging service that a number is in."""
        return next((service for service in self.services.values() if number in service.pool), None)

    def pick(self, service: Service, to: str) -> str:
        """The pool's sender for a recipient: the same one each time (sticky sender)."""
        return service.pool[hash(to) % len(service.pool)]


def rfc2822(at: int) -> str | None:
    """A time as Twilio writes it; None for none."""
    return format_datetime(datetime.fromtimestamp(at / clock.SECOND, UTC)) if at else None
