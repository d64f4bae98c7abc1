"""When the store cannot take a change, a page says that nothing was saved and when to come back, and so does the management API."""

from __future__ import annotations

import resource
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browsing import Site, faultless, shoot, sign_in, watched
from fault_hooks import BUSY
from oncue.testing import wait_for


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, _peopled: Path) -> Iterator[Site]:
    """One that waits for a lock for longer than it takes to fill its queue."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(_peopled, folder, dirs_exist_ok=True)
    with Site(folder, environ={BUSY: "30"}) as running:
        yield running


@contextmanager
def full_disk(site: Site) -> Iterator[None]:
    """No file of that process can grow."""
    before = resource.prlimit(site.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(site.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(site.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def flooded(site: Site) -> Iterator[None]:
    """Another connection holds the database's write lock for a moment, and more events come than may wait."""
    body = msgspec.json.encode({"items": [{"user": "u", "name": "n"}] * 1_000})
    keys = [site.key, site.run("key", "create", "another").stdout.strip()]  # one alone leaves room for others
    calls = [{"Authorization": f"Bearer {key}", "Content-Type": "application/json"} for key in keys * 20]
    wait_for(lambda: all(site.call("POST", "/v1/events", body, headers)[0] == 202 for headers in calls[:2]), 10)
    with (
        closing(sqlite3.connect(site.folder / "data" / "oncue.db", isolation_level=None)) as file,
        ThreadPoolExecutor(40) as pool,
    ):
        file.execute("BEGIN IMMEDIATE")
        try:
            answers = [pool.submit(site.call, "POST", "/v1/events", body, headers) for headers in calls]
            wait_for(lambda: sum(one.done() and one.result()[0] == 503 for one in answers) > 15, 20, site.log)
            yield
        finally:
            file.execute("ROLLBACK")


@pytest.fixture
def owner(context: BrowserContext) -> Page:
    """Signed in, on a page whose console may speak of answers of 503."""
    page, _ = watched(context)
    sign_in(page)
    return page


@pytest.fixture(scope="module")
def admin(site: Site) -> str:
    return site.run("key", "create", "admin-key", "--scope", "admin").stdout.strip()


def put_retention(site: Site, admin: str) -> tuple[int, dict[str, str], bytes]:
    body = b'{"messages": 365, "exchanges": 90, "events": 365}'
    headers = {"Authorization": f"Bearer {admin}", "Content-Type": "application/json"}
    return site.call("PUT", "/api/v1/retention", body, headers)


@pytest.mark.parametrize(
    ("shut", "title", "words", "after"),
    [(full_disk, "Nothing was saved", "cannot write to its disk", "5"), (flooded, "Too busy", "no room for this", "1")],
    ids=["full", "flooded"],
)
def test_what_the_store_cannot_take_is_answered_503_and_nothing_is_saved(owner, site, admin, shut, title, words, after):
    owner.goto("/settings/retention")
    owner.get_by_label("Messages, for").fill("365")
    owner.get_by_label("Events, for").fill("365")
    owner.get_by_role("button", name="Save").click()
    with shut(site):
        with owner.expect_response(lambda one: one.request.method == "POST") as posted:
            owner.get_by_role("dialog").get_by_role("button", name="Save").click()
        status, headers, body = put_retention(site, admin)
    assert (posted.value.status, posted.value.headers["retry-after"]) == (503, after)
    expect(owner.get_by_role("heading", name=title)).to_be_visible()
    expect(owner.get_by_text(words)).to_be_visible()
    expect(owner.get_by_role("navigation", name="Main")).to_be_visible()
    faultless(owner)
    shoot(owner, f"unavailable-{after}")
    assert (status, headers["content-type"], headers["retry-after"]) == (503, "application/problem+json", after)
    assert msgspec.json.decode(body)["status"] == 503
    assert not site.query("SELECT value FROM store_setting WHERE name = 'retention'")


def test_a_page_is_read_all_the_same_though_the_visit_cannot_be_noted(owner, site):
    with closing(sqlite3.connect(site.folder / "data" / "oncue.db")) as file:
        file.execute("UPDATE store_session SET seen_at = 0")
        file.commit()
    with full_disk(site):
        answer = owner.goto("/rules")
        assert answer and answer.status == 200
    assert site.query("SELECT MAX(seen_at) FROM store_session") == [(0,)]
