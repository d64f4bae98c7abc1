"""The fixtures of the pages' tests."""

from booking import seen_empty

from browsing import _kept_open, _peopled, browser, carrier, context, owner, page, playwright, site

__all__ = [
    "_kept_open",
    "_peopled",
    "browser",
    "carrier",
    "context",
    "owner",
    "page",
    "playwright",
    "seen_empty",
    "site",
]
