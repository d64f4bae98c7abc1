"""A close look at the account, for `oncue doctor`: credentials, state, whether each sender in use exists and can send, and whether
replies reach us. It only reads; of what no list of Twilio's shows it says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec

from oncue.adaptors.twilio import account, api, fields
from oncue.core.adaptor import Config
from oncue.core.finding import Finding, Situation, ok, problem, unseen, warning
from oncue.core.http import Http

_POINT = (
    "`oncue check --set-inbound twilio` points those that go nowhere here; others are changed in the Twilio console."
)

_AT_ONCE = 5
"""Requests. Twilio refuses more than an account's share at once."""


class _Owned(msgspec.Struct, frozen=True, kw_only=True):
    """What the account has; None where the key may not list it."""

    numbers: dict[str, dict[str, Any]] | None
    """By number."""
    services: dict[str, dict[str, Any]] | None
    """By SID."""
    pools: dict[str, tuple[dict[str, Any], ...]]
    """By the SID of the service, where it could be read."""


async def examine(http: Http, config: Config, situation: Situation) -> tuple[Finding, ...]:
    """Everything, or what keeps us from seeing more."""
    refusal = await account.refusal(http, config)
    if refusal:
        return (problem("twilio account", refusal, "Mend it on the adaptor's page."),)
    read = await account.read(http, config, api.account_url(config, ".json"))
    findings = [_state(config, read), await _token(http, config)]
    senders = _senders(config, situation)
    owned = await _owned(http, config, [one for one in senders if fields.is_service(one)])
    for sender, users in senders.items():
        findings += _sender(sender, users, owned)
    if not senders:
        findings.append(
            warning("twilio senders", "There is no default sender, and no rule names one.", "Choose a default sender.")
        )
    return (*findings, *(_incoming(situation.incoming_url, owned) if situation.incoming_url else ()))


def _state(config: Config, read: dict[str, Any]) -> Finding:
    about = "twilio account"
    if not read:
        return unseen(about, "Twilio takes the credentials; this key may not read the account's state.", "")
    name = str(read.get("friendly_name") or config["account_sid"])
    if read.get("status", "active") != "active":
        return problem(about, f"{name} is {read['status']}.", "Look at the Twilio console.")
    if read.get("type") == "Trial":
        return warning(
            about, f"{name} is a trial account: it texts verified numbers only, and each text begins with a notice.", "Upgrade it in the Twilio console."
        )  # fmt: skip
    return ok(about, f"Twilio takes the credentials of {name}, which is active.")


async def _token(http: Http, config: Config) -> Finding:
    """Callbacks are signed with the Auth Token, whatever is sent with."""
    about = "twilio signature"
    if not config.get("auth_token"):
        return problem(
            about, "There is no Auth Token, without which no callback can be verified: each is refused.", "Enter it on the adaptor's page; an API key does not do."
        )  # fmt: skip
    if not config.get("api_key_sid"):
        return ok(about, "The Auth Token sends, and verifies callbacks.")
    wrong = await account.token_is_wrong(http, config)
    if wrong is None:
        return unseen(about, "Twilio did not say whether the Auth Token is good.", "Try again.")
    if wrong:
        return problem(
            about, "The API key is good, but the Auth Token is not: no callback can be verified, and each is refused.", "Copy it again from the Twilio console."
        )  # fmt: skip
    return ok(about, "The API key sends, the Auth Token verifies callbacks; Twilio takes both.")


def _senders(config: Config, situation: Situation) -> dict[str, list[str]]:
    """Each sender in use, as far as rules say so without a template → who uses it; `, with pictures` where they do."""
    found: dict[str, list[str]] = {}
    default = str(config.get("default_sender") or "")
    if default:
        found[default] = ["by default"]
    for rule, given in situation.used:
        sender = str(given.get("messaging_service_sid") or given.get("from") or default)
        if sender and "{{" not in sender and "{%" not in sender:
            found.setdefault(sender, []).append(f"rule {rule}{', with pictures' if given.get('media_urls') else ''}")
    return found


async def _owned(http: Http, config: Config, services: list[str]) -> _Owned:
    numbers = await account.read(http, config, api.account_url(config, "/IncomingPhoneNumbers.json?PageSize=1000"))
    listed = await account.read(http, config, f"{api.host(config, 'messaging')}/v1/Services?PageSize=100")
    known = {one.get("sid"): one for one in listed.get("services", [])}
    turns = asyncio.Semaphore(_AT_ONCE)

    async def pool(sid: str) -> tuple[str, dict[str, Any]]:
        async with turns:
            place = f"{api.host(config, 'messaging')}/v1/Services/{sid}/PhoneNumbers?PageSize=1000"
            return sid, await account.read(http, config, place)

    pools = await asyncio.gather(*map(pool, dict.fromkeys((*services, *known))))
    return _Owned(
        numbers={one.get("phone_number"): one for one in numbers["incoming_phone_numbers"]}
        if "incoming_phone_numbers" in numbers
        else None,
        services=known if "services" in listed else None,
        pools={sid: tuple(read["phone_numbers"]) for sid, read in pools if "phone_numbers" in read},
    )


def _sender(sender: str, users: list[str], owned: _Owned) -> Iterator[Finding]:
    about = f"twilio sender {sender}"
    if fields.is_service(sender):
        yield from _service(about, sender, users, owned)
    elif owned.numbers is None:
        yield unseen(
            about, "This key may not list the account's numbers.", "Use a key that may, or look in the console."
        )
    elif sender in owned.numbers:
        yield from _capable(about, owned.numbers[sender].get("capabilities") or {}, users)
    elif sender.startswith("+"):
        yield problem(
            about, f"It is no number of this account ({'; '.join(users)}).", "Choose one of its numbers, or buy this one in the Twilio console."
        )  # fmt: skip
    else:
        yield unseen(
            about, "Twilio lists short codes and alphanumeric sender IDs elsewhere; which countries take them, only sending shows."
        )  # fmt: skip


def _capable(about: str, capabilities: dict[str, Any], users: list[str]) -> Iterator[Finding]:
    able = {name.lower() for name, value in capabilities.items() if value}
    if "sms" not in able:
        yield problem(about, f"It cannot send texts ({'; '.join(users)}).", "Choose a number that can.")
        return
    pictures = [one for one in users if one.endswith("pictures")]
    if pictures and "mms" not in able:
        yield problem(
            about, f"It cannot send pictures, which are asked of it ({'; '.join(pictures)}).", "Choose a number that can, or leave the pictures out."
        )  # fmt: skip
        return
    yield ok(about, f"It is the account's, and sends texts{' and pictures' if 'mms' in able else ', but no pictures'}.")


def _service(about: str, sid: str, users: list[str], owned: _Owned) -> Iterator[Finding]:
    if owned.services is None:
        yield unseen(about, "This key may not list the account's messaging services.", "Use a key that may.")
    elif sid not in owned.services:
        yield problem(about, f"It is no messaging service of this account ({'; '.join(users)}).", "Choose one that is.")
    elif sid not in owned.pools:
        yield unseen(about, "Its senders could not be listed.", "Look in the Twilio console whether it has any.")
    elif not owned.pools[sid]:
        yield warning(
            about, "There is no number in its pool; whether it has short codes or alphanumeric senders was not looked at.", "Add a sender to it in the Twilio console, unless it has one of those."
        )  # fmt: skip
    else:
        yield ok(about, f"It is the account's, with {len(owned.pools[sid])} numbers in its pool.")


def _incoming(wanted: str, owned: _Owned) -> Iterator[Finding]:
    """Where people's messages go. A number in a service's pool leaves that to the service, unless the service leaves it to its numbers."""
    about = "twilio incoming"
    if owned.numbers is None or owned.services is None:
        yield unseen(about, "This key may not list where people's messages go.", "Use a key that may.")
        return
    led = {
        one.get("phone_number"): sid
        for sid, pool in owned.pools.items()
        if not (owned.services.get(sid) or {}).get("use_inbound_webhook_on_number")
        for one in pool
    }
    places = {
        name: str(one.get("sms_url") or "")
        for name, one in owned.numbers.items()
        if name not in led and (one.get("capabilities") or {}).get("sms", True)
    }
    places |= {
        sid: str(one.get("inbound_request_url") or "")
        for sid, one in owned.services.items()
        if not one.get("use_inbound_webhook_on_number")
    }
    astray = [f"{name} go to {url or 'nowhere'}" for name, url in places.items() if url != wanted]
    if astray:
        shown = "; ".join(astray[:10]) + (f"; and {len(astray) - 10} more" if len(astray) > 10 else "")
        yield warning(about, f"Not every reply and STOP reaches oncue: messages to {shown}.", _POINT)
    elif places:
        yield ok(about, f"People's messages to all {len(places)} senders go to {wanted}.")
