"""The reference of the management API, as a page: for every member, without a network, at every width."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browsing import faultless, shoot, sign_in


@pytest.mark.timeout(400)
def test_a_viewer_reads_the_reference(page: Page):
    sign_in(page, "viewer@example.com")
    page.goto("/api/v1/docs")
    expect(page.get_by_role("heading", level=1)).to_have_text("Management API")
    faultless(page)
    shoot(page, "api")
    page.get_by_role("link", name="Make a rule", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rules")
    call = page.locator("#create_rule")
    expect(call).to_contain_text("POST")
    expect(call).to_contain_text("/api/v1/rules")
    expect(call).to_contain_text("scope write")
    call.get_by_text("Answer 201").click()
    expect(call.get_by_role("table", name="Answer")).to_be_visible()
    call.get_by_text("Problems").click()
    expect(call).to_contain_text("There is a rule with that key.")
    page.get_by_role("navigation", name="Reference").get_by_role("link", name="Get a rule", exact=True).click()
    expect(page.locator("#get_rule")).to_be_in_viewport()
    faultless(page)
    shoot(page, "api-rules")


def test_the_reference_does_not_run_over_a_narrow_screen(page: Page):
    sign_in(page, "viewer@example.com")
    page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/api/v1/docs", "/api/v1/docs/users", "/api/v1/docs/trying-rules"):
        page.goto(path)
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
