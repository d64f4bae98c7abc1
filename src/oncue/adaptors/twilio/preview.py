"""What a text will look like and take on the wire, before it is sent: segments are what Twilio charges for."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from oncue.adaptors.twilio import segments
from oncue.core.adaptor import Preview

_NAMED = 3
"""Odd characters that are named; there may be many."""


def preview(fields: Mapping[str, Any]) -> Preview:
    """The message as the phone shows it. Of a content template only Twilio knows the text."""
    text = str(fields.get("body") or "")
    media = fields.get("media_urls") or []
    pictures = tuple(str(one) for one in (media if isinstance(media, list) else [media]))
    if fields.get("content_sid"):
        facts: list[tuple[str, str]] = [("Content template", f"{fields['content_sid']}, whose text is kept at Twilio")]
        return Preview(facts=tuple(facts))
    if pictures:
        return Preview(text=text, pictures=pictures, facts=(("Kind", _pictures(len(pictures))),), segments=1)
    if not text:
        return Preview()
    found = segments.count(text)
    odd = segments.odd_characters(text)
    encoding = f"{found.encoding}, because of {_named(odd)}" if odd else found.encoding
    return Preview(
        text=text,
        facts=(
            ("Characters", str(len(text))),
            ("Encoding", encoding),
            ("Segments", f"{_counted(found.count, 'segment')}, {_counted(segments.left(text), 'character')} left"),
        ),
        warnings=_warnings(found.count, odd, bool(fields.get("smart_encoded"))),
        segments=found.count,
    )


def _warnings(count: int, odd: list[str], is_smart: bool) -> tuple[str, ...]:
    found = []
    if odd and is_smart:
        found.append(
            "Smart encoding is on: Twilio replaces such characters by plain ones where it can, so it may take fewer segments."
        )
    elif odd:
        found.append("With plain characters only, up to 160 fit in a segment; with one of these, 70.")
    if count >= 4:
        found.append(f"Each of the {count} segments is charged.")
    return tuple(found)


def _named(odd: list[str]) -> str:
    named = [f"{one} ({unicodedata.name(one, 'a character without a name').lower()})" for one in odd[:_NAMED]]
    more = len(odd) - _NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _pictures(count: int) -> str:
    return f"MMS with {_counted(count, 'picture or file')}"


def _counted(count: int, what: str) -> str:
    if count == 1:
        return f"1 {what}"
    return f"{count} pictures or files" if what.startswith("picture") else f"{count} {what}s"
