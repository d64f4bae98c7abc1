"""A booking site in the browser tests: an adaptor that texts through the simulated carrier, and a rule to confirm bookings."""

from __future__ import annotations

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
