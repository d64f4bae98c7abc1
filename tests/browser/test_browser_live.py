"""Live pages miss nothing: not what happens before their stream is open, not what happens while it is broken."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from browsing import go_on, opened, said, sign_in


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


@pytest.mark.parametrize("is_placed", [True, False], ids=["keeps its place", "plain"])
def test_what_was_asked_for_before_a_pause_is_not_shown_during_it(owner: Page, site, is_placed: bool):
    held: list[Route] = []
    owner.goto("/events")
    expect(owner.locator("html[data-stream=open]")).to_be_attached()
    if not is_placed:
        owner.evaluate("document.querySelector('#list').removeAttribute('data-place')")
    owner.route(
        "**/events", lambda route: held.append(route) if route.request.headers.get("hx-request") else route.continue_()
    )
    name = f"while_it_was_asked_{is_placed}".lower()
    with owner.expect_request(lambda one: one.url.endswith("/events") and "hx-request" in one.headers) as asked:
        site.event("u1", name)
    owner.get_by_role("button", name="Pause").click()
    with owner.expect_event("requestfinished", lambda one: one == asked.value):
        held.pop(0).continue_()
    owner.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(owner.get_by_role("link", name=name)).to_have_count(0)
    owner.unroute("**/events")
    owner.get_by_role("button", name="Pause").click()
    expect(owner.get_by_role("link", name=name).first).to_be_visible()


def test_a_form_may_say_what_goes_on(owner: Page):
    owner.goto("/settings/retention")
    owner.evaluate(
        "const form = document.querySelector('form[data-ask]'); form.dataset.verb = 'Keep it so';"
        " form.querySelector('button').removeAttribute('data-verb');"
    )
    owner.get_by_role("button", name="Save").click()
    go_on(owner, "Keep it so")
    said(owner, "Nothing was changed.")
