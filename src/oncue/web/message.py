"""One message and all that is known of it: why it was made, what was sent, what became of it, and what may be done about it now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from oncue.core.adaptor import Action, Preview
from oncue.core.fields import as_text
from oncue.core.message import SEGMENTS, State, redacted_on
from oncue.store import reading
from oncue.store.explain import Explanation, Told, explain
from oncue.web.backstage import behind
from oncue.web.telling import label_of, meaning, standing
from oncue.web.templatetags.shown import sentence

Row = dict[str, Any]

LONG = 400
"""Characters of a value beyond which it is folded away."""

_OUTCOMES = {
    "Submitted": "accepted.",
    "Retry": "not processed, so it is tried again.",
    "Rejected": "refused.",
    "Suppressed": "refused, because the person opted out.",
    "Unknown": "it is not known whether it was accepted.",
    "NotThere": "looked for in vain, so it is sent again.",
}
_TONES = {"delivered": "good", "read": "good", "succeeded": "good", "undelivered": "warn", "failed": "bad"}
_STATE_TONES = {State.REJECTED: "bad", State.UNKNOWN: "warn", State.SUPPRESSED: "warn", State.EXPIRED: "warn"}


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what happened, in order."""

    id: str
    at: int
    title: str
    text: str = ""
    raw: Any = None


class Shown(msgspec.Struct, frozen=True):
    """A field as it was rendered."""

    name: str
    label: str
    text: str

    @property
    def is_long(self) -> bool:
        """Whether it is folded away."""
        return len(self.text) > LONG or self.text.count("\n") > 8

    @property
    def summary(self) -> str:
        """What stands in its place."""
        return f"{len(self.text):,} characters"


def told(request: HttpRequest, id: str) -> HttpResponseBase:
    """The part of the page that changes."""
    return render(request, "oncue/_message_told.html", context(find(id)))


def find(id: str) -> Explanation:
    """The message of exactly this id, with its story. Raises 404."""
    found = explain(id)
    if found is None or len(found.messages) != 1 or found.messages[0].message["id"] != id:
        raise Http404
    return found


def context(found: Explanation) -> dict[str, Any]:
    """What the page's parts are drawn from."""
    snapshot = behind().snapshot
    one = found.messages[0]
    message = one.message
    action = _action(message)
    fields = message["fields"] or {}
    redacted = redacted_on(fields)
    preview = _left(fields) if redacted else _preview(action, fields)
    user = reading.user(message["user_id"]) if message["user_id"] else None
    return {
        "message": message,
        "adaptor": label_of(snapshot, message["adaptor"]),
        "action": action,
        "standing": standing(snapshot, message),
        "tone": _tone(message),
        "preview": preview,
        "pictures": [url for url in preview.pictures if urlsplit(url).scheme in ("http", "https")],
        "fields": [] if redacted else _fields(fields, action),
        "redacted": redacted,
        "event": found.event,
        "cause": found.cause,
        "decisions": found.decisions,
        "attempts": [_attempt(attempt) for attempt in one.attempts],
        "timeline": _timeline(one),
        "consents": user["consents"] if user else [],
        "opt_outs": _opt_outs(message["recipient"]),
    }


def _preview(action: Action | None, fields: Row) -> Preview:
    return action.preview(fields) if action and action.preview and fields else Preview()


def _left(fields: Row) -> Preview:
    """Of a message whose content was taken away."""
    segments = fields.get(SEGMENTS)
    return Preview(facts=(("Segments", str(segments)),) if segments else ())


def _tone(message: Mapping[str, Any]) -> str:
    if message["state"] == State.ACCEPTED:
        return _TONES.get(message["carrier_status"], "")
    return _STATE_TONES.get(message["state"], "")


def _action(message: Row) -> Action | None:
    adaptor = behind().snapshot.catalogue.get(message["adaptor"])
    return adaptor.action(message["action"]) if adaptor else None


def _fields(fields: Row, action: Action | None) -> list[Shown]:
    labels = {field.name: field.label for field in action.fields} if action else {}
    return [
        Shown(name, labels.get(name, name), value if isinstance(value, str) else as_text(value))
        for name, value in fields.items()
    ]


def _attempt(attempt: Row) -> Row:
    return {
        **attempt,
        "took": attempt["ended_at"] - attempt["started_at"],
        "word": _outcome(attempt),
        "exchange": [
            {**call, "answer": call.get("status") or call.get("error") or "no answer"}
            for call in attempt["exchange"] or []
        ],
    }


def _outcome(attempt: Row) -> str:
    word = str(attempt["outcome"])
    return _OUTCOMES.get(word, word)


def _timeline(told: Told) -> list[Moment]:
    snapshot = behind().snapshot
    message = told.message
    label = label_of(snapshot, message["adaptor"])
    moments = [Moment(id="made", at=message["created_at"], title="Made")]
    moments += [
        Moment(
            id=f"attempt-{one['number']}",
            at=one["ended_at"],
            title=f"Handed to {label}: {_outcome(one).rstrip('.')}",
        )
        for one in told.attempts
    ]
    moments += [
        Moment(
            id=one["id"],
            at=one["received_at"],
            title=one["name"],
            text=_said(message["adaptor"], one["properties"] or {}),
            raw=one["raw"],
        )
        for one in told.reports
    ]
    return sorted(moments, key=lambda moment: moment.at)


def _said(adaptor: str, properties: Row) -> str:
    code, text = str(properties.get("error_code") or ""), str(properties.get("error_message") or "")
    if not code:
        return sentence(text)
    return f"Error {code}: {meaning(behind().snapshot, adaptor, code, text)}"


def _opt_outs(address: str) -> list[Row]:
    found = reading.opt_outs(address=address, limit=20, state="active").rows if address else []
    return [one for one in found if one["address"] == address]
