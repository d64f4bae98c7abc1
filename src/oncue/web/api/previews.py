"""A message as the person who gets it will see it, before it is sent."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.core import adaptor
from oncue.web.api.auth import READ
from oncue.web.api.by_hand import find_action, prepare
from oncue.web.api.messages import MESSAGES
from oncue.web.api.shapes import Given


class Fact(BaseModel):
    """One thing worth knowing."""

    label: str = Field(description="What.", examples=["Characters"])
    value: str = Field(description="How much, or which.", examples=["23 of 160"])


class Preview(BaseModel):
    """A message as it will look."""

    text: str = Field(description="Its text.", examples=["Hi Ann, it is confirmed."])
    subject: str = Field(description="Its subject; empty if it has none.", examples=["Booking 17"])
    pictures: list[str] = Field(description="Addresses of what comes with it.", examples=[[]])
    facts: list[Fact] = Field(description="What it takes on the wire: characters, encoding and what forces it.")
    warnings: list[str] = Field(description="What is worth knowing, as sentences.", examples=[[]])
    segments: int = Field(description="In how many parts, where the provider counts them; else 0.", examples=[0])


class MessagePreview(Given):
    """A message to look at."""

    action: str = Field(
        max_length=100, description="What to do: an adaptor and one of its actions.", examples=["email.send"]
    )
    fields: dict[str, Any] = Field(
        description="The action's fields, as a rule would fill them in.",
        examples=[{"to": "ann@example.com", "subject": "Your booking", "text": "It is confirmed."}],
    )


class Previewed(BaseModel):
    """What would be sent."""

    recipient: str = Field(description="Where it would go.", examples=["ann@example.com"])
    sender: str = Field(description="Where it would come from, if that is known.", examples=["shop@example.com"])
    warnings: list[str] = Field(description="What is worth knowing of the way it goes, as sentences.", examples=[[]])
    preview: Preview | None = Field(description="How it will look; null for what nobody looks at.")


@MESSAGES.operation(
    "POST /message-previews",
    scope=READ,
    answer=Previewed,
    refuses={409: "The adaptor is not configured."},
    example={
        "action": "email.send",
        "fields": {"to": "ann@example.com", "subject": "Your booking", "text": "It is confirmed."},
    },
)
def preview_message(request: HttpRequest, body: MessagePreview) -> object:
    """See a message before it is sent

    Nothing is sent and nothing is kept. What is wrong with it is said as by `POST /messages`."""
    found, action = prepare(body.action, body.fields), find_action(body.action)
    return {
        "recipient": found.prepared.recipient,
        "sender": found.prepared.sender,
        "warnings": list(found.prepared.warnings),
        "preview": drawn(action.preview(found.fields)) if action.preview else None,
    }


def drawn(preview: adaptor.Preview) -> dict[str, Any]:
    """The preview as it is answered."""
    return {
        "text": preview.text,
        "subject": preview.subject,
        "pictures": list(preview.pictures),
        "facts": [{"label": label, "value": value} for label, value in preview.facts],
        "warnings": list(preview.warnings),
        "segments": preview.segments,
    }
