"""The screen Replies: what people write comes by itself, is answered by hand, handled, and taken as an opt-out where it was meant as one."""

import pytest
from playwright.sync_api import Page, expect

from browsing import faultless, opened, shoot, sign_in, watched
from traffic import ANN, BOB, ZED, book, connect

pytestmark = pytest.mark.timeout(
    400
)  # the first waits for a site, a carrier, three members and pictures of what is empty


@pytest.fixture(scope="module", autouse=True)
def connected(browser, site, carrier):
    """Looked at while empty; then connected, and Ann and Bob were texted."""
    context = opened(browser, site)
    page, complaints = watched(context)
    sign_in(page)
    for show, heading in (
        ("all", "No replies yet"),
        ("open", "Nothing is open"),
        ("flagged", "Nothing reads like an opt-out"),
    ):
        page.goto(f"/replies?show={show}")
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        faultless(page)
    shoot(page, "replies-empty")
    assert not complaints
    context.close()
    connect(site, carrier)
    book(site, "ann", "Ann", ANN, "B1")
    book(site, "bob", "Bob", BOB, "B2")
    site.wait_for_event("twilio.delivered", 2)


def row(page: Page, address: str):
    return page.locator("#list tbody tr").filter(has_text=address)


def heard(site, body: str) -> None:
    """Wait until oncue has heard it."""
    from oncue.testing import wait_for

    wait_for(lambda: site.query("SELECT 1 FROM store_reply WHERE body = ?", body), 15)


def test_a_reply_comes_by_itself_is_answered_and_the_answer_is_on_the_phone(owner, site, carrier):
    owner.goto("/replies")
    carrier.text(ANN, "Is there parking?")
    expect(row(owner, ANN)).to_contain_text("Is there parking?")
    expect(row(owner, ANN)).to_contain_text("open")
    row(owner, ANN).get_by_role("link").click()
    expect(owner.get_by_role("heading", level=1)).to_have_text(ANN)
    talk = owner.locator("#talk .bubble")
    expect(talk).to_have_text(["oncue wrote: Hi Ann, booking B1 is confirmed.", "They wrote: Is there parking?"])
    owner.get_by_label("Text").press_sequentially("Yes, behind the house.")
    expect(owner.locator("#count")).to_contain_text("Segments: 1 segment, 138 characters left")
    owner.get_by_role("button", name="Send").click()
    expect(owner.get_by_role("status").filter(has_text="Your answer is on its way.")).to_be_visible()
    mine = owner.locator("#talk li").last
    expect(mine).to_contain_text("Yes, behind the house.")
    expect(mine).to_contain_text("delivered")
    assert carrier.phone(ANN)[-1]["body"] == "Yes, behind the house."
    expect(owner.get_by_role("button", name="Mark as handled")).to_have_count(0)
    expect(owner.get_by_text("Handled by owner@example.com")).to_be_visible()


def test_what_is_said_next_comes_into_the_open_conversation(owner, site, carrier):
    owner.goto(f"/replies/{ANN}")
    owner.get_by_label("Text").fill("half an answer")
    carrier.text(ANN, "Thank you! 🙂")
    expect(owner.locator("#talk .bubble").last).to_have_text("They wrote: Thank you! 🙂")
    expect(owner.get_by_label("Text")).to_have_value("half an answer")
    faultless(owner)
    shoot(owner, "replies-one")


def test_one_that_is_empty_is_not_sent(owner, site):
    owner.goto(f"/replies/{ANN}")
    owner.get_by_label("Text").fill("  ")
    owner.get_by_role("button", name="Send").click()
    expect(owner.get_by_role("alert")).to_have_text("Write something first.")
    expect(owner.get_by_label("Text")).to_have_attribute("aria-invalid", "true")


def test_a_reply_is_marked_as_handled_and_leaves_the_list_of_open_ones(owner, site, carrier):
    carrier.text(BOB, "ok")
    heard(site, "ok")
    owner.goto(f"/replies/{BOB}")
    owner.get_by_role("button", name="Mark as handled").click()
    expect(owner.get_by_role("status").filter(has_text="Marked as handled.")).to_be_visible()
    owner.goto("/replies?show=open")
    expect(row(owner, BOB)).to_have_count(0)
    owner.goto("/replies?show=all")
    expect(row(owner, BOB)).to_contain_text("handled")


def test_one_that_reads_like_an_opt_out_is_shown_and_can_be_made_one(owner, site, carrier):
    carrier.text(BOB, "please stop texting me")
    heard(site, "please stop texting me")
    owner.goto("/replies?show=flagged")
    expect(row(owner, BOB)).to_contain_text("reads like an opt-out")
    faultless(owner)
    shoot(owner, "replies")
    row(owner, BOB).get_by_role("link").click()
    flag = owner.get_by_role("region", name="Reads like an opt-out")
    expect(flag).to_contain_text("this number is still texted")
    faultless(owner)
    shoot(owner, "replies-flagged")
    flag.get_by_label("Reason").fill("Bob asked for it in his reply")
    flag.get_by_role("button", name="Opt this number out").click()
    owner.get_by_role("dialog").get_by_role("button", name="Opt this number out").click()
    expect(owner.get_by_role("region", name="Consent and opt-outs")).to_contain_text("opted out")
    expect(flag).to_have_count(0)
    book(site, "bob", "Bob", BOB, "B-after")
    (message,) = site.wait_for_messages(1, "fields LIKE '%B-after%'")
    assert message["state"] == "suppressed" and "opted out" in message["reason"]
    owner.reload()
    expect(owner.locator("#talk li").last).to_contain_text("oncue did not send it.")


def test_a_stop_is_seen_for_what_it_is(owner, site, carrier):
    carrier.text(ANN, "STOP")
    owner.goto(f"/replies/{ANN}")
    expect(owner.locator("#talk li").last).to_contain_text("opted out")
    owner.get_by_label("Text").fill("Sorry to see you go")
    owner.get_by_role("button", name="Send").click()
    expect(owner.get_by_role("status").filter(has_text="oncue did not send it.")).to_be_visible()


def test_a_stranger_is_said_to_be_one(owner, site, carrier):
    carrier.text(ZED, "Who is this?")
    heard(site, "Who is this?")
    owner.goto(f"/replies/{ZED}")
    expect(owner.get_by_role("region", name="Who they are")).to_contain_text("No user has this number.")
    owner.get_by_label("Text").fill("A booking site.")
    owner.get_by_role("button", name="Send").click()
    expect(owner.locator("#talk .bubble").last).to_have_text("oncue wrote: A booking site.")
    faultless(owner)


def test_a_viewer_reads_and_an_editor_acts(page, site, carrier):
    carrier.text(ZED, "And now?")
    heard(site, "And now?")
    sign_in(page, "viewer@example.com")
    page.goto(f"/replies/{ZED}")
    expect(page.locator("#talk .bubble").last).to_have_text("They wrote: And now?")
    expect(page.get_by_role("button", name="Mark as handled")).to_have_count(0)
    expect(page.get_by_role("button", name="Send", exact=True)).to_have_count(0)
    token = page.evaluate("document.querySelector('[name=csrfmiddlewaretoken]').value")
    for act in ("answer", "handled", "opt-out"):
        refused = page.request.post(
            f"/replies/{ZED}/{act}",
            form={"csrfmiddlewaretoken": token, "body": "x", "reason": "x"},
            headers={"Referer": f"{site.url}/"},
        )
        assert refused.status == 403 and "editor" in refused.text()
