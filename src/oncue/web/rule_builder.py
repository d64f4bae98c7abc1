"""The builder: one page on which a rule is made and changed, as a form or as a file. Both are views of one rule; saving makes a revision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from oncue.core.fields import Fault
from oncue.rules.compile import compile_rule
from oncue.rules.nodes import FileFault
from oncue.rules.rows import filled
from oncue.rules.spec import RuleSpec, RuleState
from oncue.store import rulebook
from oncue.store.rulebook import Stored
from oncue.web import rule_drawing, rule_edits, rule_example, rule_file, rule_form, rule_saving
from oncue.web.access import may, who
from oncue.web.backstage import behind
from oncue.web.rule_form import RuleForm

STATES = (
    ("off", "It does nothing."),
    ("test", "It acts for test users only: those with the property test_user: true."),
    ("on", "It acts for everybody, from the next event on."),
)


class Given(msgspec.Struct, kw_only=True):
    """A rule as it was posted, in either view, and what is wrong with it."""

    view: str
    form: RuleForm | None = None
    text: str = ""
    spec: RuleSpec | None = None
    faults: list[Fault] = []
    file_faults: list[FileFault] = []

    @property
    def sentences(self) -> list[str]:
        """What is wrong, for a list."""
        if self.view == "file":
            return rule_file.sentences(self.file_faults)
        return [fault.sentence for fault in self.faults]


def new(request: HttpRequest) -> HttpResponseBase:
    """A new rule, or a copy of one (`?from=key`)."""
    if request.method == "POST":
        return _save(request, None)
    source = rulebook.find(request.GET.get("from", ""))
    form = RuleForm()
    if source:
        form = rule_form.shown(source.spec, behind().catalogue)
        form.key, form.name, form.state = "", f"{source.spec.name} (copy)", "off"
    return _page(request, None, Given(view="form", form=form))


def edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """One rule. One that is invalid says so in place."""
    stored = found(key)
    if request.method == "POST":
        return _save(request, stored)
    catalogue = behind().catalogue
    compiled = compile_rule(stored.spec, catalogue)
    faults = compiled if isinstance(compiled, list) else []
    given = Given(view="form", form=rule_form.shown(stored.spec, catalogue), spec=stored.spec, faults=faults)
    summary = _summary("It cannot be switched on yet:", given, "warn") if faults else None
    return _page(request, stored, given, summary)


def redraw(request: HttpRequest) -> HttpResponseBase:
    """The form drawn again from what was posted, with what the pressed button (`do`) asks for."""
    given = read(request)
    verb, _, what = request.POST.get("do", "").partition(" ")
    context: dict[str, Any] = {}
    if verb == "to-file":
        form = given.form or RuleForm()
        form.key = form.key or rule_form.named(form.name, rulebook.taken())
        given = Given(view="file", text=rule_file.write(rule_form.spec_of(form, behind().catalogue)))
    elif given.view == "file":
        if given.spec:
            given = Given(view="form", form=rule_form.shown(given.spec, behind().catalogue))
    elif given.form:
        context["focus"] = rule_edits.change(given.form, verb, what)
    context |= _body(given, _stored_of(request), context.get("focus", ""), faults=())
    answer = render(
        request, f"oncue/_rule_{'file' if given.view == 'file' else 'body'}.html", {**context, "can_change": True}
    )
    answer.headers["HX-Trigger-After-Settle"] = "redrawn"
    return answer


def read(request: HttpRequest) -> Given:
    """What was posted. A view for members who may not change it posts the file."""
    catalogue = behind().catalogue
    stored_key = request.POST.get("stored-key", "")
    if request.POST.get("view") == "file":
        text = request.POST.get("yaml", "").replace("\r\n", "\n")
        from_file = rule_file.read(text, catalogue, stored_key)
        given = Given(view="file", text=text, spec=from_file.spec, file_faults=from_file.faults)
    else:
        form = rule_form.read(request.POST)
        form.key = stored_key or form.key
        given = Given(view="form", form=form, spec=rule_form.spec_of(form, catalogue))
    if given.spec:
        compiled = compile_rule(given.spec, catalogue)
        given.faults = compiled if isinstance(compiled, list) else []
    return given


def found(key: str) -> Stored:
    """The rule with that key. Raises Http404."""
    stored = rulebook.find(key)
    if stored is None:
        raise Http404
    return stored


def _save(request: HttpRequest, stored: Stored | None) -> HttpResponseBase:
    given = read(request)
    if given.form and given.form.state == RuleState.OFF:  # a draft: what is blank is left out
        given.form.lines = filled(given.form.lines)
    unpicked = rule_form.unpicked(given.form) if given.form else []
    if unpicked:
        given.faults = [*unpicked, *(one for one in given.faults if not one.field.startswith("conditions"))]
    if given.form and given.spec and not stored:
        given.form.key = given.form.key or rule_form.named(given.form.name, rulebook.taken())
        given.spec = msgspec.structs.replace(given.spec, key=given.form.key)
    refusal = _refusal(given, stored)
    if refusal:
        return _page(request, stored, given, refusal, 422)
    assert given.spec is not None
    if stored and stored.archived_at:
        return redirect("rules-edit", key=stored.key)
    spec, by = given.spec, who(request)
    known = request.POST.get("revision", "")
    over = int(known) if known.isdigit() and len(known) < 9 else 0
    try:
        revision = rule_saving.save(spec, by, over)
    except rulebook.Moved:
        title = "Somebody saved this rule while you were changing it. History shows what they changed; Save again puts yours in its place."
        return _page(request, rulebook.find(spec.key), given, {"look": "warn", "title": title, "sentences": []}, 422)
    where = reverse("rules-edit", args=[spec.key])
    return redirect(f"{where}?{urlencode({'said': _said(spec, revision, given.faults)})}")


def _refusal(given: Given, stored: Stored | None) -> dict[str, Any] | None:
    """Why it cannot be saved as it is. An invalid rule can be kept while it is off."""
    if given.spec is None:
        return _summary("Not saved: the file has faults.", given)
    if not given.spec.name.strip():
        return _summary("Not saved.", given)
    if not stored:
        wrong = rule_saving.wrong_key(given.spec.key)
        if wrong:
            given.faults = [Fault("key", wrong), *given.faults]
            given.file_faults = [*given.file_faults, FileFault(rule_file.NAME, 1, wrong)]
            return _summary("Not saved.", given)
    if given.faults and given.spec.state is not RuleState.OFF:
        title = f"Not saved: a rule with faults cannot be {given.spec.state}. Mend them, or save it off for now."
        return _summary(title, given)
    return None


def _summary(title: str, given: Given, look: str = "bad") -> dict[str, Any]:
    return {"look": look, "title": title, "sentences": list(dict.fromkeys(given.sentences))}


def _said(spec: RuleSpec, revision: int | None, faults: Sequence[Fault]) -> str:
    if revision is None:
        return "Nothing was changed."
    if faults:
        return f"Saved as a draft, revision {revision}. What is marked must be mended before it can be switched on."
    acts = {"off": "It is off.", "test": "It acts for test users from now on.", "on": "It acts from the next event on."}
    return f"Saved as revision {revision}. {acts[spec.state.value]}"


def _stored_of(request: HttpRequest) -> Stored | None:
    return rulebook.find(request.POST.get("stored-key", ""))


def _page(
    request: HttpRequest, stored: Stored | None, given: Given, summary: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    can_change = may(request, "editor") and not (stored and stored.archived_at)
    triggers: Iterable[str] = given.spec.triggers if given.spec else given.form.triggers if given.form else ()
    yaml = rule_file.write(stored.spec) if stored else ""
    context = {
        **_body(given, stored, "", given.faults),
        "title": stored.spec.name if stored else "New rule",
        "action": reverse("rules-edit", args=[stored.key]) if stored else reverse("rules-new"),
        "revision": stored.revision if stored else 0,
        "can_change": can_change,
        "summary": summary,
        "example": rule_example.example(tuple(triggers), request.POST),
        "person": request.POST.get("p-user", ""),
    }
    return render(request, "oncue/rule.html", {"yaml": yaml, **context}, status=status)


def _body(given: Given, stored: Stored | None, focus: str, faults: Sequence[Fault]) -> dict[str, Any]:
    """The context of the part that is drawn again."""
    context: dict[str, Any] = {"stored": stored, "view": given.view, "states": STATES, "focus": focus}
    if given.view == "file":
        return {**context, "yaml": given.text, "file_faults": given.file_faults}
    form = given.form or RuleForm()
    return {**context, **rule_drawing.body(form, faults, behind().snapshot, focus), "state": form.state}
