"""Canaries: a secret of every kind is planted in an oncue that does everything, and then looked for in all that it says, shows, hands out
and writes down. What is shown once, to whom it is for, may stand on that page and nowhere else.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

import msgspec
import pytest

from forked import DEBUG, Oncue
from house import ANN, ann
from oncue.simulator import defaults
from oncue.simulator.spawn import Simulator
from oncue.testing import wait_for
from partner import answering
from planting import PLANTED, SIGNING, Guarded, Partner, Watched

RULES = """
api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]
policy: {quiet_categories: []}
adaptors:
  twilio:
    account_sid: "${env:TWILIO_ACCOUNT_SID}"
    auth_token: "${env:TWILIO_AUTH_TOKEN}"
    api_key_sid: "${env:TWILIO_API_KEY_SID}"
    api_key_secret: "${env:TWILIO_API_KEY_SECRET}"
    api_base_url: "${env:TWILIO_URL}"
    default_sender: "+15005550006"
    messages_per_second: 0
  email: {smtp_url: "${env:SMTP_URL}", from: "Shop <shop@example.com>"}
  webhook: {signing_secret: "${env:SIGNING_SECRET}", allow_private_addresses: true}
rules:
  - key: confirm
    name: Booking confirmation
    state: "on"
    category: transactional
    triggers: [booked]
    actions:
      - {action: twilio.send_message, body: "Booked {{ event.n }}", to: "{{ user.phone_number }}"}
      - {action: email.send, to: "{{ user.email }}", subject: Booked, text: "Booked {{ event.n }}"}
"""
PARTNER = """
  - key: partner
    name: Tell the partner
    state: "on"
    category: transactional
    triggers: [booked]
    actions:
      - action: webhook.request
        url: "RECEIVER/booked"
        headers: {X-Api-Key: "HEADER", X-Shop: "17"}
        json: {n: "{{ event.n }}"}
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    with answering(Partner) as url:
        yield url


@pytest.fixture(scope="module")
def watched(_carrier: Simulator, receiver: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """It has done everything by now, and was stopped."""
    _carrier.reset()
    _carrier.dial(pace=0)
    mailbox = Guarded()
    mailbox.start()
    folder = tmp_path_factory.mktemp("canaries")
    oncue = Oncue(folder, environ={
        "TWILIO_ACCOUNT_SID": defaults.ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": defaults.AUTH_TOKEN,
        "TWILIO_API_KEY_SID": defaults.API_KEY_SID,
        "TWILIO_API_KEY_SECRET": defaults.API_KEY_SECRET,
        "TWILIO_URL": _carrier.url,
        "SMTP_URL": mailbox.url,
        "SIGNING_SECRET": SIGNING,
        "ONCUE_SECRET_KEY": PLANTED["ONCUE_SECRET_KEY"],
        "SHOP_KEY": PLANTED["the app's key"],
        "ONCUE_LOG": "json",
        DEBUG: "1",
    })  # fmt: skip
    oncue.key = PLANTED["the app's key"]
    found = Watched(oncue)
    try:
        _do_everything(found, _carrier, mailbox, receiver)
        yield found
    finally:
        oncue.stop()
        mailbox.stop()


def _do_everything(one: Watched, carrier: Simulator, mailbox: Guarded, receiver: str) -> None:
    oncue = one.oncue
    rules = RULES + PARTNER.replace("RECEIVER", receiver).replace("HEADER", PLANTED["a webhook's header"])
    file = oncue.folder / "rules.yaml"
    file.write_text(rules)
    plan = one.oncue.run("plan", str(file))
    one.note("oncue plan", (plan.stdout + plan.stderr).replace(PLANTED["a webhook's header"], "the rule's own header"))
    one.run("apply", str(file), "--no-check")
    oncue.start()  # with no member yet, in a log that is kept
    one.run("member", "create", "owner@example.com", "--password-stdin", text=PLANTED["a member's password"] + "\n")
    one.once["an API key of the management API"] = oncue.run(
        "key", "create", "deploy", "--scope", "admin"
    ).stdout.strip()
    swrve = oncue.run("key", "create", "swrve", "--source", "swrve", "--app", "4567", "--json")
    one.once["a Swrve app's key, which is kept"] = msgspec.json.decode(swrve.stdout)["key"]
    # It works, and it fails in every way.
    oncue.event("ann-id", "booked", {"n": 1}, user_properties=ann())
    oncue.wait_for_event("twilio.delivered")
    wait_for(lambda: oncue.messages("adaptor = 'webhook' AND state = 'rejected'"), 15)
    wait_for(lambda: mailbox.messages, 30)  # at the second try: the first password was refused, and repeated
    oncue.event("ann-id", "booked", {"n": 2})
    oncue.event("ann-id", "booked", {"n": 3})
    wait_for(lambda: oncue.messages("adaptor = 'webhook' AND carrier_status = 'succeeded'"), 15)
    one.run("check", "--set-inbound", "twilio")
    carrier.text(ANN, "hello")
    oncue.wait_for_event("twilio.received")
    key = one.once["an API key of the management API"]
    alerting = msgspec.json.encode({"emails": ["ops@example.com"], "webhook_url": f"{receiver}/alerts"})
    bearer = {"Authorization": f"Bearer {key}", "Content_Type": "application/json"}
    assert one.ask("PUT", "/api/v1/alerting", alerting, **bearer)[0] == 200
    carrier.fault("auth", times=2)
    oncue.event("ann-id", "booked", {"n": 4})
    wait_for(lambda: oncue.query("SELECT 1 FROM store_pause"), 15)
    wait_for(lambda: sum("refuses the account" in text for text in Partner.heard), 40)
    wait_for(lambda: any("refuses the account" in str(each) for each in mailbox.messages), 40)
    carrier.clear_faults()
    for text in Partner.heard:
        one.note("what webhooks were told", text)
    for each in mailbox.messages:
        one.note("e-mails", each.as_bytes())
    _refuse(one, bearer)
    _browse(one)
    _listen(one)
    _command(one, file)
    one.note("the log as JSON", oncue.log())
    oncue.stop()
    _break(one)
    oncue.stop()


def _refuse(one: Watched, bearer: dict[str, str]) -> None:
    """Errors of the API, which may repeat what they refuse."""
    token = PLANTED["a token that was refused"]
    one.ask("POST", "/v1/events", b"{", Authorization=f"Bearer {one.oncue.key}")
    one.ask("POST", "/v1/events", b"[1]", Authorization=f"Bearer {one.oncue.key}")
    one.ask("POST", "/v1/events", b"{}", Authorization=f"Bearer {token}")
    one.ask("GET", "/api/v1/messages", Authorization=f"Bearer {token}")
    one.ask("GET", "/api/v1/nothing", **bearer)
    one.ask("POST", "/hooks/twilio/message", b"Body=x", X_Twilio_Signature=token)
    for config in (
        {"auth_token": token},
        {"auth_token": token, "account_sid": "x"},
        {"config": {"auth_token": token, "account_sid": 5}},
        {"auth_token": [token]},
    ):
        for method, path in (("PUT", "/api/v1/adaptors/twilio"), ("PUT", "/api/v1/adaptors/email")):
            assert one.ask(method, path, msgspec.json.encode(config), **bearer)[0] in (400, 404, 405, 422)
    for path in ("/metrics", "/readyz", "/healthz", "/api/v1/openapi.json"):
        one.ask("GET", path)
    for path in ("messages", "events", "users", "adaptors", "keys", "members", "audit", "rules", "overview", "senders", "actions", "alerts", "replies", "users/ann-id/data", "conversations", "alerting", "retention"):  # fmt: skip
        status, content = one.ask("GET", f"/api/v1/{path}", **bearer)
        if path == "rules":  # whose own words a header is
            one.heard[f"GET /api/v1/{path}"] = content.replace(PLANTED["a webhook's header"].encode(), b"")
        assert status == 200, path
    for message in one.oncue.messages():
        one.ask("GET", f"/api/v1/messages/{message['id']}", **bearer)


def _browse(one: Watched) -> None:
    """Sign in, and see every page that another leads to."""
    wrong = PLANTED["a password that was wrong"]
    assert not one.browser.sign_in("owner@example.com", wrong)
    one.browse("POST", "/sign-in", email="owner@example.com", password=wrong)
    assert one.browser.sign_in("owner@example.com", PLANTED["a member's password"])
    one.once["a session's cookie"] = one.browser.cookies["oncue_session"].value
    _, page = one.browse("POST", "/settings/members", False, email="colleague@example.com", role="viewer")
    one.once["an invitation"] = re.findall(r"/invitation/([\w-]{20,})", page)[0]
    _, page = one.browse("POST", "/settings/keys", False, name="another", scope="events", per_second="")
    one.once["an API key of the pages"] = re.findall(r'<code id="key">([\w-]+)</code>', page)[0]
    one.browse("POST", "/settings/members", password=wrong, email="x")  # a form that is refused
    one.browse("POST", "/adaptors/twilio", auth_token=PLANTED["a token that was refused"], account_sid="x")
    one.browse("POST", "/adaptors/email", smtp_url=f"smtp://u:{PLANTED['a token that was refused']}@", **{"from": "x"})
    one.browse("POST", "/settings/account/password", old=wrong, new=wrong + "2", again="x")
    one.browse("GET", "/invitation/nothing")

    def note(path: str, page: str) -> None:
        # A rule's own words are its header, too.
        own = path.startswith("/rules/") and "partner" in path
        one.note(f"GET {path}", page.replace(PLANTED["a webhook's header"], "") if own else page)

    assert len(one.browser.crawl(note)) > 40


def _listen(one: Watched) -> None:
    """The stream that keeps pages live."""
    connection = http.client.HTTPConnection("127.0.0.1", one.oncue.port, timeout=10)
    connection.request("GET", "/live", headers={"Cookie": "oncue_session=" + one.once["a session's cookie"]})
    answer = connection.getresponse()
    where = [answer.readline() for _ in range(2)]  # it begins with where things stand
    one.oncue.event("ann-id", "visited", {})
    one.note("/live", b"".join([*where, *(answer.readline() for _ in range(2))]))
    assert b"data:" in one.heard["/live"]
    connection.close()


def _command(one: Watched, file: Path) -> None:
    exported = one.oncue.run("export")
    assert exported.returncode == 0
    one.note(
        "oncue export",
        exported.stdout.replace(PLANTED["a webhook's header"], "the rule's own header") + exported.stderr,
    )
    file.write_text(
        file.read_text()
        .replace("Booking confirmation", "Confirmation")
        .replace('default_sender: "+15005550006"', 'default_sender: "+15005550001"')
    )
    one.run("plan", str(file))
    one.run("apply", str(file), "--no-check")
    told = [
        f"state = '{state}' AND adaptor = '{name}'"
        for state, name in (("rejected", "webhook"), ("accepted", "twilio"), ("accepted", "email"))
    ]
    commands = [
        ("check",), ("key", "list"), ("member", "list"), ("messages",), ("messages", "--json"), ("events",), ("events", "--json"), ("opt-outs",),
        ("users", "list"), ("users", "show", "ann-id"), ("users", "export", "ann-id"), ("backtest", str(file)),
        *(("explain", one.oncue.messages(where)[0]["id"]) for where in told),
    ]  # fmt: skip
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda arguments: one.run(*arguments), commands))
    copy = one.oncue.folder / "backup.db"
    one.run("backup", str(copy))
    one.note("a backup, byte for byte", copy.read_bytes().replace(PLANTED["a webhook's header"].encode(), b""))


def _break(one: Watched) -> None:
    """A fault inside, on a page, in the API and where messages are sent, with everything in the log."""
    with closing(sqlite3.connect(one.oncue.folder / "data" / "oncue.db")) as file, file:
        file.execute("UPDATE store_event SET properties = '{broken'")
        file.execute("UPDATE store_message SET scopes = '{broken', warnings = '{broken'")
    one.oncue.environ["ONCUE_LOG"] = "console"
    one.oncue.start()
    before = len(one.oncue.log())
    assert one.browse("GET", "/messages")[0] == 500 and one.browse("GET", "/events")[0] == 500
    key = one.once["an API key of the management API"]
    assert one.ask("GET", "/api/v1/messages", Authorization=f"Bearer {key}")[0] == 500
    one.oncue.event("ann-id", "booked", {"n": 9})
    log = one.oncue.log()[before:]
    assert "Traceback" in log, "or nothing broke"
    one.note("the log on a console, with tracebacks", one.oncue.log())


def forms(secret: str) -> list[bytes]:
    """As it is, in an address, in JSON, in HTML, and in base64 wherever it begins there."""
    plain = [
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        secret.replace("'", "&#x27;").replace("&", "&amp;"),
    ]
    content = secret.encode()
    for before in range(3):
        coded = base64.b64encode(bytes(before) + content).decode().rstrip("=")[(0, 2, 3)[before] : -2]
        plain += [coded, coded.replace("+", "-").replace("/", "_")]
    return [one.encode() for one in plain]


def leaks(watched: Watched) -> list[str]:
    secrets = {**PLANTED, **watched.once}
    return [
        f"{what} in {where}"
        for where, said in watched.heard.items()
        for what, secret in secrets.items()
        if any(form in said for form in forms(secret))
    ]


def test_no_secret_is_in_anything_that_was_said_or_shown_or_handed_out(watched):
    assert len(watched.heard) > 100 and len(watched.once) == 5
    assert not leaks(watched)


def test_what_was_looked_for_would_have_been_found(watched):
    """Each in each of its forms, in each place."""
    for what, secret in {**PLANTED, **watched.once}.items():
        for form in forms(secret):
            assert leaks(_one_that_said(watched, b"..." + form + b"...")), (what, form)


def _one_that_said(watched: Watched, said: bytes) -> Watched:
    other = Watched(watched.oncue)
    other.once, other.heard = watched.once, {"somewhere": said}
    return other


def test_what_others_repeat_of_a_secret_was_repeated_and_is_hidden(watched):
    ((rejected,),) = watched.oncue.query("SELECT reason FROM store_message WHERE state = 'rejected' LIMIT 1")
    assert "You said" in rejected and '"X-Api-Key": "[redacted]"' in rejected and '"X-Shop": "17"' in rejected
    said = [reason for (reason,) in watched.oncue.query("SELECT reason FROM store_attempt WHERE NOT reason = ''")]
    assert any("not with [redacted]" in reason for reason in said), said


def test_on_the_disk_is_only_what_a_rule_says_itself(watched):
    """Byte for byte, with the log of the database; a rule's own header stands in the rule, and in the message that it made."""
    files = [one for one in (watched.oncue.folder / "data").iterdir() if one.is_file()]
    assert any(one.name == "oncue.db" for one in files)
    secrets = {what: secret for what, secret in {**PLANTED, **watched.once}.items() if what != "a webhook's header"}
    found = [
        f"{what} in {one.name}"
        for one in files
        for what, secret in secrets.items()
        if any(form in one.read_bytes() for form in forms(secret))
    ]
    assert not found
    header = PLANTED["a webhook's header"]
    with closing(sqlite3.connect(watched.oncue.folder / "data" / "oncue.db")) as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        holding = {
            name for name in tables if any(header in str(row) for row in file.execute(f'SELECT * FROM "{name}"'))
        }
    assert holding == {"store_rule", "store_rulerevision", "store_audit", "store_message"}
