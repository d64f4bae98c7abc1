"""Markup is planted in everything that others name or write, and no page has it as markup: whatever shows it, shows it as text.

Of each page the elements are read as a browser reads them. A page has no inline script and no `on…` attribute of its own, so any is planted.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler
from urllib.parse import quote

import msgspec
import pytest

from crawling import Crawler
from forked import Oncue
from house import ANN, ann
from oncue.simulator import defaults
from oncue.simulator.spawn import Simulator
from oncue.testing import wait_for
from partner import answering

PASSWORD = "correct horse battery 7"
NUMBER = defaults.LONG_CODE


def planted(what: str) -> str:
    """Ends an attribute and a script, and begins an element."""
    return f"""{what}'"></script><b class=planted-{what} onmouseover=alert(1)>"""


def hostile_address(what: str) -> str:
    """The same, without what an e-mail address cannot hold."""
    return f"""{what}'"><b/class=planted-{what}/onmouseover=alert(1)>@example.com"""


SHOWN = {
    "user-id": ("/users", "/events", "/messages/"),
    "property-name": ("/users/",),
    "property-value": ("/users", "/users/"),
    "event-name": ("/events", "/events/names", "/events/", "/users/"),
    "event-property": ("/events/", "/messages/"),
    "event-value": ("/events", "/events/", "/messages/"),
    "rule-name": ("/rules",),
    "condition": ("/rules/", "/messages/"),
    "body": ("/messages", "/messages/", "/users/", "/events/", "/replies/"),
    "reply": ("/replies", "/replies/", "/events/"),
    "key": ("/settings/keys", "/settings/audit"),
    "member": ("/settings/members", "/settings/audit"),
    "invited": ("/settings/members",),
    "consent-source": ("/users/",),
    "opt-out-reason": ("/opt-outs", "/settings/audit"),
    "resend-reason": ("/settings/audit",),
    "provider-says": ("/messages/",),
    "alert": ("/settings/alerts",),
}
"""What is planted, and pages that show it; an address that ends in a slash is any page below it."""


class Refusing(BaseHTTPRequestHandler):
    """What webhooks are told by the other side."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        said = planted("provider-says").encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *said: object) -> None:
        pass


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    with answering(Refusing) as url:
        yield f"{url}/{quote('<b>')}"


@pytest.fixture(scope="module")
def pages(_carrier: Simulator, refusing: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Every page, by its address."""
    _carrier.reset()
    _carrier.dial(pace=0)
    with Oncue(
        tmp_path_factory.mktemp("planted"), rules=msgspec.json.encode(_rules(_carrier, refusing)).decode()
    ) as oncue:
        _plant(oncue, _carrier)
        found: dict[str, str] = {}
        browser = Crawler(oncue)
        assert browser.sign_in("owner@example.com", PASSWORD)
        browser.crawl(found.__setitem__, 400)
        found = {path: page for path, page in found.items() if page.lstrip().startswith("<")}  # no downloads
        for path in ("/settings/audit", f"/replies/{quote(ANN)}"):
            found[path] = browser.ask("GET", path)[1]
        yield found


def _rules(carrier: Simulator, refusing: str) -> dict[str, object]:
    twilio = {"action": "twilio.send_message", "to": "{{ user.phone_number }}", "body": "{{ event.words }}"}
    return {
        "api_keys": [{"name": "shop", "key": "${env:SHOP_KEY}"}],
        "policy": {"quiet_categories": []},
        "adaptors": {
            "twilio": {
                "account_sid": carrier.account_sid,
                "auth_token": carrier.auth_token,
                "api_base_url": carrier.url,
                "default_sender": NUMBER,
                "messages_per_second": 0,
            },
            "webhook": {"allow_private_addresses": True},
        },
        "rules": [
            {
                "key": "planted",
                "name": planted("rule-name"),
                "state": "on",
                "category": "transactional",
                "triggers": [planted("event-name")],
                "conditions": [f"event.words != {msgspec.json.encode(planted('condition')).decode()}"],
                "actions": [twilio, {"action": "webhook.request", "url": refusing, "json": {"n": "{{ event.words }}"}}],
            }
        ],
    }


def _plant(oncue: Oncue, carrier: Simulator) -> None:
    user = planted("user-id")
    for email, role in (("owner@example.com", "owner"), (hostile_address("member"), "viewer")):
        done = oncue.run("member", "create", email, "--role", role, "--password-stdin", text=PASSWORD + "\n")
        assert done.returncode == 0, done.stderr
    key = oncue.run("key", "create", planted("key"), "--scope", "admin").stdout.strip()
    check = oncue.run("check", "--set-inbound", "twilio")
    assert check.returncode == 0, check.stdout
    properties = {**ann(), "nickname": planted("property-value"), planted("property-name"): 1}
    event = {"words": planted("body"), planted("event-property"): planted("event-value")}
    oncue.post(
        {
            "type": "event",
            "user": user,
            "name": planted("event-name"),
            "properties": event,
            "user_properties": properties,
        }
    )
    oncue.wait_for_event("twilio.delivered")
    wait_for(lambda: oncue.messages("state = 'rejected'"), 15)
    carrier.text(ANN, planted("reply"))
    oncue.wait_for_event("twilio.received")
    oncue.post(
        {
            "type": "consent",
            "user": user,
            "category": "promotional",
            "state": "opted_in",
            "source": planted("consent-source"),
        }
    )

    def ask(method: str, path: str, **body: object) -> None:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        status, _, said = oncue.call(method, f"/api/v1{path}", msgspec.json.encode(body), headers)
        assert status < 300, (path, said)

    ask("POST", "/opt-outs", address="+15005551099", scope=NUMBER, reason=planted("opt-out-reason"))
    ask("POST", "/members", email=hostile_address("invited"), role="viewer")
    (message,) = oncue.messages("state = 'rejected'")
    ask("POST", f"/messages/{message['id']}/resend", reason=planted("resend-reason"), number=0)
    with (
        closing(sqlite3.connect(oncue.folder / "data" / "oncue.db", timeout=10)) as file,
        file,
    ):  # as a provider's words may be in one
        file.execute(
            "INSERT INTO store_alert (kind, key, sentence, opened_at) VALUES ('paused', 'twilio account', ?, 1)",
            [planted("alert")],
        )


class Read(HTMLParser):
    """What is planted in a page: elements, attributes and addresses that are not its own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = dict(attributes)
        if "planted" in (names.get("class") or "") or any(name.startswith("on") for name in names):
            self.found.append(self.get_starttag_text() or tag)
        if tag == "script" and not (names.get("src") or "").startswith("/static/"):
            self.found.append(f"an inline script: {attributes}")
        for name in ("href", "src", "action", "hx-get", "hx-post"):
            if re.match(r"\s*(javascript|data|vbscript):", names.get(name) or "", re.IGNORECASE):
                self.found.append(f"{name} {names[name]}")


def test_nothing_that_others_wrote_is_markup_on_any_page(pages):
    assert len(pages) > 60
    found = {path: read.found for path, page in pages.items() if (read := Read(page)).found}
    assert not found


def test_it_is_shown_as_text_wherever_it_is_shown(pages):
    missing = []
    for what, places in SHOWN.items():
        for where in places:
            below = where.endswith("/") and where != "/"
            there = [
                page
                for path, page in pages.items()
                if (path.startswith(where) if below else path.partition("?")[0] == where)
            ]
            if not any(f"class=planted-{what}" in page for page in there):
                missing.append((what, where, len(there)))
    assert not missing


def test_what_is_planted_would_be_found():
    for what in SHOWN:
        for text in (
            f"<p>{planted(what)}</p>",
            f'<input value="{planted(what)}">',
            f"<input value='{planted(what)}'>",
            hostile_address(what),
        ):
            assert Read(text).found, text
    for text in ('<a href="javascript:alert(1)">', "<a href=' JavaScript:alert(1)'>", "<script>1</script>"):
        assert Read(text).found, text
