"""What the browser tests of rules share: a shop with a rule, an adaptor that texts through the simulated carrier, and people who booked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from browsing import ANN, Site
from oncue.simulator.spawn import Simulator

SETUP = """
api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]
adaptors:
  twilio:
    account_sid: "%s"
    auth_token: "%s"
    api_base_url: "%s"
    default_sender: "+15005550006"
    messages_per_second: 0
rules:
  - key: welcome
    name: Welcome
    state: "off"
    category: transactional
    triggers: [signed_up, user_joined]
    conditions:
      - user.country in ["IE", "GB"]
      - any: [event.plan == "gold", event.amount >= 100]
      - not: {any: [user.blocked exists, event.silent == true]}
    actions:
      - action: twilio.send_message
        body: "Welcome, {{ user.first_name }}"
        to: "{{ user.phone_number }}"
"""


@pytest.fixture(scope="module")
def shop(site: Site, carrier: Simulator) -> Iterator[Site]:
    """Twilio is configured, and Ann has booked."""
    site.apply(SETUP % (carrier.account_sid, carrier.auth_token, carrier.url))
    ann = {"first_name": "Ann", "phone_number": ANN, "country": "IE", "email": "ann@example.com"}
    site.post({"type": "user", "user": "ann", "properties": ann})
    site.post({"type": "user", "user": "bob", "properties": {"phone_number": "+15005551002", "country": "US"}})
    site.event("ann", "booking_confirmed", {"booking_id": "B-17", "amount": 12.5, "city": "Cork"})
    site.event("ann", "booking_confirmed", {"booking_id": "B-18", "amount": 8})
    site.event("bob", "booking_confirmed", {"booking_id": "B-19", "amount": 40})
    yield site
