"""Asking a provider: are the credentials good, do its calls arrive, do people's messages come here? For the pages and the API alike."""

from __future__ import annotations

from typing import Any

from oncue.core import clock
from oncue.core.adaptor import Adaptor, Checked
from oncue.core.probe import Step
from oncue.store import configuring
from oncue.store.adaptors import Stored
from oncue.web.adaptor_callbacks import calls, incoming
from oncue.web.backstage import behind


def kept(checked: Checked | None, stored: Stored | None) -> dict[str, Any]:
    """What is kept of a check; of none, what was known before."""
    if checked is None:
        return dict(stored.found) if stored else {}
    return {**checked.found, "sentence": checked.sentence, "notes": list(checked.notes), "checked_at": clock.now()}


def way_back(adaptor: Adaptor, stored: Stored | None) -> tuple[Step, ...] | str:
    """Make a call as the provider would: the steps of its way, the last being where it stopped. Or a sentence why that cannot be done."""
    if not adaptor.probe or not adaptor.status_inbound:
        return f"{adaptor.label} makes no calls that could be checked."
    if stored is None:
        return f"{adaptor.label} is not configured; configure it first."
    if not calls(adaptor, stored).can_check:
        return (
            "No provider can call this oncue: set ONCUE_PUBLIC_URL to the address it is reached at, and start it again."
        )
    return behind().probed(adaptor, stored.values)


def point_here(adaptor: Adaptor, stored: Stored | None, by: str) -> Checked | str:
    """Have the provider send people's messages here, and look again where they go. What it said; or a sentence why that cannot be done."""
    if not adaptor.set_inbound:
        return f"{adaptor.label} takes no messages from people."
    if stored is None:
        return f"{adaptor.label} is not configured; configure it first."
    url = incoming(adaptor)
    if not url:
        return "People's messages cannot come here: set ONCUE_PUBLIC_URL to the address oncue is reached at, and start it again."
    pointed = behind().pointed(adaptor, stored.values, url)
    checked = behind().checked(adaptor, stored.values)
    if checked is None:
        return pointed
    if not checked.ok:  # then nothing can have been changed, and this says why
        return checked
    found = kept(checked, stored)
    found["notes"] = [*found["notes"], *(note for note in pointed.notes if note not in found["notes"])]
    behind().change(lambda: configuring.learn(adaptor, found, by=by, note=pointed.sentence))
    return pointed
