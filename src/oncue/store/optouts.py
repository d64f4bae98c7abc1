"""The ledger of opt-outs as members keep it: added, lifted for a reason, taken in from and given out as CSV.

A file only ever adds: what it does not name stays, and what was lifted since it was written is opted out again, which errs the safe way.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from django.db import connection

from oncue.core import clock, phone
from oncue.store import audit
from oncue.store.facts import AMONG, encode
from oncue.store.refusal import Refused
from oncue.store.rows import Row, one, rows
from oncue.store.statements import insert, write

_ADDRESS, _SCOPE, _SOURCE = 254, 254, 500
_UPSERT = insert(
    "store_optout",
    "address, scope, source, at, lifted_by",
    "ON CONFLICT (address, scope) DO UPDATE SET source = excluded.source, at = excluded.at, lifted_at = NULL, lifted_by = ''",
)
_BATCH = 1_000


def add(address: str, scope: str, by: str, reason: str) -> bool:
    """The address gets no more messages from the scope (a sender, a messaging service). Returns whether that is news. Raises `Refused`."""
    address, scope = _address(address), _scope(scope)
    reason = _reason(reason)
    found = one("SELECT lifted_at FROM store_optout WHERE address = %s AND scope = %s", [address, scope])
    if found and found["lifted_at"] is None:
        return False
    write(_UPSERT, [(address, scope, f"{by}: {reason}", clock.now(), "")])
    audit.record(by, "added", "opt-out", address, after={"scope": scope}, note=reason)
    return True


def lift(address: str, scope: str, by: str, reason: str) -> None:
    """The address may be sent messages from the scope again: the person asked for it, and `reason` says how. Raises `Refused`."""
    reason = _reason(reason)
    sql = "SELECT source, at FROM store_optout WHERE address = %s AND scope = %s AND lifted_at IS NULL"
    found = one(sql, [address, scope])
    if found is None:
        raise Refused(f"{address} has not opted out of messages from {scope}.")
    with connection.cursor() as cursor:
        sql = "UPDATE store_optout SET lifted_at = %s, lifted_by = %s WHERE address = %s AND scope = %s"
        cursor.execute(sql, [clock.now(), f"{by}: {reason}", address, scope])
    before = {"scope": scope, "source": found["source"], "at": found["at"]}
    audit.record(by, "lifted", "opt-out", address, before=before, note=reason)


class Entry(msgspec.Struct, frozen=True):
    """One line of a file."""

    address: str
    scope: str
    source: str


def read(text: str) -> tuple[list[Entry], list[str]]:
    """The opt-outs in a CSV text with the columns `address,scope,source` (the last may be missing), and a sentence for each line that is wrong.

    Lines whose column `lifted` is not empty, as in an export, are left out.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    entries: dict[tuple[str, str], Entry] = {}
    faults: list[str] = []
    try:
        missing = [name for name in ("address", "scope") if name not in (reader.fieldnames or [])]
        if missing:
            return [], [f"The first line must name the columns address and scope; {' and '.join(missing)} is missing."]
        for cells in reader:
            try:
                entry = _entry(cells)
            except Refused as refused:
                faults.append(f"Line {reader.line_num}: {refused}")
                continue
            if entry:
                entries[entry.address, entry.scope] = entry
    except csv.Error as error:
        faults.append(f"Line {reader.line_num}: this is not CSV: {error}.")
    return list(entries.values()), faults


def _entry(cells: dict[str, str | None]) -> Entry | None:
    if (cells.get("lifted") or "").strip():
        return None
    source = (cells.get("source") or "").replace("\0", "").strip()[:_SOURCE]
    return Entry(_address(cells.get("address") or ""), _scope(cells.get("scope") or ""), source or "a file")


def take_in(entries: Sequence[Entry], by: str) -> int:
    """Opt these out, but for those who are already, in one transaction; returns how many were news. A few thousand at a time, at most."""
    addresses = encode(sorted({entry.address for entry in entries})).decode()
    sql = f"SELECT address, scope FROM store_optout WHERE address {AMONG} AND lifted_at IS NULL"
    known = {(row["address"], row["scope"]) for row in rows(sql, [addresses])}
    news = [entry for entry in entries if (entry.address, entry.scope) not in known]
    write(_UPSERT, [(entry.address, entry.scope, entry.source, clock.now(), "") for entry in news])
    if news:
        audit.record(by, "imported", "opt-out", f"{len(news)} opt-outs", note="from a file")
    return len(news)


def export() -> Iterator[str]:
    """The whole ledger as lines of CSV, newest last: address, scope, source, at, lifted, lifted_by (times as ISO 8601, UTC).

    No cell is a formula to a spreadsheet. Read a thousand at a time, so that nothing is held for as long as the download takes.
    """
    yield _line(("address", "scope", "source", "at", "lifted", "lifted_by"))
    after = 0
    while True:
        found = rows(
            "SELECT id, address, scope, source, at, lifted_at, lifted_by FROM store_optout WHERE id > %s ORDER BY id LIMIT %s",
            [after, _BATCH],
        )
        yield "".join(_line(_cells(row)) for row in found)
        if len(found) < _BATCH:
            return
        after = found[-1]["id"]


def _cells(row: Row) -> tuple[str, ...]:
    lifted = clock.iso(row["lifted_at"]) if row["lifted_at"] is not None else ""
    return row["address"], row["scope"], row["source"], clock.iso(row["at"]), lifted, row["lifted_by"]


_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"\+[0-9]{5,15}")


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_harmless(cell) for cell in cells])
    return line.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _address(text: str) -> str:
    """A number in E.164, or an e-mail address in lower case: as messages have it. Raises `Refused`."""
    text = text.strip()
    if "@" in text and not re.search(r"[\s\0]", text) and len(text) <= _ADDRESS:
        return text.lower()
    found = phone.read(text, "") if len(text) <= 50 else None
    if found is None or not found.is_possible:
        raise Refused(f"{text[:60]!r} is no number with its country code (+353 86 …) and no e-mail address.")
    return found.e164


def _scope(text: str) -> str:
    text = text.strip()
    if re.fullmatch(r"\+?[\d\s().-]+", text):  # a number, as senders have it
        text = re.sub(r"[\s().-]", "", text)
    if not text or len(text) > _SCOPE or "\0" in text:
        raise Refused("An opt-out is from a sender: give its number, or the messaging service.")
    return text


def _reason(text: str) -> str:
    text = text.strip().replace("\0", "")
    if not text:
        raise Refused("Say why; the reason is kept.")
    return text[:_SOURCE]
