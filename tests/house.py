"""What the flow and acceptance tests share: the sample rules of a booking site, and a mailbox."""

from __future__ import annotations

import base64
import gc
import socket
import urllib.request
import warnings
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import msgspec
from aiosmtpd.controller import Controller

from oncue.simulator.spawn import Simulator

ANN = "+15005551001"
RULES = """
api_keys:
  - {name: shop, key: "${env:SHOP_KEY}"}
adaptors:
  twilio:
    account_sid: "${env:TWILIO_ACCOUNT_SID}"
    auth_token: "${env:TWILIO_AUTH_TOKEN}"
    api_base_url: "${env:TWILIO_URL}"
    default_sender: "+15005550006"
    messages_per_second: 0
  email: {smtp_url: "${env:SMTP_URL}", from: "Shop <shop@example.com>"}
policy: {quiet_categories: []} # tests run at any hour
rules:
  - key: booking-confirmation
    name: Booking confirmation
    state: "on"
    category: transactional
    triggers: [booking_confirmed]
    actions:
      - action: twilio.send_message
        body: "Hi {{ user.first_name | default: 'there' }}, booking {{ event.booking_id }} is confirmed."
        to: "{{ user.phone_number }}"
  - key: booking-email
    name: E-mail when the text cannot be delivered
    state: "on"
    category: transactional
    triggers: [twilio.undelivered, twilio.failed]
    conditions: ['event.rule == "booking-confirmation"']
    actions:
      - action: email.send
        to: "{{ user.email }}"
        subject: "Booking {{ event.trigger.booking_id }}"
        text: "Your booking {{ event.trigger.booking_id }} is confirmed."
"""


def listed(carrier: Simulator) -> list[dict[str, Any]]:
    """What the carrier's own list shows, as its API answers it: messages both ways."""
    request = urllib.request.Request(
        f"{carrier.url}/2010-04-01/Accounts/{carrier.account_sid}/Messages.json?PageSize=1000"
    )
    token = base64.b64encode(f"{carrier.account_sid}:{carrier.auth_token}".encode()).decode()
    request.add_header("Authorization", f"Basic {token}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: list[dict[str, Any]] = msgspec.json.decode(answer.read())["messages"]
        return found


class Mailbox:
    """A real SMTP server on loopback that keeps what it is given."""

    def __init__(self, **options: Any) -> None:
        self.messages: list[EmailMessage] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=port, ready_timeout=10, **options)
        self.url = f"smtp://127.0.0.1:{port}"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        # It drops connections that clients keep open, for which the collector would blame whatever test runs then.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            self._controller.stop()
            gc.collect()


def ann(**more: Any) -> dict[str, Any]:
    """Ann's properties."""
    return {"first_name": "Ann", "phone_number": ANN, "email": "ann@example.com", **more}
