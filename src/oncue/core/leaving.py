"""Does a reply read like somebody who wants no more messages, though it is no keyword that carriers act on? Then a person should look.

Errs towards asking: a flag costs a member a glance, a missed one a complaint. But "please stop by at five" is an invitation.
"""

from __future__ import annotations

import re

_ABOUT_US = r"(?:text|txt|messag|sms|contact|send|spam|bother|call|e-?mail|writ)\w*"
_ASKING = r"(?:please|pls|plz|just|must|to|now|ok|okay|hey|hi|hello|can you|could you|would you|will you|i said|you|and|so|kindly)"
_ELSEWHERE = r"(?:by|in|at(?! once\b)|off|over|for|here|there|on|near|outside)\b"
"""After "stop": a place to go, no message to end."""

_PHRASES = re.compile(
    "|".join(
        (
            r"\bun-?subscri\w*",
            r"\bopt(?:ed|ing)?[ -]?(?:me )?out\b",
            r"\b(?:remove|delete|unlist) (?:me|my (?:number|name|phone|details))\b",
            r"\btake (?:me|my (?:number|name)) off\b",
            rf"\b(?:do not|don'?t|never|stop|quit|cease) (?:\w+ )?{_ABOUT_US}\b",
            r"^no (?:texts?|sms|messages?)\b",
            r"\bno more\b(?! (?:than|questions?|news|time|seats?|rooms?|tables?|tickets?)\b)",
            r"\bleave me (?:alone|be|in peace)\b",
            r"\blose my number\b",
            r"\bstop (?:it|this|that|these|those|all|now|already|immediately|please|pls)\b",
            rf"(?:^|[.!?,;:] ?|\b{_ASKING} )stop\b(?! {_ELSEWHERE})",
            r"\b(?:abmelden|abbestellen|keine (?:sms|nachrichten) mehr|désabonne\w*|desabonne\w*|désinscri\w*|(?:darme|deme) de baja)\b",
        )
    )
)
_SHOUTED = re.compile(r"(?<![\w-])STOP(?![\w-])")


def reads_like_opt_out(text: str) -> bool:
    """Whether it does, as far as words can tell."""
    plain = re.sub(r"\s+", " ", text.replace("’", "'")).strip()
    if _PHRASES.search(plain.lower()):
        return True
    # STOP in capitals within a sentence that is not: the keyword was meant.
    return bool(_SHOUTED.search(plain)) and plain != plain.upper()
