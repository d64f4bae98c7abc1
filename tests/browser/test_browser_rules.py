"""Rules in the browser: made by hand and tried, switched on, seen as a file, restored; and who may not."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from browsing import ANN, Site, begin_rule, faultless, shoot, sign_in
from oncue.simulator.spawn import Simulator
from oncue.testing import wait_for


def test_with_no_rules_it_says_what_to_do(owner: Page):
    owner.goto("/rules")
    expect(owner.get_by_role("heading", name="There is no rule yet")).to_be_visible()
    faultless(owner)
    shoot(owner, "rules-empty")
    owner.get_by_role("link", name="Make the first rule").click()
    expect(owner.get_by_role("heading", name="New rule")).to_be_visible()
    expect(owner.locator("#preview")).to_contain_text("invented, since no user is known yet")
    faultless(owner)
    shoot(owner, "rule-new-empty")


def test_a_marketer_makes_the_booking_rule(owner: Page, shop: Site, carrier: Simulator):
    owner.goto("/rules")
    owner.get_by_role("link", name="New rule").click()
    owner.get_by_label("Name", exact=True).fill("Booking confirmation")
    owner.get_by_role("button", name="booking_confirmed").click()
    expect(owner.locator(".picked")).to_contain_text("3 in 7 days")

    owner.get_by_role("button", name="Add condition").click()
    owner.get_by_label("Property", exact=True).select_option("event.amount")
    owner.get_by_label("Comparison").select_option(label="is at least")
    owner.get_by_label("Value", exact=True).fill("10")

    owner.get_by_role("button", name="Send message").click()
    body = owner.get_by_label("Message Body", exact=False).and_(owner.locator("textarea"))
    expect(body).to_be_focused()
    body.fill("Hi , booking  is confirmed")
    body.evaluate("box => box.setSelectionRange(3, 3)")
    owner.get_by_label("Put a property into Message Body").select_option("user.first_name")
    expect(body).to_have_value("Hi {{ user.first_name }}, booking  is confirmed")
    body.evaluate("box => { const at = box.value.indexOf('booking ') + 8; box.setSelectionRange(at, at); }")
    owner.get_by_label("Put a property into Message Body").select_option("event.booking_id")
    expect(owner.get_by_label("Message Recipient Phone Number").and_(owner.locator("input"))).to_have_value(
        "{{ user.phone_number }}"
    )

    owner.get_by_label("Put a property into Sender Number").select_option("+15005550006")
    expect(owner.get_by_label(re.compile("^Sender Number"))).to_have_value("+15005550006")

    preview = owner.locator("#preview")
    owner.get_by_label("On this user").fill("ann")
    expect(preview.locator(".bubble")).to_have_text("Hi Ann, booking B-19 is confirmed")
    expect(preview).to_contain_text("it would act")
    expect(preview).to_contain_text("event.amount >= 10 it was 40")
    expect(preview).to_contain_text("GSM-7")
    expect(preview).to_contain_text("1 segment, 127 characters left")
    expect(preview).to_contain_text(f"To {ANN} from +15005550006")
    faultless(owner)
    shoot(owner, "rule-new")

    owner.get_by_role("button", name="What would it have done?").click()
    expect(owner.locator("#backtest")).to_contain_text(
        "2 of 3 events would have made it act: 1 message to 1 person, about 1 segment"
    )
    expect(owner.locator("#backtest")).to_contain_text("event.amount >= 10 did not hold")
    expect(owner.locator("#backtest")).to_contain_text("A field had no value")
    faultless(owner)
    shoot(owner, "rule-backtest")

    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_role("heading", name="Booking confirmation")).to_be_visible()
    expect(owner.locator("#said")).to_contain_text("Saved as revision 1. It is off.")
    assert owner.url.endswith("/rules/booking-confirmation")
    owner.get_by_label("on", exact=True).check()
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator(".head")).to_contain_text("Revision 2")
    ((spec,),) = shop.query("SELECT spec FROM store_rule WHERE key = 'booking-confirmation'")
    assert '"event.amount >= 10"' in spec and '"state":"on"' in spec
    shop.event("ann", "booking_confirmed", {"booking_id": "B-20", "amount": 10})
    wait_for(lambda: any("B-20" in one["body"] for one in carrier.messages(ANN)), 10)
    assert [one["body"] for one in carrier.messages(ANN) if "B-20" in one["body"]] == [
        "Hi Ann, booking B-20 is confirmed"
    ]


def test_a_bad_rule_is_refused_with_a_sentence(owner: Page, shop: Site):
    begin_rule(owner, "Bad rule", "boking_confirmed")
    expect(owner.locator(".picked")).to_contain_text("Not seen yet; did you mean booking_confirmed?")
    owner.get_by_role("button", name="As text").click()
    owner.get_by_label("Condition as text").fill("event.amount => 10")
    owner.get_by_role("button", name="Send message").click()
    owner.get_by_label("on", exact=True).check()
    owner.get_by_role("button", name="Save").click()
    summary = owner.locator("#summary")
    expect(summary).to_contain_text("Not saved: a rule with faults cannot be on")
    expect(summary).to_contain_text("there is no operator '=>'; did you mean")
    expect(summary).to_contain_text("A message needs content")
    body = owner.get_by_label(re.compile("^Message Body"))
    expect(body).to_have_attribute("aria-invalid", "true")
    expect(owner.get_by_label("Condition as text")).to_have_value("event.amount => 10")
    assert not shop.query("SELECT 1 FROM store_rule WHERE key = 'bad-rule'")
    faultless(owner)
    shoot(owner, "rule-faulty")

    # Off, it is kept as a draft; the switch of the list says why it stays off.
    owner.get_by_label("off", exact=True).check()
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator("#said")).to_contain_text("Saved as a draft, revision 1")
    owner.goto("/rules")
    row = owner.get_by_role("row", name="Bad rule")
    expect(row).to_contain_text("not complete")
    row.get_by_role("button", name="on", exact=True).click()
    expect(owner.locator("#said")).to_contain_text("It cannot be switched to on yet")
    expect(owner.locator("#summary")).to_contain_text("It cannot be switched on yet:")
    assert shop.query("SELECT revision FROM store_rule WHERE key = 'bad-rule'") == [(1,)]


def test_the_form_and_the_file_are_one_rule(owner: Page, shop: Site):
    owner.goto("/rules/welcome")
    before = shop.query("SELECT spec FROM store_rule WHERE key = 'welcome'")
    expect(owner.get_by_label("Condition as text")).to_have_value(
        '{"not":{"any":["user.blocked exists","event.silent == true"]}}'
    )
    expect(owner.get_by_label("Value", exact=True).first).to_have_value("IE, GB")
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator("#said")).to_contain_text("Nothing was changed.")
    assert shop.query("SELECT spec FROM store_rule WHERE key = 'welcome'") == before
    faultless(owner)
    shoot(owner, "rule-welcome")

    owner.get_by_role("button", name="As a file").click()
    box = owner.get_by_label("The rule as a file")
    expect(box).to_have_value(re.compile('user.country in \\["IE", "GB"\\]'))
    expect(owner.locator("#preview")).to_contain_text("Twilio: Send message")
    faultless(owner)
    shoot(owner, "rule-file")
    text = box.input_value()
    box.fill(text.replace("name: Welcome", "nam: Welcome"))
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator("#summary")).to_contain_text("Not saved: the file has faults.")
    expect(owner.locator("#rule-body .note")).to_contain_text(
        "Line 3: There is no field of a rule 'nam'; did you mean 'name'?"
    )
    owner.get_by_label("The rule as a file").fill(
        text.replace("name: Welcome", "name: Hello").replace("Welcome, {{", "Hello, {{")
    )
    owner.get_by_role("button", name="Form", exact=True).click()
    expect(owner.get_by_label("Name", exact=True)).to_have_value("Hello")
    expect(owner.get_by_label(re.compile("^Message Body"))).to_have_value("Hello, {{ user.first_name }}")
    owner.get_by_role("button", name="As a file").click()
    expect(owner.get_by_label("The rule as a file")).to_have_value(re.compile("name: Hello"))
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_role("heading", name="Hello")).to_be_visible()
    exported = shop.run("export").stdout
    assert "name: Hello" in exported and 'user.country in ["IE", "GB"]' in exported


def test_a_revision_is_compared_and_restored(owner: Page, shop: Site):
    owner.goto("/rules/welcome")
    name = owner.get_by_label("Name", exact=True)
    name.fill("Welcome aboard")
    owner.get_by_label("Send within").fill("30m")
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_role("heading", name="Welcome aboard")).to_be_visible()
    owner.get_by_role("link", name="History").click()
    newest = shop.query("SELECT revision FROM store_rule WHERE key = 'welcome'")[0][0]
    row = owner.get_by_role("row", name=re.compile(f"To revision|^.*{newest} now"))
    expect(row).to_contain_text("owner@example.com")
    owner.get_by_label("Compare from revision 1", exact=True).check()
    owner.get_by_role("button", name="Compare the chosen two").click()
    diff = owner.get_by_role("region", name="What differs")
    expect(diff.get_by_role("listitem").filter(has_text="send_within: 4h")).to_contain_text("removed")
    expect(diff.get_by_role("listitem").filter(has_text="send_within: 30m")).to_contain_text("added")
    faultless(owner)
    shoot(owner, "rule-history")
    owner.get_by_role("button", name="Restore revision 1", exact=True).click()
    owner.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(owner.locator("#said")).to_contain_text(f"Revision 1 is restored as revision {newest + 1}")
    owner.get_by_role("link", name="To the rule").click()
    expect(owner.get_by_label("Send within")).to_have_value("4h")


def test_switching_off_asks_first(owner: Page, shop: Site):
    owner.goto("/rules")
    row = owner.get_by_role("row", name="welcome")
    row.get_by_role("button", name="test", exact=True).click()
    expect(owner.locator("#said")).to_contain_text("acts for test users")
    faultless(owner)
    shoot(owner, "rules")
    row.get_by_role("button", name="off", exact=True).click()
    dialog = owner.get_by_role("dialog")
    expect(dialog).to_contain_text("what waits of it will not be sent")
    dialog.get_by_role("button", name="Cancel").click()
    expect(row.get_by_role("button", name="test", exact=True)).to_have_attribute("aria-pressed", "true")
    row.get_by_role("button", name="off", exact=True).click()
    dialog.get_by_role("button", name="Switch off").click()
    expect(owner.locator("#said")).to_contain_text("is off")


def test_a_viewer_sees_everything_and_changes_nothing(page: Page, shop: Site):
    sign_in(page, "viewer@example.com")
    page.goto("/rules")
    expect(page.get_by_role("link", name="New rule")).to_have_count(0)
    row = page.get_by_role("row", name="welcome")
    expect(row.get_by_role("button")).to_have_count(0)
    row.get_by_role("link").click()
    expect(page.get_by_label("Name", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_label("On this user").fill("ann")
    expect(page.locator("#preview")).to_contain_text("user.country in")
    expect(page.locator("#preview .bubble")).to_have_text("Welcome, Ann")
    page.get_by_role("button", name="What would it have done?").click()
    expect(page.locator("#backtest")).to_contain_text("0 of 0 events")
    faultless(page)
    shoot(page, "rule-viewer")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("button", name="Restore")).to_have_count(0)
    for where in (
        "/rules/welcome/state",
        "/rules/welcome/archive",
        "/rules/welcome",
        "/rules/welcome/history",
        "/rules/new",
    ):
        answer = page.request.post(
            where, headers={"X-CSRFToken": _token(page), "Referer": shop.url + "/"}, form={"state": "on"}
        )
        assert answer.status == 403, where
        assert "This takes the role editor" in answer.text(), where


def test_an_editor_archives_a_rule_and_brings_it_back(page: Page, shop: Site):
    sign_in(page, "editor@example.com")
    page.goto("/rules/new?from=welcome")
    expect(page.get_by_label("Name", exact=True)).to_have_value(re.compile(r"\(copy\)$"))
    page.get_by_label("Name", exact=True).fill("Passing")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Archive").click()
    page.get_by_role("dialog").get_by_role("button", name="Archive").click()
    expect(page.locator("#said")).to_contain_text("“Passing” is archived.")
    expect(page.get_by_role("row", name="Passing")).to_have_count(0)
    page.get_by_role("link", name=re.compile("^Archived")).click()
    faultless(page)
    page.get_by_role("link", name="Passing").click()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_role("button", name="Bring back").click()
    expect(page.locator("#said")).to_contain_text("It is back, and off.")
    assert shop.query("SELECT by, verb FROM store_audit WHERE name = 'passing' ORDER BY seq") == [
        ("editor@example.com", "created"), ("editor@example.com", "archived"), ("editor@example.com", "restored"),
    ]  # fmt: skip


def test_who_saves_second_is_told(owner: Page, shop: Site):
    owner.goto("/rules/new?from=welcome")
    owner.get_by_label("Name", exact=True).fill("Shared")
    owner.get_by_role("button", name="Save").click()
    other = owner.context.new_page()
    other.goto("/rules/shared")
    other.get_by_label("Name", exact=True).fill("Theirs")
    other.get_by_role("button", name="Save").click()
    expect(other.locator("#said")).to_contain_text("Saved as revision 2")
    owner.get_by_label("Name", exact=True).fill("Ours")
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator("#summary")).to_contain_text("Somebody saved this rule while you were changing it")
    expect(owner.get_by_label("Name", exact=True)).to_have_value("Ours")
    ((spec,),) = shop.query("SELECT spec FROM store_rule WHERE key = 'shared'")
    assert '"Theirs"' in spec
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator("#said")).to_contain_text("Saved as revision 3")


def test_a_key_may_be_a_word_of_our_addresses(owner: Page, shop: Site):
    owner.goto("/rules/new?from=welcome")
    owner.get_by_label("Key", exact=True).fill("new")
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator("#said")).to_contain_text("Saved as revision 1")
    expect(owner.get_by_label("Key", exact=True)).to_have_attribute("readonly", "")
    owner.get_by_role("link", name="History").click()
    expect(owner.get_by_role("heading", name="Revisions")).to_be_visible()


def _token(page: Page) -> str:
    found = re.search(r'X-CSRFToken": "([^"]+)', page.content().replace("&quot;", '"'))
    assert found
    return found[1]
