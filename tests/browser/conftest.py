"""The fixtures of the pages' tests."""

from browsing import _peopled, browser, carrier, context, owner, page, playwright, site

__all__ = ["_peopled", "browser", "carrier", "context", "owner", "page", "playwright", "site"]
