"""Looking at pictures before they are sent: a HEAD, where the server answers one, tells type and size; what it told is kept for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import msgspec

from oncue.core import clock
from oncue.core.http import Http, NotSent, Response

MOST_BYTES = 5_000_000
MOST_OTHER_BYTES = 500_000
"""For other types than pictures: twilio.com/docs/messaging/guides/accepted-mime-types."""

_PICTURES = ("image/gif", "image/png", "image/jpeg", "image/jpg")
_KEPT_FOR = 600.0
_MOST_KEPT = 1_000
_DEADLINE = 3.0


class Media(msgspec.Struct, frozen=True):
    """What a HEAD told: a fault (a sentence), or type and size where the server said them (`""`, -1)."""

    fault: str = ""
    kind: str = ""
    size: int = -1


_kept: OrderedDict[str, tuple[float, Media]] = OrderedDict()


async def check(http: Http, urls: list[str]) -> tuple[str, list[str]]:
    """(why these cannot be sent, warnings)."""
    found = await asyncio.gather(*(_look(http, url) for url in urls))
    total = 0
    warnings = []
    for url, media in zip(urls, found, strict=True):
        if media.fault:
            return media.fault, []
        if media.kind and media.kind not in _PICTURES:
            warnings.append(
                f"{url} is {media.kind}; other types than gif, png and jpeg arrive as they are, if the phone can show them."
            )
            if media.size > MOST_OTHER_BYTES:
                return f"{url} is {media.size:,} bytes of {media.kind}; the limit for such media is 500 KB.", []
        total += max(0, media.size)
    if total > MOST_BYTES:
        return f"The media are {total:,} bytes together; the limit is 5 MB.", []
    return "", warnings


async def _look(http: Http, url: str) -> Media:
    known = _kept.get(url)
    if known and known[0] > clock.elapsed():
        return known[1]
    media = await _head(http, url)
    _kept[url] = (clock.elapsed() + _KEPT_FOR, media)
    _kept.move_to_end(url)
    if len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return media


async def _head(http: Http, url: str) -> Media:
    answer = await http.request("HEAD", url, deadline=_DEADLINE, limit=1)
    if isinstance(answer, NotSent) and answer.forbidden:
        return Media(f"{url} cannot be sent: {answer.reason}")
    if not isinstance(answer, Response):
        return Media()  # Twilio fetches it from elsewhere and may well reach it
    if answer.status in (404, 410):
        return Media(f"{url} cannot be sent: there is nothing there (status {answer.status}).")
    if not 200 <= answer.status < 300:
        return Media()  # many servers answer no HEAD
    size = answer.headers.get("content-length", "")
    kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    return Media("", kind, int(size) if size.isdecimal() else -1)
