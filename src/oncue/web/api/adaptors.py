"""Adaptors: looked at without their secrets, configured, activated and deactivated."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.core import clock
from oncue.core.adaptor import Adaptor as Declared
from oncue.core.probe import BAD
from oncue.store import adaptors as stored
from oncue.store import configuring, reading, traffic
from oncue.store.adaptors import ACTIVE, INACTIVE, Stored
from oncue.web import adaptor_callbacks, adaptor_certainty, adaptor_checks
from oncue.web.adaptor_checks import kept
from oncue.web.api.auth import ADMIN, READ, WRITE, who
from oncue.web.api.fields import DeclaredField, declared
from oncue.web.api.operations import Resource
from oncue.web.api.problems import Refused, faulty, missing
from oncue.web.api.shapes import At, Given
from oncue.web.backstage import behind

ADAPTORS = Resource("Adaptors", "Connections to providers. A saved secret is never answered.")

Name = Annotated[str, Field(max_length=50, description="The adaptor's name.", examples=["email"])]


class Pause(BaseModel):
    """A part of an adaptor through which nothing is sent for now."""

    kind: str = Field(description="`account`, `sender` or `country`.", examples=["sender"])
    key: str = Field(description="Which; empty for the account.", examples=["shop@example.com"])
    reason: str = Field(description="Why.", examples=["The provider refuses the sender."])
    since_at: At = Field(description="Since when.")
    until_at: At = Field(description="Until when, if nothing is done.")


class Raised(BaseModel):
    """An event that it raises."""

    name: str = Field(description="Its full name, as rules write it.", examples=["email.failed"])
    label: str = Field(description="What people call it.", examples=["Failed"])
    sentence: str = Field(description="What it means.", examples=["The mail server refused it."])


class HookUrl(BaseModel):
    """An address that the provider calls."""

    name: str = Field(description="What for.", examples=["status"])
    url: str = Field(description="The address.", examples=["https://oncue.example.com/hooks/sms/status"])


class Hearing(BaseModel):
    """Where people's messages to one sender go."""

    sender: str = Field(description="Which sender.", examples=["+15005550006"])
    label: str = Field(description="What the account calls it; empty if nothing.", examples=["Shop"])
    goes: Literal["here", "elsewhere", "nowhere"] = Field(description="Where they go.", examples=["here"])
    url: str = Field(
        description="The address that they go to; empty if none.",
        examples=["https://oncue.example.com/hooks/sms/message"],
    )


class Calls(BaseModel):
    """The calls that the provider makes to oncue."""

    urls: list[HookUrl] = Field(description="The addresses it calls; none without ONCUE_PUBLIC_URL.")
    polls: bool = Field(
        description="Whether oncue asks for what happened instead, for want of a public URL.", examples=[False]
    )
    can_check: bool = Field(
        description="Whether it can be checked that calls arrive (`callback-check`).", examples=[True]
    )
    can_point: bool = Field(
        description="Whether there are senders whose messages from people go elsewhere (`inbound`).", examples=[False]
    )
    senders: list[Hearing] = Field(
        description="Where people's messages go, as the last check of the credentials found it."
    )


class Certainty(BaseModel):
    """How sure oncue is of what became of its messages: counts of the last 24 hours, but for `in_doubt` and `lag`, which are of now."""

    in_doubt: int = Field(description="Of how many it is not known whether the provider took them.", examples=[0])
    found: int = Field(description="How many of such were found in the provider's list.", examples=[1])
    sent_again: int = Field(description="How many were not in it, and were sent again.", examples=[0])
    healed: int = Field(description="Of how many a lost callback was made up for by asking.", examples=[0])
    lag: int = Field(description="By how many minutes asking lags.", examples=[0])


class Adaptor(BaseModel):
    """A connection to a provider."""

    name: Name
    label: str = Field(description="What people call it.", examples=["Email"])
    help: str = Field(description="What it does.", examples=["Sends e-mails by SMTP."])
    state: Literal["not_configured", "active", "inactive"] = Field(description="Whether it sends.", examples=["active"])
    problem: str = Field(description="What is wrong with it, as a sentence; else empty.", examples=[""])
    config: dict[str, Any] = Field(
        description="Its configuration, without secrets.", examples=[{"from": "Shop <shop@example.com>"}]
    )
    secrets: list[str] = Field(description="The names of secrets that are saved.", examples=[["smtp_url"]])
    found: dict[str, Any] = Field(description="What the provider last said of the account.", examples=[{}])
    waiting: int = Field(description="How many messages wait for it.", examples=[0])
    pauses: list[Pause]
    fields: list[DeclaredField] = Field(description="What can be configured.")
    events: list[Raised] = Field(description="Events that it raises, which rules can be triggered by.")
    calls: Calls = Field(description="The way back: the calls that the provider makes.")
    certainty: Certainty | None = Field(
        description="How sure oncue is of what became of its messages; null if its provider cannot be asked."
    )


class Adaptors(BaseModel):
    """All adaptors, configured or not."""

    items: list[Adaptor]


class Configuration(Given):
    """What to save."""

    config: dict[str, Any] = Field(
        description="Values by field. A secret that is left out stays as it is saved, unless a field changes that says where it would be sent.",
        examples=[{"smtp_url": "smtp://localhost:1025", "from": "Shop <shop@example.com>"}],
    )
    active: bool = Field(
        default=True,
        description="True: the credentials are checked with the provider, and it becomes active. False: it is saved unchecked, and inactive.",
        examples=[True],
    )


@ADAPTORS.operation("GET /adaptors", scope=READ, answer=Adaptors)
def list_adaptors(request: HttpRequest) -> object:
    """List the adaptors"""
    waiting, pauses = traffic.waiting(), reading.pauses()
    return {"items": [_shown(one, waiting, pauses) for one in behind().catalogue.values() if not one.builtin]}


@ADAPTORS.operation("GET /adaptors/{name}", scope=READ, answer=Adaptor)
def get_adaptor(request: HttpRequest, name: Name) -> object:
    """Get an adaptor"""
    return _shown(_declared(name), traffic.waiting(), reading.pauses())


@ADAPTORS.operation(
    "PUT /adaptors/{name}",
    scope=ADMIN,
    answer=Adaptor,
    refuses={422: "A field is wrong, or the provider refuses the credentials."},
    example={"config": {"smtp_url": "smtp://127.0.0.1:1025", "from": "Shop <shop@example.com>"}, "active": False},
)
def configure_adaptor(request: HttpRequest, name: Name, body: Configuration) -> object:
    """Configure an adaptor

    What is saved is what `config` says, and saved secrets that it leaves out. Pauses are lifted: whoever saves has mended it."""
    adaptor, vault, by = _declared(name), behind().vault, who(request)
    before = stored.stored(name, vault)
    kept_secrets = adaptor.kept_secrets(before.values, body.config) if before else {}
    values, faults = adaptor.read_config({**kept_secrets, **body.config})
    if faults:
        raise faulty(faults, "config.")
    found = _checked(adaptor, values, before) if body.active else kept(None, before)
    state = ACTIVE if body.active else INACTIVE
    behind().change(lambda: configuring.configure(adaptor, vault, values, state, by=by, found=found))
    return _shown(adaptor, traffic.waiting(), reading.pauses())


@ADAPTORS.operation(
    "POST /adaptors/{name}/activate",
    scope=ADMIN,
    answer=Adaptor,
    refuses={409: "It is not configured.", 422: "The provider refuses the credentials."},
)
def activate_adaptor(request: HttpRequest, name: Name) -> object:
    """Activate an adaptor

    If the provider takes the credentials, messages that waited are sent now, if they are still in time."""
    return _switch(request, name, ACTIVE)


@ADAPTORS.operation(
    "POST /adaptors/{name}/deactivate", scope=ADMIN, answer=Adaptor, refuses={409: "It is not configured."}
)
def deactivate_adaptor(request: HttpRequest, name: Name) -> object:
    """Deactivate an adaptor

    Messages wait until it is active again; those whose time passes expire."""
    return _switch(request, name, INACTIVE)


class Step(BaseModel):
    """One step of the way from the provider to oncue."""

    label: str = Field(description="What was tried.", examples=["The call arrives"])
    tone: Literal["good", "warn", "bad"] = Field(
        description="`good`; `warn`: it works, but look at it; `bad`: here it stopped.", examples=["good"]
    )
    sentence: str = Field(description="What was found, and what to do.", examples=["A signed call was taken."])


class WayBack(BaseModel):
    """How far a call came."""

    arrived: bool = Field(description="Whether it came all the way.", examples=[True])
    steps: list[Step] = Field(description="Step by step; if it stopped, the last says where and why.")


@ADAPTORS.operation(
    "POST /adaptors/{name}/callback-check",
    scope=WRITE,
    answer=WayBack,
    refuses={409: "It makes no calls, is not configured, or oncue has no public URL."},
)
def check_callbacks(request: HttpRequest, name: Name) -> object:
    """Check that the provider's calls arrive

    oncue calls itself through its public URL, signed as the provider signs. The call speaks of no message there is, so it changes nothing."""
    adaptor = _declared(name)
    steps = adaptor_checks.way_back(adaptor, stored.stored(name, behind().vault))
    if isinstance(steps, str):
        raise Refused(409, steps)
    return {"arrived": steps[-1].tone != BAD, "steps": msgspec.to_builtins(steps)}


@ADAPTORS.operation(
    "POST /adaptors/{name}/inbound",
    scope=ADMIN,
    answer=Adaptor,
    refuses={
        409: "It takes no messages from people, is not configured, or oncue has no public URL.",
        422: "The provider refuses; `detail` says what it said.",
    },
)
def point_inbound(request: HttpRequest, name: Name) -> object:
    """Have people's messages sent here

    The provider is told to send what people write to the account's senders to oncue; `calls.senders` says where each goes then."""
    adaptor = _declared(name)
    pointed = adaptor_checks.point_here(adaptor, stored.stored(name, behind().vault), who(request))
    if isinstance(pointed, str):
        raise Refused(409, pointed)
    if not pointed.ok:
        raise Refused(422, pointed.sentence, [("", pointed.sentence)])
    return _shown(adaptor, traffic.waiting(), reading.pauses())


def _switch(request: HttpRequest, name: str, state: str) -> object:
    adaptor, vault, by = _declared(name), behind().vault, who(request)
    before = stored.stored(name, vault)
    if before is None:
        raise Refused(409, f"{adaptor.label} is not configured; PUT its configuration first.")
    found = _checked(adaptor, before.values, before) if state == ACTIVE else kept(None, before)
    behind().change(lambda: configuring.set_state(adaptor, vault, state, by=by, found=found))
    return _shown(adaptor, traffic.waiting(), reading.pauses())


def _checked(adaptor: Declared, values: dict[str, Any], before: Stored | None) -> dict[str, Any]:
    """What the provider says of the account. Raises `Refused`."""
    checked = behind().checked(adaptor, values)
    if checked and not checked.ok:
        raise Refused(422, checked.sentence, [("config", checked.sentence)])
    return kept(checked, before)


def _declared(name: str) -> Declared:
    adaptor = behind().catalogue.get(name)
    if adaptor is None or adaptor.builtin:
        raise missing("adaptor", name)
    return adaptor


def _shown(adaptor: Declared, waiting: dict[str, int], pauses: list[dict[str, Any]]) -> dict[str, Any]:
    saved = stored.stored(adaptor.name, behind().vault)
    secret = {field.name for field in adaptor.config if field.is_secret}
    values = saved.values if saved else {}
    certainty = adaptor_certainty.look(adaptor) if saved else None
    found = kept(None, saved)
    if "checked_at" in found:
        found["checked_at"] = clock.iso(found["checked_at"])
    return {
        "name": adaptor.name,
        "label": adaptor.label,
        "help": adaptor.help,
        "state": saved.state if saved else "not_configured",
        "problem": saved.problem if saved else "",
        "config": {name: value for name, value in values.items() if name not in secret},
        "secrets": sorted(name for name, value in values.items() if name in secret and value),
        "found": found,
        "waiting": waiting.get(adaptor.name, 0),
        "pauses": [row for row in pauses if row["adaptor"] == adaptor.name],
        "fields": [declared(field) for field in adaptor.config],
        "events": [
            {"name": adaptor.event(kind.name), "label": kind.label, "sentence": kind.sentence}
            for kind in adaptor.events
        ],
        "calls": _calls(adaptor, saved),
        "certainty": msgspec.structs.asdict(certainty) if certainty else None,
    }


def _calls(adaptor: Declared, saved: Stored | None) -> dict[str, Any]:
    found = adaptor_callbacks.calls(adaptor, saved)
    return {
        "urls": [{"name": name, "url": url} for name, _, url in found.urls],
        "polls": found.is_polled,
        "can_check": found.can_check,
        "can_point": found.can_point,
        "senders": [
            {"sender": sender, "label": label, "goes": goes, "url": url} for sender, label, goes, url in found.senders
        ],
    }
