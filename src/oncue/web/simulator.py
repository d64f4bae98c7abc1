"""The screen: simulator. Phones side by side that one can answer from, and the dial for what goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from oncue.web import carrier, dial, phones
from oncue.web.access import route
from oncue.web.backstage import behind
from oncue.web.telling import meaning

_WORDS = ("STOP", "START", "HELP")


def index(request: HttpRequest) -> HttpResponseBase:
    """The phones and the dial; without a simulator, how to get one."""
    return _show(request)


def bubbles(request: HttpRequest) -> HttpResponseBase:
    """What is new on the phones that the page shows, and phones it does not show yet. 204 when nothing is."""
    known = dict(pair.rpartition("~")[::2] for pair in request.GET.get("seen", "").split(",") if "~" in pair)
    was_silent = bool(request.GET.get("silent"))
    try:
        drawn, _ = phones.drawn(_threads(), list(known))
    except carrier.Silent as silent:
        if was_silent:
            return HttpResponse(status=204)
        context = {"seen": request.GET.get("seen", ""), "silent": str(silent), "is_poll": True}
        return render(request, "oncue/_simulator_news.html", context)
    changed = [one for one in drawn if known.get(one.number, one.mark) != one.mark]
    added = [one for one in drawn if one.number not in known]
    if not changed and not added and not was_silent:
        return HttpResponse(status=204)
    context = {"changed": changed, "added": added, "seen": _seen(drawn), "silent": "", "is_poll": True, "words": _WORDS}
    return render(request, "oncue/_simulator_news.html", context)


def send(request: HttpRequest) -> HttpResponseBase:
    """A phone writes: free text, or one of the words that carriers act on."""
    number = request.POST.get("phone", "")
    body = request.POST.get("word") or request.POST.get("body", "")
    if not body.strip():
        return _done(request, "Write something first.", number)
    content = {"body": body}
    if request.POST.get("to"):
        content["to"] = request.POST["to"]
    return _asked(request, "POST", f"phones/{quote(number, safe='')}/send", content, "", number)


def faults(request: HttpRequest) -> HttpResponseBase:
    """Put a fault in force, or clear them all."""
    if "clear" in request.POST:
        return _asked(request, "DELETE", "faults", None, "All is well again.")
    asked = dial.asked(request.POST)
    if isinstance(asked, str):
        return _show(request, fault=asked, status=422)
    return _asked(request, "POST", "faults", asked, "It goes wrong from now on.")


def pace(request: HttpRequest) -> HttpResponseBase:
    """How fast messages go from one status to the next."""
    wanted = request.POST.get("pace", "")
    seconds = float(wanted) if wanted in dict(dial.PACES) else 0.0
    return _asked(request, "POST", "dial", {"pace": seconds}, f"{dict(dial.PACES).get(wanted, wanted)}.")


def _show(request: HttpRequest, fault: str = "", status: int = 200) -> HttpResponseBase:
    address = behind().simulator_url
    if not address:
        return render(request, "oncue/simulator_none.html")
    added = [number for number in request.GET.getlist("phone") if re.fullmatch(r"\+?\d{3,15}", number)]
    asked_for = request.GET.get("add", "")
    if asked_for:
        number = re.sub(r"[\s().-]", "", asked_for)
        if re.fullmatch(r"\+[1-9]\d{6,14}", number):
            return redirect("/simulator?" + urlencode({"phone": list(dict.fromkeys([*added, number]))}, doseq=True))
    try:
        drawn, left = phones.drawn(_threads(), added)
        in_force = _ask("GET", "faults")
        pace = str(_ask("POST", "dial", {})["pace"])
    except carrier.Silent as silent:
        return render(request, "oncue/simulator_none.html", {"silent": str(silent), "address": address})
    explain = _explain(address)
    context = {
        "address": address,
        "phones": drawn,
        "left": left,
        "added": added,
        "add_fault": asked_for and f"{asked_for!r} is no phone number; write it with + and country code.",
        "asked_for": asked_for,
        "seen": _seen(drawn),
        "silent": "",
        "words": _WORDS,
        "kinds": dial.KINDS,
        "codes": [(code, explain(code)) for code in dial.CODES],
        "times": dial.TIMES,
        "paces": _paces(pace),
        "faults": [dial.told(one, explain) for one in in_force],
        "fault": fault,
        "given": request.POST,
    }
    return render(request, "oncue/simulator.html", context, status=status if not context["add_fault"] else 422)


def _asked(
    request: HttpRequest, method: str, path: str, content: Any, sentence: str, number: str = ""
) -> HttpResponseBase:
    try:
        _ask(method, path, content)
    except (carrier.Silent, carrier.Declined) as problem:
        sentence = str(problem)
    return _done(request, sentence, number)


def _done(request: HttpRequest, sentence: str, number: str = "") -> HttpResponseBase:
    """A phone's form stays where it is; the others lead back to the page."""
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=204)
        answer["HX-Trigger"] = _trigger(sentence)
        return answer
    parameters = [*([("said", sentence)] if sentence else []), *([("phone", number)] if number else [])]
    return redirect("/simulator" + ("?" + urlencode(parameters) if parameters else ""))


def _trigger(sentence: str) -> str:
    """`poke` has the page ask at once what is new. A header is ASCII."""
    return json.dumps({"poke": "", **({"said": sentence} if sentence else {})})


def _seen(drawn: list[phones.Phone]) -> str:
    return ",".join(f"{one.number}~{one.mark}" for one in drawn)


def _paces(now: str) -> list[tuple[str, str, bool]]:
    known = [(value, label, float(value) == float(now)) for value, label in dial.PACES]
    return known if any(one[2] for one in known) else [*known, (now, f"{now} seconds", True)]


def _threads() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = _ask("GET", "phones")
    return found


def _ask(method: str, path: str, content: Any = None) -> Any:
    return carrier.ask(behind().simulator_url, method, path, content)


def _explain(address: str) -> Callable[[str], str]:
    """What the code of an error means, by the adaptor whose provider is simulated."""
    snapshot = behind().snapshot
    for name, one in snapshot.adaptors.items():
        if str(one.config.get("api_base_url") or "").rstrip("/") == address:
            return lambda code: meaning(snapshot, name, code)
    return lambda code: ""


ROUTES = [
    route("simulator", index, "simulator", see="viewer"),
    route("simulator/bubbles", bubbles, "simulator-bubbles", see="viewer"),
    route("simulator/send", send, "simulator-send", see="editor", change="editor"),
    route("simulator/faults", faults, "simulator-faults", see="editor", change="editor"),
    route("simulator/pace", pace, "simulator-pace", see="editor", change="editor"),
]
