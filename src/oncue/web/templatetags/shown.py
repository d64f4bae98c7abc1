"""How values are shown: times in the member's zone and exact on hover, states as words with a colour, anything else as people write it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from oncue import __version__
from oncue.core import clock
from oncue.core.fields import as_text

register = template.Library()

_GOOD, _WAIT, _BAD, _WARN, _PLAIN = "good", "wait", "bad", "warn", "plain"
TONES = {
    "delivered": _GOOD,
    "read": _GOOD,
    "succeeded": _GOOD,
    "active": _GOOD,
    "on": _GOOD,
    "opted_in": _GOOD,
    "ok": _GOOD,
    "sent": _WAIT,
    "queued": _WAIT,
    "sending": _WAIT,
    "accepted": _WAIT,
    "scheduled": _WAIT,
    "waiting": _WAIT,
    "submitting": _WAIT,
    "test": _WAIT,
    "undelivered": _WARN,
    "unknown": _WARN,
    "expired": _WARN,
    "suppressed": _WARN,
    "partially_delivered": _WARN,
    "failed": _BAD,
    "rejected": _BAD,
    "opted_out": _BAD,
    "canceled": _PLAIN,
}
"""A colour beside the word, never instead of it."""


@register.filter
def when(at: int | None) -> SafeString:
    """A time: of day if it is today, else with its date; exact, with the zone, on hover."""
    if not at:
        return format_html("")
    moment = timezone.localtime(datetime.fromtimestamp(at / 1000, UTC))
    today = timezone.localtime(datetime.fromtimestamp(clock.now() / 1000, UTC)).date()
    form = "%H:%M:%S" if moment.date() == today else "%-d %b %H:%M" if moment.year == today.year else "%-d %b %Y"
    return _shown(at, moment.strftime(form))


@register.filter
def ago(at: int | None) -> SafeString:
    """How long ago: `4 min ago`; exact on hover."""
    if not at:
        return format_html("never")
    seconds = max(0, (clock.now() - at) // 1000)
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return _shown(at, f"{seconds // size} {word} ago")
    return _shown(at, "just now")


def _shown(at: int, words: str) -> SafeString:
    moment = timezone.localtime(datetime.fromtimestamp(at / 1000, UTC))
    exact = f"{moment:%Y-%m-%d %H:%M:%S.%f}"[:-3] + f" {moment:%Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', clock.iso(at), exact, words)


@register.filter
def badge(word: str) -> SafeString:
    """A state as a word with its colour beside it."""
    return format_html('<span class="badge {}">{}</span>', TONES.get(str(word), _PLAIN), str(word).replace("_", " "))


@register.filter
def status(message: dict[str, Any]) -> SafeString:
    """A message's status in one word: the carrier's once it has one, else ours."""
    word = message.get("carrier_status") if message["state"] == "accepted" else message["state"]
    return badge(word or message["state"])


@register.filter
def plain(value: Any) -> str:
    """A value as people write it."""
    return "–" if value is None or value == "" else as_text(value)


@register.filter
def pairs(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Names and values. In a template `values.items` would be the value named `items`, which events of shops have."""
    return list(values.items())


@register.filter
def pretty(value: Any) -> str:
    """JSON over several lines."""
    return str(msgspec.json.format(msgspec.json.encode(value), indent=2), "utf-8")


@register.filter
def number(value: int | float | None) -> str:
    """`16,342`."""
    return "–" if value is None else f"{value:,.0f}"


@register.filter
def sentence(reason: str) -> str:
    """The sentence of a reason kept as `code: sentence`."""
    code, _, text = str(reason).partition(": ")
    return text if text and " " not in code else str(reason)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of our sprite, for the eye only."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="/static/oncue/icons.svg?v={}#{}"></use></svg>', __version__, name
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """The page's query string with these changes; an empty value takes a parameter out. Filters live in the URL, so that a view can be shared."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        parameters.pop(name, None)
        if value not in (None, ""):
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"
