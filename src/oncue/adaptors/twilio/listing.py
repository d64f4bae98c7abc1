"""Reading the list of messages: pages, newest first, followed by the URI that Twilio gives."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

from oncue.adaptors.twilio import api, errors
from oncue.adaptors.twilio.inbound import status_report
from oncue.core import clock
from oncue.core.adaptor import Config, Status
from oncue.core.http import Answer, Http, Response

MOST_PAGES = 20
_THROTTLED_AFTER = 30.0

Row = dict[str, Any]

_IMPLIED: dict[str, tuple[str, ...]] = {
    "sending": (),
    "sent": (),
    "delivered": ("sent",),
    "undelivered": ("sent",),
    "read": ("sent", "delivered"),
}


class Failed(Exception):
    """A list request that brought nothing: why, and how many seconds to leave it."""

    def __init__(self, problem: str, after: float | None) -> None:
        super().__init__(problem)
        self.after = after

    @classmethod
    def of(cls, answer: Answer) -> Failed:
        """Of an answer that was none, or not the one that was asked for."""
        if not isinstance(answer, Response):
            return cls(answer.reason, None)
        error = errors.look_up(api.code_of(api.content(answer)), answer.status)
        after = (api.retry_after(answer) or _THROTTLED_AFTER) if answer.status == 429 else None
        return cls(f"{error.meaning} {error.remedy}".strip(), after)


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
        found = api.content(answer) if isinstance(answer, Response) else {}
        if not isinstance(answer, Response) or answer.status != 200 or not isinstance(found.get("messages"), list):
            raise Failed.of(answer)
        self.now = _time(answer.headers.get("date"), self.now)
        rows = [row for row in found["messages"] if isinstance(row, dict)]
        return rows, api.below(self._config, str(found.get("next_page_uri") or "")) or ""


def status_of(row: Row) -> Status:
    """What a message of the list says of itself, and what it proves of before."""
    word = str(row["status"])
    code = row.get("error_code")
    service = str(row.get("messaging_service_sid") or "")
    implied = _IMPLIED.get(word, ())
    return status_report(
        word,
        sid=str(row["sid"]),
        message_id="",
        sender=str(row.get("from") or ""),
        recipient=str(row.get("to") or ""),
        service=service,
        code="" if code is None else str(code),
        said=str(row.get("error_message") or ""),
        raw={
            name: value for name, value in row.items() if name != "body"
        },  # which the message itself has, for as long as it is kept
        # Through a service, whatever was sent was queued once its sender was chosen.
        implied=("queued", *implied) if service and word in _IMPLIED else implied,
    )


def created_at(row: Row, otherwise: int) -> int:
    """When a message was created, in milliseconds."""
    return _time(row.get("date_created"), otherwise)


def _time(text: Any, otherwise: int) -> int:
    try:
        return int(parsedate_to_datetime(str(text)).timestamp() * clock.SECOND)
    except (ValueError, TypeError):
        return otherwise
