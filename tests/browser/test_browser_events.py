"""Events: seen as they come in, looked at with what came of them, sent by hand."""

from __future__ import annotations

import re

import pytest
from booking import open_for_bookings
from playwright.sync_api import Page, expect

from browsing import ANN, faultless, shoot, sign_in

HOSTILE = {
    "<script>alert(1)</script>": '"><img src=x onerror=alert(1)>',
    "quote'\"&amp;": "{{ user.email }} {% load %}",
    "long": "x" * 400,
    "rtl": "\u202eevil\u202c שלום مرحبا",
    "emoji 🎉": "👩‍👩‍👧‍👦 ok",
    "nested": {"a": [1, {"b": None}], "ok": True},
}
PERSON = {"first_name": "Ann", "phone_number": ANN, "country": "US"}
EMPTY = [
    ("/events", "No events yet", "Send a test event"),
    ("/events/names", "No events yet", "Send a test event"),
]
pytestmark = pytest.mark.usefixtures("seen_empty")


@pytest.fixture(scope="module")
def bookings(site, carrier, seen_empty):
    open_for_bookings(site, carrier)
    site.post({"type": "user", "user": "ann", "properties": PERSON})
    return site


def test_the_stream_shows_what_comes_in_and_pauses(owner: Page, bookings):
    bookings.event("ann", "page_viewed", {"page": "first"})
    owner.goto("/events")
    expect(owner.locator("html")).to_have_attribute("data-stream", "open")
    rows = owner.locator("#list tbody tr")
    expect(rows.first).to_contain_text("page first")
    bookings.event("ann", "page_viewed", {"page": "second"})
    expect(rows.first).to_contain_text("page second")
    pause = owner.get_by_role("button", name="Pause")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    with owner.expect_response("**/events**", timeout=5_000) as heard:
        bookings.event("ann", "page_viewed", {"page": "third"})
        owner.evaluate("fetch('/events?probe')")  # something to wait for that the pause does not hold back
    assert "probe" in heard.value.url
    expect(rows.first).to_contain_text("page second")
    pause.click()
    expect(rows.first).to_contain_text("page third")


def test_filters_stand_in_the_address_and_say_what_a_name_is(owner: Page, bookings):
    bookings.event("ann", "page_viewed", {"page": "filtered"})
    bookings.event("bob", "signed_up", {"plan": "<b>pro</b>"})
    owner.goto("/events")
    owner.get_by_label("Name").fill("signed_up")
    owner.get_by_role("button", name="Filter").click()
    expect(owner).to_have_url(re.compile(r"/events\?name=signed_up$"))
    expect(owner.locator("#list tbody tr")).to_have_count(1)
    panel = owner.get_by_role("region", name="signed_up")
    expect(panel).to_contain_text("1 in the last 24 hours")
    expect(panel.locator("dt", has_text="plan")).to_be_visible()
    expect(panel).to_contain_text("<b>pro</b>")
    expect(panel.get_by_role("img")).to_have_accessible_name("Events named signed_up: 1 events.")
    owner.goto("/events?user=ann")
    expect(owner.locator("#list tbody")).not_to_contain_text("signed_up")
    owner.goto("/events?source=nobody")
    expect(owner.get_by_role("heading", name="No event matches")).to_be_visible()
    owner.goto("/events?name=view")
    expect(owner.locator(".note")).to_contain_text("No event named view ever came. There is: page_viewed.")
    owner.goto("/events?name=booking_confirmed")
    faultless(owner)


def test_a_test_event_is_taken_in_and_its_page_shows_what_came_of_it(owner: Page, bookings, carrier):
    bookings.event("ann", "booking_confirmed", {"booking_id": "B1", "amount": 3, "gift": True})
    owner.goto("/events/send")
    owner.get_by_label("Name", exact=True).fill("booking_confirmed")
    owner.get_by_label("User", exact=True).fill("ann")
    expect(owner.get_by_label("Value of property 2")).to_have_value("3")  # as in the newest of that name
    expect(owner.get_by_label("Type of property 2")).to_have_value("number")
    expect(owner.get_by_label("Type of property 3")).to_have_value("boolean")
    expect(owner.locator("#properties")).to_contain_text("It triggers Booking confirmation (on).")
    owner.get_by_role("button", name="JSON").click()
    expect(owner.get_by_label("Properties as JSON")).to_have_value(re.compile(r'"amount": 3'))
    owner.get_by_role("button", name="Rows").click()
    owner.get_by_label("Value of property 2").fill("30")
    owner.get_by_label("Value of property 1").fill("B2")
    faultless(owner)
    shoot(owner, "send")
    owner.get_by_role("button", name="Send the event").click()
    expect(owner).to_have_url(re.compile(r"/events/[0-9a-f]{32}"))
    decided = owner.get_by_role("region", name="What rules decided")
    expect(decided).to_contain_text("Booking confirmation acted")
    expect(decided).to_contain_text("event.amount >= 10 holds (saw 30)")
    expect(owner.get_by_role("region", name="Messages it caused")).to_contain_text("delivered")  # live
    expect(owner.get_by_role("region", name="Events that followed")).to_contain_text("twilio.delivered")
    expect(owner.get_by_role("region", name="Envelope")).to_contain_text("test event")
    assert carrier.phone(ANN)[-1]["body"] == "Hi Ann, booking B2 is confirmed."
    faultless(owner)
    shoot(owner, "one")
    owner.get_by_role("region", name="Messages it caused").get_by_role("link").click()
    expect(owner).to_have_url(re.compile(r"/messages/[0-9a-f]{32}$"))


def test_the_page_says_which_condition_failed_and_what_was_seen(owner: Page, bookings):
    event = bookings.event("ann", "booking_confirmed", {"booking_id": "B3", "amount": 3})
    owner.goto(f"/events/{event}")
    decided = owner.get_by_role("region", name="What rules decided")
    expect(decided).to_contain_text("Booking confirmation did not act")
    expect(decided).to_contain_text("event.amount >= 10 does not hold (saw 3)")
    expect(owner.get_by_role("region", name="Messages it caused")).to_contain_text("None.")


def test_a_report_leads_back_to_its_message_and_keeps_what_was_said(owner: Page, bookings):
    bookings.event("ann", "booking_confirmed", {"booking_id": "B4", "amount": 40})
    bookings.wait_for_event("twilio.delivered")
    owner.goto("/events?name=twilio.delivered")
    expect(owner.get_by_role("region", name="twilio.delivered")).to_contain_text("confirmation of message delivery")
    owner.locator("#list tbody tr").first.get_by_role("link").first.click()
    expect(owner.get_by_role("link", name="a message", exact=True)).to_have_attribute(
        "href", re.compile("^/messages/[0-9a-f]{32}$")
    )
    owner.get_by_text("What Twilio said").click()
    expect(owner.locator("#raw pre")).to_contain_text("MessageSid")


def test_a_faulty_form_says_what_is_wrong_and_keeps_what_was_typed(owner: Page, bookings):
    owner.goto("/events/send")
    owner.get_by_label("Name", exact=True).fill("twilio.delivered")
    owner.get_by_label("Name of property 1").fill("amount")
    owner.get_by_label("Type of property 1").select_option("number")
    owner.get_by_label("Value of property 1").fill("a dozen")
    owner.get_by_role("button", name="Send the event").click()
    expect(owner.locator(".fault")).to_have_text([
        "The name 'twilio.delivered' begins like one that oncue or an adaptor raises itself; choose another.",
        "Say which user it happened to.",
        "a dozen is not a number; write it like 12 or 12.5, or make it text.",
    ])  # fmt: skip
    expect(owner.get_by_label("Value of property 1")).to_have_value("a dozen")
    faultless(owner)
    shoot(owner, "send-faulty")
    owner.get_by_label("Type of property 1").select_option("text")
    owner.get_by_role("button", name="JSON").click()
    owner.get_by_label("Properties as JSON").fill('{"amount": ')
    owner.get_by_label("Name", exact=True).fill("tried")
    owner.get_by_label("User", exact=True).fill("ann")
    owner.get_by_role("button", name="Send the event").click()
    expect(owner.locator(".fault")).to_contain_text("This is not JSON")
    expect(owner.get_by_label("Properties as JSON")).to_have_value('{"amount": ')


def test_a_form_sent_twice_is_one_event(owner: Page, bookings):
    owner.goto("/events/send?name=sent_twice&user=ann")
    sent = "fetch('/events/send', {method: 'POST', body: new FormData(document.querySelector('form.card'))}).then(a => a.url)"
    first = owner.evaluate(sent).split("?")[0]
    owner.get_by_role("button", name="Send the event").click()
    expect(owner.locator("#said")).to_have_text("This form was sent before; here is its event.")
    assert owner.url.split("?")[0] == first
    assert bookings.event_names("ann").count("sent_twice") == 1


def test_whatever_an_app_sends_is_shown_as_text(owner: Page, bookings):
    name, user = "<script>alert('n')</script>", 'u"><svg onload=alert(1)>/../x y?#' + "w" * 120
    event = bookings.event(user, name, HOSTILE)
    owner.on("dialog", lambda dialog: pytest.fail("a script ran"))
    for path in ("/events", "/events/names", f"/events/{event}"):
        owner.goto(path)
        expect(owner.locator("#main")).to_contain_text(name)
        for width in (390, 1280):
            owner.set_viewport_size({"width": width, "height": 900})
            assert owner.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
    expect(owner.get_by_role("region", name="Properties")).to_contain_text(HOSTILE["<script>alert(1)</script>"])
    faultless(owner)
    shoot(owner, "hostile-one")
    owner.goto("/events")
    faultless(owner)
    shoot(owner, "events")
    owner.locator("#list tbody tr").first.get_by_role("link", name=name).click()
    expect(owner.get_by_role("region", name=name)).to_contain_text(HOSTILE["<script>alert(1)</script>"][:20])
    faultless(owner)
    shoot(owner, "events-named")
    owner.goto("/events/names")
    faultless(owner)
    shoot(owner, "names")
    owner.goto("/events/0123456789abcdef0123456789abcdef")
    expect(owner.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_a_viewer_looks_but_sends_nothing(page: Page, bookings):
    sign_in(page, "viewer@example.com")
    page.goto("/events")
    expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Send a test event")).to_have_count(0)
    page.goto("/events/send")
    expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()


def test_enter_sends_the_event_and_does_nothing_else(owner: Page, bookings):
    owner.goto("/events/send")
    owner.get_by_label("Name", exact=True).fill("pressed_enter")
    owner.get_by_label("User").fill("ann")
    owner.get_by_label("User").press("Enter")
    expect(owner.get_by_role("heading", level=1)).to_contain_text("pressed_enter")
