"""The settings: who may do what, when people are left alone, what is kept; a member does all of it in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from browsing import PASSWORD, Site, faultless, go_on, opened, row, said, shoot, sign_in, watched

pytestmark = pytest.mark.timeout(
    300
)  # the site and its members take processes of their own, on a machine that may be busy

PAGES = ("account", "members", "keys", "sending", "retention", "alerts", "audit")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_the_settings_is_faultless_before_anything_was_set(site: Site, owner: Page, name: str):
    owner.goto(f"/settings/{name}")
    shoot(owner, f"{name}-fresh")
    faultless(owner)


def test_the_index_leads_an_owner_to_every_section(owner: Page):
    owner.goto("/settings")
    sections = owner.get_by_role("main").get_by_role("link")
    expect(sections).to_have_count(len(PAGES))
    shoot(owner, "index")
    faultless(owner)
    owner.get_by_role("link", name=re.compile("^API keys")).click()
    expect(owner.get_by_role("heading", level=1)).to_have_text("API keys")
    expect(owner.get_by_role("navigation", name="Settings").get_by_role("link", name="API keys")).to_have_attribute(
        "aria-current", "page"
    )


def test_viewers_and_editors_see_their_account_and_the_quiet_hours_only(page: Page):
    for role in ("viewer", "editor"):
        page.context.clear_cookies()
        sign_in(page, f"{role}@example.com")
        page.goto("/settings")
        expect(page.get_by_role("main").get_by_role("link")).to_have_count(2)
        page.goto("/settings/sending")
        expect(page.get_by_text("texts wait from 21:00 to 08:00")).to_be_visible()
        expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
        faultless(page)
        for name in ("members", "keys", "audit", "alerts", "retention"):
            page.goto(f"/settings/{name}")
            expect(page.get_by_role("heading", level=1)).to_have_text("Not allowed")


def test_a_key_is_shown_once_works_and_stops_working_when_it_is_revoked(site: Site, owner: Page):
    owner.goto("/settings/keys")
    owner.get_by_label("Name").fill("till")
    owner.get_by_label("read", exact=True).check()
    owner.get_by_role("button", name="Make the key").click()
    token = owner.locator("#key").inner_text()
    assert token.startswith("oncue_")
    command = owner.locator("#snippet-1").inner_text()
    assert f"{site.url}/v1/events" in command and token in command
    shoot(owner, "keys-made")
    faultless(owner)
    assert site.post({"type": "event", "user": "u1", "name": "seen", "properties": {}}, key=token)["accepted"] == 1
    headers = {"Authorization": f"Bearer {token}"}
    assert site.call("GET", "/api/v1/messages?limit=5", headers=headers)[0] == 200
    owner.goto("/settings/keys")
    assert token not in owner.content()
    expect(row(owner, "till")).to_contain_text("by owner@example.com")
    row(owner, "till").get_by_role("button", name="Revoke").click()
    expect(owner.get_by_role("dialog")).to_contain_text("answered 401")
    go_on(owner, "Revoke")
    said(owner, "The key is revoked.")
    assert site.call("POST", "/v1/events", b"{}", headers)[0] == 401


def test_a_key_for_a_swrve_app_is_made_with_the_one_it_has_and_shows_what_to_paste(site: Site, owner: Page):
    owner.goto("/settings/keys")
    expect(owner.get_by_label("App id")).to_be_hidden()
    owner.get_by_label("Name").fill("phones")
    owner.get_by_label("Swrve's SDKs").check()
    expect(owner.get_by_label("read", exact=True)).to_be_hidden()
    owner.get_by_label("Its present key").fill("web_sdk-testkey")
    owner.get_by_role("button", name="Make the key").click()
    expect(owner.get_by_role("alert")).to_contain_text("needs the app's id")
    expect(owner.get_by_label("Its present key")).to_have_value("web_sdk-testkey")
    faultless(owner)
    owner.get_by_label("App id").fill("4567")
    owner.get_by_role("button", name="Make the key").click()
    expect(owner.locator("#key")).to_have_text("web_sdk-testkey")
    expect(owner.get_by_text("SwrveSDK.initWithConfig")).to_contain_text("appId: 4567")
    expect(row(owner, "phones")).to_contain_text("swrve 4567")
    shoot(owner, "keys-swrve")
    form = b"api_key=web_sdk-testkey&user=u1&name=booked"
    assert site.call("POST", "/1/event", form)[0] == 200
    assert site.call("POST", "/swrve.io/1/event", form)[0] == 200
    site.wait_for_event("booked", 2)


def test_a_key_with_a_name_that_is_taken_is_refused_with_a_sentence_and_what_was_typed_stays(owner: Page):
    owner.goto("/settings/keys")
    owner.get_by_label("Name").fill("shop")
    owner.get_by_label("Items a second").fill("5")
    owner.get_by_role("button", name="Make the key").click()
    expect(owner.get_by_role("alert")).to_contain_text("There is an API key named 'shop' already")
    expect(owner.get_by_label("Name")).to_have_value("shop")
    expect(owner.get_by_label("Items a second")).to_have_value("5")
    faultless(owner)


def test_a_colleague_is_invited_by_a_link_that_works_once(site: Site, browser: Browser, owner: Page):
    owner.goto("/settings/members")
    owner.get_by_label("E-mail").fill("New@Example.com")
    owner.get_by_label("viewer", exact=True).check()
    owner.get_by_role("button", name="Make the link").click()
    link = owner.locator("#link").inner_text()
    shoot(owner, "members-link")
    faultless(owner)
    theirs = opened(browser, site)
    page, _ = watched(theirs)
    page.goto(link)
    page.get_by_label("Password").fill("a quiet little word 8")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Main").wait_for(state="attached")
    page.goto("/settings")
    expect(page.get_by_text("new@example.com").first).to_be_attached()
    assert site.call("GET", link.removeprefix(site.url))[0] == 404
    owner.goto("/settings/members")
    row(owner, "new@example.com").get_by_role("link").click()
    shoot(owner, "member")
    faultless(owner)
    owner.get_by_label("editor", exact=True).check()
    owner.get_by_role("button", name="Change the role").click()
    said(owner, "Their role is changed")
    owner.get_by_role("button", name="Disable").click()
    go_on(owner, "Disable")
    said(owner, "They cannot sign in any more.")
    page.goto("/settings")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    owner.get_by_role("button", name="Enable").click()
    said(owner, "They can sign in again.")
    owner.get_by_role("button", name="Make a link").click()
    go_on(owner, "Make the link")
    expect(owner.locator("#link")).to_contain_text("/invitation/")
    theirs.close()


def test_an_invitation_can_be_withdrawn(site: Site, owner: Page):
    owner.goto("/settings/members")
    owner.get_by_label("E-mail").fill("late@example.com")
    owner.get_by_role("button", name="Make the link").click()
    link = owner.locator("#link").inner_text()
    assert site.call("GET", link.removeprefix(site.url))[0] == 200
    owner.get_by_role("button", name="Withdraw the link for late@example.com").click()
    go_on(owner, "Withdraw")
    said(owner, "The link works no more.")
    assert site.call("GET", link.removeprefix(site.url))[0] == 404


def test_the_last_owner_stays(owner: Page):
    owner.goto("/settings/members")
    row(owner, "owner@example.com").get_by_role("link").click()
    owner.get_by_label("viewer", exact=True).check()
    owner.get_by_role("button", name="Change the role").click()
    expect(owner.get_by_role("alert")).to_contain_text("There must be an owner who can sign in")
    owner.get_by_role("button", name="Disable").click()
    go_on(owner, "Disable")
    expect(owner.get_by_role("alert")).to_contain_text("There must be an owner who can sign in")


def test_one_changes_ones_password_and_is_signed_out_elsewhere(site: Site, browser: Browser, page: Page):
    site.member("change@example.com", "viewer")
    sign_in(page, "change@example.com")
    elsewhere = opened(browser, site)
    other, _ = watched(elsewhere)
    sign_in(other, "change@example.com", anew=True)
    page.goto("/settings/account")
    page.get_by_label("The one you have").fill("not this one")
    page.get_by_label("The new one").fill("another fine phrase 9")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert")).to_have_text("This is not the password you sign in with now.")
    page.get_by_label("The one you have").fill(PASSWORD)
    page.get_by_label("The new one").fill("1234567890")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert").first).to_contain_text("too common")
    faultless(page)
    page.get_by_label("The one you have").fill(PASSWORD)
    page.get_by_label("The new one").fill("another fine phrase 9")
    page.get_by_role("button", name="Change the password").click()
    said(page, "Your password is changed.")
    other.goto("/settings")
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")
    elsewhere.close()


def test_one_sees_where_one_is_signed_in_and_ends_it(site: Site, browser: Browser, owner: Page):
    elsewhere = opened(
        browser, site, user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    )
    other, _ = watched(elsewhere)
    sign_in(other, anew=True)
    owner.goto("/settings/account")
    expect(row(owner, "Firefox 128 on Linux")).to_have_count(1)
    shoot(owner, "account")
    row(owner, "Firefox 128 on Linux").get_by_role("button", name="Sign out").click()
    said(owner, "1 session ended.")
    other.goto("/settings")
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")
    sign_in(other)
    owner.goto("/settings/account")
    owner.get_by_role("button", name="Sign out all others").click()
    go_on(owner, "Sign out")
    expect(owner.get_by_role("table").get_by_role("row")).to_have_count(2)
    elsewhere.close()


def test_times_are_shown_in_ones_own_zone(site: Site, browser: Browser):
    context = opened(browser, site, timezone_id="Asia/Tokyo")
    page, complaints = watched(context)
    sign_in(page, "editor@example.com")
    page.goto("/settings/account")
    page.get_by_label("Times are shown to you in").fill("Nowhere/Land")
    page.get_by_role("button", name="Save the time zone").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no time zone 'Nowhere/Land'")
    page.get_by_role("button", name="Use Asia/Tokyo").click()
    page.get_by_role("button", name="Save the time zone").click()
    said(page, "Times are shown in Asia/Tokyo")
    expect(page.locator("time[title$=JST]").first).to_be_visible()
    assert not [one for one in complaints if "status of 4" not in one]
    context.close()
