"""The fixtures of the pages' tests."""

import pytest
from booking import seen_empty
from ruling import shop

from browsing import _kept_open, _peopled, browser, carrier, context, end_browser, owner, page, site

__all__ = [
    "_kept_open",
    "_peopled",
    "browser",
    "carrier",
    "context",
    "owner",
    "page",
    "seen_empty",
    "shop",
    "site",
]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if nextitem is None or nextitem.path.parent != item.path.parent:
        end_browser()
