"""SDKs in a page of another origin: Segment's real one, and the calls that Swrve's makes, with the browser's own rules about origins."""

import functools
import hashlib
import http.server
import json
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browsing import Site, faultless, shoot
from partner import answering

SDK = Path(sys.prefix) / "sdks" / "node_modules" / "@segment" / "analytics-next" / "dist" / "umd"
WRITE_KEY, SWRVE_KEY = "seg_write_key", "web_sdk-testkey"
KEYS = f"""
api_keys:
  - {{name: site, key: {WRITE_KEY}, source: segment}}
  - {{name: phones, key: {SWRVE_KEY}, source: swrve, app: 4567}}
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing of what it serves."""

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def shop(tmp_path, page: Page, site: Site):
    """A page of a shop, which is of another origin than oncue."""
    (tmp_path / "index.html").write_text(
        "<!doctype html><title>Shop</title><h1>Shop</h1><script src='/index.js'></script>"
    )
    for file in SDK.glob("*.js"):
        (tmp_path / file.name).symlink_to(file)
    site.apply(KEYS)
    site.event("u", "configuration is read anew")
    with answering(functools.partial(Quiet, directory=tmp_path)) as url:
        page.goto(url)
        expect(page.get_by_role("heading")).to_have_text("Shop")
        yield page


@pytest.mark.skipif(not SDK.exists(), reason="there is no npm here")
def test_segments_sdk_for_browsers_needs_an_address_and_nothing_else(site: Site, shop: Page):
    shop.evaluate(
        """async ([writeKey, cdnURL]) => {
            const analytics = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey, cdnURL });
            await analytics.track("looked_around", { page: 1 });
            await analytics.identify("ann", { first_name: "Ann" });
            await analytics.track("booking_confirmed", { booking_id: "B-17" });
        }""",
        [WRITE_KEY, site.url],
    )
    site.wait_for_event("booking_confirmed")
    assert site.event_names("ann") == ["looked_around", "booking_confirmed"]  # before she said who she is, too
    ((properties,),) = site.query("SELECT properties FROM store_user WHERE id = 'ann'")
    assert json.loads(properties)["first_name"] == "Ann"


def test_what_swrves_sdk_for_browsers_asks_is_allowed_and_answered(site: Site, shop: Page):
    device = "07bc3700-1467-4c79-a643-9e432e04a200"
    token = f"4567={device}=1={hashlib.md5(f'{device}1{SWRVE_KEY}'.encode()).hexdigest()}"
    answers = shop.evaluate(
        """async ([url, key, device, token]) => {
            const post = (path, body) => fetch(url + path, {
                method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
            });
            const identified = await (await post("/swrve.io/identify", {
                api_key: key, swrve_id: device, external_user_id: "bob", unique_device_id: "d",
            })).json();
            const content = await (await fetch(`${url}/swrve.io/api/1/user_content?api_key=${key}&user=${device}`)).json();
            const data = [{ type: "event", time: Date.now(), seqnum: 1, name: "booking_confirmed", payload: { nights: 3 } }];
            const sent = await post("/swrve.io/1/batch", {
                user: device, app_version: "1", session_token: token, version: 3, unique_device_id: "d", data,
            });
            return [identified.status, content.flush_frequency, sent.status];
        }""",
        [site.url, SWRVE_KEY, device, token],
    )
    assert answers == ["new_external_id", 30000, 200]
    assert site.event_names("bob") == ["booking_confirmed"]


def test_the_page_of_a_user_says_which_ids_are_theirs_and_each_leads_to_it(site: Site, owner: Page):
    site.apply(KEYS)
    site.event("u", "configuration is read anew")
    call = {"userId": "cleo", "anonymousId": "v-77", "traits": {"first_name": "Cleo"}, "writeKey": WRITE_KEY}
    assert site.call("POST", "/v1/identify", json.dumps(call).encode())[0] == 200
    visitor = {"anonymousId": "v-78", "traits": {"plan": "free"}, "writeKey": WRITE_KEY}
    assert site.call("POST", "/v1/identify", json.dumps(visitor).encode())[0] == 200
    owner.goto("/users/v-77")
    expect(owner.get_by_role("heading", level=1)).to_have_text("Cleo")
    expect(owner.get_by_text("Also known as v-77")).to_be_visible()
    shoot(owner, "user-aliases")
    faultless(owner)
    owner.goto("/users/v-78")
    expect(owner.get_by_text("anonymous", exact=True)).to_be_visible()
    assert "cleo" in site.run("users", "show", "v-77").stdout
