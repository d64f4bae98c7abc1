"""The history of a rule: who changed what and when, any two revisions compared line by line, one of them restored as a new one."""

from __future__ import annotations

import difflib

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from oncue.rules.compile import compile_rule
from oncue.rules.spec import RuleState
from oncue.store import rulebook
from oncue.store.rulebook import Revision
from oncue.web import rule_builder, rule_file
from oncue.web.access import who
from oncue.web.backstage import behind

AROUND = 3
"""Lines that stay the same, shown around those that differ."""


class Line(msgspec.Struct, frozen=True):
    """A line of a comparison: `kind` is added, removed, same, or gap."""

    kind: str
    text: str


def index(request: HttpRequest, key: str) -> HttpResponseBase:
    """The revisions; with `from` and `to`, how these two differ."""
    stored = rule_builder.found(key)
    if request.method == "POST":
        return _restore(request, key)
    found = rulebook.revisions(key)
    by_number = {one.revision: one for one in found}
    newest = found[0].revision if found else 0
    before, after = _number(request, "from", max(newest - 1, 1)), _number(request, "to", newest)
    lines = None
    if before in by_number and after in by_number and before != after:
        lines = compared(by_number[before], by_number[after])
    context = {"stored": stored, "revisions": found, "before": before, "after": after, "lines": lines}
    return render(request, "oncue/rule_history.html", context)


def compared(before: Revision, after: Revision) -> list[Line]:
    """What differs between two revisions, as files; empty if nothing does."""
    one, other = (rule_file.write(revision.spec).splitlines() for revision in (before, after))
    found: list[Line] = []
    for group in difflib.SequenceMatcher(None, one, other, autojunk=False).get_grouped_opcodes(AROUND):
        found += [Line("gap", "…")] if found or group[0][1] else []
        for tag, low, high, from_, to in group:
            if tag == "equal":
                found += [Line("same", text) for text in one[low:high]]
                continue
            found += [Line("removed", text) for text in one[low:high]]
            found += [Line("added", text) for text in other[from_:to]]
    return found


def _restore(request: HttpRequest, key: str) -> HttpResponseBase:
    """The old revision becomes the newest. The switch stays where it is: nobody is texted because somebody looked back."""
    stored = rule_builder.found(key)
    wanted = request.POST.get("revision", "")
    old = next((one for one in rulebook.revisions(key) if str(one.revision) == wanted), None)
    where = reverse("rules-history", args=[key])
    if old is None or stored.archived_at:
        return _to(where, "There is no such revision.")
    spec = msgspec.structs.replace(old.spec, state=stored.spec.state)
    if spec.state is not RuleState.OFF and isinstance(compile_rule(spec, behind().catalogue), list):
        return _to(where, f"Revision {old.revision} has faults, so it can only be restored while the rule is off.")
    by = who(request)
    made = behind().change(lambda: rulebook.save(spec, by=by))
    if made is None:
        return _to(where, f"Nothing was changed: the rule is as it was in revision {old.revision}.")
    return _to(where, f"Revision {old.revision} is restored as revision {made}; the rule is still {spec.state.value}.")


def _to(where: str, sentence: str) -> HttpResponseBase:
    return redirect(f"{where}?{urlencode({'said': sentence})}")


def _number(request: HttpRequest, name: str, otherwise: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isdigit() and len(text) < 9 else otherwise
