"""Signing in: with a password, by a link that works once, slowed down after failures; and nobody else gets in."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from browsing import PASSWORD, faultless, shoot, sign_in


def test_a_stranger_is_asked_who_they_are_and_led_back(page: Page, site):
    page.goto("/rules")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2Frules"))
    page.get_by_label("E-mail").fill("owner@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/rules$"))
    cookie = next(one for one in page.context.cookies() if one["name"] == "oncue_session")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"


def test_the_page_leads_only_to_pages_of_ours(page: Page, site):
    page.goto("/sign-in?next=https://elsewhere.example/")
    page.get_by_label("E-mail").fill("owner@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.url}/")


def test_a_wrong_password_is_a_sentence_and_the_same_one_for_an_unknown_address(page: Page, site):
    for email in ("owner@example.com", "nobody@example.com"):
        page.goto("/sign-in")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill("not the password")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("No member has this e-mail address and password.")
        expect(page.get_by_label("E-mail")).to_have_value(email)
        expect(page.get_by_label("Password")).to_be_focused()
    faultless(page)
    shoot(page, "sign-in")


def test_after_five_failures_one_has_to_wait(page: Page, site):
    for _ in range(6):
        page.goto("/sign-in")
        page.get_by_label("E-mail").fill("guessed@example.com")
        page.get_by_label("Password").fill("not the password")
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Too many attempts. Try again in")


def test_signing_out_ends_the_session(page: Page, site):
    sign_in(page)
    token = next(one["value"] for one in page.context.cookies() if one["name"] == "oncue_session")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in$"))
    status, _, _ = site.call("GET", "/", headers={"Cookie": f"oncue_session={token}"})
    assert status == 302


def test_a_form_from_elsewhere_is_refused(owner: Page, site):
    token = next(one["value"] for one in owner.context.cookies() if one["name"] == "oncue_session")
    status, _, body = site.call("POST", "/sign-out", b"", {"Cookie": f"oncue_session={token}"})
    assert status == 403 and b"The form was refused" in body


def test_every_page_forbids_scripts_from_elsewhere_and_frames(page: Page, site):
    for path in ("/sign-in", "/static/oncue/app.css", "/nothing-here"):
        _, headers, _ = site.call("GET", path)
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-frame-options"] == "DENY" and headers["x-content-type-options"] == "nosniff"


def test_the_menu_works_on_a_phone_by_keyboard(owner: Page):
    owner.set_viewport_size({"width": 390, "height": 800})
    owner.goto("/")
    menu = owner.get_by_role("button", name="Menu")
    expect(owner.get_by_role("link", name="Rules")).to_be_hidden()
    menu.press("Enter")
    expect(owner.get_by_role("link", name="Rules")).to_be_visible()
    owner.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(owner.get_by_role("link", name="Rules")).to_be_hidden()
