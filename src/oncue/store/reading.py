"""Reading for people: listings, newest first. None costs more as history grows; see `paging.py` for how, and for what a page says."""

from __future__ import annotations

from oncue.core import phone
from oncue.store.paging import Condition, Page, Table, page
from oncue.store.rows import Row, one, rows

__all__ = ["Page", "Row", "counts", "events", "message", "messages", "opt_outs", "pauses", "rows", "states", "user"]

EVENTS = Table(
    name="store_event",
    columns="seq, id, user_id, name, properties, timestamp, received_at, source, cause, root, depth",
    at="received_at",
)
MESSAGES = Table(
    name="store_message",
    columns="seq, id, user_id, rule, event, root, adaptor, action, category, recipient, sender, country, state, reason, carrier_status, "
    "provider_id, error_code, error_message, attempts, send_by, due_at, created_at, updated_at, fields, warnings",
    at="created_at",
)
_OPT_OUTS = Table(
    name="store_optout", columns="id AS seq, address, scope, source, at, lifted_at, lifted_by", at="at", seq="id"
)


def events(
    *,
    limit: int = 50,
    before: int | None = None,
    after: int | None = None,
    user: str = "",
    name: str = "",
    source: str = "",
    since: int | None = None,
    until: int | None = None,
) -> Page:
    """Events, newest first by when oncue took them in; `source` is the name of a key, an adaptor, `rule` or `consent`."""
    return page(
        EVENTS, limit=limit, before=before, after=after, since=since, until=until,
        indexed=("user_id = %s", user) if user else None,
        filters=_filters(name=name, source=source),
    )  # fmt: skip


def messages(
    *,
    limit: int = 50,
    before: int | None = None,
    after: int | None = None,
    user: str = "",
    rule: str = "",
    state: str = "",
    carrier_status: str = "",
    adaptor: str = "",
    recipient: str = "",
    sender: str = "",
    country: str = "",
    error_code: str = "",
    since: int | None = None,
    until: int | None = None,
) -> Page:
    """Messages, newest first by when they were made. `recipient` is the address in its final form (a number in E.164), `country` an ISO code."""
    filters = _filters(
        rule=rule, state=state, carrier_status=carrier_status, adaptor=adaptor, recipient=recipient, sender=sender,
        country=country, error_code=error_code,
    )  # fmt: skip
    return page(
        MESSAGES, limit=limit, before=before, after=after, since=since, until=until,
        indexed=("user_id = %s", user) if user else None,
        filters=filters,
    )  # fmt: skip


def message(id_: str) -> Row | None:
    """The message of that id, as listings show it; `explain` tells all of it."""
    return one(f"SELECT {MESSAGES.columns} FROM store_message WHERE id = %s", [id_])


def user(id_: str) -> Row | None:
    """One user, by their id or an anonymous one that was found to be theirs: with what they said to each category, and their `aliases`, newest
    first (ids, 50 at most)."""
    sql = "SELECT seq, id, properties, phone, anonymous, created_at, updated_at FROM store_user WHERE id = %s"
    found = one(sql, [id_])
    if not found:
        alias = one("SELECT user_id FROM store_alias WHERE id = %s", [id_])
        found = one(sql, [alias["user_id"]]) if alias else None
    if not found:
        return None
    theirs = [found["id"]]
    said = rows("SELECT category, state, source, at FROM store_consent WHERE user_id = %s ORDER BY category", theirs)
    aliases = rows("SELECT id FROM store_alias WHERE user_id = %s ORDER BY at DESC, id DESC LIMIT 50", theirs)
    return {
        **found,
        "anonymous": bool(found["anonymous"]),
        "consents": said,
        "aliases": [row["id"] for row in aliases],
    }


def opt_outs(*, limit: int = 50, before: int | None = None, address: str = "", state: str = "") -> Page:
    """The ledger of opt-outs, newest first. `address` is a whole one, a number in any international spelling, or its beginning.

    `state` is `active`, `lifted`, or empty for both.
    """
    filters = [_OPT_OUT_STATES[state]] if state in _OPT_OUT_STATES else []
    if address and before is None:
        asked = " AND ".join(["address = %s", *(sql for sql, _ in filters)])
        sql = f"SELECT {_OPT_OUTS.columns} FROM store_optout WHERE {asked} ORDER BY id DESC LIMIT %s"
        known = rows(sql, [phone.e164(address, "") or address, *(value for _, value in filters), limit])
        if known:
            return Page(rows=known)
    if address:
        filters.append(("address LIKE %s ESCAPE '\\'", beginning(address)))
    return page(_OPT_OUTS, limit=limit, before=before, filters=filters)


_OPT_OUT_STATES: dict[str, Condition] = {
    "active": ("COALESCE(lifted_at, 0) = %s", 0),
    "lifted": ("lifted_at > %s", 0),
}


def counts(since_hour: int) -> list[Row]:
    """The hourly counters since then, summed by name and label."""
    sql = "SELECT name, label, SUM(count) AS count FROM store_counter WHERE hour >= %s GROUP BY name, label ORDER BY name, label"
    return rows(sql, [since_hour])


def states() -> dict[str, int]:
    """How many messages wait, are being sent or are unknown: the states that should not grow. Served by partial indexes."""
    found = {state: 0 for state in ("waiting", "submitting", "unknown")}
    for words in ("state = 'waiting'", "state IN ('submitting', 'unknown')"):  # those of the indexes
        for row in rows(f"SELECT state, COUNT(*) AS count FROM store_message WHERE {words} GROUP BY state", []):
            found[row["state"]] = row["count"]
    return found


def pauses() -> list[Row]:
    """What is held back, and why."""
    return rows("SELECT adaptor, kind, key, reason, since_at, until_at FROM store_pause ORDER BY adaptor", [])


def beginning(text: str) -> str:
    r"""A pattern for LIKE … ESCAPE '\' that what begins with the text matches."""
    return "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in text) + "%"


def _filters(**equal: str) -> list[Condition]:
    return [(f"{column} = %s", value) for column, value in equal.items() if value]
