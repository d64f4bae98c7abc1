"""Polling, for when Twilio cannot call us: the list of messages, newest first, tells statuses and replies.

One poll is one list request of 50 messages in the usual case. It goes on to older pages while they hold messages newer than the last poll
saw, 20 pages a poll; what is left is taken up by the next poll, so a day with the lid shut is caught up with. Messages not final that have
left this window are fetched one by one, ten a poll, for two days. A filter by date would not do: messages not sent yet have no date.

Times are compared with Twilio's own clock (its `Date` header), never with this machine's.
"""

from __future__ import annotations

from typing import Any

import msgspec

from oncue.adaptors.twilio import api
from oncue.adaptors.twilio.inbound import reply_report
from oncue.adaptors.twilio.listing import Failed, Pages, Row, created_at, status_of
from oncue.core import clock
from oncue.core.adaptor import Config, Polled, Reply, Status
from oncue.core.http import Http, Response

PAGE_SIZE = 50
MOST_FETCHES = 10
OVERLAP = 2 * clock.MINUTE
"""For so long a message is reported again: the first time, our own record of the 201 may not have been there yet."""
FOLLOWED_FOR = 2 * clock.DAY

FINAL = ("delivered", "undelivered", "failed", "canceled", "read", "received")


class _Known(msgspec.Struct, array_like=True):
    """What is known of a message: its status, when it was created and first reported, and when it was last looked at (ms, Twilio's clock)."""

    status: str
    created: int
    first: int
    looked: int


class _Cursor(msgspec.Struct):
    """How far polling has come. `rest` is where to go on with a backlog: (URL, until when)."""

    since: int = 0
    known: dict[str, _Known] = {}
    rest: list[tuple[str, int]] = []


async def poll(http: Http, config: Config, cursor: dict[str, Any]) -> Polled:
    """What is new. The first poll begins with the present: history is not imported."""
    state = msgspec.convert(cursor, _Cursor)
    pages = Pages(http, config, OVERLAP)
    until = state.since - OVERLAP if state.since else None
    try:
        rows, rest = await pages.read(api.account_url(config, f"/Messages.json?PageSize={PAGE_SIZE}"), until)
        backlog = [*state.rest, *([(rest, until or 0)] if rest else [])]
        while backlog and pages.left:
            url, limit = backlog.pop()
            older, rest = await pages.read(url, limit)
            rows += older
            if rest:
                backlog.append((rest, limit))
    except Failed as failed:
        return Polled(reports=(), cursor=cursor, problem=str(failed), after=failed.after)
    reports: list[Status | Reply] = []
    for row in sorted(reversed(rows), key=lambda row: created_at(row, pages.now)):  # newest first within a second, too
        reports += await _report(http, config, row, state.known, pages.now)
    reports += await _follow(http, config, state.known, {str(row.get("sid")) for row in rows}, pages.now)
    newest = max((created_at(row, 0) for row in rows), default=0)
    state.since = max(state.since, newest) or pages.now
    state.known = {sid: known for sid, known in state.known.items() if _is_kept(known, state.since, pages.now)}
    state.rest = backlog
    return Polled(reports=tuple(reports), cursor=msgspec.to_builtins(state))


def _is_kept(known: _Known, since: int, now: int) -> bool:
    """Until it is final and has left the window in which the list shows it again."""
    return known.created >= since - 2 * OVERLAP or (known.status not in FINAL and known.created > now - FOLLOWED_FOR)


async def _report(http: Http, config: Config, row: Row, known: dict[str, _Known], now: int) -> list[Status | Reply]:
    sid, word = str(row.get("sid") or ""), str(row.get("status") or "")
    created = created_at(row, now)
    before = known.get(sid)
    if before and before.status == word and before.first < now - OVERLAP:
        before.looked = now
        return []
    known[sid] = _Known(word, created, before.first if before and before.status == word else now, now)
    if row.get("direction") == "inbound":
        return [await _reply(http, config, row, created)] if word == "received" else []
    return [status_of(row)]


async def _reply(http: Http, config: Config, row: Row, created: int) -> Reply:
    count = str(row.get("num_media") or "0")
    urls: list[str] = []
    if count != "0":
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
        num_media=int(count) if count.isdecimal() else 0,
        media_urls=urls,
        received_at=created,
    )


async def _follow(
    http: Http, config: Config, known: dict[str, _Known], seen: set[str], now: int
) -> list[Status | Reply]:
    """Ask after messages that are not final and have left the list's first pages, those longest not asked after first."""
    reports: list[Status | Reply] = []
    waiting = sorted((one.looked, sid) for sid, one in known.items() if sid not in seen and one.status not in FINAL)
    for _, sid in waiting[:MOST_FETCHES]:
        answer = await api.get(http, config, api.account_url(config, f"/Messages/{sid}.json"))
        known[sid].looked = now
        row = api.content(answer) if isinstance(answer, Response) else {}
        if isinstance(answer, Response) and answer.status == 404:
            del known[sid]
        elif row.get("sid") == sid and row.get("status") != known[sid].status:
            reports += await _report(http, config, row, known, now)
    return reports
