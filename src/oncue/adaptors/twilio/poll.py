"""Polling, for when Twilio cannot call us: the list of messages, newest first, tells statuses and replies.

One poll is one list request of 50 messages in the usual case. It goes on to older pages while they hold messages newer than the last poll
saw, 20 pages at most: a thousand messages between two polls. Messages not final that have left this window are fetched one by one, ten a
poll, for two days. A filter by date would not do: messages not sent yet have no date.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

from oncue.adaptors.twilio import api, errors
from oncue.adaptors.twilio.inbound import reply_report, status_report
from oncue.core import clock
from oncue.core.adaptor import Config, Polled, Reply, Status
from oncue.core.http import Http, Response

PAGE_SIZE = 50
MOST_PAGES = 20
MOST_FETCHES = 10
OVERLAP = 2 * clock.MINUTE
"""Messages this young are reported on every poll: the first time, our own record of the 201 may not have been there yet."""
FOLLOWED_FOR = 2 * clock.DAY

FINAL = ("delivered", "undelivered", "failed", "canceled", "read")
_IMPLIED = {"delivered": ("sent",), "undelivered": ("sent",), "read": ("sent", "delivered")}
_THROTTLED_AFTER = 30.0

Row = dict[str, Any]


async def poll(http: Http, config: Config, cursor: dict[str, Any]) -> Polled:
    """What is new. The cursor is `since` (ms) and `open`: SID → [status, created (ms), last fetched (ms)] of messages not final yet."""
    now = clock.now()
    since = int(cursor.get("since") or now)
    opened: dict[str, list[Any]] = {sid: list(known) for sid, known in cursor.get("open", {}).items()}
    rows, problem, after = await _list(http, config, since - OVERLAP)
    if problem:
        return Polled(reports=(), cursor=cursor, problem=problem, after=after)
    reports: list[Status | Reply] = []
    for row in reversed(rows):
        reports += await _report(http, config, row, opened, now)
    seen = {str(row.get("sid")) for row in rows}
    reports += await _follow(http, config, opened, seen, now)
    newest = max((_created(row, since) for row in rows), default=since)
    kept = {sid: known for sid, known in opened.items() if known[1] > now - FOLLOWED_FOR}
    return Polled(reports=tuple(reports), cursor={"since": max(since, newest), "open": kept})


async def _list(http: Http, config: Config, until: int) -> tuple[list[Row], str, float | None]:
    """(messages newer than `until`, newest first, what went wrong, how long to leave it)."""
    url: str | None = api.account_url(config, f"/Messages.json?PageSize={PAGE_SIZE}")
    rows: list[Row] = []
    for _ in range(MOST_PAGES):
        answer = await api.get(http, config, url or "")
        if not isinstance(answer, Response):
            return [], answer.reason, None
        found = api.content(answer)
        if answer.status != 200 or not isinstance(found.get("messages"), list):
            error = errors.look_up(api.code_of(found), answer.status)
            return [], f"{error.meaning} {error.remedy}".strip(), _THROTTLED_AFTER if answer.status == 429 else None
        page = [row for row in found["messages"] if isinstance(row, dict)]
        young = [row for row in page if _created(row, until) >= until]
        rows += young
        url = api.below(config, str(found.get("next_page_uri") or ""))
        if len(young) < len(page) or not page or url is None:
            break
    return rows, "", None


async def _report(http: Http, config: Config, row: Row, opened: dict[str, list[Any]], now: int) -> list[Status | Reply]:
    sid, word = str(row.get("sid") or ""), str(row.get("status") or "")
    created = _created(row, now)
    if row.get("direction") == "inbound":
        return [await _reply(http, config, row, created)] if word == "received" else []
    known = opened.get(sid)
    if known and known[0] == word and created < now - OVERLAP:
        return []
    if word in FINAL:
        opened.pop(sid, None)
    else:
        opened[sid] = [word, created, now]
    return [_status(row)]


def _status(row: Row) -> Status:
    word = str(row["status"])
    code = row.get("error_code")
    return status_report(
        word,
        sid=str(row["sid"]),
        message_id="",
        sender=str(row.get("from") or ""),
        recipient=str(row.get("to") or ""),
        service=str(row.get("messaging_service_sid") or ""),
        code="" if code is None else str(code),
        said=str(row.get("error_message") or ""),
        raw=row,
        implied=_IMPLIED.get(word, ()),
    )


async def _reply(http: Http, config: Config, row: Row, created: int) -> Reply:
    urls: list[str] = []
    if str(row.get("num_media") or "0") != "0":
        answer = await api.get(http, config, api.account_url(config, f"/Messages/{row['sid']}/Media.json"))
        listed = api.content(answer).get("media_list") if isinstance(answer, Response) else None
        for one in listed if isinstance(listed, list) else []:
            found = api.below(config, str(one.get("uri", "")).removesuffix(".json"))
            if found:
                urls.append(found)
    return reply_report(
        sid=str(row["sid"]),
        sender=str(row.get("from") or ""),
        to=str(row.get("to") or ""),
        body=str(row.get("body") or ""),
        service=str(row.get("messaging_service_sid") or ""),
        opt_out_type="",
        media_urls=urls,
        received_at=created,
    )


async def _follow(
    http: Http, config: Config, opened: dict[str, list[Any]], seen: set[str], now: int
) -> list[Status | Reply]:
    """Ask after messages that are not final and have left the list's first pages, those longest not asked after first."""
    reports: list[Status | Reply] = []
    waiting = sorted((known[2], sid) for sid, known in opened.items() if sid not in seen)
    for _, sid in waiting[:MOST_FETCHES]:
        answer = await api.get(http, config, api.account_url(config, f"/Messages/{sid}.json"))
        opened[sid][2] = now
        row = api.content(answer) if isinstance(answer, Response) else {}
        if isinstance(answer, Response) and answer.status == 404:
            del opened[sid]
        elif row.get("sid") == sid and row.get("status") != opened[sid][0]:
            reports += await _report(http, config, row, opened, now)
    return reports


def _created(row: Row, otherwise: int) -> int:
    try:
        return int(parsedate_to_datetime(str(row.get("date_created"))).timestamp() * clock.SECOND)
    except (ValueError, TypeError):
        return otherwise
