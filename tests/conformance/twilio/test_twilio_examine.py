"""What doctor is told of an account: the answers are a script's, the sentences are ours."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from twilio_cases import ACCOUNT, SENDER, SERVICE, Script

from oncue.adaptors.twilio import adaptor
from oncue.core.finding import Finding, Level, Situation
from oncue.core.http import NotSent, Response

HERE = "https://oncue.example.com/hooks/twilio/message"
ABLE = {"sms": True, "mms": True}


def number(name: str, url: str = HERE, **able: bool) -> dict[str, Any]:
    return {"phone_number": name, "sid": "PN", "sms_url": url, "capabilities": able or ABLE}


def service(sid: str = SERVICE, url: str = HERE, **more: Any) -> dict[str, Any]:
    return {"sid": sid, "inbound_request_url": url, **more}


class Account:
    """An account, and which of its lists may not be read."""

    def __init__(self, **given: Any) -> None:
        self.state = {"friendly_name": "Shop", "status": "active", "type": "Full", **given.get("state", {})}
        self.numbers = given.get("numbers", [number(SENDER)])
        self.services = given.get("services", [])
        self.pools = given.get("pools", {})
        self.forbidden = given.get("forbidden", ())

    def answer(self, method: str, url: str) -> Response:
        assert method == "GET", "it only reads"
        path = urlsplit(url).path
        content: dict[str, Any] = {
            f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json": {"messages": []},
            f"/2010-04-01/Accounts/{ACCOUNT}.json": self.state,
            f"/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json": {"incoming_phone_numbers": self.numbers},
            "/v1/Services": {"services": self.services},
            **{f"/v1/Services/{sid}/PhoneNumbers": {"phone_numbers": pool} for sid, pool in self.pools.items()},
        }
        if path not in content or any(path.endswith(one) for one in self.forbidden):
            return Response(404, {}, b"{}")
        return Response(200, {}, msgspec.json.encode(content[path]))


def examine(config: dict[str, Any], account: Account, *used: dict[str, Any], incoming: str = "") -> dict[str, Finding]:
    situation = Situation(incoming_url=incoming, used=tuple((f"r{n}", fields) for n, fields in enumerate(used)))
    found = asyncio.run(adaptor.examine(Script(account.answer), config, situation))
    return {one.about.removeprefix("twilio "): one for one in found}


def test_an_account_of_which_all_is_well(config):
    found = examine(config, Account(), {"body": "Hi"}, {"media_urls": ["https://x.example/a.png"]}, incoming=HERE)
    assert {one.level for one in found.values()} == {Level.OK}
    assert set(found) == {"account", "signature", f"sender {SENDER}", "incoming"}


@pytest.mark.parametrize(
    ("state", "level", "words"),
    [
        ({"status": "suspended"}, Level.PROBLEM, "Shop is suspended"),
        ({"type": "Trial"}, Level.WARNING, "trial account"),
    ],
)
def test_the_state_of_the_account_is_told(config, state, level, words):
    said = examine(config, Account(state=state))["account"]
    assert said.level is level and words in said.found and said.remedy


def test_what_is_refused_or_not_reached_is_one_problem(config):
    for answer in (Response(401, {}, b'{"code":20003}'), NotSent("The name leads nowhere.")):
        script = Script(lambda method, url, answer=answer: answer)
        (said,) = asyncio.run(adaptor.examine(script, config, Situation()))
        assert said.level is Level.PROBLEM and said.about == "twilio account"


def test_with_an_api_key_alone_no_callback_can_be_verified(config):
    config.update(api_key_sid="SK" + "0" * 32, api_key_secret="secret", auth_token="")
    said = examine(config, Account())["signature"]
    assert said.level is Level.PROBLEM and "no callback can be verified" in said.found


@pytest.mark.parametrize(("status", "level"), [(200, Level.OK), (401, Level.PROBLEM), (500, Level.UNSEEN)])
def test_beside_an_api_key_the_auth_token_is_tried_too(config, status, level):
    config.update(api_key_sid="SK" + "0" * 32, api_key_secret="secret")
    account = Account()

    class Keyed(Script):
        async def request(self, method: str, url: str, *, auth: Any = None, **more: Any) -> Any:
            if auth[0].startswith("AC"):
                return Response(status, {}, b"{}")
            return account.answer(method, url)

    found = asyncio.run(adaptor.examine(Keyed(account.answer), config, Situation()))
    (said,) = (one for one in found if one.about == "twilio signature")
    assert said.level is level


SENDERS = [
    ({"from": "+15005550001"}, Account(), Level.PROBLEM, "no number of this account (rule r0)"),
    ({"from": "+15005550001"}, Account(numbers=[number("+15005550001", sms=False, mms=False, voice=True)]), Level.PROBLEM, "cannot send texts"),
    ({"from": "+15005550001", "media_urls": ["x"]}, Account(numbers=[number("+15005550001", sms=True, mms=False)]), Level.PROBLEM, "cannot send pictures"),
    ({"from": "+15005550001"}, Account(numbers=[number("+15005550001", sms=True, mms=False)]), Level.OK, "but no pictures"),
    ({"from": "Shop"}, Account(), Level.UNSEEN, "alphanumeric"),
    ({"from": "12345"}, Account(), Level.UNSEEN, "short codes"),
    ({"from": "12345"}, Account(numbers=[number("12345")]), Level.OK, "is the account's"),
    ({"from": "+15005550001"}, Account(forbidden=("IncomingPhoneNumbers.json",)), Level.UNSEEN, "may not list the account's numbers"),
    ({"messaging_service_sid": SERVICE}, Account(services=[service()], pools={SERVICE: [number("+1")]}), Level.OK, "1 numbers in its pool"),
    ({"messaging_service_sid": SERVICE}, Account(services=[service()], pools={SERVICE: []}), Level.WARNING, "no number in its pool"),
    ({"messaging_service_sid": SERVICE}, Account(services=[service()]), Level.UNSEEN, "could not be listed"),
    ({"messaging_service_sid": SERVICE}, Account(), Level.PROBLEM, "no messaging service of this account"),
    ({"messaging_service_sid": SERVICE}, Account(forbidden=("Services",)), Level.UNSEEN, "may not list the account's messaging services"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "account", "level", "words"), SENDERS)
def test_each_sender_that_a_rule_names_is_looked_for(config, fields, account, level, words):
    name = fields.get("from") or fields["messaging_service_sid"]
    said = examine(config, account, fields)[f"sender {name}"]
    assert said.level is level and words in said.found


def test_a_sender_that_only_a_template_knows_is_not_looked_for(config):
    del config["default_sender"]
    found = examine(config, Account(), {"from": "{{ event.shop_number }}"})
    assert not any(name.startswith("sender ") for name in found) and found["senders"].level is Level.WARNING


INCOMING = [
    (Account(numbers=[number(SENDER, "")]), Level.WARNING, f"{SENDER} go to nowhere"),
    (Account(numbers=[number(SENDER, "https://crm.example/in")]), Level.WARNING, "go to https://crm.example/in"),
    # A number in a service's pool: what counts is where the service sends them, unless it leaves that to its numbers.
    (Account(numbers=[number(SENDER, "")], services=[service()], pools={SERVICE: [number(SENDER)]}), Level.OK, HERE),
    (Account(services=[service(url="")], pools={SERVICE: [number(SENDER)]}), Level.WARNING, f"{SERVICE} go to nowhere"),
    (Account(numbers=[number(SENDER, "")], services=[service(url="", use_inbound_webhook_on_number=True)], pools={SERVICE: [number(SENDER)]}), Level.WARNING, f"{SENDER} go to nowhere"),
    (Account(numbers=[number(SENDER, "", sms=False, voice=True), number("+15005550001")]), Level.OK, "all 1 senders"),
    (Account(forbidden=("Services",)), Level.UNSEEN, "may not list where"),
]  # fmt: skip


@pytest.mark.parametrize(("account", "level", "words"), INCOMING)
def test_where_peoples_messages_go_is_told(config, account, level, words):
    said = examine(config, account, incoming=HERE)["incoming"]
    assert said.level is level and words in said.found


def test_without_a_public_url_nobody_asks_where_they_go(config):
    assert "incoming" not in examine(config, Account(numbers=[number(SENDER, "")]))
