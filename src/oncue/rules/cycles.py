"""Cycles: rules that can trigger one another. Allowed, since conditions may break them, but worth a warning when they are saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oncue.core.adaptor import Adaptor
from oncue.rules.spec import RuleSpec


def cycles(rules: Sequence[RuleSpec], adaptors: Mapping[str, Adaptor]) -> list[tuple[str, ...]]:
    """Each cycle once, as the keys of its rules in the order they trigger one another."""
    raised = {rule.key: _raised_by(rule, adaptors) for rule in rules}
    follows = {key: [rule.key for rule in rules if names & set(rule.triggers)] for key, names in raised.items()}
    found: list[tuple[str, ...]] = []
    for start in follows:
        _walk(start, (start,), follows, found)
    return found


def _walk(start: str, path: tuple[str, ...], follows: dict[str, list[str]], found: list[tuple[str, ...]]) -> None:
    """Cycles whose smallest key is `start`, so that each is found once; as short as chains may be."""
    if len(path) > 10 or len(found) >= 20:
        return
    for after in follows[path[-1]]:
        if after == start:
            found.append(path)
        elif after > start and after not in path:
            _walk(start, (*path, after), follows, found)


def _raised_by(rule: RuleSpec, adaptors: Mapping[str, Adaptor]) -> set[str]:
    """Names of events that the rule's actions can bring about."""
    names: set[str] = set()
    for action in rule.actions:
        adaptor_name, _, _ = action.action.partition(".")
        adaptor = adaptors.get(adaptor_name)
        if adaptor is None:
            continue
        if action.action == "event.emit":
            names.add(str(action.fields.get("name", "")))
        elif not adaptor.builtin:
            # A person's reply is no consequence of the message: they decide.
            replies = {adaptor.received, adaptor.opted_in}
            names |= {adaptor.event(kind.name) for kind in adaptor.events if kind.name not in replies}
            names |= {"message.suppressed", "message.expired"}
    return names
