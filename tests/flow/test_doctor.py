"""`oncue doctor`, on a real oncue behind a real proxy, with a simulated carrier and a mail server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from aiohttp import web

from oncue.adaptors.twilio import adaptor as twilio
from oncue.core.finding import Finding, Level
from oncue.store.secrets import Vault, read_keys
from oncue.workers import asking, probing, reaching
from proxying import Proxy, proxying


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with proxying() as one:
        yield one


def findings(done: Any) -> list[dict[str, str]]:
    return msgspec.json.decode(done.stdout)


def test_of_a_whole_installation_behind_a_good_proxy_nothing_is_a_problem(start, carrier, mailbox, proxy):
    oncue = start(ONCUE_PUBLIC_URL=proxy.url, SMTP_URL=mailbox.url)
    proxy.target = oncue.url
    carrier.reset()
    assert oncue.run("check", "--set-inbound", "twilio").returncode == 0
    assert oncue.run("member", "create", "ann@example.com").returncode == 0
    assert oncue.run("backup", "whole.db").returncode == 0
    done = oncue.run("doctor", "--json")
    found = findings(done)
    assert done.returncode == 0, done.stdout + done.stderr
    bad = [one for one in found if one["level"] != "ok"]
    # A test is on loopback, and in clear; and what its data lies on may be a container's.
    assert {one["about"] for one in bad} <= {"public URL", "data directory"} and len(bad) <= 3, bad
    said = {one["about"]: one["found"] for one in found}
    assert "reaches this oncue as it was sent" in said["proxy"]
    assert "oncue heard the call and believed its signature" in said["twilio callback"]
    assert f"go to {proxy.url}/hooks/twilio/message" in said["twilio incoming"]
    assert "sends texts and pictures" in said["twilio sender +15005550006"]
    assert said["twilio clock"] == "It agrees with Twilio's."
    assert said["email"] == "127.0.0.1 takes e-mails."
    assert "ann@example.com" in said["alerts"] and "0 days ago" in said["backup"]
    assert {one["group"] for one in found} == {"Machine", "Database", "Server", "Public URL", "Adaptors", "Rules", "Work", "People"}  # fmt: skip
    everything = done.stdout + oncue.run("doctor").stdout
    assert oncue.environ["TWILIO_AUTH_TOKEN"] not in everything and oncue.key not in everything
    assert (oncue.folder / "data" / "secret.key").read_text().strip() not in everything


def test_while_oncue_does_not_run_it_says_so_and_looks_at_the_rest_and_changes_nothing(start, carrier):
    oncue = start()
    oncue.stop()
    before = {path.name: path.read_bytes() for path in (oncue.folder / "data").iterdir() if not path.name.endswith(("-shm", "-wal"))}  # fmt: skip
    done = oncue.run("doctor", "--json")
    found = findings(done)
    assert done.returncode == 1, "the mail server does not answer"
    assert [one["about"] for one in found if one["level"] == "problem"] == ["email"]
    (server,) = (one for one in found if one["group"] == "Server")
    assert server["level"] == "warning" and "does not run" in server["found"] and "oncue serve" in server["remedy"]
    assert any(one["about"] == "public URL" and one["level"] == "unseen" for one in found)
    after = {path.name: path.read_bytes() for path in (oncue.folder / "data").iterdir() if not path.name.endswith(("-shm", "-wal"))}  # fmt: skip
    assert after == before
    oncue.start()  # the lock was let go of


def test_a_server_on_another_port_or_with_other_settings_is_told(start, carrier, mailbox):
    oncue = start(SMTP_URL=mailbox.url)
    port, oncue.environ["ONCUE_PORT"] = oncue.environ["ONCUE_PORT"], "1"
    found = {one["about"]: one for one in findings(oncue.run("doctor", "--json", "--no-network"))}
    assert found["server"]["level"] == "problem"
    assert f"Process {oncue.pid} has the data directory" in found["server"]["found"]
    assert "--port" in found["server"]["remedy"]
    oncue.environ["ONCUE_PUBLIC_URL"] = "https://elsewhere.example.com"
    done = oncue.run("doctor", "--json", "--no-network", "--port", port)
    (said,) = (one for one in findings(done) if one["level"] == "problem")
    assert said["about"] == "server" and f"started with {oncue.url}" in said["found"] and done.returncode == 1
    oncue.environ["ONCUE_PUBLIC_URL"] = oncue.url


def test_without_data_or_with_a_wrong_setting_it_says_that_and_makes_nothing(start, carrier):
    oncue = start()
    oncue.environ["ONCUE_DATA_DIR"] = str(oncue.folder / "nowhere")
    done = oncue.run("doctor")
    assert done.returncode == 1 and "There is no data of oncue in" in done.stdout.replace("\n", " ")
    assert not (oncue.folder / "nowhere").exists()
    oncue.environ["ONCUE_PORT"] = "eighty"
    done = oncue.run("doctor", "--json")
    assert done.returncode == 1 and "ONCUE_PORT must be a number" in findings(done)[-1]["found"]


# Proxies at fault.


async def prefixed(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    return await proxy.pass_on(request, path="/app" + request.raw_path)


async def cut(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    return await proxy.pass_on(request, path=request.raw_path.partition("?")[0])


async def added(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    mark = "&" if "?" in request.raw_path else "?"
    return await proxy.pass_on(request, path=f"{request.raw_path}{mark}via=proxy")


async def unsigned(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    return await proxy.pass_on(request, headers=lambda headers: headers.popall("X-Twilio-Signature", None))


async def signed_anew(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    return await proxy.pass_on(request, headers=lambda headers: headers.update({"X-Twilio-Signature": "bWluZQ=="}))


async def rewritten(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    return await proxy.pass_on(request, body=lambda body: body.replace(b"MessageSid=", b"MessageSid=x"))


async def emptied(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    return await proxy.pass_on(request, body=lambda body: b"")


async def fetched(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    return await proxy.pass_on(request, method="GET")


async def to_https(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    raise web.HTTPMovedPermanently(proxy.url.replace("http://", "https://") + request.raw_path)


async def elsewhere(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect("https://www.example.com/")


async def locked(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    raise web.HTTPUnauthorized(text="Who are you?")


async def nobody_behind(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    raise web.HTTPBadGateway(text="<html>")


async def not_passed(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound(text="<html>")


async def answering_itself(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>Welcome")


async def hanging_up(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


FAULTS = {
    prefixed: ("It changes the path: /hooks/… arrives as /app/hooks/…", "nothing after it"),
    cut: ("It changes the query: 'one=1&two=a%26b%20c' does not arrive.", "keep the path and the query"),
    added: ("arrives as 'one=1&two=a%26b%20c&via=proxy'", "keep the path and the query"),
    unsigned: ("It takes away the header X-Twilio-Signature", "proxy_set_header X-Twilio-Signature"),
    signed_anew: ("It changes the header X-Twilio-Signature", "proxy_set_header X-Twilio-Signature"),
    rewritten: ("It changes the body of what is posted", "a firewall that rewrites forms"),
    emptied: ("It takes away the body of what is posted", "proxy_pass_request_body off"),
    fetched: ("It makes a GET of a POST", "as they are"),
    to_https: ("a redirect to https", "Set ONCUE_PUBLIC_URL=https://127.0.0.1:"),
    elsewhere: ("a redirect to https://www.example.com/", "take the redirect away"),
    locked: ("something in front of it asks who is calling", "Let calls to /hooks through"),
    nobody_behind: ("does not reach oncue", "the address and port it passes calls on to"),
    not_passed: ("the proxy does not pass /hooks on", "Have it pass"),
    answering_itself: ("it is not oncue's", "without answering itself"),
    hanging_up: ("No answer came.", "Look whether the proxy passes calls on"),
}


def test_each_fault_of_a_proxy_is_named_with_its_remedy(start, carrier, proxy):
    oncue = start(ONCUE_PUBLIC_URL=proxy.url)
    proxy.target = oncue.url
    assert {one.level for one in way(oncue, proxy)} == {Level.OK, Level.WARNING}
    for fault, (words, remedy) in FAULTS.items():
        proxy.fault = fault
        problems = [one for one in way(oncue, proxy) if one.level is Level.PROBLEM]
        assert any(words in one.found and remedy in one.remedy for one in problems), (fault.__name__, problems)
    assert "was refused" in oncue.log(), "and oncue believed none of those that were changed"


def test_a_proxy_that_leads_to_another_oncue_is_told_though_it_has_the_same_account(start, carrier, proxy):
    oncue, another = start(ONCUE_PUBLIC_URL=proxy.url), start(ONCUE_PUBLIC_URL=proxy.url)
    proxy.target = another.url  # a copy of the same data
    (said,) = (one for one in way(oncue, proxy) if one.level is Level.PROBLEM)
    assert "Another process answers there than on this machine, with the same secret key." in said.found
    another.stop()
    another.environ["ONCUE_SECRET_KEY"] = "another key, and one that is long enough"
    another.start()
    (said,) = (one for one in way(oncue, proxy) if one.level is Level.PROBLEM)
    assert "An oncue answers there, but not this one" in said.found


def test_what_reached_it_is_told_to_nobody_without_a_ticket(start, carrier):
    oncue = start()
    vault = Vault(*read_keys(oncue.folder / "data"))
    assert oncue.call("POST", f"/hooks/oncue/{vault.ticket()}", b"x")[0] == 200
    for ticket in ("", "x", "%00", Vault("another key, long enough, of somebody").ticket(), vault.close({"a": 1}).rstrip("=")):  # fmt: skip
        assert oncue.call("POST", f"/hooks/oncue/{ticket}", b"x")[0] == 404, ticket


def way(oncue: Any, proxy: Proxy) -> list[Finding]:
    """What doctor finds on the way from the public URL."""
    vault = Vault(*read_keys(oncue.folder / "data"))
    config = {"account_sid": oncue.environ["TWILIO_ACCOUNT_SID"], "auth_token": oncue.environ["TWILIO_AUTH_TOKEN"]}

    async def walk() -> list[Finding]:
        asked = await asking.ask(oncue.url, vault.ticket(), proxy.url, str(oncue.pid))
        assert asked.here is not None
        rounds = [("twilio", "Twilio", probing.call_of(twilio, config, proxy.url))]
        return await reaching.reach(proxy.url, vault.ticket, asked.here, rounds)

    return asyncio.run(walk())
