"""The shapes of events, decisions and messages, which several resources answer with."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, computed_field

from oncue.web import telling
from oncue.web.api.paging import Paged
from oncue.web.api.shapes import At, Properties
from oncue.web.backstage import behind

Id = Annotated[str, Field(examples=["019ac9a3c0de4f0c8f5b00000000001f"])]
UserId = Annotated[str, Field(examples=["u1"])]


class Event(BaseModel):
    """Something that happened to a user."""

    id: Id = Field(description="Its id.")
    user: UserId = Field(validation_alias="user_id", description="To whom; empty if oncue does not know.")
    name: str = Field(description="What.", examples=["booking_confirmed"])
    properties: Properties
    timestamp: At = Field(description="When it happened.")
    received_at: At = Field(description="When oncue took it in.")
    source: str = Field(
        description="Where it came from: the name of a key, an adaptor, `rule` or `consent`.", examples=["shop-server"]
    )
    cause: str = Field(
        description="The id of the event or message that brought it about; empty if none did.", examples=[""]
    )


class Events(Paged):
    """Events, newest first."""

    items: list[Event]


class Message(BaseModel):
    """One outgoing piece of work."""

    id: Id = Field(description="Its id.")
    user: UserId = Field(validation_alias="user_id", description="Whom it is for.")
    rule: str = Field(
        description="The key of the rule that made it; empty if a member did.", examples=["booking-confirmation"]
    )
    event: Id = Field(description="The id of the event that triggered it.")
    adaptor: str = Field(description="What carries it.", examples=["email"])
    action: str = Field(description="What it is.", examples=["send"])
    category: str = Field(description="`transactional` or `promotional`.", examples=["transactional"])
    recipient: str = Field(description="Where it goes.", examples=["ann@example.com"])
    sender: str = Field(description="Where it comes from, if that is known.", examples=["shop@example.com"])
    state: str = Field(
        description="Where it stands with oncue: `waiting`, `submitting`, `accepted`, `unknown`, `rejected`, `suppressed`, `expired` or `canceled`.",
        examples=["accepted"],
    )
    reason: str = Field(
        description="Why it stands there, as `code: sentence`; empty if there is nothing to say.", examples=[""]
    )
    carrier_status: str = Field(
        description="What the provider says became of it, in its own word.", examples=["delivered"]
    )
    provider_id: str = Field(description="The provider's id of it.", examples=["<019ac9a3@example.com>"])
    error_code: str = Field(description="The provider's error code, if there is one.", examples=[""])
    error_message: str = Field(description="What the provider said of the error.", examples=[""])
    attempts: int = Field(description="How often the provider was called.", examples=[1])
    fields: dict[str, Any] = Field(
        description="The action's fields as they were filled in; of a message that was redacted, `$redacted_at` (milliseconds) and `$segments`.",
        examples=[{"subject": "Booking 17"}],
    )
    warnings: list[str] = Field(description="What is worth knowing about it, as sentences.", examples=[[]])
    created_at: At = Field(description="When it was made.")
    updated_at: At = Field(description="When something of it last changed.")
    due_at: At = Field(description="When it may be sent.")
    send_by: At = Field(description="When it expires if it is still not sent.")

    country: str = Field(description="ISO code of the recipient's country; empty if it is not known.", examples=["IE"])

    @computed_field(  # type: ignore[prop-decorator] # as pydantic has it
        description="Where it stands, in a sentence or two: what happened, what an error code means and, if something can be done, what.",
        examples=["It was delivered."],
    )
    @property
    def standing(self) -> str:
        """As the page says it."""
        return telling.standing(behind().snapshot, vars(self))


class Messages(Paged):
    """Messages, newest first."""

    items: list[Message]


class Decision(BaseModel):
    """Why a rule did or did not act on an event."""

    rule: str = Field(description="The rule's key.", examples=["booking-confirmation"])
    revision: int = Field(description="Which revision of it.", examples=[3])
    acted: bool = Field(description="Whether it acted.", examples=[True])
    reason: str = Field(description="Why, in one word.", examples=["acted"])
    sentence: str = Field(description="Why, as a sentence; empty if the word says it all.", examples=[""])
    trace: Any = Field(description="Each condition, the value seen, and whether it held.", examples=[[]])
    at: At = Field(description="When.")


class Attempt(BaseModel):
    """One call to the provider."""

    number: int = Field(description="Which, from 1.", examples=[1])
    outcome: str = Field(description="What it came to.", examples=["submitted"])
    reason: str = Field(description="Why, as a sentence.", examples=[""])
    exchange: Any = Field(description="What was sent and answered, without secrets.", examples=[None])
    started_at: At = Field(description="When it began.")
    ended_at: At = Field(description="When it ended.")


class Report(Event):
    """An event about a message."""

    raw: Any = Field(description="The provider's own words, if it reported this.", examples=[None])


class Told(BaseModel):
    """A message and what became of it."""

    message: Message
    attempts: list[Attempt] = Field(description="Calls to the provider, in order.")
    reports: list[Report] = Field(description="Events about it: statuses, suppressions, in order.")


class Explanation(BaseModel):
    """Everything that led to an event or a message, and everything that came of it."""

    event: Event
    user_properties: Properties | None = Field(
        description="What is known of the user now; null if there is no such user."
    )
    decisions: list[Decision] = Field(
        description="What each rule that it triggers decided; for a message, its own rule."
    )
    messages: list[Told] = Field(description="The messages that followed; for a message, itself.")
    caused: list[Event] = Field(description="Events that the rules raised in turn.")
    cause: Message | None = Field(description="The message that brought the event about, if it is a status.")
