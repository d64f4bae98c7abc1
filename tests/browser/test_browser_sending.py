"""The settings that say when people are left alone, what is kept and who is told; and the trail of what was changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from playwright.sync_api import Page, expect

from browsing import ANN, Site, faultless, go_on, row, said, shoot
from oncue.simulator.spawn import Simulator
from oncue.testing import wait_for

REFUSED = """
api_keys: [{{name: shop, key: "${{env:SHOP_KEY}}"}}]
policy: {{quiet_categories: []}} # tests run at any hour
adaptors:
  twilio: {{account_sid: {sid}, auth_token: "{token}", api_base_url: "{url}", default_sender: "+15005550006"}}
rules:
  - key: confirm
    name: Confirmation
    state: "on"
    category: transactional
    triggers: [booked]
    actions: [{{action: twilio.send_message, body: Booked, to: "{{{{ user.phone_number }}}}"}}]
"""
"""The token is not the account's."""


def test_quiet_hours_and_the_cap_are_changed_said_in_words_and_written_down(owner: Page):
    owner.goto("/settings/sending")
    owner.get_by_label("From").fill("22:30")
    owner.get_by_label("Most messages").fill("3")
    owner.get_by_label("For people whose own is not known").fill("Mars")
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_role("alert")).to_contain_text("There is no time zone 'Mars'")
    expect(owner.get_by_label("Most messages")).to_have_value("3")
    faultless(owner)
    owner.get_by_label("For people whose own is not known").fill("europe/dublin")
    owner.get_by_role("button", name="Save").click()
    said(owner, "Saved")
    expect(owner.get_by_text("Promotional texts wait from 22:30 to 08:00")).to_be_visible()
    expect(owner.get_by_text("more than 3 promotional messages in 7 days")).to_be_visible()
    shoot(owner, "sending")
    faultless(owner)
    owner.goto("/settings/audit?kind=setting")
    entry = row(owner, "policy")
    expect(entry).to_contain_text("quiet_from")
    expect(entry.get_by_role("deletion").first).to_contain_text("21:00")
    expect(entry.get_by_role("insertion").first).to_contain_text("22:30")


def test_retention_refuses_what_is_too_short_and_asks_before_it_deletes(owner: Page):
    owner.goto("/settings/retention")
    owner.get_by_label("Events").fill("7")
    owner.get_by_role("button", name="Save").click()
    go_on(owner, "Save")
    expect(owner.get_by_role("alert")).to_contain_text("from 40 to 3650")
    expect(owner.get_by_label("Events")).to_have_value("7")
    owner.get_by_label("Messages").fill("60")
    owner.get_by_label("Events").fill("90")
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_role("dialog")).to_contain_text("deleted for good")
    owner.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    owner.get_by_label("Content").fill("61")
    owner.get_by_role("button", name="Save").click()
    go_on(owner, "Save")
    expect(owner.get_by_role("alert")).to_contain_text("redact no later than that")
    owner.get_by_label("Content").fill("1")
    owner.get_by_role("button", name="Save").click()
    go_on(owner, "Save")
    said(owner, "Saved.")
    expect(owner.get_by_label("Content")).to_have_value("1")
    expect(owner.get_by_text("Nothing is still to be forgotten there.")).to_be_visible()
    shoot(owner, "retention")
    faultless(owner)


def test_the_audit_trail_is_filtered_by_member_and_paged(owner: Page):
    owner.goto("/settings/audit")
    shoot(owner, "audit")
    faultless(owner)
    owner.get_by_label("Who").fill("owner@example.com")
    owner.get_by_role("button", name="Filter").click()
    expect(owner.get_by_role("cell", name="command line")).to_have_count(0)
    owner.goto("/settings/audit?by=nobody")
    expect(owner.get_by_text("Nothing like that")).to_be_visible()
    faultless(owner)


@pytest.fixture
def hook() -> Iterator[list[dict[str, object]]]:
    """A web address on loopback, and what it was called with; `url` is in the first of them."""
    calls: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.append(msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        calls.append({"url": f"http://127.0.0.1:{server.server_port}/alerts"})
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield calls
        server.shutdown()
        thread.join()


def test_who_is_told_is_set_tested_and_shown(owner: Page, hook: list[dict[str, object]]):
    owner.goto("/settings/alerts")
    owner.get_by_label("E-mail addresses").fill("ann")
    owner.get_by_label("Webhook").fill("nowhere")
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_text("'ann' is not an e-mail address.")).to_be_visible()
    expect(owner.get_by_text("Webhook must be a web address")).to_be_visible()
    expect(owner.get_by_label("E-mail addresses")).to_have_value("ann")
    faultless(owner)
    owner.get_by_label("E-mail addresses").fill("")
    owner.get_by_label("Webhook").fill(str(hook[0]["url"]))
    owner.get_by_role("button", name="Save").click()
    said(owner, "Saved.")
    owner.get_by_role("button", name="Send a test alert").click()
    said(owner, "A test alert is on its way")
    expect(row(owner, "owner@example.com wanted to see whether alerts arrive")).to_have_count(1)
    expect(owner.get_by_text("Nothing that is watched is wrong.")).to_be_visible(
        timeout=90_000
    )  # it was told, and is over
    (call,) = hook[1:]
    assert call["type"] == "oncue.alerts" and "This is a test" in str(call["text"])
    owner.reload()
    expect(
        owner.get_by_role("region", name="Over").get_by_role("row").filter(has_text="This is a test")
    ).to_contain_text("yes")
    owner.goto("/settings/audit?kind=alert")
    expect(row(owner, "tested")).to_contain_text("owner@example.com")


def test_an_adaptor_that_is_refused_is_an_alert(site: Site, owner: Page, carrier: Simulator):
    site.apply(REFUSED.format(sid=carrier.account_sid, token="0" * 32, url=carrier.url), "--no-check")
    site.event("ann", "booked", user_properties={"phone_number": ANN})
    owner.goto("/settings/alerts")

    def shown() -> bool:
        owner.reload()
        return row(owner, "Adaptor paused").count() == 1

    wait_for(shown, 90)
    expect(row(owner, "Adaptor paused")).to_contain_text("Twilio refuses the account")
    shoot(owner, "alerts")
    faultless(owner)
    owner.goto("/settings")
    expect(owner.get_by_text("1 open alert")).to_be_visible()
    owner.goto("/")
    expect(owner.get_by_role("alert").first).to_contain_text("Twilio refuses the account")
    faultless(owner)
