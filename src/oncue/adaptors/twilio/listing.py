"""Reading the list of messages: pages, newest first, followed by the URI that Twilio gives."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

from oncue.adaptors.twilio import api, errors
from oncue.core import clock
from oncue.core.adaptor import Config
from oncue.core.http import Http, Response

MOST_PAGES = 20
_THROTTLED_AFTER = 30.0

Row = dict[str, Any]


class Failed(Exception):
    """A list request that brought nothing: why, and how many seconds to leave it."""

    def __init__(self, problem: str, after: float | None) -> None:
        super().__init__(problem)
        self.after = after


class Pages:
    """The pages of one poll: at most so many, and Twilio's time as the last one told it."""

    def __init__(self, http: Http, config: Config, reach: int) -> None:
        self.left = MOST_PAGES
        self.now = clock.now()
        self._http = http
        self._config = config
        self._reach = reach

    async def read(self, url: str, until: int | None) -> tuple[list[Row], str]:
        """(messages not older than `until`, newest first; the URL where older ones go on, or ""). Raises `Failed`.

        Without `until`, those of the last `reach` milliseconds by Twilio's clock.
        """
        rows: list[Row] = []
        while url and self.left:
            self.left -= 1
            page, url = await self._page(url)
            limit = self.now - self._reach if until is None else until
            young = [row for row in page if created_at(row, limit) >= limit]
            rows += young
            if len(young) < len(page) or not page:
                return rows, ""
        return rows, url

    async def _page(self, url: str) -> tuple[list[Row], str]:
        answer = await api.get(self._http, self._config, url)
        if not isinstance(answer, Response):
            raise Failed(answer.reason, None)
        found = api.content(answer)
        if answer.status != 200 or not isinstance(found.get("messages"), list):
            error = errors.look_up(api.code_of(found), answer.status)
            after = (api.retry_after(answer) or _THROTTLED_AFTER) if answer.status == 429 else None
            raise Failed(f"{error.meaning} {error.remedy}".strip(), after)
        self.now = _time(answer.headers.get("date"), self.now)
        rows = [row for row in found["messages"] if isinstance(row, dict)]
        return rows, api.below(self._config, str(found.get("next_page_uri") or "")) or ""


def created_at(row: Row, otherwise: int) -> int:
    """When a message was created, in milliseconds."""
    return _time(row.get("date_created"), otherwise)


def _time(text: Any, otherwise: int) -> int:
    try:
        return int(parsedate_to_datetime(str(text)).timestamp() * clock.SECOND)
    except (ValueError, TypeError):
        return otherwise
