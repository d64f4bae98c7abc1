"""An oncue under a policy of quiet hours and caps, at an hour that the test sets."""

from __future__ import annotations

import pytest

from inside import ANY_HOUR, KEYS, RULE, TWILIO, Inside
from oncue.core import clock

ANN, BOB, SENDER = "+353851234567", "+12125551234", "+15005550006"
OFFER = RULE.replace("confirm", "offer").replace("transactional", "promotional").replace("[booked]", "[offered]")
OFFER = OFFER.replace("    triggers", "    send_within: 12h\n    triggers")
NEWS = OFFER.replace("offer", "news").replace("[newsed]", "[published]")
EMAIL = '  email: {smtp_url: "smtp://127.0.0.1:9", from: "Shop <shop@example.com>"}\n'
OPTED_IN = {"consent_promotional": True}
Q_ANY = "quiet_categories: []"


class Hour:
    """The clock, stopped, and set by the wall of Dublin in winter (which is UTC)."""

    def __init__(self) -> None:
        self.now = clock.parse_iso("2027-01-15 12:00")

    def __call__(self) -> int:
        return self.now

    def set(self, text: str) -> None:
        """`15 21:00:00` in January 2027."""
        self.now = clock.parse_iso(f"2027-01-{text}")


@pytest.fixture
def hour(monkeypatch: pytest.MonkeyPatch) -> Hour:
    stopped, steady = Hour(), clock.elapsed
    began = stopped.now
    monkeypatch.setattr(clock, "now", stopped)
    monkeypatch.setattr(clock, "elapsed", lambda: steady() + (stopped.now - began) / clock.SECOND)
    return stopped


@pytest.fixture
def house(hour: Hour, inside: Inside) -> Inside:
    """With offers on `offered`, under the policy that holds if nobody says a word."""
    return furnish(inside, "{}", OFFER)


def furnish(inside: Inside, policy: str, *rules: str, adaptors: str = TWILIO) -> Inside:
    inside.apply(KEYS.replace(ANY_HOUR, f"policy: {policy}\n") + adaptors + "rules:" + RULE + "".join(rules))
    inside.run(inside.writer.probe(5))
    inside.take(
        {"type": "user", "user": "ann", "properties": {"phone_number": ANN, "email": "ann@example.com", **OPTED_IN}},
        {"type": "user", "user": "bob", "properties": {"phone_number": BOB, **OPTED_IN}},
    )
    return inside


def became(inside: Inside, event: str) -> str:
    """What became of the message of this event: its state, and the reason's first word."""
    ((state, reason),) = inside.rows("SELECT state, reason FROM store_message WHERE event = ?", event)
    return f"{state} {reason.partition(':')[0]}".strip()


def reason(inside: Inside) -> str:
    """Of the last message."""
    ((found,),) = inside.rows("SELECT reason FROM store_message ORDER BY seq DESC LIMIT 1")
    return str(found)


def capped(inside: Inside, *rules: str, cap: int = 2, days: int = 7, more: str = "", adaptors: str = TWILIO) -> Inside:
    policy = f"{{{Q_ANY}, cap_messages: {cap}, cap_days: {days}{more}}}"
    return furnish(inside, policy, *(rules or (OFFER,)), adaptors=adaptors)


def offers(inside: Inside, *users: str, name: str = "offered") -> list[str]:
    """What becomes of an offer to each, all in one request."""
    events = inside.take(*({"type": "event", "user": user, "name": name} for user in users))
    return [became(inside, one) for one in events]
