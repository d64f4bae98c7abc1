"""What an e-mail will say, before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncue.core.adaptor import Preview


def preview(fields: Mapping[str, Any]) -> Preview:
    """Subject and text; HTML, where there is no text, as its source."""
    text, html = str(fields.get("text") or ""), str(fields.get("html") or "")
    kinds = [name for name, given in (("plain text", text), ("HTML", html)) if given]
    facts: list[tuple[str, str]] = [("Parts", " and ".join(kinds))] if kinds else []
    if fields.get("from"):
        facts.append(("From", str(fields["from"])))
    if fields.get("reply_to"):
        facts.append(("Reply to", str(fields["reply_to"])))
    return Preview(subject=str(fields.get("subject") or ""), text=text or html, facts=tuple(facts))
