"""What is held, in words: for each reason how many wait, why, and what there is to do about it."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from oncue.store import held
from oncue.store.config import Snapshot
from oncue.web.telling import label_of


class HeldUp(msgspec.Struct, frozen=True, kw_only=True):
    """Some messages that are not on their way, and the page where something can be done about it."""

    count: int
    title: str
    sentence: str
    next_at: int = 0
    """When the first may go, where that says something."""
    href: str = ""
    verb: str = ""


def held_up(snapshot: Snapshot, silent: Collection[str] = ()) -> list[HeldUp]:
    """Everything, the most first; what is in doubt comes before it. `silent` are adaptors whose provider does not answer."""
    found = held.holding()
    told = [_told(snapshot, one, one.adaptor in silent) for one in found.held]
    if found.unknown:
        doubt = HeldUp(
            count=found.unknown,
            title="in doubt",
            sentence="The provider may or may not have taken them. oncue does not send them again by itself, so that nobody gets one twice;"
            " a report from the provider settles each.",
            href="/messages?status=unknown",
            verb="Look at them",
        )
        told.insert(0, doubt)
    return told


def _told(snapshot: Snapshot, one: held.Held, is_silent: bool) -> HeldUp:
    label = label_of(snapshot, one.adaptor)
    said = f"{one.sentence.rstrip('.')}. " if one.sentence else ""
    waiting = f"/messages?status=waiting&adaptor={one.adaptor}"
    wait = "waits" if one.count == 1 else "wait"
    match one.why:
        case held.INACTIVE:
            return HeldUp(
                count=one.count,
                title=f"{wait} for {label}",
                sentence=f"{said}The adaptor is not active. Activate it, and what is not too late by then is sent.",
                href="/adaptors",
                verb="Adaptors",
            )
        case held.PAUSED:
            return HeldUp(
                count=one.count,
                title=f"paused: {label} refuses {_part(one.what)}",
                sentence=f"{said}oncue tries one again by itself, and the others follow if it is taken.",
                next_at=one.next_at,
                href="/adaptors",
                verb="Adaptors",
            )
        case held.QUIET:
            return HeldUp(
                count=one.count,
                title=f"{wait} for the morning",
                sentence="It is night where these people are.",
                next_at=one.next_at,
                href=waiting,
                verb="Look at them",
            )
        case held.RETRY:
            return HeldUp(
                count=one.count,
                title=f"to be tried again at {label}",
                sentence=f"{said}Handing over failed; oncue tries again by itself.",
                next_at=one.next_at,
                href=waiting,
                verb="Look at them",
            )
    title = f"{wait} for a turn at {label}"
    sentence = "Messages go no faster than their sender may send. If they wait too long, raise the rate of the sender, or use more than one."
    if is_silent:
        title = f"{wait} for {label} to answer"
        sentence = (
            "Calls come to nothing at present. One message at a time tries, and the others follow once it is answered."
        )
    return HeldUp(count=one.count, title=title, sentence=sentence, href=waiting, verb="Look at them")


def _part(what: str) -> str:
    return "the account" if what == "account" else f"what goes by {what}"
