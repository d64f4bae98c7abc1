"""Filters of the settings' pages: `{% load settings %}`."""

from __future__ import annotations

import re

from django import template

register = template.Library()

_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"))  # fmt: skip


@register.filter
def browser(agent: str) -> str:
    """`Firefox 128 on Linux` for what a browser calls itself; what it says where that is no browser's."""
    name = next(((mark, name) for mark, name in _BROWSERS if mark in agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if name is None:
        return agent[:60] or "unknown"
    version = re.search(rf"{name[0]}(\d+)", agent)
    return " ".join(filter(None, (name[1], version.group(1) if version else "", f"on {system}" if system else "")))
