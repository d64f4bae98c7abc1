"""The screen Messages: the log, live, and one message with all that is known of it."""

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from browsing import faultless, shoot, sign_in
from traffic import ANN, BOB, SITE_RULES, book, connect

pytestmark = pytest.mark.timeout(
    400
)  # the first waits for a site, a carrier, three members and pictures of what is empty


@pytest.fixture(scope="module", autouse=True)
def connected(empty, site, carrier):
    connect(site, carrier)


@pytest.fixture(scope="module")
def empty(browser, site):
    """Before anything was sent."""
    from browsing import opened, watched

    context = opened(browser, site)
    page, complaints = watched(context)
    sign_in(page)
    page.goto("/messages")
    expect(page.get_by_role("heading", name="No messages yet")).to_be_visible()
    faultless(page)
    shoot(page, "messages-empty")
    assert not complaints
    context.close()


def rows(page: Page):
    return page.locator("#list tbody tr")


def test_a_message_appears_by_itself_and_its_status_changes_on_the_open_page(owner, site):
    owner.goto("/messages")
    book(site, "ann", "Ann", ANN, "B1")
    row = rows(owner).filter(has_text="booking B1 is confirmed")
    expect(row).to_contain_text("delivered")
    expect(row).to_contain_text("Twilio")
    expect(row.get_by_role("link", name="booking-confirmation")).to_have_attribute(
        "href", "/rules/booking-confirmation"
    )


def test_while_paused_nothing_moves_and_then_all_of_it_is_there(owner, site):
    owner.goto("/messages")
    expect(rows(owner).first).to_be_visible()
    pause = owner.get_by_role("button", name="Pause")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    before = rows(owner).count()
    book(site, "ann", "Ann", ANN, "B-paused")
    site.wait_for_messages(1, "fields LIKE '%B-paused%' AND carrier_status = 'delivered'")
    # The stream has told of it once its newest state is known; what is paused did not ask.
    expect(rows(owner)).to_have_count(before)
    pause.click()
    expect(rows(owner)).to_have_count(before + 1)


def test_a_failed_one_explains_its_code_and_what_to_do(owner, site, carrier):
    carrier.fault("undelivered", to=BOB, code=30003)
    book(site, "bob", "Bob", BOB, "B2")
    owner.goto("/messages?status=undelivered")
    row = rows(owner).filter(has_text="booking B2 is confirmed")
    row.get_by_text("Error 30003").click()
    expect(row).to_contain_text("The phone is off or out of reach. Try later, or use another channel.")
    faultless(owner)
    shoot(owner, "messages")
    row.get_by_role("link").first.click()
    expect(owner.get_by_role("status").filter(has_text="30003")).to_contain_text(
        "The carrier could not deliver it. Error 30003: The phone is off or out of reach."
    )
    carrier.clear_faults()


def test_filters_live_in_the_address(owner, site):
    owner.goto("/messages")
    owner.get_by_label("Status").select_option("undelivered")
    owner.wait_for_url(re.compile(r"/messages\?(?=.*status=undelivered)"))
    expect(rows(owner).filter(has_text=BOB)).not_to_have_count(0)
    expect(rows(owner).filter(has_text=ANN)).to_have_count(0)
    assert "rule=" not in owner.url  # what is not filtered by stays out of it
    owner.get_by_label("Status").select_option("")
    owner.get_by_label("To", exact=True).fill("+1 500 555 1001")
    owner.get_by_role("button", name="Filter").click()
    expect(rows(owner).filter(has_text=ANN)).not_to_have_count(0)
    expect(rows(owner).filter(has_text=BOB)).to_have_count(0)
    owner.get_by_label("User").fill("nobody")
    owner.get_by_role("button", name="Filter").click()
    expect(owner.get_by_role("heading", name="No message matches")).to_be_visible()
    faultless(owner)


def test_the_detail_tells_why_it_was_sent_and_what_came_of_it(owner, site):
    book(site, "ann", "Ann", ANN, "B-why", guests=3)
    (message,) = site.wait_for_messages(1, "fields LIKE '%B-why%' AND carrier_status = 'delivered'")
    owner.goto(f"/messages/{message['id']}")
    expect(owner.get_by_role("heading", level=1)).to_have_text(f"Send message to {ANN}")
    expect(owner.locator("#told .note")).to_have_text("It was delivered.")
    expect(owner.locator(".bubble")).to_have_text("Hi Ann, booking B-why is confirmed.")
    why = owner.get_by_role("region", name="Why")
    expect(why).to_contain_text("booking_confirmed")
    expect(why).to_contain_text("event.guests <= 4 holds (saw 3)")
    attempts = owner.get_by_role("region", name="Attempts")
    attempts.locator("summary").click()
    expect(attempts).to_contain_text("[redacted]")
    expect(attempts).to_contain_text("Body=Hi+Ann")
    after = owner.get_by_role("region", name="What happened, in order")
    expect(after.get_by_role("listitem").filter(has_text="twilio.delivered")).to_be_visible()
    after.get_by_text("As Twilio said it").last.click()
    expect(after).to_contain_text('"MessageStatus": "delivered"')
    faultless(owner)
    shoot(owner, "messages-one")


def test_the_status_changes_on_the_open_page_and_what_is_open_stays_open(owner, site, carrier):
    carrier.dial(pace=1.0)
    book(site, "ann", "Ann", ANN, "B-live")
    (message,) = site.wait_for_messages(1, "fields LIKE '%B-live%'")
    owner.goto(f"/messages/{message['id']}")
    owner.locator("#sent-fields > summary").click()
    expect(owner.locator("#told .note")).to_have_text("It was delivered.")
    expect(owner.locator("#sent-fields")).to_have_attribute("open", "")
    carrier.dial(pace=0.2)


def test_one_that_waits_says_why_and_what_to_do(owner, site, carrier):
    inactive = SITE_RULES.replace("  twilio:\n", "  twilio:\n    state: inactive\n")
    site.apply(inactive, "--no-check")
    book(site, "ann", "Ann", ANN, "B-held")
    (message,) = site.wait_for_messages(1, "fields LIKE '%B-held%' AND state = 'waiting'")
    owner.goto(f"/messages/{message['id']}")
    expect(owner.locator("#told .note")).to_contain_text("the adaptor Twilio is not active; activate it under Adaptors")
    connect(site, carrier)
    expect(owner.locator("#told .note")).to_have_text("It was delivered.")


def test_one_that_was_not_delivered_is_sent_again_for_a_reason(owner, site, carrier):
    carrier.fault("undelivered", to=BOB, code=30003, times=1)
    book(site, "bob", "Bob", BOB, "B-again")
    (message,) = site.wait_for_messages(1, "fields LIKE '%B-again%' AND carrier_status = 'undelivered'")
    owner.goto(f"/messages/{message['id']}")
    resend = owner.get_by_role("region", name="Send again")
    expect(resend).to_contain_text(f"A copy with the same content goes to {BOB}")
    resend.get_by_role("button", name="Send again").click()
    expect(resend).to_contain_text("Say why it is sent again; the reason is kept.")
    faultless(owner)
    resend.get_by_label("Reason").fill("Bob's phone is on again")
    resend.get_by_role("button", name="Send again").click()
    expect(owner.locator("#told .note")).to_have_text("It was delivered.")
    assert message["id"] not in owner.url
    assert [text["body"] for text in carrier.phone(BOB)].count("Hi Bob, booking B-again is confirmed.") >= 1
    owner.goto(f"/messages/{message['id']}")
    expect(owner.get_by_role("region", name="Sent again").get_by_role("link")).to_have_count(1)


def test_one_that_was_delivered_is_sent_again_only_if_one_insists(owner, site, carrier):
    (message,) = site.wait_for_messages(1, "fields LIKE '%B-why%' AND carrier_status = 'delivered'")
    owner.goto(f"/messages/{message['id']}")
    resend = owner.get_by_role("region", name="Send again")
    expect(resend).to_contain_text("says that it is delivered; the person would get it twice")
    resend.get_by_label("Reason").fill("Ann deleted it")
    resend.get_by_role("button", name="Send again").click()
    expect(resend.locator(".fault")).to_contain_text("the person would get it twice")
    resend.get_by_label("Send it all the same").check()
    resend.get_by_role("button", name="Send again").click()
    expect(owner.get_by_role("status").filter(has_text="This is the copy")).to_be_visible()


def test_one_that_was_redacted_says_so_wherever_it_stands_and_is_not_sent_again(owner, site):
    book(site, "ann", "Ann", ANN, "B-gone")
    (message,) = site.wait_for_messages(1, "fields LIKE '%B-gone%' AND carrier_status = 'delivered'")
    with (
        closing(sqlite3.connect(site.folder / "data" / "oncue.db")) as file,
        file,
    ):  # as test_store_bodies.py shows that it becomes
        file.execute(
            "UPDATE store_message SET fields = ? WHERE id = ?",
            ['{"$redacted_at":1777800000000,"$segments":2}', message["id"]],
        )
        file.execute("UPDATE store_attempt SET exchange = '[]' WHERE message = ?", [message["id"]])
    for where in ("/messages", "/users/ann", f"/events/{message['event']}"):
        owner.goto(where)
        expect(owner.locator("#main")).to_contain_text("[redacted on 2026-05-03]")
    owner.goto(f"/messages/{message['id']}")
    sent = owner.get_by_role("region", name="What was sent")
    expect(sent).to_contain_text("[redacted on 2026-05-03]")
    expect(sent.locator("dl.facts")).to_have_text(re.compile("Segments\\s*2"))
    expect(owner.locator("#main")).not_to_contain_text("$redacted")
    again = owner.get_by_role("region", name="Send again")
    expect(again).to_contain_text("there is nothing to send again")
    expect(again.get_by_role("button")).to_have_count(0)
    faultless(owner)
    shoot(owner, "redacted")


def test_one_that_waits_is_called_off(owner, site, carrier):
    site.apply(SITE_RULES.replace("  twilio:\n", "  twilio:\n    state: inactive\n"), "--no-check")
    book(site, "ann", "Ann", ANN, "B-off")
    (message,) = site.wait_for_messages(1, "fields LIKE '%B-off%' AND state = 'waiting'")
    owner.goto(f"/messages/{message['id']}")
    owner.get_by_label("Reason").fill("Ann called")
    owner.get_by_role("button", name="Call off").click()
    expect(owner.locator("#told .note")).to_have_text("It was called off. owner@example.com called it off: Ann called.")
    connect(site, carrier)
    assert not [text for text in carrier.phone(ANN) if "B-off" in text["body"]]


def test_a_viewer_sees_and_cannot_send(page, site):
    message = site.messages("fields LIKE '%B-why%'")[0]
    sign_in(page, "viewer@example.com")
    page.goto(f"/messages/{message['id']}")
    expect(page.get_by_role("region", name="Why")).to_contain_text("event.guests")
    expect(page.get_by_role("button", name="Send again")).to_have_count(0)
    token = page.evaluate("document.querySelector('[name=csrfmiddlewaretoken]').value")
    for act in ("resend", "cancel"):
        refused = page.request.post(
            f"/messages/{message['id']}/{act}",
            form={"csrfmiddlewaretoken": token, "reason": "x", "number": "0", "force": "yes"},
            headers={"Referer": f"{site.url}/"},
        )
        assert refused.status == 403 and "editor" in refused.text()


def test_there_is_no_page_for_a_message_that_is_not_there(owner):
    answer = owner.goto("/messages/0123456789abcdef0123456789abcdef")
    assert answer and answer.status == 404
