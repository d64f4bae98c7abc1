"""Having Twilio forget what a message says: its pictures are deleted, its text is emptied; when, between whom and how it ended stays.

Twilio does so once a message is complete, which may take it days, and keeps backups for 30 days more:
twilio.com/docs/messaging/api/message-resource, twilio.com/docs/api/errors/20009. The pictures go first, so that a message without a text is
one that is done with.
"""

from __future__ import annotations

from urllib.parse import quote

from oncue.adaptors.twilio import api, errors
from oncue.core.adaptor import Config, Redacted
from oncue.core.http import Answer, Http, NotSent, Response

_OURS = (401, 403, 429)
_THROTTLED_AFTER = 30.0


async def redact(http: Http, config: Config, sid: str) -> Redacted:
    """Empty it. One that is empty already is emptied again."""
    where = f"/Messages/{quote(sid, safe='')}"
    if sid.startswith("MM") and (refused := await _delete_pictures(http, config, where)):
        return refused
    answer = await http.request(
        "POST",
        api.account_url(config, f"{where}.json"),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        body=b"Body=",
        auth=api.credentials(config),
        trusted=True,
    )
    if isinstance(answer, Response) and answer.status == 200 and api.content(answer).get("body") in ("", None):
        return Redacted()
    return _problem(answer)


async def _delete_pictures(http: Http, config: Config, where: str) -> Redacted | None:
    """Up to ten, as many as a message can have; None if they are gone."""
    listed = await api.get(http, config, api.account_url(config, f"{where}/Media.json"))
    found = api.content(listed).get("media_list") if isinstance(listed, Response) and listed.status == 200 else None
    if not isinstance(found, list):
        return _problem(listed)
    for one in found:
        picture = quote(str(one.get("sid")) if isinstance(one, dict) else "", safe="")
        url = api.account_url(config, f"{where}/Media/{picture}.json")
        answer = await http.request("DELETE", url, auth=api.credentials(config), trusted=True)
        if not (isinstance(answer, Response) and answer.status in (204, 404)):
            return _problem(answer)
    return None


def _problem(answer: Answer) -> Redacted:
    if not isinstance(answer, Response):
        return Redacted(problem=answer.reason, is_ours=isinstance(answer, NotSent))
    if answer.status == 404:
        return Redacted(problem="Twilio has no such message.", is_unknown=True)
    error = errors.look_up(api.code_of(api.content(answer)), answer.status)
    after = (api.retry_after(answer) or _THROTTLED_AFTER) if answer.status == 429 else None
    problem = f"{error.meaning} {error.remedy}".strip()
    return Redacted(problem=problem, is_ours=answer.status in _OURS, after=after)
