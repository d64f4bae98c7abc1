"""The fixtures of the pages' tests."""

from booking import seen_empty
from ruling import shop

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
    "shop",
    "site",
]
