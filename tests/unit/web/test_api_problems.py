"""What the API answers when the store does not do what it was asked: whether something was changed is never guessed."""

from types import SimpleNamespace

import pytest

from inside import Inside, inside
from oncue.core.items import Overloaded, StoreUnavailable

__all__ = ["inside"]


@pytest.mark.parametrize(
    ("error", "said", "after"),
    [
        (StoreUnavailable("disk I/O error"), "nothing was changed", "5"),
        (TimeoutError(), "It may yet be done", "5"),
        (Overloaded(2.4), "try again", "2"),
    ],
)
def test_what_was_not_done_and_what_may_yet_be_done_are_told_apart(
    inside: Inside, error: Exception, said: str, after: str
):
    from oncue.web.api import problems  # which needs Django's settings

    answer = problems.handle(SimpleNamespace(method="PUT", path="/api/v1/retention"), error)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, after)
    assert said in answer.content.decode() and answer.headers["Content-Type"] == problems.CONTENT_TYPE
