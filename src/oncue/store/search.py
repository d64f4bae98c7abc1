"""Finding people: by the beginning of their id, by phone number however it is written, by e-mail address or name."""

from __future__ import annotations

import msgspec

from oncue.core import phone
from oncue.store.paging import Condition, Page, Table, page
from oncue.store.reading import beginning
from oncue.store.rows import Row, rows

_USERS = Table(name="store_user", columns="seq, id, properties, phone, created_at, updated_at", at="created_at")
_NAMES = ("first_name", "last_name", "name", "full_name")


def users(*, limit: int = 50, before: int | None = None, search: str = "", country: str = "") -> Page:
    """Users, newest first; with `search`, those whom an index finds come first, whenever they came.

    Ids (their beginning) and numbers are found among everybody, e-mail addresses and names (their beginning) among the newest only.
    `country` (an ISO code) is the one whose numbers may be written without their country code.
    """
    wanted = search.strip()
    if not wanted:
        return page(_USERS, limit=limit, before=before)
    found = page(_USERS, limit=limit, before=before, filters=[_reads_like(wanted)])
    if before is not None:
        return found
    first = _by_index(wanted, country, limit)
    known = {row["seq"] for row in first}
    # One that both found is shown once; the page may be longer than its limit by those the index found.
    return msgspec.structs.replace(found, rows=[*first, *(row for row in found.rows if row["seq"] not in known)])


def _by_index(wanted: str, country: str, limit: int) -> list[Row]:
    numbers = [
        phone.e164(wanted, country) or "none",
        phone.e164(f"+{wanted}", "") or "none",
    ]  # without the +, or without the country
    exact = rows(
        f"SELECT {_USERS.columns} FROM store_user WHERE id = %s UNION SELECT {_USERS.columns} FROM store_user WHERE NOT phone = '' "
        "AND phone IN (%s, %s) LIMIT %s",
        [wanted, *numbers, limit],
    )
    sql = f"SELECT {_USERS.columns} FROM store_user WHERE id > %s AND id < %s ORDER BY id LIMIT %s"
    return [*exact, *rows(sql, [wanted, wanted + "\U0010ffff", limit])]


def _reads_like(wanted: str) -> Condition:
    """Properties are kept as JSON text: an address or a name stands in it between quotes."""
    inside = beginning(msgspec.json.encode(wanted).decode()[1:-1])
    patterns = [f'%"{name}":"{inside}' for name in ("email", *_NAMES)]
    return " OR ".join(["properties LIKE %s ESCAPE '\\'"] * len(patterns)), patterns
