"""A booking site in the browser tests: an adaptor that texts through the simulated carrier, and a rule to confirm bookings."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from browsing import Site, faultless, opened, shoot, sign_in, watched
from forked import Oncue
from oncue.simulator.spawn import Simulator

SENDER = "+15005550006"
RULES = """
api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]
adaptors:
  twilio:
    account_sid: "${env:TWILIO_ACCOUNT_SID}"
    auth_token: "${env:TWILIO_AUTH_TOKEN}"
    api_base_url: "${env:TWILIO_URL}"
    default_sender: "+15005550006"
    messages_per_second: 0
policy: {quiet_categories: []} # tests run at any hour
rules:
  - key: booking-confirmation
    name: Booking confirmation
    state: "on"
    category: transactional
    triggers: [booking_confirmed]
    conditions: [event.amount >= 10, 'user.country == "US"']
    actions:
      - action: twilio.send_message
        body: "Hi {{ user.first_name | default: 'there' }}, booking {{ event.booking_id }} is confirmed."
        to: "{{ user.phone_number }}"
"""


def open_for_bookings(site: Oncue, carrier: Simulator) -> None:
    """From now on bookings are confirmed by text, and replies come back."""
    site.environ |= {
        "TWILIO_ACCOUNT_SID": carrier.account_sid,
        "TWILIO_AUTH_TOKEN": carrier.auth_token,
        "TWILIO_URL": carrier.url,
    }
    site.apply(RULES)
    done = site.run("check", "--set-inbound", "twilio")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def seen_empty(request: pytest.FixtureRequest, site: Site, browser: Browser) -> None:
    """Before anything is there, the pages `EMPTY` of a file of tests (address, heading, what is offered) say how they fill."""
    context = opened(browser, site)
    page, complaints = watched(context)
    sign_in(page)
    for where, heading, offered in request.module.EMPTY:
        page.goto(where)
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        expect(page.locator("#main .empty").get_by_role("link", name=offered).first).to_be_visible()
        faultless(page)
        shoot(page, f"{where.strip('/').replace('/', '-')}-empty")
    context.close()
    assert not complaints
