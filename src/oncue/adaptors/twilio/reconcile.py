"""Asking Twilio: what became of messages whose callbacks are late, and whether it has those whose answers were lost.

Twilio has no idempotency key, and its list cannot be searched by anything of ours. So a message is looked for among those to the same number
that were made at the time of the attempt, with two minutes to spare on either side, by Twilio's own clock. What was sent from another number
or service is not ours. A text that differs proves nothing, since Twilio changes texts (smart encoding, short links, the trial prefix). Nor does
the time if the text is the same: our clock may have been set right since the attempt, or Twilio been slow. Then it may be ours, for a member.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from oncue.adaptors.twilio import api
from oncue.adaptors.twilio.listing import Failed, Pages, Row, created_at, status_of
from oncue.core import clock
from oncue.core.adaptor import Asked, Candidate, Config, Found, Polled, Sought, Status
from oncue.core.http import Http, Response

AROUND = 2 * clock.MINUTE
"""How far from the attempt a message may lie in time and still be it."""

MOST_OFF = 15 * clock.MINUTE
"""How far this machine's clock may be from Twilio's before nothing can be said by time."""

AT_ONCE = 4
"""Requests under way at a time."""

FEW = 100
"""As many are asked after one by one; more are looked up in the list first, a thousand a request."""

_LIST_SIZE = 1_000
_QUEUED_FOR = 5 * clock.MINUTE
"""A message is sent within so long of being made, or is asked after by itself: the list is filtered by when it was sent."""

_TRIAL = "Sent from your Twilio trial account - "
_SMART = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000", " "),
        **dict.fromkeys("\u200b\u200c\u200d\ufeff", ""),
        "\u2026": "...",
    }
)
"""The best-known of what smart encoding replaces."""


async def find(http: Http, config: Config, recipient: str, sought: Sequence[Sought]) -> Found:
    """Look for these, all to one number, in Twilio's list."""
    pages = Pages(http, config, 0)
    since = min(one.since for one in sought) - AROUND
    url = api.account_url(config, f"/Messages.json?To={quote(recipient, safe='')}&PageSize=100")
    try:
        rows, rest = await pages.read(url, since - MOST_OFF)
    except Failed as failed:
        return Found(problem=str(failed), after=failed.after)
    ahead = pages.now - clock.now()
    if abs(ahead) > MOST_OFF:
        minutes = round(ahead / clock.MINUTE)
        return Found(
            problem=f"Twilio's clock is {minutes} minutes from this machine's, so nothing can be found by time; set the clock."
        )
    if rest:
        return Found(problem=f"Twilio lists too many messages to {recipient} to look through.")
    candidates = [
        _candidate(row, sought, ahead) for row in rows if row.get("direction") != "inbound" and row.get("sid")
    ]
    return Found(
        candidates=tuple(one for one in candidates if one.could_be),
        may_send_again=config.get("when_unknown", "send") == "send",
    )


def _candidate(row: Row, sought: Sequence[Sought], ahead: int) -> Candidate:
    at = created_at(row, 0) - ahead
    possible = [one for one in sought if not _is_another_s(row, one.fields)]
    timely = {one.message for one in possible if one.since - AROUND <= at <= one.until + AROUND}
    alike = {one.message for one in possible if _reads_like(row, one.fields)}
    return Candidate(
        status=status_of(row),
        could_be=tuple(one.message for one in possible if one.message in timely | alike),
        reads_like=tuple(one.message for one in possible if one.message in timely & alike),
    )


def _is_another_s(row: Row, fields: dict[str, Any]) -> bool:
    """Sent by a number or service that ours would not be sent by."""
    asked, used = fields.get("messaging_service_sid"), row.get("messaging_service_sid")
    if asked:
        return bool(used) and used != asked
    sender, shown = str(fields.get("from") or ""), str(row.get("from") or "")
    return sender.startswith("+") and shown.startswith("+") and sender != shown


def _reads_like(row: Row, fields: dict[str, Any]) -> bool:
    if fields.get("content_sid"):  # its text is Twilio's
        return False
    pictures = len(fields.get("media_urls") or [])
    return str(row.get("num_media") or "0") == str(pictures) and _plain(row.get("body")) == _plain(fields.get("body"))


def _plain(body: object) -> str:
    """A text without what Twilio may have changed of it."""
    text = str(body or "").removeprefix(_TRIAL).translate(_SMART)
    return " ".join(
        re.sub(r"\bhttps?://\S+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)+/\S+", "link", text, flags=re.IGNORECASE).split()
    )


async def fetch(http: Http, config: Config, asked: Sequence[Asked]) -> Polled:
    """What became of these."""
    reports: dict[str, Status] = {}
    try:
        if len(asked) > FEW:
            reports = await _listed(http, config, asked)
        left = [one.provider_id for one in asked if one.provider_id not in reports]
        for start in range(
            0, len(left), AT_ONCE
        ):  # the first that fails ends it: a carrier that says 429 is left alone
            some = left[start : start + AT_ONCE]
            fetched = await asyncio.gather(*[_fetched(http, config, sid) for sid in some])
            reports.update((one.provider_id, one) for one in fetched if one)
    except Failed as failed:
        return Polled(reports=tuple(reports.values()), problem=str(failed), after=failed.after)
    return Polled(reports=tuple(reports.values()))


async def _listed(http: Http, config: Config, asked: Sequence[Asked]) -> dict[str, Status]:
    wanted = {one.provider_id for one in asked}
    times = [one.at for one in asked]
    first, last = _moment(min(times) - AROUND), _moment(max(times) + _QUEUED_FOR)
    url = api.account_url(config, f"/Messages.json?DateSent%3E={first}&DateSent%3C={last}&PageSize={_LIST_SIZE}")
    rows, _ = await Pages(http, config, 0).read(url, 0)
    return {str(row["sid"]): status_of(row) for row in rows if row.get("sid") in wanted}


def _moment(at: int) -> str:
    return quote(datetime.fromtimestamp(at / clock.SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), safe="")


async def _fetched(http: Http, config: Config, sid: str) -> Status | None:
    answer = await api.get(http, config, api.account_url(config, f"/Messages/{quote(sid, safe='')}.json"))
    if isinstance(answer, Response) and answer.status in (200, 404):
        row = api.content(answer)
        return status_of(row) if row.get("sid") == sid and row.get("status") else None
    raise Failed.of(answer)
