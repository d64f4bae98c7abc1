"""API keys: listed, made (the key itself is shown once), revoked."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.store import keys as stored
from oncue.web.api.auth import ADMIN, who
from oncue.web.api.operations import Resource
from oncue.web.api.problems import Refused, missing
from oncue.web.api.shapes import At, Given
from oncue.web.backstage import behind

KEYS = Resource("API keys", "Keys that apps send events with, and that this API takes.")

ScopeName = Literal["events", "read", "write", "admin"]

KeyId = Annotated[str, Field(max_length=32, description="The key's id.", examples=["019ac9a3c0de4f0c8f5b0000000001a0"])]
Name = Annotated[str, Field(min_length=1, max_length=100, description="What the key is for.", examples=["shop-server"])]
Scopes = Annotated[
    list[ScopeName],
    Field(
        description="`events`: send events. Of this API `read`, `write` (and all that read may), `admin` (and all that write may).",
        examples=[["events"]],
    ),
]
PerSecond = Annotated[
    float, Field(ge=0, le=1e9, description="Items a second that it may send; 0 is no limit.", examples=[0])
]


SourceName = Annotated[
    Literal["native", "segment", "swrve"],
    Field(
        description="Whose wire format it opens: oncue's own, that of Segment's and RudderStack's SDKs, or of Swrve's.",
        examples=["native"],
    ),
]


class ApiKey(BaseModel):
    """A key. The key itself is never shown again: only a digest is kept, or, for a Swrve app, the key encrypted."""

    id: str = Field(description="Its id.", examples=["019ac9a3c0de4f0c8f5b0000000001a0"])
    name: Name
    scopes: Scopes
    per_second: PerSecond
    source: SourceName
    app: int = Field(description="A Swrve app's number; 0 for all other keys.", examples=[0])
    created_by: str = Field(description="Who made it.", examples=["ann@example.com"])
    created_at: At = Field(description="When.")


class ApiKeys(BaseModel):
    """All keys, by name."""

    items: list[ApiKey]


class NewKey(Given):
    """A key to make."""

    name: Name
    scopes: Annotated[Scopes, Field(min_length=1)] = Field(default=["events"])
    per_second: PerSecond = 0.0
    source: SourceName = "native"
    app: int = Field(
        default=0, ge=0, lt=2**53, description="The number of a Swrve app, for a key of its SDKs.", examples=[0]
    )
    value: str = Field(
        default="",
        max_length=200,
        description="For a key of an SDK: the one that apps which are out already send. Without it one is made.",
        examples=[""],
    )


class MadeKey(BaseModel):
    """A key just made."""

    id: str = Field(description="Its id.", examples=["019ac9a3c0de4f0c8f5b0000000001a0"])
    name: Name
    key: str = Field(
        description="The key. Keep it: it is not shown again.", examples=["oncue_2u4Fz1vQm0y3B5Jw8kXr7tPnSdLhGc9a"]
    )


@KEYS.operation("GET /keys", scope=ADMIN, answer=ApiKeys)
def list_keys(request: HttpRequest) -> object:
    """List the API keys"""
    return {"items": stored.listed()}


@KEYS.operation(
    "POST /keys",
    scope=ADMIN,
    answer=MadeKey,
    status=201,
    refuses={409: "There is a key with that name or value already, or what is asked for does not go together."},
    example={"name": "shop-server", "scopes": ["events"]},
)
def create_key(request: HttpRequest, body: NewKey) -> object:
    """Make an API key

    The answer holds the key, once."""

    vault = behind().vault

    def create() -> dict[str, str]:
        key = stored.create(
            body.name,
            body.per_second,
            body.scopes,
            who(request),
            source=body.source,
            app=body.app,
            value=body.value,
            vault=vault,
        )
        found = next(one for one in stored.listed() if one["name"] == body.name.strip())
        return {"id": found["id"], "name": found["name"], "key": key}

    try:
        made = behind().change(create)
    except stored.Taken as taken:
        raise Refused(409, str(taken)) from None
    _settle()
    return made


@KEYS.operation("DELETE /keys/{key_id}", scope=ADMIN, answer=None, status=204)
def revoke_key(request: HttpRequest, key_id: KeyId) -> None:
    """Revoke an API key

    It is known no more from then on, also if this request was made with it."""
    if not behind().change(lambda: stored.revoke(key_id, who(request))):
        raise missing("API key with the id", key_id)
    _settle()


def _settle() -> None:
    """Whoever is told that a key works, or works no more, may rely on it: the doors read keys from the configuration in force, which the
    writer reads anew at the beginning of each transaction, and so of the one after this."""
    behind().change(lambda: None)
