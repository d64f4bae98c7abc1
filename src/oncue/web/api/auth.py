"""Who asks: an API key, sent as `Authorization: Bearer KEY`, and what its scopes allow. Cookies are not looked at."""

from __future__ import annotations

from django.http import HttpRequest

from oncue.core.items import Key
from oncue.store import keys
from oncue.web.api.problems import Refused, wrong
from oncue.web.backstage import behind

READ, WRITE, ADMIN = keys.READ, keys.WRITE, keys.ADMIN
RANKS = (READ, WRITE, ADMIN)
"""Each may do what those before it may: what viewers, editors and owners do in the pages."""

ABOUT = {
    READ: "look at everything",
    WRITE: "change rules, messages, users, opt-outs and replies too",
    ADMIN: "change adaptors, keys, members and the policy too, and read the audit trail",
}

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="oncue"'}


class Gate:
    """Lets a request pass whose key has this scope, or one that includes it, and which asks for nothing that the operation does not know."""

    def __init__(self, scope: str) -> None:
        assert scope in RANKS
        self.scope = scope
        self.parameters: frozenset[str] = frozenset()
        """What may stand in the query."""

    def __call__(self, request: HttpRequest) -> Key:
        """The key, which becomes `request.auth`. Raises `Refused`."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        key = keys.find(behind().snapshot, token.strip()) if kind.lower() == "bearer" and token.strip() else None
        if key is None:
            said = "Send an API key that is in use, as `Authorization: Bearer KEY`; an owner makes one."
            raise Refused(401, said, (), _CHALLENGE)
        if not key.scopes.intersection(RANKS[RANKS.index(self.scope) :]):
            has = ", ".join(sorted(key.scopes))
            raise Refused(403, f"This takes a key with the scope {self.scope}; {key.name} has only: {has}.")
        unknown = sorted(request.GET.keys() - self.parameters)
        if unknown:
            # A filter that is misspelt would be ignored in silence, and the answer taken for what it is not.
            known = ", ".join(sorted(self.parameters)) or "none"
            raise wrong((one, f"There is no parameter {one[:60]!r} here; there is: {known}.") for one in unknown)
        return key


def key_of(request: HttpRequest) -> Key:
    """The key that the request came with."""
    key: Key = request.auth  # type: ignore[attr-defined]
    return key


def who(request: HttpRequest) -> str:
    """As the audit trail names it."""
    return f"key {key_of(request).name}"
