"""Opt-outs: what STOP leaves behind, added and lifted by hand with a reason, taken in from and given out as CSV."""

from __future__ import annotations

import csv
import re

import pytest
from booking import SENDER, open_for_bookings
from playwright.sync_api import Page, expect

from browsing import ANN, faultless, shoot, sign_in

EMPTY = [("/opt-outs", "Nobody has opted out", "Add an opt-out")]
pytestmark = pytest.mark.usefixtures("seen_empty")


@pytest.fixture(scope="module")
def bookings(site, carrier, seen_empty):
    open_for_bookings(site, carrier)
    site.post({"type": "user", "user": "ann", "properties": {"phone_number": ANN, "country": "US"}})
    return site


def _book(site, number: int) -> str:
    return site.event("ann", "booking_confirmed", {"booking_id": number, "amount": 20})


def test_stop_appears_and_is_lifted_only_for_a_reason(owner: Page, bookings, carrier):
    _book(bookings, 1)
    bookings.wait_for_event("twilio.delivered")
    carrier.text(ANN, "STOP")
    bookings.wait_for_event("twilio.black_listed_error")
    owner.goto("/opt-outs")
    row = owner.locator("tbody tr").first
    expect(row).to_contain_text(ANN)
    expect(row).to_contain_text(SENDER)
    expect(row).to_contain_text("in force")
    expect(row.get_by_role("link", name="ann", exact=True)).to_be_visible()
    expect(owner.locator("#main")).to_contain_text("Twilio keeps a block of its own")
    row.get_by_role("link", name="Lift").click()
    expect(owner.locator("#main")).to_contain_text("Nobody but the person can take it back.")
    faultless(owner)
    shoot(owner, "lift")
    owner.get_by_role("button", name="Lift it").click()
    dialog = owner.get_by_role("dialog")
    expect(dialog).to_contain_text("By law that takes the person's own wish: START sent from their phone")
    dialog.get_by_role("button", name="They asked for it").click()
    expect(owner.locator(".fault")).to_have_text("Say why; the reason is kept.")
    owner.get_by_label("How they asked").fill("wrote to us on 24 November")
    owner.get_by_role("button", name="Lift it").click()
    owner.get_by_role("dialog").get_by_role("button", name="They asked for it").click()
    expect(owner.locator("#said")).to_contain_text(f"{ANN} can be sent messages from {SENDER} again.")
    expect(row).to_contain_text("owner@example.com: wrote to us on 24 November")
    carrier.text(ANN, "START")  # the carrier's own block
    bookings.wait_for_event("twilio.opted_in")
    _book(bookings, 2)
    bookings.wait_for_event("twilio.delivered", 2)


def test_one_is_added_by_hand_and_holds(owner: Page, bookings):
    owner.goto("/opt-outs/add")
    owner.get_by_label("Number or e-mail address").fill("(500) 555-1001")
    expect(owner.get_by_label("From sender").locator("option").first).to_have_text("Every sender of yours")
    owner.get_by_label("From sender").select_option(SENDER)
    owner.get_by_role("button", name="Add it").click()
    expect(owner.locator(".fault")).to_have_text("Say how they said it; the reason is kept.")
    expect(owner.get_by_label("Number or e-mail address")).to_have_value("(500) 555-1001")
    faultless(owner)
    shoot(owner, "add")
    owner.get_by_label("Number or e-mail address").fill("nobody")
    owner.get_by_label("How they said it").fill("on the phone")
    owner.get_by_role("button", name="Add it").click()
    expect(owner.locator(".fault")).to_have_text(
        "'nobody' is no number with its country code (+353 86 …) and no e-mail address."
    )
    owner.get_by_label("Number or e-mail address").fill("(500) 555-1001")
    owner.get_by_label("How they said it").fill("on the phone")
    owner.get_by_role("button", name="Add it").click()
    expect(owner.locator("#said")).to_have_text("They get no more messages from there.")
    expect(owner.locator("tbody tr").first).to_contain_text("owner@example.com: on the phone")
    event = _book(bookings, 3)
    owner.goto(f"/events/{event}")
    messages = owner.get_by_role("region", name="Messages it caused")
    expect(messages).to_contain_text("suppressed")
    expect(messages).to_contain_text(f"{ANN} opted out of messages from {SENDER}")


def test_filters_stand_in_the_address(owner: Page, bookings, tmp_path):
    file = tmp_path / "few.csv"
    file.write_text(f"address,scope\n+353861112222,{SENDER}\n+353861113333,{SENDER}\n")
    owner.goto("/opt-outs/import")
    owner.get_by_label("File").set_input_files(file)
    owner.get_by_role("button", name="Import 2 opt-outs").click()
    expect(owner.locator("#said")).to_have_text("2 opt-outs added.")
    owner.goto("/opt-outs")
    owner.get_by_label("Number or e-mail address").fill("+353 86 111 2222")
    owner.get_by_role("button", name="Filter").click()
    expect(owner.locator("tbody tr")).to_have_count(1)
    owner.goto("/opt-outs?address=%2B35386111")
    expect(owner.locator("tbody tr")).to_have_count(2)
    owner.get_by_label("State").select_option("Lifted")
    expect(owner).to_have_url(re.compile("state=lifted"))
    expect(owner.get_by_role("heading", name="No opt-out matches")).to_be_visible()
    owner.goto("/opt-outs?state=active")
    expect(owner.locator("tbody")).not_to_contain_text("lifted")


def test_what_is_exported_can_be_imported_and_lifts_nothing(owner: Page, bookings, tmp_path):
    hostile = tmp_path / "hostile.csv"
    with hostile.open("w", newline="") as file:
        csv.writer(file).writerows([
            ("address", "scope", "source"),
            ("+15005551010", SENDER, '=HYPERLINK("http://evil.example")'),
            ("eve@Example.com", SENDER, "<script>alert(1)</script> שלום " + "w" * 200),
            ("12", SENDER, "too short"),
        ])  # fmt: skip
    owner.on("dialog", lambda dialog: pytest.fail("a script ran"))
    owner.goto("/opt-outs/import")
    owner.get_by_label("File").set_input_files(hostile)
    look = owner.get_by_role("region", name="hostile.csv")
    expect(look).to_contain_text("2 opt-outs can be imported; 1 line cannot, and would be left out.")
    expect(look.locator(".faults li")).to_contain_text(["Line 4: '12' is no number"])
    faultless(owner)
    shoot(owner, "import")
    owner.get_by_role("button", name="Import 2 opt-outs").click()
    expect(owner.locator("#said")).to_have_text("2 opt-outs added.")
    expect(owner.locator("tbody")).to_contain_text("<script>alert(1)</script>")
    for width in (390, 1280):
        owner.set_viewport_size({"width": width, "height": 900})
        assert owner.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    faultless(owner)
    shoot(owner, "list")
    with owner.expect_download() as download:
        owner.get_by_role("link", name="Export").click()
    assert re.fullmatch(r"opt-outs-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    exported = tmp_path / "exported.csv"
    download.value.save_as(exported)
    rows = list(csv.DictReader(exported.read_text().splitlines()))
    assert {row["address"]: row["source"] for row in rows}["+15005551010"] == '\'=HYPERLINK("http://evil.example")'
    assert [row["address"] for row in rows] == [
        one for (one,) in bookings.query("SELECT address FROM store_optout ORDER BY id")
    ]
    before = bookings.query("SELECT address, scope, lifted_at FROM store_optout ORDER BY id")
    owner.goto("/opt-outs/import")
    owner.get_by_label("File").set_input_files(exported)
    owner.get_by_role("button", name=re.compile("Import .* opt-outs")).click()
    expect(owner.locator("#said")).to_contain_text("0 opt-outs added.")
    assert bookings.query("SELECT address, scope, lifted_at FROM store_optout ORDER BY id") == before


def test_a_viewer_looks_and_exports_but_changes_nothing(page: Page, bookings):
    sign_in(page, "viewer@example.com")
    page.goto("/opt-outs")
    main = page.locator("#main")
    expect(main.get_by_role("link", name="Export")).to_be_visible()
    for name in ("Lift", "Import", "Add an opt-out"):
        expect(main.get_by_role("link", name=name)).to_have_count(0)
    for path in ("add", "import", f"lift?address=%2B15005551010&scope=%2B{SENDER[1:]}"):
        page.goto(f"/opt-outs/{path}")
        expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()
