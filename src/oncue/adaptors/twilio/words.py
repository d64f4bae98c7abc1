"""What people reply to opt out, in again, or to ask for help: the whole message, in any case and spacing.

Sources: twilio.com/docs/messaging/tutorials/advanced-opt-out; "opt out" with a space is on the regulator's list (47 CFR 64.1200(a)(10)).
"""

from __future__ import annotations

import re
import unicodedata

STOP = frozenset({"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"})
START = frozenset({"start", "yes", "unstop"})
HELP = frozenset({"help", "info"})

_BY_TYPE = {"STOP": "opted_out", "START": "opted_in", "HELP": "help"}


def meaning(body: str, opt_out_type: str = "") -> str:
    """`opted_out`, `opted_in`, `help` or empty. Twilio's OptOutType, which knows localised words, comes first."""
    known = _BY_TYPE.get(opt_out_type.strip().upper())
    if known:
        return known
    # Full-width letters are letters; punctuation, emoji and invisible characters around a word are not part of it.
    words = " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", body)).split()).casefold()
    if words in STOP:
        return "opted_out"
    if words in START:
        return "opted_in"
    return "help" if words in HELP else ""
