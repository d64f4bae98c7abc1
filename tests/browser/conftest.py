"""The fixtures of the pages' tests."""

from browsing import browser, carrier, context, owner, page, playwright, site

__all__ = ["browser", "carrier", "context", "owner", "page", "playwright", "site"]
