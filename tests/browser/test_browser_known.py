"""A browser in which a member signed in before is not kept out by strangers who try that member's address."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, BrowserContext, Page, expect

from browsing import PASSWORD, opened, sign_in

WAIT = "Too many attempts. Try again in"


def attempt(page: Page, password: str, email: str = "viewer@example.com") -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def fail_until_told_to_wait(page: Page) -> None:
    for _ in range(6):
        attempt(page, "not the password")
    expect(page.get_by_role("alert")).to_contain_text(WAIT)


def cookie(context: BrowserContext) -> dict[str, object]:
    return dict(next(one for one in context.cookies() if one["name"] == "oncue_browser"))


def test_strangers_keep_out_new_browsers_but_none_that_is_known(browser: Browser, site):
    known, stranger = opened(browser, site), opened(browser, site)
    page, theirs = known.new_page(), stranger.new_page()
    sign_in(page, "viewer@example.com", anew=True)
    kept = cookie(known)
    assert kept["httpOnly"] and kept["sameSite"] == "Lax" and kept["path"] == "/sign-in"
    assert "viewer" not in str(kept["value"])
    page.get_by_role("button", name="Sign out").click()

    fail_until_told_to_wait(theirs)
    attempt(theirs, PASSWORD)  # even with the right one
    expect(theirs.get_by_role("alert")).to_contain_text(WAIT)
    attempt(page, PASSWORD)
    expect(page).to_have_url(re.compile("/$"))
    assert cookie(known)["value"] != kept["value"]
    known.close()
    stranger.close()


def test_a_known_browser_is_held_to_its_own_failures_and_is_known_as_one_member_only(browser: Browser, site):
    context = opened(browser, site)
    page = context.new_page()
    sign_in(page, "editor@example.com", anew=True)
    page.get_by_role("button", name="Sign out").click()
    for _ in range(6):
        attempt(page, "not the password", "editor@example.com")
    expect(page.get_by_role("alert")).to_contain_text(WAIT)
    attempt(page, PASSWORD, "viewer@example.com")  # others failed as this one, and this browser is not known as theirs
    expect(page.get_by_role("alert")).to_contain_text(WAIT)
    context.add_cookies([{"name": "oncue_browser", "value": "made-up", "url": f"{site.url}/sign-in", "httpOnly": True}])
    attempt(page, PASSWORD, "editor@example.com")  # no longer known: as new as any other
    expect(page).to_have_url(re.compile("/$"))
    context.close()
