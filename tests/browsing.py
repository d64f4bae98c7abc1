"""A real Chromium on a real oncue with a simulated carrier. Every page that a test leaves behind had no error in its console."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from forked import Oncue
from oncue.simulator.spawn import Simulator

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
RULES = """
api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]
"""
PASSWORD = "correct horse battery 7"
ANN = "+15005551001"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """For one file of tests: its event loop would stand in the way of others' that have one of their own."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    assert CHROMIUM, "Chromium is missing; on Debian: apt-get install chromium"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def carrier() -> Iterator[Simulator]:
    """The simulated carrier; a text goes through its statuses within a second."""
    with Simulator(pace=0.2) as running:
        yield running


class Site(Oncue):
    """An oncue whose pages are looked at."""

    def member(self, email: str, role: str = "owner") -> None:
        """Have a member with the one password of these tests."""
        done = self.run("member", "create", email, "--role", role, "--password-stdin", text=PASSWORD)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, carrier: Simulator) -> Iterator[Site]:
    """With an owner, an editor, a viewer, an API key, and nothing configured."""
    folder = tmp_path_factory.mktemp("site")
    with Site(folder, rules=RULES) as running:
        for role in ("owner", "editor", "viewer"):
            running.member(f"{role}@example.com", role)
        yield running


def opened(browser: Browser, site: Site, **options: object) -> BrowserContext:
    """A browser of its own, that fails the test when a page complains."""
    context = browser.new_context(base_url=site.url, **options)  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    return context


def watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and what its console complained of."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    context = opened(browser, site)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Nobody is signed in."""
    page, complaints = watched(context)
    yield page
    # What the browser says of an answer of 4xx is what the test asked for.
    left = [one for one in complaints if "the server responded with a status of 4" not in one]
    assert not left, left


def sign_in(page: Page, email: str = "owner@example.com") -> None:
    """As a person would."""
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Main").wait_for(state="attached")


@pytest.fixture
def owner(page: Page) -> Page:
    """An owner is signed in."""
    sign_in(page)
    return page


def faultless(page: Page) -> None:
    """axe finds nothing, light and dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = Axe().run(page)
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
