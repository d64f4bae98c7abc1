"""The simulator: a phone answers from the page, and what is dialled goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from browsing import ANN, RULES, Site, faultless, shoot, sign_in
from oncue.simulator.spawn import Simulator
from oncue.testing import wait_for

BOB = "+15005551002"


@pytest.fixture(scope="module")
def _configured(site: Site, carrier: Simulator) -> Site:
    site.apply(
        RULES
        + f"""
policy: {{quiet_categories: []}}
adaptors:
  twilio:
    account_sid: "{carrier.account_sid}"
    auth_token: "{carrier.auth_token}"
    api_base_url: "{carrier.url}"
    default_sender: "+15005550006"
    messages_per_second: 0
rules:
  - key: booking
    name: Booking
    state: "on"
    category: transactional
    triggers: [booking]
    actions: [{{action: twilio.send_message, body: "Your booking {{{{ event.id }}}} is confirmed.", to: "{{{{ user.phone_number }}}}"}}]
""",
        "--no-check",
    )
    done = site.run("check", "--set-inbound", "twilio")
    assert done.returncode == 0, done.stderr
    site.post(
        {"type": "user", "user": "ann", "properties": {"phone_number": ANN}},
        {"type": "user", "user": "bob", "properties": {"phone_number": BOB}},
    )
    return site


@pytest.fixture
def simulated(_configured: Site, carrier: Simulator) -> Iterator[Site]:
    yield _configured
    carrier.clear_faults()


def phone(page: Page, whose: str):
    return page.get_by_role("region", name=whose)


def test_without_a_simulator_the_page_says_how_to_get_one(owner: Page):
    """Before anything is configured: this test is the file's first, and so the site's."""
    owner.goto("/simulator")
    expect(owner.get_by_role("heading", name="There is no simulator here")).to_be_visible()
    expect(owner.locator("main")).to_contain_text("oncue demo")
    faultless(owner)
    shoot(owner, "simulator-none")


def test_people_with_numbers_have_phones_from_the_start(owner: Page, simulated: Site):
    owner.goto("/simulator")
    expect(phone(owner, "ann")).to_contain_text("No texts yet.")
    expect(phone(owner, "bob")).to_be_visible()
    faultless(owner)
    shoot(owner, "simulator-empty")


def test_a_text_arrives_and_stop_from_the_page_is_an_opt_out(owner: Page, simulated: Site):
    owner.goto("/simulator")
    simulated.event("ann", "booking", {"id": "B-1"})
    expect(phone(owner, "ann")).to_contain_text("Your booking B-1 is confirmed.")
    reply = owner.get_by_role("textbox", name=f"Reply from {ANN}")
    reply.fill("Thanks!")
    reply.press("Enter")
    expect(phone(owner, "ann").locator(".bubble.mine")).to_contain_text("Thanks!")
    expect(reply).to_have_value("")
    assert [one["body"] for one in simulated.wait_for_event("twilio.received")] == ["Thanks!"]
    owner.get_by_role("button", name=f"Reply STOP from {ANN}").click()
    expect(phone(owner, "ann")).to_contain_text("You have successfully been unsubscribed.")
    wait_for(lambda: simulated.query("SELECT 1 FROM store_optout WHERE address = ? AND lifted_at IS NULL", ANN), 10)
    faultless(owner)
    shoot(owner, "simulator-bubbles")
    owner.get_by_role("button", name=f"Reply START from {ANN}").click()
    wait_for(lambda: not simulated.query("SELECT 1 FROM store_optout WHERE address = ? AND lifted_at IS NULL", ANN), 10)


def test_what_one_types_is_left_alone_when_a_text_arrives(owner: Page, simulated: Site):
    owner.goto("/simulator")
    reply = owner.get_by_role("textbox", name=f"Reply from {BOB}")
    reply.fill("I am wri")
    simulated.event("bob", "booking", {"id": "B-2"})
    expect(phone(owner, "bob")).to_contain_text("Your booking B-2 is confirmed.")
    expect(reply).to_have_value("I am wri")
    expect(reply).to_be_focused()


def test_a_phone_is_added_by_its_number(owner: Page, simulated: Site):
    owner.goto("/simulator")
    owner.get_by_label("Number", exact=True).fill("12")
    owner.get_by_role("button", name="Add").click()
    expect(owner.locator("#add-fault")).to_contain_text("is no phone number")
    faultless(owner)
    owner.get_by_label("Number", exact=True).fill("+1 500 555 1003")
    owner.get_by_role("button", name="Add").click()
    expect(phone(owner, "+15005551003")).to_be_visible()


def test_a_phone_nobody_added_appears_by_itself(owner: Page, simulated: Site):
    owner.goto("/simulator")
    simulated.post({"type": "user", "user": "cleo", "properties": {"phone_number": "+15005551004"}})
    simulated.event("cleo", "booking", {"id": "B-3"})
    expect(phone(owner, "cleo")).to_contain_text("Your booking B-3 is confirmed.")
    owner.get_by_role("button", name="Reply HELP from +15005551004").click()
    expect(phone(owner, "cleo")).to_contain_text("Reply STOP to unsubscribe.")


def test_a_dialled_fault_has_its_effect_until_it_is_cleared(owner: Page, simulated: Site):
    owner.goto("/simulator")
    owner.get_by_label("Fault").select_option(label="Undelivered")
    owner.get_by_label("Error code").fill("30005")
    owner.get_by_label("For the number").fill(BOB)
    owner.get_by_role("button", name="Let it go wrong").click()
    wrong = owner.get_by_role("region", name="What goes wrong")
    expect(wrong).to_contain_text("Undelivered with error 30005")
    expect(wrong).to_contain_text(f"for {BOB}")
    faultless(owner)
    shoot(owner, "simulator-faults")
    simulated.event("bob", "booking", {"id": "B-4"})
    (found,) = simulated.wait_for_messages(1, "user_id = 'bob' AND carrier_status = 'undelivered'")
    assert found["error_code"] == "30005"
    owner.get_by_role("button", name="Clear all").click()
    expect(wrong).to_contain_text("Nothing: every text is delivered")
    simulated.event("bob", "booking", {"id": "B-5"})
    expect(phone(owner, "bob")).to_contain_text("Your booking B-5 is confirmed.")


def test_the_dial_asks_only_for_what_a_fault_takes_and_refuses_nonsense(owner: Page, simulated: Site):
    owner.goto("/simulator")
    owner.get_by_role("button", name="Let it go wrong").click()
    expect(owner.get_by_role("alert")).to_have_text("Choose what goes wrong.")
    owner.get_by_label("Fault").select_option(label="Callbacks come late")
    expect(owner.get_by_label("Seconds")).to_be_visible()
    expect(owner.get_by_label("Error code")).to_be_hidden()
    owner.get_by_label("Seconds").fill("soon")
    owner.get_by_role("button", name="Let it go wrong").click()
    expect(owner.get_by_role("alert")).to_have_text("Seconds are a whole number.")
    faultless(owner)


def test_the_pace_is_changed(owner: Page, simulated: Site, carrier: Simulator):
    owner.goto("/simulator")
    expect(owner.get_by_label("Between two statuses of a text")).to_have_value("0.2")
    owner.get_by_label("Between two statuses of a text").select_option(label="At once")
    expect(owner.locator("#said")).to_have_text("At once.")
    expect(owner.get_by_label("Between two statuses of a text")).to_have_value("0")
    carrier.dial(pace=0.2)


def test_a_viewer_looks_and_does_nothing(page: Page, simulated: Site):
    sign_in(page, "viewer@example.com")
    page.goto("/simulator")
    expect(phone(page, "ann")).to_be_visible()
    expect(page.get_by_role("button", name="Let it go wrong")).to_have_count(0)
    expect(page.get_by_role("button", name=f"Reply STOP from {ANN}")).to_have_count(0)
    expect(page.get_by_label("Between two statuses of a text")).to_be_disabled()
    faultless(page)
    shoot(page, "simulator-viewer")
