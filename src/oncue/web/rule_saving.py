"""Saving a rule, for the pages and the API alike: which key a new one can have, and what happens if somebody else was faster."""

from __future__ import annotations

import re

from oncue.rules.spec import RuleSpec
from oncue.store import rulebook
from oncue.store.rulebook import Moved
from oncue.web.backstage import behind

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def wrong_key(key: str) -> str:
    """Why a new rule cannot have this key; empty if it can."""
    if not KEY.fullmatch(key):
        return f"A key has lower-case letters, digits, - and _, at most 64, not {key[:70]!r}."
    return f"There is a rule with the key {key} already; choose another." if key in rulebook.taken() else ""


def save(spec: RuleSpec, by: str, over: int | None = None) -> int | None:
    """Make it a new revision, of that one if `over` says so (0 for a new rule); the revision, None if nothing differs. Raises `Moved`."""

    def change() -> int | Moved | None:
        try:
            return rulebook.save(spec, by=by, over=over)
        except Moved as moved:  # for whoever asked, who hears of it below: to the writer it would be a fault of oncue's
            return moved

    made = behind().change(change)
    if isinstance(made, Moved):
        raise made
    return made
