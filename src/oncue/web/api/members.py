"""Members: listed, invited, given a role or a new password, disabled, signed out.

A member's own account (their password, their time zone) is about that person, who signs in for it: it is not here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.store import invitations, presence, sessions
from oncue.store import members as stored
from oncue.web import member_links
from oncue.web.api.auth import ADMIN, who
from oncue.web.api.operations import Resource
from oncue.web.api.problems import Refused, missing
from oncue.web.api.shapes import At, Given
from oncue.web.backstage import behind

MEMBERS = Resource("Members", "Colleagues who sign in to oncue's pages, and what they may do there.")

MemberId = Annotated[
    str, Field(max_length=32, description="The member's id.", examples=["019ac9a3c0de4f0c8f5b0000000001a1"])
]
SessionId = Annotated[str, Field(max_length=128, description="The session's id.", examples=["9f86d081884c7d65"])]
InvitedEmail = Annotated[
    str, Field(max_length=254, description="The address that the link is for.", examples=["bob@example.com"])
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


class SeenMember(Member):
    """A member, and when they were here."""

    seen_at: At | None = Field(
        description="When they were last seen where they are signed in now; null if they are signed in nowhere."
    )


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

    items: list[SeenMember]
    invitations: list[Invitation] = Field(description="Links that nobody has used yet, newest first.")


class NewMember(Given):
    """A colleague to invite."""

    email: Email
    role: Role


class Link(BaseModel):
    """A link just made."""

    email: Email
    path: str = Field(
        description="The path of the link on this server. It works once, and is not shown again.",
        examples=["/invitation/2u4Fz1vQm0y3B5Jw8kXr7tPnSdLhGc9a"],
    )
    url: str = Field(
        description="The whole link, if ONCUE_PUBLIC_URL is set; else empty.",
        examples=["https://oncue.example.com/invitation/2u4Fz1vQm0y3B5Jw8kXr7tPnSdLhGc9a"],
    )


class Invited(Link):
    """An invitation just made; it works for seven days."""

    role: Role


class Session(BaseModel):
    """A browser that a member is signed in with."""

    session: str = Field(description="Its id; it is not what the browser holds.", examples=["9f86d081884c7d65"])
    agent: str = Field(description="What the browser calls itself.", examples=["Mozilla/5.0 (X11; Linux x86_64)"])
    address: str = Field(description="Where it was last seen.", examples=["192.0.2.7"])
    opened_at: At = Field(description="When they signed in.")
    seen_at: At = Field(description="When it was last used.")
    expires_at: At = Field(description="When it ends, if it is not used before.")


class Sessions(BaseModel):
    """A member's sessions, last used first."""

    items: list[Session]


class Ended(BaseModel):
    """What came of it."""

    ended: int = Field(description="How many sessions were ended.", examples=[2])


class MemberChange(Given):
    """What to change; what is left out stays."""

    role: Role | None = Field(default=None, description="What they may do from their next request on.")
    disabled: bool | None = Field(
        default=None, description="True: they cannot sign in any more. False: they can again.", examples=[False]
    )


@MEMBERS.operation("GET /members", scope=ADMIN, answer=Members)
def list_members(request: HttpRequest) -> object:
    """List the members"""
    seen = presence.last_seen()
    return {
        "items": [{**row, "seen_at": seen.get(row["id"])} for row in stored.listed()],
        "invitations": invitations.pending(),
    }


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
    return {**_link(email, token), "role": body.role}


@MEMBERS.operation("DELETE /invitations/{email}", scope=ADMIN, answer=None, status=204)
def withdraw_invitation(request: HttpRequest, email: InvitedEmail) -> None:
    """Withdraw a link that nobody has used yet

    An invitation, or a link to choose a new password: it works no more."""
    if not behind().change(lambda: invitations.revoke(email.strip().lower(), who(request))):
        raise missing("link for", email)


@MEMBERS.operation("GET /members/{member_id}", scope=ADMIN, answer=Member)
def get_member(request: HttpRequest, member_id: MemberId) -> object:
    """Get a member"""
    return _known(member_id)


@MEMBERS.operation(
    "PATCH /members/{member_id}",
    scope=ADMIN,
    answer=Member,
    refuses={409: "They are the last owner who can sign in."},
    example={"role": "viewer"},
)
def change_member(request: HttpRequest, member_id: MemberId, body: MemberChange) -> object:
    """Change a member's role, or whether they can sign in"""
    _known(member_id)

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


@MEMBERS.operation("POST /members/{member_id}/password-link", scope=ADMIN, answer=Link, status=201)
def make_password_link(request: HttpRequest, member_id: MemberId) -> object:
    """Give a member a link to choose a new password

    The answer holds it, once; it works for a day. Wherever they are signed in they are signed out. An earlier link ends."""
    found = _known(member_id)
    return _link(found["email"], member_links.new_password(found, who(request)))


@MEMBERS.operation("GET /members/{member_id}/sessions", scope=ADMIN, answer=Sessions)
def list_sessions(request: HttpRequest, member_id: MemberId) -> object:
    """List where a member is signed in"""
    _known(member_id)
    return {"items": sessions.listed(member_id)}


@MEMBERS.operation("DELETE /members/{member_id}/sessions", scope=ADMIN, answer=Ended)
def end_sessions(request: HttpRequest, member_id: MemberId) -> object:
    """Sign a member out everywhere"""
    _known(member_id)
    return {"ended": behind().change(lambda: sessions.revoke_all(member_id, who(request)))}


@MEMBERS.operation("DELETE /members/{member_id}/sessions/{session}", scope=ADMIN, answer=None, status=204)
def end_session(request: HttpRequest, member_id: MemberId, session: SessionId) -> None:
    """Sign a member out of one browser"""
    _known(member_id)
    if not behind().change(lambda: sessions.revoke(member_id, session, who(request))):
        raise missing("session with the id", session)


def _known(member_id: str) -> dict[str, Any]:
    found = stored.member(member_id)
    if found is None:
        raise missing("member with the id", member_id)
    return found


def _link(email: str, token: str) -> dict[str, str]:
    path, public_url = member_links.path_of(token), behind().public_url
    return {"email": email, "path": path, "url": f"{public_url}{path}" if public_url else ""}
