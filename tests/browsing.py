"""A real Chromium on a real oncue with a simulated carrier. Every page that a test leaves behind had no error in its console."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect, sync_playwright

from forked import Oncue
from oncue.simulator.spawn import Simulator

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))), ""
)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
RULES = """
api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]
"""
PASSWORD = "correct horse battery 7"
ANN = "+15005551001"


_running: list[tuple[Playwright, Browser]] = []


@pytest.fixture(scope="module")
def browser() -> Browser:
    """The same one for each file of tests that comes after another of these."""
    if not _running:
        assert CHROMIUM, "Chromium is missing; on Debian: apt-get install chromium"
        playwright = sync_playwright().start()
        _running.append((playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)))
    return _running[0][1]


def end_browser() -> None:
    """Before tests of another kind: its event loop would stand in the way of theirs."""
    while _running:
        playwright, browser = _running.pop()
        browser.close()
        playwright.stop()


@pytest.fixture(scope="module")
def carrier(_carrier: Simulator) -> Simulator:
    """The simulated carrier, as at the start; a text goes through its statuses within a second."""
    _carrier.reset()
    _carrier.dial(pace=0.2)
    return _carrier


class Site(Oncue):
    """An oncue whose pages are looked at."""

    def member(self, email: str, role: str = "owner") -> None:
        """Have a member with the one password of these tests."""
        done = self.run("member", "create", email, "--role", role, "--password-stdin", text=PASSWORD)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def _peopled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `site` begins with, to be copied."""
    made = Site(tmp_path_factory.mktemp("peopled"))
    made.apply(RULES)
    for role in ("owner", "editor", "viewer"):
        made.member(f"{role}@example.com", role)
    return made.folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, _peopled: Path, carrier: Simulator) -> Iterator[Site]:
    """With an owner, an editor, a viewer, an API key, and nothing configured."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(_peopled, folder, dirs_exist_ok=True)
    with Site(folder) as running:
        yield running


def opened(browser: Browser, site: Site, **options: object) -> BrowserContext:
    """A browser of its own, that fails the test when a page complains."""
    context = browser.new_context(base_url=site.url, reduced_motion="reduce", **options)  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    _addresses[context] = site.url
    return context


def watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and what its console complained of."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


@pytest.fixture(scope="module")
def _kept_open(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """What a browser has read once (styles, scripts, and those compiled) it has for all tests of a file."""
    context = opened(browser, site)
    yield context
    context.close()


@pytest.fixture
def context(_kept_open: BrowserContext) -> Iterator[BrowserContext]:
    """Without cookies, pages or permissions of earlier tests."""
    yield _kept_open
    for page in _kept_open.pages:
        page.close()
    _kept_open.clear_cookies()
    _kept_open.clear_permissions()


_NO_FAULTS = ("the server responded with a status of 4", "htmx:sendAbort", "htmx:afterRequest")


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Nobody is signed in."""
    page, complaints = watched(context)
    yield page
    # What the browser says of an answer of 4xx is what the test asked for, and a request that a page leaves behind is no fault.
    left = [one for one in complaints if not any(said in one for said in _NO_FAULTS)]
    assert not left, left


_addresses: dict[BrowserContext, str] = {}
_cookies: dict[tuple[str, str], Any] = {}


def sign_in(page: Page, email: str = "owner@example.com", *, anew: bool = False) -> None:
    """As a person would, once (or `anew`: a session of its own); afterwards as a browser does that was signed in before."""
    before = (_addresses[page.context], email)
    if before in _cookies and not anew:
        page.context.add_cookies(_cookies[before])
        page.goto("/")
        if "/sign-in" not in page.url:
            return
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Main").wait_for(state="attached")
    _cookies[before] = page.context.cookies()


@pytest.fixture
def owner(page: Page) -> Page:
    """An owner is signed in."""
    sign_in(page)
    return page


_ALL = {"resultTypes": ["violations"]}
_COLOURS = {**_ALL, "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What of axe's rules the colours of a page can break."""


def faultless(page: Page) -> None:
    """axe finds nothing, light and dark. The two differ in colours only (app.css), so in the dark those are looked at."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    for scheme, options in (("light", _ALL), ("dark", _COLOURS)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found = AxeResults(page.evaluate("(options) => axe.run(document, options)", options))
        assert not found.response["violations"], f"{page.url} ({scheme}):\n{found.generate_report()}"


def shoot(page: Page, name: str) -> None:
    """Screenshots at 1280 and 390 wide, light and dark, into $ONCUE_SHOTS, if that is set, to be looked at."""
    folder = os.environ.get("SHOTS")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


def said(page: Page, sentence: str) -> None:
    """A toast says so."""
    expect(page.get_by_role("status").filter(has_text=sentence).first).to_be_visible()


def go_on(page: Page, verb: str) -> None:
    """Answer the question that is asked first."""
    page.get_by_role("dialog").get_by_role("button", name=verb).click()


def row(page: Page, text: str) -> Locator:
    """The row of a table that says this."""
    return page.get_by_role("row").filter(has_text=text)


def begin_rule(page: Page, name: str, event: str) -> None:
    """A new rule in the builder, with its name and its first trigger."""
    page.goto("/rules/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Event", exact=True).fill(event)
    page.get_by_label("Event", exact=True).press("Enter")
    expect(page.locator(".picked")).to_contain_text(event)
