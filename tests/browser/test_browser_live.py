"""Live pages miss nothing: not what happens before their stream is open, not what happens while it is broken."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, Route, expect

from browsing import opened, sign_in


def test_what_happens_before_the_stream_is_open_is_shown(owner: Page, site):
    held: list[Route] = []
    owner.route("**/live", lambda route: held.append(route))  # a method of a list cannot be marked by Playwright
    owner.goto("/events")
    site.event("u1", "while_nobody_listened")
    expect(owner.get_by_text("while_nobody_listened")).to_have_count(0)
    owner.wait_for_timeout(50)  # the request for the stream is on its way
    for route in held:
        route.continue_()
    expect(owner.get_by_role("link", name="while_nobody_listened").first).to_be_visible()


def test_what_happens_while_oncue_is_away_is_shown_when_it_is_back(browser: Browser, site):
    owner = opened(browser, site).new_page()  # its console complains of the lost connection, as it should
    sign_in(owner)
    owner.goto("/events")
    expect(owner.locator("html[data-stream=open]")).to_be_attached()
    site.stop()
    expect(owner.locator("html[data-stream=lost]")).to_be_attached()
    site.start()
    site.event("u1", "after_the_restart")
    expect(owner.get_by_role("link", name="after_the_restart").first).to_be_visible(timeout=20_000)
    owner.context.close()
