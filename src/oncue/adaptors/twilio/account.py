"""Activating the account: are the credentials good, what kind of account is it, which senders does it have, and where do replies go?"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from oncue.adaptors.twilio import api, errors
from oncue.core.adaptor import Checked, Config
from oncue.core.http import Answer, Http, Response

_DEMO = "https://demo.twilio.com/"
"""Where Twilio points a number that nobody has configured."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def check(http: Http, config: Config) -> Checked:
    """List one message, which every kind of key may do; then look around as far as the key allows."""
    refused = await refusal(http, config)
    if refused:
        return Checked(ok=False, sentence=refused)
    account = await read(http, config, api.account_url(config, ".json"))
    if account.get("status", "active") != "active":
        return Checked(ok=False, sentence=f"The Twilio account is {account['status']}. Look at the Twilio console.")
    if config.get("api_key_sid") and await token_is_wrong(http, config):
        return Checked(
            ok=False,
            sentence="The API key is good, but the Auth Token is not: callbacks could not be verified. Copy it again.",
        )
    senders, notes = await _senders(http, config)
    if account.get("type") == "Trial":
        notes.append("This is a trial account: it texts verified numbers only, and each text begins with a notice.")
    default = config.get("default_sender")
    own = [one["name"] for one in senders]
    if default and senders and default not in own and str(default).startswith(("+", "MG")):
        notes.append(f"The default sender {default} is not among the account's senders: {', '.join(own)}.")
    if not default:
        notes.append(
            f"There is no default sender; each rule must name one. The account has: {', '.join(own) or 'none that can be listed'}."
        )
    name = str(account.get("friendly_name") or config["account_sid"])
    return Checked(
        ok=True, sentence=f"Twilio accepts the credentials of {name}.", notes=tuple(notes), found={"senders": senders}
    )


async def refusal(http: Http, config: Config) -> str:
    """Why the credentials are not good, in a sentence; empty if they are."""
    answer = await api.get(http, config, api.account_url(config, "/Messages.json?PageSize=1"))
    if not isinstance(answer, Response):
        return f"{api.host(config)} cannot be reached. {answer.reason}"
    if answer.status == 200:
        return ""
    code = api.code_of(api.content(answer))
    if answer.status == 401:
        which = "API Key SID and Secret" if config.get("api_key_sid") else "Account SID and Auth Token"
        return f"Twilio refuses the {which} (error {code or 401}). Copy both again from the Twilio console, under Account Summary."
    if code == 20008 or (answer.status == 403 and not code):
        return "These are test credentials, or may not read messages: they send nothing. Use the live credentials."
    error = errors.look_up(code, answer.status)
    return f"{error.meaning} {error.remedy} (status {answer.status}, error {code})".strip()


async def token_is_wrong(http: Http, config: Config) -> bool | None:
    """Beside an API key the token serves only to verify callbacks, so nothing else would notice. None if Twilio does not say."""
    own = {name: value for name, value in config.items() if not name.startswith("api_key")}
    answer = await api.get(http, own, api.account_url(own, "/Messages.json?PageSize=1"))
    if not isinstance(answer, Response) or answer.status not in (200, 401):
        return None
    return answer.status == 401


async def _senders(http: Http, config: Config) -> tuple[list[dict[str, Any]], list[str]]:
    """The account's numbers and messaging services, each with where its incoming messages go now."""
    numbers = await read(http, config, api.account_url(config, "/IncomingPhoneNumbers.json?PageSize=1000"))
    services = await read(http, config, f"{api.host(config, 'messaging')}/v1/Services?PageSize=100")
    notes = []
    if "incoming_phone_numbers" not in numbers:
        notes.append("This key may not list the account's numbers.")
    if "services" not in services:
        notes.append("This key may not list the account's messaging services.")
    found = [
        {
            "name": one.get("phone_number"),
            "label": one.get("friendly_name"),
            "sid": one.get("sid"),
            "inbound_url": one.get("sms_url") or "",
        }
        for one in numbers.get("incoming_phone_numbers", [])
        if (one.get("capabilities") or {}).get("sms", True)
    ]
    found += [
        {
            "name": one.get("sid"),
            "label": one.get("friendly_name"),
            "sid": one.get("sid"),
            # A service may leave it to its numbers, and then its own address is not called.
            "inbound_url": None if one.get("use_inbound_webhook_on_number") else one.get("inbound_request_url") or "",
        }
        for one in services.get("services", [])
    ]
    return found, notes


async def set_inbound(http: Http, config: Config, url: str) -> Checked:
    """Have incoming messages of the account's numbers and services sent to this address. Those that another program receives are left."""
    senders, notes = await _senders(http, config)
    done: list[str] = []
    failed: list[str] = []
    for one in senders:
        now = one["inbound_url"]
        if now in (url, None):
            continue
        if now and not now.startswith(_DEMO):
            notes.append(
                f"{one['name']} was left alone: its messages go to {now}. Empty that in the Twilio console first, if oncue should have them."
            )
            continue
        answer = await _point(http, config, str(one["sid"]), url)
        succeeded = isinstance(answer, Response) and 200 <= answer.status < 300
        (done if succeeded else failed).append(str(one["name"]))
    if failed:
        return Checked(
            ok=False,
            sentence=f"Incoming messages of {', '.join(failed)} could not be sent to {url}.",
            notes=tuple(notes),
        )
    what = f"Incoming messages of {', '.join(done)} now go to {url}." if done else "Nothing was changed."
    return Checked(ok=True, sentence=what, notes=tuple(notes))


async def _point(http: Http, config: Config, sid: str, url: str) -> Answer:
    if sid.startswith("MG"):
        place = f"{api.host(config, 'messaging')}/v1/Services/{sid}"
        form = {"InboundRequestUrl": url, "InboundMethod": "POST"}
    else:
        place = api.account_url(config, f"/IncomingPhoneNumbers/{sid}.json")
        form = {"SmsUrl": url, "SmsMethod": "POST"}
    return await http.request(
        "POST", place, headers=_FORM, body=urlencode(form).encode(), auth=api.credentials(config), trusted=True
    )


async def read(http: Http, config: Config, url: str) -> dict[str, Any]:
    """The object at an address; empty if the key may not read it."""
    answer = await api.get(http, config, url)
    return api.content(answer) if isinstance(answer, Response) and answer.status == 200 else {}
