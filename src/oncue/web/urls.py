"""TEMPORARY while several people build at once: a screen that does not import is replaced by a placeholder. The lead restores the real one."""

from __future__ import annotations

import importlib
import logging
import traceback
from typing import Any

from django.http import HttpResponse

from oncue.web.access import route

urlpatterns: list[Any] = []
for _name in (
    "static_files",
    "signing",
    "overview",
    "rules",
    "messages",
    "replies",
    "events",
    "users",
    "opt_outs",
    "adaptors",
    "settings",
    "simulator",
    "api",
):
    try:
        urlpatterns += importlib.import_module(f"oncue.web.{_name}").ROUTES
    except Exception:
        _text = traceback.format_exc()
        logging.getLogger("oncue.web").warning("screen %s does not import: %s", _name, _text)
        _path = "" if _name == "overview" else _name.replace("_", "-")
        urlpatterns.append(
            route(_path, lambda request, text=_text: HttpResponse(text, "text/plain"), _name, see="viewer")
        )

handler404 = "oncue.web.faults.not_found"
handler500 = "oncue.web.faults.broken"
