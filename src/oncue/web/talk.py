"""What went to and fro with one address, and what is done with all of it at once. For the page and the API alike."""

from __future__ import annotations

from typing import Any

from oncue.store import conversations, optouts, phones, reading, replies
from oncue.store.timeline import Moment, conversation
from oncue.web.backstage import behind

MOST = 100
"""Texts and replies."""


def newest(address: str) -> dict[str, Any] | None:
    """What they wrote last; None if they never wrote."""
    found = replies.replies(address=address, limit=1).rows
    return found[0] if found else None


def talk(address: str) -> list[Moment]:
    """The newest texts to them and replies from them, oldest first."""
    moments = conversation(address, limit=MOST)
    known = {one.row["id"] for one in moments if one.kind == "message"}
    strangers = conversations.texts_to_stranger(address, MOST)
    moments += [Moment(kind="message", at=row["created_at"], row=row) for row in strangers if row["id"] not in known]
    moments.sort(key=lambda one: one.at)
    return moments[-MOST:]


def owner_of(reply: dict[str, Any]) -> str:
    """The id of the user whose address it is now, or was when they wrote; empty if nobody knows."""
    return phones.owners([reply["address"]]).get(reply["address"], "") or str(reply["user_id"])


def opt_outs_of(address: str) -> list[dict[str, Any]]:
    """Opt-outs of this address that are in force."""
    found = reading.opt_outs(address=address, state="active").rows
    return [one for one in found if one["address"] == address]


def handle(address: str, by: str) -> int:
    """Nobody else needs to look at what they wrote so far; how many replies that was."""
    return behind().change(lambda: conversations.handle(address, by))


def opt_out(reply: dict[str, Any], reason: str, by: str) -> None:
    """Opt them out of the sender that they wrote to, since that is what they meant; their replies are handled thereby. Raises `Refused`."""

    def change() -> None:
        optouts.add(reply["address"], reply["sender"], by, reason)
        conversations.handle(reply["address"], by)

    behind().change(change)
