"""The builder under the hands of people: by keyboard alone, faster than the server draws, and forgetful."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from browsing import Site, begin_rule, faultless, shoot


def test_by_keyboard_alone(owner: Page, shop: Site):
    def reach(selector: str) -> None:
        for _ in range(200):
            if owner.locator(f"{selector}:focus").count():
                return
            owner.keyboard.press("Tab")
        raise AssertionError(f"{selector} is never reached")

    owner.goto("/rules/new")
    expect(owner.get_by_label("Name", exact=True)).to_be_focused()
    owner.keyboard.type("Key by key")
    reach("#trigger-new")
    owner.keyboard.type("signed_up")
    owner.keyboard.press("Enter")
    expect(owner.locator(".picked")).to_contain_text("signed_up")
    expect(owner.locator("#trigger-new")).to_be_focused()
    reach("#add-condition")
    owner.keyboard.press("Enter")
    expect(owner.locator("#c0-path")).to_be_focused()
    owner.keyboard.type("Another")
    owner.keyboard.press("Tab")
    owner.keyboard.type("event.plan")
    reach("#c0-value")
    owner.keyboard.type("gold")
    reach(".choices button:first-child")
    owner.keyboard.press("Space")
    expect(owner.locator("#f-a0-f-body")).to_be_focused()
    owner.keyboard.type("Thank you")
    owner.keyboard.press("Control+Enter")
    reach("#save")
    owner.keyboard.press("Enter")
    expect(owner.locator("#said")).to_contain_text("Saved as revision 1")
    ((spec,),) = shop.query("SELECT spec FROM store_rule WHERE key = 'key-by-key'")
    assert '"event.plan == \\"gold\\""' in spec and '"body":"Thank you"' in spec


def test_save_waits_for_what_was_just_added(owner: Page, shop: Site):
    begin_rule(owner, "In a hurry", "signed_up")
    draw_slowly(owner)
    owner.get_by_role("button", name="Send message").click()
    owner.locator("#save").click()
    expect(owner.locator("#said")).to_contain_text("Saved as")
    ((spec,),) = shop.query("SELECT spec FROM store_rule WHERE key = 'in-a-hurry'")
    assert '"action":"twilio.send_message"' in spec


def draw_slowly(owner: Page) -> None:
    def slowly(route: Route) -> None:
        owner.wait_for_timeout(300)
        route.continue_()

    owner.route("**/rules/form", slowly)


def test_what_is_typed_while_the_form_is_drawn_anew_is_kept(owner: Page):
    owner.goto("/rules/new")
    owner.get_by_label("Name", exact=True).fill("Before")

    def slowly(route: Route) -> None:
        owner.get_by_label("Name", exact=True).fill("Typed meanwhile")
        owner.get_by_label("test", exact=True).check()
        route.continue_()

    owner.route("**/rules/form", slowly)
    owner.locator("#add-condition").click()
    expect(owner.locator("#rule-body .condition")).to_have_count(1)
    expect(owner.get_by_label("Name", exact=True)).to_have_value("Typed meanwhile")
    expect(owner.get_by_label("test", exact=True)).to_be_checked()


def test_whoever_has_moved_on_before_all_has_settled_stays_there(owner: Page, shop: Site):
    owner.goto("/rules/new")
    owner.evaluate("""() => {
      const whenDrawn = (name, act) => document.addEventListener(name, (event) => { if (event.detail.target.id === "rule-body") act(); });
      whenDrawn("htmx:afterSwap", () => document.getElementById("f-name").focus());
      whenDrawn("htmx:afterSettle", () => { document.title = "settled"; });
    }""")
    owner.get_by_label("Event", exact=True).fill("signed_up")
    owner.get_by_label("Event", exact=True).press("Enter")
    expect(owner).to_have_title("settled")
    expect(owner.get_by_label("Name", exact=True)).to_be_focused()


def test_by_keyboard_an_arrow_inserts_nothing_by_itself_and_the_focus_is_always_seen(owner: Page, shop: Site):
    owner.goto("/rules/new")
    owner.get_by_role("button", name="Send message").press("Enter")
    body = owner.get_by_label("Message Body", exact=False).and_(owner.locator("textarea"))
    expect(body).to_be_focused()
    owner.get_by_label("Put a property into Message Body").press("ArrowDown")
    expect(body).to_have_value("")
    owner.keyboard.press("Escape")
    for _ in range(15):  # through the fields of the action, which scroll
        owner.keyboard.press("Tab")
        field, bar = owner.locator(":focus").bounding_box(), owner.locator(".save-bar").bounding_box()
        assert field and bar and field["y"] + min(field["height"], 40) <= bar["y"], owner.locator(":focus").inner_html()


def test_a_condition_without_a_property_is_not_forgotten(owner: Page, shop: Site):
    """Left out silently, it would let every event through."""
    begin_rule(owner, "Forgotten", "booking_confirmed")
    owner.get_by_role("button", name="Send message").click()
    owner.get_by_label(re.compile("^Message Body")).fill("Booked.")
    owner.locator("#add-condition").click()
    expect(owner.locator("#rule-body .condition")).to_have_count(1)
    expect(owner.locator(".verdict")).to_contain_text("not complete")
    owner.get_by_label("on", exact=True).check()
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator("#summary")).to_contain_text(
        "Choose the property that this condition looks at, or take the condition away."
    )
    expect(owner.locator("#rule-body .condition")).to_have_count(1)
    shoot(owner, "rule-forgotten")
    faultless(owner)
    assert not shop.query("SELECT 1 FROM store_rule WHERE key = 'forgotten'")
    owner.get_by_label("off", exact=True).check()
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator(".head")).to_contain_text("Revision 1")
