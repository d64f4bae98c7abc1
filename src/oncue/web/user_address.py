"""Where the page of a user is."""

from __future__ import annotations

from urllib.parse import quote


def address_of(id: str) -> str:
    """A slash in an id is written `%2F`, so that a browser leaves `/../` alone."""
    return f"/users/{quote(id, safe='')}"
