"""The senders that this installation has: what people opt out of, and the country that numbers without a country code are read in."""

from __future__ import annotations

import msgspec

from oncue.core import phone
from oncue.web.backstage import behind


class Sender(msgspec.Struct, frozen=True):
    """A number or a messaging service, what the account calls it, and the adaptor it belongs to."""

    scope: str
    label: str
    adaptor: str
    """Its label."""
    adaptor_name: str


def own_senders() -> list[Sender]:
    """Those that checking the credentials found, and those that are configured."""
    snapshot = behind().snapshot
    found: dict[str, Sender] = {}
    for name, one in snapshot.adaptors.items():
        label = snapshot.catalogue[name].label
        for sender in one.found.get("senders", []):
            scope = str(sender.get("name") or "")
            found.setdefault(scope, Sender(scope, str(sender.get("label") or ""), label, name))
        scope = str(one.config.get("default_sender") or "")
        found.setdefault(scope, Sender(scope, "", label, name))
    found.pop("", None)
    return list(found.values())


def home_country() -> str:
    """The ISO code of the country that our own number belongs to; empty if there is none."""
    for sender in own_senders():
        number = phone.read(sender.scope, "")
        if number and number.country:
            return number.country
    return ""


def blockers() -> list[str]:
    """Labels of the configured adaptors whose provider keeps a block of its own for people who opted out."""
    snapshot = behind().snapshot
    return [snapshot.catalogue[name].label for name in snapshot.adaptors if snapshot.catalogue[name].suppressed]
