"""The screen: adaptors. A card for each, saying whether it is Not configured, Active or Inactive, and what happens there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from oncue.core import clock
from oncue.core.adaptor import Adaptor
from oncue.store import adaptors, reading, traffic
from oncue.store.adaptors import Stored
from oncue.web import adaptor_form, adaptor_switch, adaptor_trial, adaptor_way
from oncue.web.access import route
from oncue.web.adaptor_state import State, held_sentences, look
from oncue.web.backstage import behind

ICONS = {"email": "mail", "webhook": "link"}


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One adaptor as it is shown in the list."""

    name: str
    label: str
    help: str
    icon: str
    state: State
    facts: tuple[tuple[str, str], ...]
    pauses: tuple[dict[str, Any], ...]
    problem: str
    ask: str
    """What deactivating, or activating, will do."""
    can_try: bool


def index(request: HttpRequest) -> HttpResponseBase:
    """The cards: those that are configured first."""
    vault, waiting = behind().vault, traffic.waiting()
    raised = traffic.raised(clock.now() - clock.DAY)
    pauses = [row for row in reading.pauses() if row["until_at"] > clock.now()]
    cards = []
    for adaptor in listed():
        stored = adaptors.stored(adaptor.name, vault)
        cards.append(_card(adaptor, stored, waiting.get(adaptor.name, 0), raised, pauses))
    cards.sort(key=lambda card: card.state.word == "Not configured")
    return render(request, "oncue/adaptors.html", {"cards": cards, "public_url": behind().public_url})


def listed() -> list[Adaptor]:
    """Those that need configuring."""
    return [one for one in behind().catalogue.values() if not one.builtin]


def _card(
    adaptor: Adaptor, stored: Stored | None, waiting: int, raised: Mapping[str, int], pauses: list[dict[str, Any]]
) -> Card:
    state = look(stored)
    return Card(
        name=adaptor.name,
        label=adaptor.label,
        help=adaptor.help,
        icon=ICONS.get(adaptor.name, "message"),
        state=state,
        facts=tuple(_facts(adaptor, stored, waiting, raised)) if stored else (),
        pauses=tuple(row for row in pauses if row["adaptor"] == adaptor.name),
        problem=stored.problem if stored else "",
        ask=held_sentences(adaptor, state, waiting),
        can_try=bool(stored and adaptor.actions),
    )


def _facts(adaptor: Adaptor, stored: Stored, waiting: int, raised: Mapping[str, int]) -> list[tuple[str, str]]:
    """Which account, which sender, how much."""
    labels = {field.name: field.label for field in adaptor.config}
    secret = {field.name for field in adaptor.config if field.is_secret}
    required = [field.name for field in adaptor.config if field.required]
    shown = [name for name in (*required, "default_sender") if name not in secret and stored.values.get(name)]
    facts = [(labels.get(name, name), str(stored.values[name])) for name in dict.fromkeys(shown)]
    counts = [(kind.label.lower(), raised.get(adaptor.event(kind.name), 0)) for kind in adaptor.events]
    words = {
        kind.label.lower() for kind in adaptor.events if kind.name in adaptor.final or kind.name == adaptor.received
    }
    told = ", ".join(f"{count:,} {word}" for word, count in counts if count and word in words)
    facts.append(("In 24 hours", told or "nothing"))
    facts.append(("Waiting", f"{waiting:,} message{'' if waiting == 1 else 's'}" if waiting else "none"))
    return facts


def one(request: HttpRequest, name: str) -> HttpResponseBase:
    """One adaptor: its form, and what belongs to it."""
    adaptor = found(name)
    if request.method == "POST":
        return adaptor_form.save(request, adaptor)
    return adaptor_form.show(request, adaptor)


def state(request: HttpRequest, name: str) -> HttpResponseBase:
    """Activate or deactivate."""
    return adaptor_switch.set_state(request, found(name))


def trial(request: HttpRequest, name: str) -> HttpResponseBase:
    """Send a test."""
    return adaptor_trial.trial(request, found(name))


def callbacks(request: HttpRequest, name: str) -> HttpResponseBase:
    """Check that calls come back."""
    return adaptor_way.check(request, found(name))


def inbound(request: HttpRequest, name: str) -> HttpResponseBase:
    """Have people's messages sent here."""
    return adaptor_way.point(request, found(name))


def found(name: str) -> Adaptor:
    """The adaptor of that name. Raises Http404."""
    for adaptor in listed():
        if adaptor.name == name:
            return adaptor
    raise Http404


ROUTES = [
    route("adaptors", index, "adaptors", see="viewer"),
    route("adaptors/<str:name>", one, "adaptors-one", see="viewer", change="owner"),
    route("adaptors/<str:name>/state", state, "adaptors-state", see="owner", change="owner"),
    route("adaptors/<str:name>/test", trial, "adaptors-test", see="editor", change="editor"),
    route("adaptors/<str:name>/callbacks", callbacks, "adaptors-callbacks", see="editor", change="editor"),
    route("adaptors/<str:name>/inbound", inbound, "adaptors-inbound", see="owner", change="owner"),
]
