"""Settings, Sending: the hours in which people are left alone, and how many messages they get at most; said in words, too."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from oncue.core.message import Category
from oncue.store.policy import FIELDS, Policy, read_policy, read_values, save_policy
from oncue.web.access import may, route, who
from oncue.web.backstage import behind
from oncue.web.sections import page
from oncue.web.zones import zone_names

CATEGORIES = tuple(one.value for one in Category)
_LISTS = ("quiet_categories", "cap_categories")


def index(request: HttpRequest) -> HttpResponseBase:
    """What holds now; for an owner, the form that changes it."""
    if request.method != "POST":
        return _shown(request, read_policy(), {})
    given: dict[str, Any] = {
        field.name: request.POST.getlist(field.name) if field.name in _LISTS else request.POST.get(field.name, "")
        for field in FIELDS
    }
    policy, faults = read_values(given)
    if faults:
        wrong: dict[str, str] = {}
        for fault in faults:
            wrong.setdefault(fault.field, fault.sentence)
        return _shown(request, read_policy(), wrong, given, 422)
    by = who(request)
    is_new = behind().change(lambda: save_policy(policy, by))
    said = "Saved; it holds from the next message on." if is_new else "Nothing was changed."
    return redirect(f"{reverse('settings-sending')}?{urlencode({'said': said})}")


def in_words(policy: Policy) -> list[str]:
    """What the policy does, a sentence each."""
    return [_quiet(policy), _zone(policy), _cap(policy)]


def in_short(policy: Policy) -> str:
    """For one line."""
    quiet = f"Quiet {policy.quiet_from} to {policy.quiet_to}" if _is_quiet(policy) else "No quiet hours"
    days = "a day" if policy.cap_days == 1 else f"{policy.cap_days} days"
    return f"{quiet}; {f'at most {policy.cap_messages} in {days}' if _is_capped(policy) else 'no cap'}"


def _quiet(policy: Policy) -> str:
    if not _is_quiet(policy):
        return "There are no quiet hours: messages go at any time of day."
    return (
        f"{_which(policy.quiet_categories)} texts wait from {policy.quiet_from} to {policy.quiet_to} of the person's own time, then go;"
        " one that would be too late by then is not sent. E-mails and webhooks wake nobody and do not wait; nor do rules that ignore the"
        " quiet hours."
    )


def _zone(policy: Policy) -> str:
    return (
        "A person's own time is that of their property timezone, else of where their phone number is at home, else of"
        f" {policy.default_zone}."
    )


def _cap(policy: Policy) -> str:
    if not _is_capped(policy):
        return "There is no cap: a person gets every message that rules make for them."
    days = "24 hours" if policy.cap_days == 1 else f"{policy.cap_days} days"
    which = _which(policy.cap_categories).lower()
    return (
        f"Nobody gets more than {policy.cap_messages} {which} message{'' if policy.cap_messages == 1 else 's'} in {days}, texts and e-mails"
        " taken together; what is more is not sent, and a rule can act on that (message.suppressed)."
    )


def _is_quiet(policy: Policy) -> bool:
    return bool(policy.quiet_categories) and policy.quiet_from != policy.quiet_to


def _is_capped(policy: Policy) -> bool:
    return bool(policy.cap_categories) and policy.cap_messages > 0


def _which(categories: tuple[Category, ...]) -> str:
    return " and ".join(one.value for one in categories).capitalize()


def _shown(
    request: HttpRequest, policy: Policy, wrong: dict[str, str], given: dict[str, Any] | None = None, status: int = 200
) -> HttpResponseBase:
    context = {
        "words": in_words(policy),
        "values": given or msgspec.to_builtins(policy),
        "help": {field.name: field.help for field in FIELDS},
        "wrong": wrong,
        "categories": CATEGORIES,
        "zones": zone_names(),
        "may_change": may(request, "owner"),
    }
    return page(request, "sending", context, status)


ROUTES = [route("settings/sending", index, "settings-sending", see="viewer", change="owner")]
