"""Answering a person by hand: with which action of the adaptor that heard them, from which of our numbers, and what the text takes."""

from __future__ import annotations

from typing import Any

import msgspec

from oncue.core.adaptor import Action, Adaptor, Impossible, Preview
from oncue.core.fields import read
from oncue.store.by_hand import Compose
from oncue.web.backstage import behind

_NEEDED = frozenset({"to", "body"})
"""Fields of an action by which a text can be answered."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer goes."""

    adaptor: Adaptor
    action: Action
    address: str
    sender: str


def way_back(adaptor: str, address: str, sender: str) -> Way | str:
    """How to answer whoever wrote from `address` to our `sender`, or a sentence why that cannot be done."""
    snapshot = behind().snapshot
    known = snapshot.catalogue.get(adaptor)
    action = _texting(known) if known else None
    if known is None or action is None:
        return "There is no way to answer: the adaptor that heard this sends no texts."
    if snapshot.adaptors.get(adaptor) is None:
        return f"To answer, configure the adaptor {known.label} first."
    return Way(adaptor=known, action=action, address=address, sender=sender)


def counted(way: Way, text: str) -> Preview:
    """What the text takes on the wire."""
    return way.action.preview(_fields(way, text)) if way.action.preview and text else Preview()


def answer(way: Way, text: str, form: str, by: str) -> str | Impossible:
    """Send it. The id of the message, which may wait or be refused like any other; or what is wrong with the text."""
    if not text.strip():
        return Impossible("body", "Write something first.")
    values, faults = read(way.action.fields, _fields(way, text))
    if faults:
        return Impossible(faults[0].field, faults[0].sentence)
    config = behind().snapshot.adaptors[way.adaptor.name].config
    prepared = way.action.prepare(config, values, {})
    if isinstance(prepared, Impossible):
        return prepared
    action = f"{way.adaptor.name}.{way.action.name}"
    job = Compose(form=form, by=by, action=action, fields=values, address=prepared.recipient)
    return str(behind().do(job))


def _texting(adaptor: Adaptor) -> Action | None:
    return next((one for one in adaptor.actions if {field.name for field in one.fields} >= _NEEDED), None)


def _fields(way: Way, text: str) -> dict[str, Any]:
    found = {"to": way.address, "body": text}
    if way.sender and any(field.name == "from" for field in way.action.fields):
        found["from"] = way.sender
    return found
