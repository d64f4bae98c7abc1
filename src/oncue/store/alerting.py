"""Who is told of alerts, as members have set it, and what went wrong when they were told last."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec
from django.db import connection

from oncue.core.fields import Fault, Field, Kind, read
from oncue.store import audit, members
from oncue.store.refusal import Refused
from oncue.store.rows import rows

MOST = 20
"""Addresses."""

_URL = Field(name="webhook_url", label="Webhook", help="", kind=Kind.URL, max_length=2_000)


class Alerting(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told: these e-mail addresses, or every owner if there are none; and this web address, if there is one."""

    emails: tuple[str, ...] = ()
    webhook_url: str = ""


def read_alerting() -> Alerting:
    """As saved; one that cannot be read is as at the start."""
    try:
        return msgspec.json.decode(_setting("alerts") or "{}", type=Alerting)
    except msgspec.DecodeError:
        return Alerting()


def addresses(alerting: Alerting) -> list[str]:
    """The e-mail addresses that are told: the owners' who can sign in, unless others were given."""
    if alerting.emails:
        return list(alerting.emails)
    return [row["email"] for row in members.listed() if row["role"] == "owner" and row["disabled_at"] is None]


def read_values(emails: str, webhook_url: str) -> tuple[Alerting, list[Fault]]:
    """What a form says (addresses one a line), and what is wrong with it."""
    found, faults = [], []
    for line in dict.fromkeys(filter(None, map(str.strip, emails.replace(",", "\n").splitlines()))):
        try:
            found.append(members.address(line))
        except Refused as refused:
            faults.append(Fault("emails", str(refused)))
    if len(found) > MOST:
        faults.append(Fault("emails", f"Give {MOST} addresses at most; a mailing list is one."))
    values, wrong = read((_URL,), {"webhook_url": webhook_url.strip()})
    faults += wrong
    return (
        Alerting()
        if faults
        else Alerting(emails=tuple(dict.fromkeys(found)), webhook_url=values.get("webhook_url", ""))
    ), faults


def save_alerting(alerting: Alerting, by: str) -> bool:
    """Tell these from now on; whether that is new. Inside a transaction."""
    before = read_alerting()
    if alerting == before:
        return False
    _set("alerts", msgspec.json.encode(alerting).decode())
    audit.record(by, "changed", "setting", "alerts", _shown(before), _shown(alerting))
    return True


def _shown(alerting: Alerting) -> dict[str, object]:
    """For the audit trail: of a web address the host, since the rest is often a secret."""
    return {"emails": list(alerting.emails), "webhook": urlsplit(alerting.webhook_url).netloc}


def problem() -> str:
    """Why somebody could not be told, the last time; empty if everybody was."""
    return _setting("alerts_problem")


def note_problem(sentence: str) -> None:
    """Keep it for the page that shows it. Inside a transaction."""
    _set("alerts_problem", sentence)


def _setting(name: str) -> str:
    found = rows("SELECT value FROM store_setting WHERE name = %s", [name])
    return str(found[0]["value"]) if found else ""


def _set(name: str, value: str) -> None:
    sql = "INSERT INTO store_setting (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    with connection.cursor() as cursor:
        cursor.execute(sql, [name, value])
