"""Members: listed, invited, given a role, disabled."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.store import invitations
from oncue.store import members as stored
from oncue.web.api.auth import ADMIN, who
from oncue.web.api.operations import Resource
from oncue.web.api.problems import Refused, missing
from oncue.web.api.shapes import At, Given
from oncue.web.backstage import behind

MEMBERS = Resource("Members", "Colleagues who sign in to oncue's pages, and what they may do there.")

MemberId = Annotated[
    str, Field(max_length=32, description="The member's id.", examples=["019ac9a3c0de4f0c8f5b0000000001a1"])
]
Role = Annotated[
    Literal["viewer", "editor", "owner"],
    Field(
        description="A viewer looks, an editor changes rules, messages, users and opt-outs too, an owner everything.",
        examples=["editor"],
    ),
]
Email = Annotated[
    str,
    Field(
        pattern=r"^[^@\s]+@[^@\s]+$",
        max_length=254,
        description="The address they sign in with.",
        examples=["bob@example.com"],
    ),
]


class Member(BaseModel):
    """A member."""

    id: str = Field(description="Their id.", examples=["019ac9a3c0de4f0c8f5b0000000001a1"])
    email: Email
    role: Role
    zone: str = Field(description="The time zone they see times in; empty for UTC.", examples=["Europe/Dublin"])
    created_at: At = Field(description="Since when.")
    disabled_at: At | None = Field(description="Since when they cannot sign in; null if they can.", examples=[None])


class Invitation(BaseModel):
    """A link that nobody has used yet."""

    email: Email
    role: Literal["viewer", "editor", "owner", ""] = Field(
        description="What they will be; empty if the link is for a member to choose a new password.",
        examples=["editor"],
    )
    created_at: At = Field(description="When it was made.")
    expires_at: At = Field(description="Until when it works.")


class Members(BaseModel):
    """All members, by address, and whoever is invited."""

    items: list[Member]
    invitations: list[Invitation] = Field(description="Links that nobody has used yet, newest first.")


class NewMember(Given):
    """A colleague to invite."""

    email: Email
    role: Role


class Invited(BaseModel):
    """An invitation just made."""

    email: Email
    role: Role
    path: str = Field(
        description="The path of the link on this server. It works once, for seven days, and is not shown again.",
        examples=["/invitation/2u4Fz1vQm0y3B5Jw8kXr7tPnSdLhGc9a"],
    )
    url: str = Field(
        description="The whole link, if ONCUE_PUBLIC_URL is set; else empty.",
        examples=["https://oncue.example.com/invitation/2u4Fz1vQm0y3B5Jw8kXr7tPnSdLhGc9a"],
    )


class MemberChange(Given):
    """What to change; what is left out stays."""

    role: Role | None = Field(default=None, description="What they may do from their next request on.")
    disabled: bool | None = Field(
        default=None, description="True: they cannot sign in any more. False: they can again.", examples=[False]
    )


@MEMBERS.operation("GET /members", scope=ADMIN, answer=Members)
def list_members(request: HttpRequest) -> object:
    """List the members"""
    return {"items": stored.listed(), "invitations": invitations.pending()}


@MEMBERS.operation(
    "POST /members",
    scope=ADMIN,
    answer=Invited,
    status=201,
    refuses={409: "They are a member already."},
    example={"email": "bob@example.com", "role": "editor"},
)
def invite_member(request: HttpRequest, body: NewMember) -> object:
    """Invite a colleague

    The answer holds a link, once; whoever opens it chooses a password and is that member. An earlier link to that address ends."""
    try:
        email = stored.address(body.email)
    except stored.Refused as refused:
        raise Refused(422, str(refused), [("email", str(refused))]) from None
    if stored.by_email(email):
        raise Refused(409, f"{email} is a member already.")
    token = behind().change(lambda: invitations.create(email, body.role, who(request)))
    path, public_url = f"/invitation/{token}", behind().public_url
    return {"email": email, "role": body.role, "path": path, "url": f"{public_url}{path}" if public_url else ""}


@MEMBERS.operation(
    "PATCH /members/{member_id}",
    scope=ADMIN,
    answer=Member,
    refuses={409: "They are the last owner who can sign in."},
    example={"role": "viewer"},
)
def change_member(request: HttpRequest, member_id: MemberId, body: MemberChange) -> object:
    """Change a member's role, or whether they can sign in"""
    if stored.member(member_id) is None:
        raise missing("member with the id", member_id)

    def change() -> None:
        if body.role:
            stored.set_role(member_id, body.role, who(request))
        if body.disabled is not None:
            (stored.disable if body.disabled else stored.enable)(member_id, who(request))

    try:
        behind().change(change)
    except stored.Refused as refused:
        raise Refused(409, str(refused)) from None
    return stored.member(member_id)
