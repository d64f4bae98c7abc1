"""Every page. Who may see and change what stands beside each route, in its screen's module; `access` enforces it."""

from __future__ import annotations

from oncue.web import (
    adaptors,
    api,
    events,
    messages,
    opt_outs,
    overview,
    replies,
    rules,
    settings,
    signing,
    simulator,
    static_files,
    users,
)

urlpatterns = [
    *static_files.ROUTES,
    *signing.ROUTES,
    *overview.ROUTES,
    *rules.ROUTES,
    *messages.ROUTES,
    *replies.ROUTES,
    *events.ROUTES,
    *users.ROUTES,
    *opt_outs.ROUTES,
    *adaptors.ROUTES,
    *settings.ROUTES,
    *simulator.ROUTES,
    *api.ROUTES,
]

handler404 = "oncue.web.faults.not_found"
handler500 = "oncue.web.faults.broken"
