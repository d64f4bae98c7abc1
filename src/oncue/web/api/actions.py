"""What can be done, and from which senders: what a rule, or a message by hand, is made of."""

from __future__ import annotations

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.web import own_senders, senders
from oncue.web.api.auth import READ
from oncue.web.api.fields import DeclaredField, declared
from oncue.web.api.operations import Resource
from oncue.web.backstage import behind

ACTIONS = Resource(
    "Actions and senders", "What a rule, or a message by hand, can do, and the senders it can come from."
)


class Action(BaseModel):
    """One thing that can be done."""

    action: str = Field(description="Its full name, as rules write it.", examples=["email.send"])
    label: str = Field(description="What people call it.", examples=["Send an e-mail"])
    help: str = Field(description="What it does.", examples=["An e-mail to one address."])
    adaptor: str = Field(description="What carries it out.", examples=["email"])
    is_ready: bool = Field(
        description="Whether it could be carried out: its adaptor is configured, or needs no configuration.",
        examples=[True],
    )
    is_message: bool = Field(
        description="Whether it reaches a person, so that a rule with it needs a category.", examples=[True]
    )
    by_hand: bool = Field(description="Whether `POST /messages` takes it.", examples=[True])
    fields: list[DeclaredField] = Field(description="What it takes.")
    senders: dict[str, list[str]] = Field(
        description="For each field that takes a sender, those of the account that fit it.",
        examples=[{"from": ["+15005550006"]}],
    )


class Actions(BaseModel):
    """All actions, by adaptor."""

    items: list[Action]


class Sender(BaseModel):
    """A number, an address or a messaging service that messages come from."""

    name: str = Field(description="What a rule, a message or an opt-out calls it.", examples=["+15005550006"])
    label: str = Field(description="What the account calls it; empty if nothing.", examples=["Shop"])
    adaptor: str = Field(description="Whose it is.", examples=["sms"])


class Senders(BaseModel):
    """The senders of every configured adaptor."""

    items: list[Sender]


@ACTIONS.operation("GET /actions", scope=READ, answer=Actions)
def list_actions(request: HttpRequest) -> object:
    """List what can be done"""
    snapshot, found = behind().snapshot, []
    for name, adaptor in snapshot.catalogue.items():
        configured = snapshot.adaptors.get(name)
        for action in adaptor.actions:
            options = senders.options(action.fields, configured.found if configured else {})
            one = {
                "action": f"{name}.{action.name}",
                "label": action.label,
                "help": action.help,
                "adaptor": name,
                "is_ready": adaptor.builtin or configured is not None,
                "is_message": action.is_message,
                "by_hand": not adaptor.builtin,
                "fields": [declared(field) for field in action.fields],
                "senders": {field: [value for value, _ in fitting] for field, fitting in options.items()},
            }
            found.append(one)
    return {"items": found}


@ACTIONS.operation("GET /senders", scope=READ, answer=Senders)
def list_senders(request: HttpRequest) -> object:
    """List the account's own senders

    As the last check of the credentials found them, and those that are configured."""
    return {
        "items": [
            {"name": one.scope, "label": one.label, "adaptor": one.adaptor_name} for one in own_senders.own_senders()
        ]
    }
