"""What the browser tests of Overview, Messages and Replies share: a booking site with a connection to the simulated carrier."""

from __future__ import annotations

from house import ANN, RULES

from oncue.simulator.spawn import Simulator
from oncue.testing import Oncue

BOB = "+15005551002"
ZED = "+15005551099"
"""A number that no user has."""

SITE_RULES = RULES.replace(
    "    category: transactional\n    triggers: [booking_confirmed]\n",
    "    category: transactional\n    triggers: [booking_confirmed]\n    conditions: [event.guests <= 4]\n",
)
"""With a condition, so that there is a trace to see."""


def connect(site: Oncue, carrier: Simulator, rules: str = SITE_RULES) -> None:
    """Apply the rules, with the accounts of this carrier."""
    site.environ |= {
        "TWILIO_ACCOUNT_SID": carrier.account_sid,
        "TWILIO_AUTH_TOKEN": carrier.auth_token,
        "TWILIO_URL": carrier.url,
        "SMTP_URL": "smtp://127.0.0.1:9",
    }
    site.apply(rules, "--no-check")


def book(site: Oncue, user: str, name: str, number: str, booking: str = "B1", guests: int = 2) -> str:
    """The event that confirms a booking; its id."""
    person = {"first_name": name, "phone_number": number}
    return site.event(user, "booking_confirmed", {"booking_id": booking, "guests": guests}, user_properties=person)


__all__ = ["ANN", "BOB", "SITE_RULES", "ZED", "book", "connect"]
