"""Links that are sent to colleagues by hand: to become a member, or to choose a new password. Each is shown once and works once."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from oncue.store import invitations, sessions
from oncue.web.backstage import behind


def path_of(token: str) -> str:
    """Where the link leads, on this server."""
    return reverse("invitation", args=[token])


def new_password(member: dict[str, Any], by: str) -> str:
    """A link by which the member chooses a new password; its token. Where they are signed in they are signed out."""

    def renew() -> str:
        sessions.revoke_all(member["id"], by)
        return invitations.renew_password(member["email"], by)

    return behind().change(renew)
