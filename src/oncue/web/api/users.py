"""Users: found, looked at with all that happened to them, changed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.core import clock
from oncue.core.items import ConsentItem, UserItem
from oncue.store import examples, reading
from oncue.store import search as searching
from oncue.store import timeline as moments
from oncue.store.jobs import Intake
from oncue.web.api import paging
from oncue.web.api.auth import READ, WRITE, key_of, who
from oncue.web.api.operations import Resource
from oncue.web.api.paging import Before, Limit, Paged
from oncue.web.api.problems import missing, wrong
from oncue.web.api.shapes import At, Given, Properties
from oncue.web.api.traffic import Event, Message
from oncue.web.backstage import behind

USERS = Resource("Users", "The people who use the app, whom messages go to.")

UserId = Annotated[
    str,
    Field(min_length=1, max_length=200, description="The user's id. A slash in it is written `%2F`.", examples=["u1"]),
]
Category = Literal["transactional", "promotional"]
ConsentState = Literal["opted_in", "opted_out"]


class User(BaseModel):
    """A person."""

    id: str = Field(description="Their id.", examples=["u1"])
    properties: Properties
    created_at: At = Field(description="When oncue first heard of them.")
    updated_at: At = Field(description="When their properties last changed.")


class Users(Paged):
    """Users, newest first."""

    items: list[User]


class Consent(BaseModel):
    """What a user said to a category of messages."""

    category: Category = Field(description="To which.", examples=["promotional"])
    state: ConsentState = Field(description="What they said.", examples=["opted_in"])
    source: str = Field(description="Where they said it.", examples=["property consent_promotional (shop-server)"])
    at: At = Field(description="When.")


class WholeUser(User):
    """A person, and what they said to each category of messages."""

    consents: list[Consent]
    anonymous: bool = Field(description="Whether nobody has named them: known by a device's or a visitor's id alone.")
    aliases: list[str] = Field(
        description="Anonymous ids that were found to be theirs, newest first, 50 at most.", examples=[["v-4f1c"]]
    )


class UserChange(Given):
    """Properties to set."""

    properties: dict[str, Any] = Field(
        description="They are merged into those there are; null takes one away.",
        examples=[{"first_name": "Ann", "nickname": None}],
    )


class NewConsent(Given):
    """What they said."""

    state: ConsentState = Field(description="What they said.", examples=["opted_out"])
    source: str = Field(
        default="",
        max_length=200,
        description="Where they said it; who told oncue is added.",
        examples=["on the phone"],
    )


class Moment(BaseModel):
    """An event or a message."""

    kind: Literal["event", "message"] = Field(description="Which of the two.", examples=["event"])
    at: At = Field(description="When.")
    event: Event | None = Field(description="The event, if it is one.")
    message: Message | None = Field(description="The message, if it is one.")


class Moments(Paged):
    """What happened to a user, newest first."""

    items: list[Moment]


@USERS.operation("GET /users", scope=READ, answer=Users)
def list_users(
    request: HttpRequest,
    search: Annotated[
        str,
        Field(
            max_length=200,
            description="The beginning of an id, a phone number however it is written, or the beginning of an e-mail address or a name.",
            examples=["ann@"],
        ),
    ] = "",
    before: Before = None,
    limit: Limit = 50,
) -> object:
    """List users, or find some

    Ids and numbers are found among everybody, e-mail addresses and names among the newest fifty thousand of each page."""
    page = searching.users(limit=limit, before=before, search=search)
    return paging.page(request, page.rows, page.next_before)


@USERS.operation("GET /users/{user_id}", scope=READ, answer=WholeUser)
def get_user(request: HttpRequest, user_id: UserId) -> object:
    """Get a user"""
    return _known(user_id)


@USERS.operation(
    "PATCH /users/{user_id}",
    scope=WRITE,
    answer=WholeUser,
    example={"properties": {"first_name": "Ann", "phone_number": "+353860000001"}},
)
def change_user(request: HttpRequest, user_id: UserId, body: UserChange) -> object:
    """Set properties of a user

    Somebody who is not known yet is from then on. No rule is triggered. `consent_promotional` and `consent_transactional` set consent."""
    _check_id(user_id)
    _check_properties(body.properties)
    _take(request, UserItem(user=user_id, properties=body.properties))
    return _known(user_id)


@USERS.operation(
    "PUT /users/{user_id}/consents/{category}",
    scope=WRITE,
    answer=WholeUser,
    example={"state": "opted_out", "source": "on the phone"},
)
def set_consent(
    request: HttpRequest,
    user_id: UserId,
    category: Annotated[Category, Field(description="What they spoke of.", examples=["promotional"])],
    body: NewConsent,
) -> object:
    """Say what a user said to a category of messages

    It counts from now; an event `oncue.opted_in` or `oncue.opted_out` is raised if it is new."""
    _check_id(user_id)
    source = f"{body.source} ({who(request)})" if body.source else who(request)
    _take(request, UserItem(user=user_id, properties={}))
    item = ConsentItem(user=user_id, category=category, state=body.state, source=source, timestamp=clock.now())
    _take(request, item)
    return _known(user_id)


@USERS.operation("GET /users/{user_id}/timeline", scope=READ, answer=Moments)
def get_timeline(
    request: HttpRequest,
    user_id: UserId,
    before: Annotated[
        str | None,
        Field(
            max_length=50,
            pattern=r"^[0-9]{1,19}\.[0-9]{1,19}$",
            description="Where to go on. Taken from `next`.",
            examples=["4711.815"],
        ),
    ] = None,
    limit: Limit = 50,
) -> object:
    """Get a user's events and messages as one list"""
    _known(user_id)
    try:
        found = moments.timeline(user_id, limit=limit, before=before)
    except ValueError:
        raise wrong([("before", "before is taken from the `next` of the page before.")]) from None
    items = [
        {"kind": one.kind, "at": one.at, "event": None, "message": None, one.kind: one.row} for one in found.moments
    ]
    return {"items": items, "next": paging.next_url(request, found.next_before)}


class SeenOfUsers(BaseModel):
    """What has been seen of users."""

    properties: dict[str, object] = Field(
        description="An example of each property, by what a condition or template writes after `user`.",
        examples=[{".first_name": "Ann", ".country": "IE"}],
    )


@USERS.operation("GET /user-properties", scope=READ, answer=SeenOfUsers)
def list_user_properties(request: HttpRequest) -> object:
    """List the properties seen of users"""
    return {"properties": examples.user_properties()}


def _known(user_id: str) -> dict[str, Any]:
    found = reading.user(user_id)
    if found is None:
        raise missing("user", user_id)
    return found


def _take(request: HttpRequest, item: UserItem | ConsentItem) -> None:
    verdict = behind().do(Intake(key_of(request), [item]))[0]
    if verdict.error:
        raise wrong([("", verdict.error)])


def _check_id(user_id: str) -> None:
    if not user_id.strip():
        raise wrong([("user_id", "A user's id must not be empty.")])


def _check_properties(properties: dict[str, Any]) -> None:
    for name in properties:
        if not 0 < len(name) <= 200 or name.startswith("$"):
            said = "A property's name has 1 to 200 characters and does not begin with $, which is kept for oncue's own."
            raise wrong([(f"properties.{name[:200]}", said)])
