"""The screen Overview: the first steps of a fresh installation, then whether it is healthy, live."""

import re

import pytest
from playwright.sync_api import Page, expect

from browsing import faultless, opened, shoot, sign_in, watched
from traffic import ANN, BOB, SITE_RULES, book, connect

pytestmark = pytest.mark.timeout(
    400
)  # the first waits for a site, a carrier, three members and pictures of what is empty


@pytest.fixture(scope="module", autouse=True)
def connected(browser, site, carrier):
    """Looked at as a newcomer does; then connected, and with a day's traffic of three kinds."""
    context = opened(browser, site)
    page, complaints = watched(context)
    sign_in(page)
    steps = page.get_by_role("region", name="First steps").get_by_role("listitem")
    expect(steps).to_have_count(4)
    expect(steps.filter(has_text="(done)")).to_have_text(re.compile("Make an API key"))
    expect(steps.filter(has_text="Configure an adaptor").get_by_role("link")).to_have_attribute("href", "/adaptors")
    expect(page.get_by_text("Nothing waits, and nothing is in doubt.")).to_be_visible()
    faultless(page)
    shoot(page, "overview-empty")
    assert not complaints
    context.close()
    connect(site, carrier)
    for number in range(3):
        book(site, "ann", "Ann", ANN, f"B{number}")
    site.wait_for_event("twilio.delivered", 3)
    carrier.fault("undelivered", to=BOB, code=30003)
    book(site, "bob", "Bob", BOB, "B9")
    site.wait_for_event("twilio.undelivered")
    carrier.clear_faults()


def figure(page: Page, label: str):
    return page.locator(".figure").filter(has=page.get_by_text(label, exact=True))


def test_the_figures_say_what_was_sent_and_what_became_of_it(owner):
    owner.goto("/")
    expect(figure(owner, "Sent").locator(".value")).to_have_text("4")
    expect(figure(owner, "Delivered").locator(".value")).to_have_text("75.0%")
    expect(figure(owner, "Undelivered").locator(".value")).to_have_text("1")
    expect(figure(owner, "Event to carrier").locator(".value")).to_have_text(re.compile(r"^\d+ (ms|s|min)$"))
    faultless(owner)
    shoot(owner, "overview")


def test_a_new_message_changes_them_on_the_open_page(owner, site):
    owner.goto("/")
    sent = int(figure(owner, "Sent").locator(".value").inner_text())
    book(site, "ann", "Ann", ANN, "B-new")
    expect(figure(owner, "Sent").locator(".value")).to_have_text(str(sent + 1))


def test_the_chart_is_said_and_shown_as_a_table_too(owner):
    for key, unit, slots in (("24h", "hour", 24), ("7d", "day", 7), ("30d", "day", 30)):
        owner.goto(f"/?range={key}")
        chart = owner.get_by_role("img", name=re.compile(f"Messages by {unit}"))
        expect(chart).to_have_attribute("aria-label", re.compile(r"\d delivered, 1 undelivered, 0 failed"))
        owner.get_by_text("Show as table").click()
        rows = owner.locator("#chart-table tbody tr")
        expect(rows).to_have_count(slots)
        faultless(owner)
    shoot(owner, "overview-30d")


def test_an_error_code_is_explained_and_leads_to_its_messages(owner):
    owner.goto("/")
    errors = owner.get_by_role("region", name="Worst error codes")
    expect(errors).to_contain_text("The phone is off or out of reach. Try later, or use another channel.")
    errors.get_by_role("link", name="Twilio 30003").click()
    expect(owner.locator("#list tbody tr")).to_have_count(1)
    expect(owner.locator("#list tbody tr")).to_contain_text(BOB)


def test_tables_lead_to_their_messages(owner):
    owner.goto("/")
    owner.get_by_role("region", name="By rule").get_by_role("link", name="booking-confirmation").click()
    expect(owner.get_by_label("Rule")).to_have_value("booking-confirmation")
    owner.goto("/")
    owner.get_by_role("region", name="By country").get_by_role("link", name="US").click()
    expect(owner.get_by_label("Country")).to_have_value("US")
    expect(owner.locator("#list tbody tr").first).to_contain_text("+1")
    owner.goto("/messages?country=FR")
    expect(owner.locator("#list tbody tr")).to_have_count(0)
    owner.goto("/")
    owner.get_by_role("region", name="By sender").get_by_role("link", name="+15005550006").click()
    expect(owner.locator("#list tbody tr").first).to_be_visible()


def test_what_is_held_says_why_and_what_to_do(owner, site, carrier):
    site.apply(SITE_RULES.replace("  twilio:\n", "  twilio:\n    state: inactive\n"), "--no-check")
    book(site, "ann", "Ann", ANN, "B-held")
    site.wait_for_messages(1, "state = 'waiting'")
    owner.goto("/")
    held = owner.get_by_role("region", name="What is held")
    expect(held).to_contain_text("1 waits for Twilio")
    expect(held).to_contain_text("The adaptor is not active. Activate it")
    faultless(owner)
    shoot(owner, "overview-held")
    connect(site, carrier)
    expect(held).to_contain_text("Nothing waits")


def test_the_first_steps_are_gone_once_they_are_done(owner):
    owner.goto("/")
    expect(owner.get_by_role("heading", name="What is held")).to_be_visible()
    expect(owner.get_by_role("heading", name="First steps")).to_have_count(0)


def test_a_viewer_sees_it_all(page):
    sign_in(page, "viewer@example.com")
    expect(figure(page, "Sent").locator(".value")).not_to_have_text("0")
