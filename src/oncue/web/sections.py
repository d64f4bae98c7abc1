"""What the screen Settings is divided into, and how one of its pages is drawn: with the way to the others above it."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from oncue.web.access import may


class Section(msgspec.Struct, frozen=True):
    """One page of the settings: its route, what it is called, its icon, the role it takes, and what one does there."""

    route: str
    label: str
    icon: str
    role: str
    sentence: str


SECTIONS = (
    Section("settings-account", "My account", "user", "viewer", "Your password, your time zone, and where you are signed in."),
    Section("settings-members", "Members", "people", "owner", "Colleagues who sign in here, and what each may do."),
    Section("settings-keys", "API keys", "key", "owner", "What apps send events with, and programs manage oncue with."),
    Section("settings-sending", "Sending", "clock", "viewer", "Quiet hours, and how many messages one person gets at most."),
    Section("settings-retention", "Retention", "trash", "owner", "How long events and messages are kept."),
    Section("settings-alerts", "Alerts", "bell", "owner", "What went wrong, and who is told of it."),
    Section("settings-audit", "Audit trail", "history", "owner", "Who changed what, and what it was before."),
)  # fmt: skip


def sections_for(request: HttpRequest) -> list[Section]:
    """Those that the member may see."""
    return [one for one in SECTIONS if may(request, one.role)]


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page of the settings."""
    match = request.resolver_match
    name = (match.url_name or "") if match else ""
    context = {**context, "sections": sections_for(request), "section": "-".join(name.split("-")[:2])}
    return render(request, f"oncue/settings_{template}.html", context, status=status)
