"""Cycles: rules that can trigger one another. Allowed, since conditions may break them, but worth a warning when they are saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oncue.core.adaptor import Adaptor
from oncue.core.event import MAX_DEPTH
from oncue.rules.spec import RuleSpec


def cycles(rules: Sequence[RuleSpec], adaptors: Mapping[str, Adaptor]) -> list[tuple[str, ...]]:
    """The shortest cycle through each rule that is in one (none twice, twenty at most), as the keys of its rules in the order they trigger
    one another."""
    raised = {rule.key: _raised_by(rule, adaptors) for rule in rules}
    triggered: dict[str, list[str]] = {}
    for rule in rules:
        for trigger in dict.fromkeys(rule.triggers):
            triggered.setdefault(trigger, []).append(rule.key)
    found: list[tuple[str, ...]] = []
    shown: set[str] = set()
    for start in _left_in_cycles(rules, raised):
        if start not in shown and len(found) < 20:
            path = _way_back(start, raised, triggered)
            found += [path] if path else []
            shown.update(path)
    return found


def _left_in_cycles(rules: Sequence[RuleSpec], raised: Mapping[str, set[str]]) -> list[str]:
    """The rules that may be in a cycle: ten times over, those that nothing triggers or that trigger nothing are taken away."""
    left = list(rules)
    for _ in range(MAX_DEPTH):
        names = {name for rule in left for name in raised[rule.key]}
        triggers = {trigger for rule in left for trigger in rule.triggers}
        left = [rule for rule in left if names & set(rule.triggers) and triggers & raised[rule.key]]
    return [rule.key for rule in left]


def _way_back(start: str, raised: Mapping[str, set[str]], triggered: Mapping[str, list[str]]) -> tuple[str, ...]:
    """The shortest way from a rule to itself, looking at each event once; empty if there is none that a chain could go."""
    paths: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    reached = {start}
    for path in paths:
        if len(path) > MAX_DEPTH:
            break
        for name in sorted(raised[path[-1]] - seen):
            seen.add(name)
            for after in triggered.get(name, ()):
                if after == start:
                    return path
                if after not in reached:
                    reached.add(after)
                    paths.append((*path, after))
    return ()


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
