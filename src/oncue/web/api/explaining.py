"""An explanation as it is answered, for events and for messages."""

from __future__ import annotations

import msgspec

from oncue.store.explain import Explanation, explain
from oncue.web.api.problems import missing


def explained(what: str, one: str, is_it: str) -> dict[str, object]:
    """The explanation of that id; `is_it` says which part has to have it. Raises `Refused`."""
    found = explain(one)
    if found is None or one not in _ids(found, is_it):
        raise missing(f"{what} with the id", one)
    return {
        "event": found.event,
        "user_properties": found.user["properties"] if found.user else None,
        "decisions": found.decisions,
        "messages": [msgspec.structs.asdict(told) for told in found.messages],
        "caused": found.caused,
        "cause": found.cause,
    }


def _ids(found: Explanation, is_it: str) -> set[str]:
    """The beginning of an id finds it too, for people who type; a program says all of it."""
    return {found.event["id"]} if is_it == "event" else {told.message["id"] for told in found.messages}
