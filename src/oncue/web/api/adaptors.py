"""Adaptors: looked at without their secrets, configured, activated and deactivated."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.core import clock
from oncue.core.adaptor import Adaptor as Declared
from oncue.core.adaptor import Checked
from oncue.core.fields import read
from oncue.store import adaptors as stored
from oncue.store import configuring, reading, traffic
from oncue.store.adaptors import ACTIVE, INACTIVE, Stored
from oncue.web.api.auth import ADMIN, READ, who
from oncue.web.api.operations import Resource
from oncue.web.api.problems import Refused, faulty, missing
from oncue.web.api.shapes import At, Given
from oncue.web.backstage import behind

ADAPTORS = Resource("Adaptors", "Connections to providers. A saved secret is never answered.")

Name = Annotated[str, Field(max_length=50, description="The adaptor's name.", examples=["email"])]


class DeclaredField(BaseModel):
    """A field of its configuration."""

    name: str = Field(description="Its name in `config`.", examples=["smtp_url"])
    label: str = Field(description="What people call it.", examples=["SMTP URL"])
    help: str = Field(description="What it is for.", examples=["Where e-mails are handed over."])
    kind: str = Field(description="How it is read.", examples=["secret"])
    required: bool = Field(description="Whether it has to be there.", examples=[True])
    default: Any = Field(description="What holds without it; null if nothing does.", examples=[None])
    choices: list[str] = Field(description="What it may be; empty if anything.", examples=[[]])


class Pause(BaseModel):
    """A part of an adaptor through which nothing is sent for now."""

    kind: str = Field(description="`account`, `sender` or `country`.", examples=["sender"])
    key: str = Field(description="Which; empty for the account.", examples=["shop@example.com"])
    reason: str = Field(description="Why.", examples=["The provider refuses the sender."])
    since_at: At = Field(description="Since when.")
    until_at: At = Field(description="Until when, if nothing is done.")


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
    values, faults = read(
        adaptor.config, {**(adaptor.kept_secrets(before.values, body.config) if before else {}), **body.config}
    )
    if not faults and adaptor.check_config:
        faults = adaptor.check_config(values)
    if faults:
        raise faulty(faults, "config.")
    found = _checked(adaptor, values, before) if body.active else _known(before)
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


def _switch(request: HttpRequest, name: str, state: str) -> object:
    adaptor, vault, by = _declared(name), behind().vault, who(request)
    before = stored.stored(name, vault)
    if before is None:
        raise Refused(409, f"{adaptor.label} is not configured; PUT its configuration first.")
    found = _checked(adaptor, before.values, before) if state == ACTIVE else _known(before)
    behind().change(lambda: configuring.set_state(adaptor, vault, state, by=by, found=found))
    return _shown(adaptor, traffic.waiting(), reading.pauses())


def _checked(adaptor: Declared, values: dict[str, Any], before: Stored | None) -> dict[str, Any]:
    """What the provider says of the account. Raises `Refused`."""
    checked: Checked | None = behind().checked(adaptor, values)
    if checked is None:
        return _known(before)
    if not checked.ok:
        raise Refused(422, checked.sentence, [("config", checked.sentence)])
    return {**checked.found, "sentence": checked.sentence, "notes": list(checked.notes), "checked_at": clock.now()}


def _known(before: Stored | None) -> dict[str, Any]:
    return dict(before.found) if before else {}


def _declared(name: str) -> Declared:
    adaptor = behind().catalogue.get(name)
    if adaptor is None or adaptor.builtin:
        raise missing("adaptor", name)
    return adaptor


def _shown(adaptor: Declared, waiting: dict[str, int], pauses: list[dict[str, Any]]) -> dict[str, Any]:
    kept = stored.stored(adaptor.name, behind().vault)
    secret = {field.name for field in adaptor.config if field.is_secret}
    values = kept.values if kept else {}
    found = _known(kept)
    if "checked_at" in found:
        found["checked_at"] = clock.iso(found["checked_at"])
    return {
        "name": adaptor.name,
        "label": adaptor.label,
        "help": adaptor.help,
        "state": kept.state if kept else "not_configured",
        "problem": kept.problem if kept else "",
        "config": {name: value for name, value in values.items() if name not in secret},
        "secrets": sorted(name for name, value in values.items() if name in secret and value),
        "found": found,
        "waiting": waiting.get(adaptor.name, 0),
        "pauses": [row for row in pauses if row["adaptor"] == adaptor.name],
        "fields": [{**msgspec.structs.asdict(field), "choices": list(field.choices)} for field in adaptor.config],
    }
