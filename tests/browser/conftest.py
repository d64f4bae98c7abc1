"""The fixtures of the pages' tests."""

from booking import seen_empty

from browsing import _peopled, browser, carrier, context, owner, page, playwright, site

__all__ = ["_peopled", "browser", "carrier", "context", "owner", "page", "playwright", "seen_empty", "site"]
