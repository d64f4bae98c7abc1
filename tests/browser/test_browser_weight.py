"""Every page is light on first load: under 60 KB over the wire, in at most 12 requests, whatever it shows."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from browsing import opened, sign_in

MOST_BYTES = 60_000
MOST_REQUESTS = 12


@pytest.fixture(scope="module")
def busy(site, carrier):
    """With as much on each page as one page shows."""
    items = [
        {
            "type": "event",
            "user": f"u{n}",
            "name": "booking_confirmed",
            "properties": {"booking_id": f"B-{n}", "amount": n, "city": "Dublin"},
            "user_properties": {"first_name": "Ann", "phone_number": f"+1500555{1000 + n}"},
        }
        for n in range(120)
    ]
    site.apply(RULES % {"url": carrier.url, "sid": carrier.account_sid, "token": carrier.auth_token})
    site.post(*items)
    site.wait_for_messages(120, "carrier_status = 'delivered'", within=60)
    return site


RULES = """
adaptors:
  twilio: {account_sid: %(sid)s, auth_token: %(token)s, api_base_url: "%(url)s", default_sender: "+15005550006", messages_per_second: 0}
rules:
  - key: booking
    name: Booking confirmation
    state: "on"
    category: transactional
    triggers: [booking_confirmed]
    conditions: [event.amount >= 0]
    actions:
      - {action: twilio.send_message, to: "{{ user.phone_number }}", body: "Hi {{ user.first_name }}, booking {{ event.booking_id }} is confirmed."}
"""


def pages(site) -> list[str]:
    [(message, event)] = site.query("SELECT id, event FROM store_message ORDER BY seq DESC LIMIT 1")
    return [
        "/", "/rules", "/rules/booking", "/rules/new", "/messages", f"/messages/{message}", "/replies", "/events", f"/events/{event}",
        "/events?name=booking_confirmed", "/users", "/users/u7", "/opt-outs", "/adaptors", "/adaptors/twilio", "/settings", "/simulator",
        "/api/v1/docs",
    ]  # fmt: skip


def test_every_page_is_light(browser: Browser, busy):
    heavy = []
    context = opened(browser, busy)
    page = context.new_page()
    sign_in(page)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    weights: dict[str, float] = {}
    session.on("Network.requestWillBeSent", lambda event: weights.setdefault(event["requestId"], 0))
    session.on("Network.loadingFinished", lambda event: weights.update({event["requestId"]: event["encodedDataLength"]}))  # fmt: skip
    for path in pages(busy):
        page.goto("about:blank")
        weights.clear()
        answer = page.goto(path, wait_until="load")
        assert answer is not None and answer.status == 200, path
        page.wait_for_timeout(300)  # what the page itself asks for once it stands
        assert len(weights) > 2, path
        if sum(weights.values()) > MOST_BYTES or len(weights) > MOST_REQUESTS:
            heavy.append((path, sum(weights.values()), len(weights)))
    context.close()
    assert not heavy
