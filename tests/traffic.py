"""What the browser tests of Overview, Messages and Replies share: a booking site with a connection to the simulated carrier."""

from __future__ import annotations

import asyncio
import threading

from playwright.sync_api import expect

from forked import Oncue
from house import ANN, RULES
from oncue.adaptors.twilio import adaptor as twilio
from oncue.simulator.spawn import Simulator
from oncue.workers.checks import set_inbound

expect.set_options(timeout=20_000)  # a text goes round by way of three processes

BOB = "+15005551002"
ZED = "+15005551099"
"""A number that no user has."""

SITE_RULES = RULES.replace(
    "    category: transactional\n    triggers: [booking_confirmed]\n",
    "    category: transactional\n    triggers: [booking_confirmed]\n    conditions: [event.guests <= 4]\n",
)
"""With a condition, so that there is a trace to see."""


def connect(site: Oncue, carrier: Simulator, rules: str = SITE_RULES) -> None:
    """Apply the rules, with the accounts of this carrier, and have replies come to us."""
    site.environ |= {
        "TWILIO_ACCOUNT_SID": carrier.account_sid,
        "TWILIO_AUTH_TOKEN": carrier.auth_token,
        "TWILIO_URL": carrier.url,
        "SMTP_URL": "smtp://127.0.0.1:9",
    }
    site.apply(rules, "--no-check")
    config = {"account_sid": carrier.account_sid, "auth_token": carrier.auth_token, "api_base_url": carrier.url}
    found = []
    # In a thread of its own: this one has Playwright's event loop.
    pointing = threading.Thread(
        target=lambda: found.append(asyncio.run(set_inbound(twilio, config, f"{site.url}/hooks/twilio/message")))
    )
    pointing.start()
    pointing.join()
    assert found[0].ok, found


def book(site: Oncue, user: str, name: str, number: str, booking: str = "B1", guests: int = 2) -> str:
    """The event that confirms a booking; its id."""
    person = {"first_name": name, "phone_number": number}
    return site.event(user, "booking_confirmed", {"booking_id": booking, "guests": guests}, user_properties=person)


__all__ = ["ANN", "BOB", "SITE_RULES", "ZED", "book", "connect"]
