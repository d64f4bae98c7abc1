"""What stands around every page: the navigation, who is signed in, what is wrong right now."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from oncue import __version__
from oncue.web.access import may
from oncue.web.backstage import behind

MAIN = (
    ("overview", "Overview", "chart"),
    ("rules", "Rules", "bolt"),
    ("messages", "Messages", "message"),
    ("replies", "Replies", "reply"),
    ("events", "Events", "pulse"),
    ("users", "Users", "people"),
    ("opt_outs", "Opt-outs", "stop"),
)
MANAGE = (("adaptors", "Adaptors", "plug"), ("settings", "Settings", "dial"))


def around(request: HttpRequest) -> dict[str, Any]:
    """Context of every template."""
    member = getattr(request, "member", None)
    if not member:
        return {"member": None, "version": __version__}
    match = request.resolver_match
    here = (match.url_name or "").split("-")[0] if match else ""
    return {
        "member": member,
        "version": __version__,
        "main": MAIN,
        "manage": MANAGE,
        "here": here,
        "has_simulator": bool(behind().simulator_url),
        "is_editor": may(request, "editor"),
        "is_owner": may(request, "owner"),
    }
