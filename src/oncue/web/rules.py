"""The screen: rules. The list with its switch; the builder, its preview and the history are modules of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import register_converter, reverse
from django.utils import timezone
from django.utils.http import urlencode

from oncue.core import clock
from oncue.rules.compile import compile_rule
from oncue.rules.spec import RuleState
from oncue.store import hours, rulebook
from oncue.store.rulebook import Stored
from oncue.web import rule_builder, rule_history, rule_preview
from oncue.web.access import route, who
from oncue.web.backstage import behind

PAGE = 100
WEEK = 7 * 24
FIRED_WITHIN = 30 * 24
"""Hours in which it is looked when a rule last acted."""
_COUNTED = ("submitted", "delivered", "suppressed")


def index(request: HttpRequest) -> HttpResponseBase:
    """Every rule, with what became of it in the last seven days; archived ones with `?archived=1`."""
    is_archived = bool(request.GET.get("archived"))
    found = rulebook.listing(archived=is_archived, after=request.GET.get("after", ""), limit=PAGE + 1)
    now = clock.now() // clock.HOUR
    counts = _counts(now)
    fired = hours.last_hours(now - FIRED_WITHIN, now + 1, "fired")
    context = {
        "rules": [_row(one, counts.get(one.key, {}), fired.get(one.key)) for one in found[:PAGE]],
        "is_archived": is_archived,
        "archived": rulebook.archived_count(),
        "next_after": found[PAGE - 1].key if len(found) > PAGE else "",
    }
    return render(request, "oncue/rules.html", context)


def switch(request: HttpRequest, key: str) -> HttpResponseBase:
    """Off, test or on. A rule with faults stays off, and its page says why."""
    stored = rule_builder.found(key)
    wanted = request.POST.get("state", "")
    if wanted not in list(RuleState) or stored.archived_at:
        return redirect("rules")
    state = RuleState(wanted)
    if state is not RuleState.OFF and isinstance(compile_rule(stored.spec, behind().catalogue), list):
        return _to(
            reverse("rules-edit", args=[key]), f"It cannot be switched to {state.value} yet: mend what is marked first."
        )
    spec, by = msgspec.structs.replace(stored.spec, state=state), who(request)
    behind().change(lambda: rulebook.save(spec, by=by))
    what = {"off": "is off", "test": "acts for test users from now on", "on": "is on, and acts from the next event on"}
    return _to(reverse("rules"), f"“{spec.name}” {what[state.value]}.")


def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Archive it, or bring it back, off."""
    stored, by = rule_builder.found(key), who(request)
    if request.POST.get("do") == "restore":
        spec = msgspec.structs.replace(stored.spec, state=RuleState.OFF)
        behind().change(lambda: rulebook.save(spec, by=by))
        return _to(reverse("rules-edit", args=[key]), "It is back, and off.")
    behind().change(lambda: rulebook.archive(key, by=by))
    return _to(reverse("rules"), f"“{stored.spec.name}” is archived.")


def _to(where: str, sentence: str) -> HttpResponseBase:
    return redirect(f"{where}?{urlencode({'said': sentence})}")


def _counts(now: int) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in hours.counted(now - WEEK, now + 1, _COUNTED):
        found.setdefault(row["label"], {})[row["name"]] = int(row["count"])
    return found


def _row(stored: Stored, counts: dict[str, int], fired: int | None) -> dict[str, Any]:
    sent, delivered = counts.get("submitted", 0), counts.get("delivered", 0)
    return {
        "stored": stored,
        "spec": stored.spec,
        "is_faulty": stored.spec.state is RuleState.OFF
        and isinstance(compile_rule(stored.spec, behind().catalogue), list),
        "fired": _hour(fired) if fired is not None else "",
        "sent": sent,
        "delivered": min(100, round(100 * delivered / sent)) if sent else None,
        "suppressed": counts.get("suppressed", 0),
    }


def _hour(hour: int) -> str:
    """`14:00–15:00`, with the date if it was not today: counters know the hour, not the minute."""
    begins, now = (
        timezone.localtime(datetime.fromtimestamp(at / 1000, UTC)) for at in (hour * clock.HOUR, clock.now())
    )
    ends = begins + timedelta(hours=1)
    day = "" if begins.date() == now.date() else f"{begins:%-d %b}, "
    return f"{day}{begins:%H:%M}–{ends:%H:%M}"


class _KeyInPath:
    """A key in an address. One that is also the address of a page of ours, such as `new`, is written `new~`."""

    regex = "[^/]+"
    words = frozenset({"new", "form", "preview", "backtest", "people"})

    def to_python(self, text: str) -> str:
        return text.removesuffix("~")

    def to_url(self, key: str) -> str:
        return f"{key}~" if key in self.words else key


register_converter(_KeyInPath, "rule_key")

ROUTES = [
    route("rules", index, "rules", see="viewer"),
    route("rules/new", rule_builder.new, "rules-new", see="editor", change="editor"),
    # These change nothing: they show what is posted. A viewer's page posts the rule as it is saved.
    route("rules/form", rule_builder.redraw, "rules-form", see="editor", change="editor"),
    route("rules/preview", rule_preview.preview, "rules-preview", see="editor", change="viewer"),
    route("rules/backtest", rule_preview.look_back, "rules-backtest", see="editor", change="viewer"),
    route("rules/people", rule_preview.people, "rules-people", see="viewer"),
    route("rules/<rule_key:key>", rule_builder.edit, "rules-edit", see="viewer", change="editor"),
    route("rules/<rule_key:key>/state", switch, "rules-state", see="editor", change="editor"),
    route("rules/<rule_key:key>/archive", archive, "rules-archive", see="editor", change="editor"),
    route("rules/<rule_key:key>/history", rule_history.index, "rules-history", see="viewer", change="editor"),
]
