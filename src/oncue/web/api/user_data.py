"""A user's data as a whole: all of it, and its erasure."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.store import person
from oncue.web.api.auth import ADMIN, READ, who
from oncue.web.api.problems import missing
from oncue.web.api.users import USERS, UserId
from oncue.web.backstage import behind

Rows = list[dict[str, Any]]


class Everything(BaseModel):
    """All that is kept of a user, as the database has it. Times are milliseconds since 1970."""

    user: dict[str, Any] | None = Field(
        description="Who they are; null if only events name them.", examples=[{"id": "u1"}]
    )
    aliases: Rows = Field(description="Anonymous ids that were found to be theirs.", examples=[[]])
    consents: Rows = Field(description="What they said to each category of messages.", examples=[[]])
    events: Rows = Field(description="What happened to them.", examples=[[]])
    messages: Rows = Field(description="What was sent to them, or was not.", examples=[[]])
    replies: Rows = Field(description="What they wrote.", examples=[[]])
    attempts: Rows = Field(description="Calls to providers about their messages, with what was said.", examples=[[]])
    decisions: Rows = Field(description="What rules decided about their events.", examples=[[]])
    opt_outs: Rows = Field(description="What their addresses opted out of.", examples=[[]])


class Forgotten(BaseModel):
    """What was erased."""

    erased: dict[str, int] = Field(description="How much, by kind.", examples=[{"messages": 3, "events": 8}])
    at_provider: int = Field(
        description="Messages and replies whose content providers are asked to forget; that takes a while.",
        examples=[3],
    )
    opted_out: int = Field(description="Opt-outs of their addresses, which stay.", examples=[0])


@USERS.operation("GET /users/{user_id}/data", scope=READ, answer=Everything)
def export_user(request: HttpRequest, user_id: UserId) -> object:
    """Get everything that is kept of a user

    The same as `oncue users export`."""
    found = person.everything(user_id)
    if found is None:
        raise missing("user", user_id)
    return found


@USERS.operation(
    "DELETE /users/{user_id}",
    scope=ADMIN,
    answer=Forgotten,
    refuses={409: "A message to them is being sent at this moment; try again when it is."},
)
def forget_user(request: HttpRequest, user_id: UserId) -> object:
    """Forget a user

    All that is kept of them is erased, and providers that can are asked to forget what was said to them and what they wrote. It cannot be undone.
    That an address opted out stays, so that it is never messaged again. Backups made before have to be seen to."""
    done = behind().do(person.Forget(user=user_id, by=who(request)))
    if done is None:
        raise missing("user", user_id)
    return {"erased": done.erased, "at_provider": done.at_provider, "opted_out": done.opted_out}
