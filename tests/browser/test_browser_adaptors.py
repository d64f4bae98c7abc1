"""Adaptors: configured in the form, switched off and on, tried with a real message, and whether calls come back."""

from __future__ import annotations

import http.server
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, expect

from browsing import ANN, RULES, Site, faultless, opened, shoot, sign_in, watched
from oncue.simulator.spawn import Simulator

SENDER = "+15005550006"


def configure(page: Page, carrier: Simulator, token: str | None = None, address: str | None = None) -> None:
    """Fill in the form as a person would, and press Save."""
    page.goto("/adaptors")
    page.get_by_role("link", name="Configure Twilio").click()
    page.get_by_label("Account SID").fill(carrier.account_sid)
    page.get_by_label("Auth Token", exact=True).fill(token or carrier.auth_token)
    more = page.get_by_text("More settings")
    if not page.get_by_label("API address").is_visible():
        more.click()
    page.get_by_label("API address").fill(address or carrier.url)
    page.get_by_label("Default sender").fill(SENDER)
    page.get_by_role("button", name="Save", exact=True).click()


@pytest.fixture(scope="module")
def _kept(site: Site, carrier: Simulator) -> list[tuple[object, ...]]:
    """How an active adaptor is saved: applied once, then put back as often as needed."""
    site.apply(adaptor_file(carrier), "--no-check")
    return site.query("SELECT * FROM store_adaptor")


def put(site: Site, rows: list[tuple[object, ...]]) -> None:
    """Have the adaptors be these, straight in the database, and nothing sent yet; the running oncue hears of it as of any change."""
    with closing(sqlite3.connect(site.folder / "data" / "oncue.db", timeout=10)) as database, database:
        for table in ("adaptor", "message", "event", "audit", "pause"):
            database.execute(f"DELETE FROM store_{table}")
        for row in rows:
            database.execute(f"INSERT INTO store_adaptor VALUES ({', '.join('?' * len(row))})", row)
        database.execute("UPDATE store_setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'config_version'")


@pytest.fixture
def fresh(site: Site, carrier: Simulator, _kept: object) -> Site:
    """An oncue where nothing is configured."""
    carrier.reset()
    put(site, [])
    return site


@pytest.fixture
def configured(site: Site, carrier: Simulator, _kept: list[tuple[object, ...]]) -> Site:
    """An oncue whose Twilio adaptor is active, without replies coming to it."""
    carrier.reset()
    put(site, _kept)
    return site


def adaptor_file(carrier: Simulator) -> str:
    return (
        RULES
        + f"""
policy: {{quiet_categories: []}}
adaptors:
  twilio:
    account_sid: "{carrier.account_sid}"
    auth_token: "{carrier.auth_token}"
    api_base_url: "{carrier.url}"
    default_sender: "{SENDER}"
    messages_per_second: 0
"""
    )


@pytest.fixture
def at(browser: Browser) -> Iterator[object]:
    """Open a page on an oncue of one's own, signed in."""
    contexts = []
    complaints: list[list[str]] = []

    def begin(site: Site, email: str = "owner@example.com") -> Page:
        context = opened(browser, site)
        contexts.append(context)
        page, complained = watched(context)
        complaints.append(complained)
        sign_in(page, email)
        return page

    yield begin
    for context in contexts:
        context.close()
    left = [one for some in complaints for one in some if "the server responded with a status of 4" not in one]
    assert not left, left


def test_before_it_is_configured_there_is_only_one_thing_to_do(fresh: Site, at):
    page = at(fresh)
    page.goto("/adaptors")
    card = page.locator("#twilio")
    expect(card).to_contain_text("Not configured")
    expect(card.get_by_role("button")).to_have_count(0)
    faultless(page)
    shoot(page, "adaptors-none")
    page.get_by_role("link", name="Configure Twilio").click()
    help_text = page.locator("#f-account_sid-help")
    expect(help_text).to_have_text(
        "Your Twilio account SID that is used as the username for authentication purposes. To view this value, log in to your Twilio"
        " dashboard, under Account Summary."
    )
    faultless(page)
    shoot(page, "adaptors-configure")


def test_configured_by_hand_it_becomes_active_and_can_be_switched_off_and_on(fresh: Site, at, carrier: Simulator):
    page = at(fresh)
    configure(page, carrier)
    expect(page.locator("#said")).to_have_text("Twilio is active.")
    expect(page.locator("#state")).to_have_text("Active")
    expect(page.get_by_role("button", name="Deactivate Twilio")).to_be_visible()
    assert carrier.auth_token not in page.content()
    expect(page.get_by_label("Auth Token", exact=True)).to_have_value("")
    expect(page.get_by_label("Auth Token", exact=True)).to_have_attribute(
        "placeholder", "Saved; leave empty to keep it"
    )
    expect(page.get_by_role("region", name="What became of messages")).to_contain_text("up to date")
    faultless(page)
    shoot(page, "adaptors-active")

    page.get_by_role("button", name="Deactivate Twilio").click()
    expect(page.get_by_role("dialog")).to_contain_text("held until their send-by time")
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    expect(page.locator("#state")).to_have_text("Inactive")
    assert fresh.query("SELECT state FROM store_adaptor WHERE name = 'twilio'") == [("inactive",)]
    faultless(page)
    shoot(page, "adaptors-inactive")
    page.goto("/adaptors")
    expect(page.locator("#twilio")).to_contain_text("Inactive")
    page.get_by_role("button", name="Activate Twilio").click()
    expect(page.locator("#twilio .badge")).to_have_text("Active")
    expect(page.locator("#twilio")).to_contain_text(carrier.account_sid)
    faultless(page)
    shoot(page, "adaptors-list")
    verbs = [row[0] for row in fresh.query("SELECT verb FROM store_audit WHERE kind = 'adaptor' ORDER BY seq")]
    assert verbs == ["created", "deactivated", "activated"]
    assert not any(carrier.auth_token in str(row) for row in fresh.query("SELECT * FROM store_audit"))


def test_a_wrong_token_is_a_sentence_and_nothing_is_saved(fresh: Site, at, carrier: Simulator):
    page = at(fresh)
    configure(page, carrier, token="not-the-token")
    expect(page.locator("#refusal")).to_contain_text("Twilio refuses the Account SID and Auth Token")
    expect(page.locator("#state")).to_have_text("Not configured")
    expect(page.get_by_label("Account SID")).to_have_value(carrier.account_sid)
    expect(page.get_by_label("API address")).to_have_value(carrier.url)
    assert "not-the-token" not in page.content()
    assert fresh.query("SELECT COUNT(*) FROM store_adaptor") == [(0,)]
    faultless(page)
    shoot(page, "adaptors-refused")
    page.get_by_label("Auth Token", exact=True).fill("not-the-token")
    page.get_by_role("button", name="Save without activating").click()
    expect(page.locator("#state")).to_have_text("Inactive")
    page.get_by_role("button", name="Activate Twilio").click()
    expect(page.locator("#refusal")).to_contain_text("It was not activated.")


def test_a_faulty_field_is_told_in_its_place_and_kept(fresh: Site, at, carrier: Simulator):
    page = at(fresh)
    page.goto("/adaptors/twilio")
    page.get_by_label("Account SID").fill("SK123")
    page.get_by_role("button", name="Save", exact=True).click()
    field = page.get_by_label("Account SID")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("SK123")
    expect(page.locator("#f-account_sid-help .fault")).to_have_text(
        "The Account SID begins with AC and has 34 characters; copy it from the Twilio console."
    )
    expect(page.locator("#f-auth_token-help .fault")).to_have_text("Auth Token is required.")
    faultless(page)


def test_another_address_empties_the_token_and_says_so(configured: Site, at, carrier: Simulator):
    page = at(configured)
    page.goto("/adaptors/twilio")
    page.get_by_label("API address").fill("http://127.0.0.1:9")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("API address is another than before.")
    expect(page.locator("#f-auth_token-help .fault")).to_have_text("Auth Token is required.")
    shoot(page, "adaptors-moved")
    page.get_by_label("API address").fill(carrier.url)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#state")).to_have_text("Active")


def test_the_default_sender_is_picked_from_the_accounts_own(configured: Site, at):
    page = at(configured)
    page.goto("/adaptors/twilio")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#check + p")).to_contain_text("Twilio accepts the credentials of Simulated account.")
    options = page.locator("#f-default_sender-options option")
    assert SENDER in [one.get_attribute("value") for one in options.all()]


def test_replies_are_sent_to_oncue_with_a_button(configured: Site, at, carrier: Simulator):
    page = at(configured)
    page.goto("/adaptors/twilio")
    page.get_by_role("button", name="Save", exact=True).click()
    where = page.get_by_role("region", name="Where replies go")
    expect(where).to_contain_text("nowhere")
    page.get_by_role("button", name="Send them to oncue").click()
    expect(page.locator("#said")).to_contain_text(f"now go to {configured.url}/hooks/twilio/message")
    expect(where).to_contain_text("to oncue")
    expect(where).not_to_contain_text("nowhere")
    expect(page.get_by_role("button", name="Send them to oncue")).to_have_count(0)


def test_a_test_message_reaches_the_phone_and_its_page_follows(configured: Site, at, carrier: Simulator):
    page = at(configured, "editor@example.com")
    page.goto("/adaptors")
    page.get_by_role("link", name="Send a test with Twilio").click()
    expect(page.get_by_label("Message Body")).to_have_value("This is a test from oncue.")
    faultless(page)
    shoot(page, "adaptors-test")
    page.get_by_label("Message Recipient Phone Number").fill("12")
    page.get_by_role("button", name="Send it").click()
    expect(page.locator("#f-to-help .fault")).to_be_visible()
    faultless(page)
    page.get_by_label("Message Recipient Phone Number").fill(ANN)
    page.get_by_role("button", name="Send it").click()
    expect(page).to_have_url(re.compile("/messages/[0-9a-f]{32}"))
    expect(page.get_by_text("delivered").first).to_be_visible()
    assert [one["body"] for one in carrier.phone(ANN)] == ["This is a test from oncue."]
    (message,) = configured.messages()
    assert (message["rule"], message["recipient"], message["state"]) == ("", ANN, "accepted")


def test_the_same_form_sent_twice_sends_once(configured: Site, at, carrier: Simulator):
    page = at(configured)
    page.goto("/adaptors/twilio/test")
    form = {
        name: page.locator(f"main [name={name}]").first.input_value()
        for name in ("csrfmiddlewaretoken", "form", "body")
    }
    places = []
    for _ in range(2):
        answer = page.request.post("/adaptors/twilio/test", form={**form, "to": ANN}, headers={"Referer": page.url})
        assert answer.ok
        places.append(answer.url)
    assert places[0] == places[1]
    assert len(configured.messages()) == 1


def test_calls_come_back(configured: Site, at):
    page = at(configured, "editor@example.com")
    page.goto("/adaptors/twilio")
    expect(page.locator("#url-status")).to_have_text(f"{configured.url}/hooks/twilio/status")
    page.get_by_role("button", name="Check that calls come back").click()
    way = page.locator("#way")
    expect(way).to_contain_text("Answer: good")
    expect(way).to_contain_text("believed its signature")
    faultless(page)
    shoot(page, "adaptors-way-good")
    assert "WARNING" not in configured.log()
    assert configured.query("SELECT COUNT(*) FROM store_event WHERE source = 'twilio'") == [(0,)]


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """What stands in front of oncue, wrongly: answers as its server's `answers` says, to every call."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status, headers, body = self.server.answers  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[http.server.HTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_where_a_call_stops_is_told_with_what_to_do(tmp_path, at, carrier: Simulator, elsewhere):
    public = f"http://127.0.0.1:{elsewhere.server_port}"
    with Site(tmp_path, rules=adaptor_file(carrier), environ={"ONCUE_PUBLIC_URL": public}) as site:
        site.member("owner@example.com")
        page = at(site)
        for (status, headers, body), sentence in (
            ((301, {"Location": "https://elsewhere.example/"}, b""), "a redirect to https://elsewhere.example/"),
            ((404, {}, b"<h1>Not found</h1>"), "the proxy does not pass /hooks on to oncue"),
            ((502, {}, b"<h1>Bad gateway</h1>"), "the proxy is there, but does not reach oncue"),
            ((401, {}, b""), "something in front of it asks who is calling"),
            ((200, {}, b"<h1>Welcome</h1>"), "it is not oncue's"),
            ((403, {}, b'{"error": "The signature does not match."}'), "oncue got the call, but"),
        ):
            elsewhere.answers = (status, headers, body)
            page.goto("/adaptors/twilio")
            page.get_by_role("button", name="Check that calls come back").click()
            expect(page.locator("#way")).to_contain_text("Answer: it stops here")
            expect(page.locator("#way")).to_contain_text(sentence)
        faultless(page)
        shoot(page, "adaptors-way-stopped")
        elsewhere.shutdown()
        elsewhere.server_close()
        page.get_by_role("button", name="Check that calls come back").click()
        expect(page.locator("#way")).to_contain_text("Connection: it stops here")
        expect(page.locator("#way")).to_contain_text("Nothing listens on port")


def test_without_a_public_address_it_says_that_it_polls(tmp_path, at, carrier: Simulator):
    with Site(tmp_path, rules=adaptor_file(carrier), public=False) as site:
        site.member("owner@example.com")
        page = at(site)
        page.goto("/adaptors/twilio")
        expect(page.locator("#callbacks")).to_contain_text("statuses and replies are polled instead")
        faultless(page)
        shoot(page, "adaptors-polled")


def test_each_role_is_kept_out_of_what_it_may_not_do(configured: Site, at):
    viewer = at(configured, "viewer@example.com")
    viewer.goto("/adaptors")
    expect(viewer.get_by_role("link", name=re.compile("Configure|Send a test"))).to_have_count(0)
    expect(viewer.get_by_role("button", name=re.compile("ctivate"))).to_have_count(0)
    viewer.goto("/adaptors/twilio")
    expect(viewer.get_by_role("button", name="Save")).to_have_count(0)
    expect(viewer.get_by_role("region", name="Configuration")).to_contain_text("Auth Token")
    faultless(viewer)
    shoot(viewer, "adaptors-viewer")
    viewer.goto("/adaptors/twilio/test")
    expect(viewer.get_by_role("heading", name="Not allowed")).to_be_visible()
    editor = at(configured, "editor@example.com")
    editor.goto("/adaptors/twilio")
    expect(editor.get_by_role("button", name="Save")).to_have_count(0)
    token = next(one["value"] for one in editor.context.cookies() if one["name"] == "oncue_csrf")
    answer = editor.request.post(
        "/adaptors/twilio/state", form={"state": "inactive"}, headers={"X-CSRFToken": token, "Referer": configured.url}
    )
    assert answer.status == 403
    assert configured.query("SELECT state FROM store_adaptor WHERE name = 'twilio'") == [("active",)]
