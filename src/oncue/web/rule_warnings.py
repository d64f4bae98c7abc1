"""What a rule may do, but may not be meant to: said before it is switched on."""

from __future__ import annotations

from oncue.rules.cycles import cycles
from oncue.rules.names import nearest
from oncue.rules.spec import RuleSpec
from oncue.store import volumes
from oncue.store.config import Snapshot
from oncue.web.rule_drawing import own_events


def warnings(spec: RuleSpec, snapshot: Snapshot) -> list[str]:
    """What is allowed, but may not be meant: events never seen, rules that trigger one another, adaptors that cannot send."""
    known = {*volumes.names(), *own_events(snapshot)}
    emitted = {
        str(action.fields.get("name"))
        for rule in snapshot.compiled.values()
        for action in rule.spec.actions
        if action.action == "event.emit"
    }
    found = []
    for name in spec.triggers:
        if name not in known | emitted:
            close = nearest(name, known | emitted)
            found.append(f"No event {name} has been seen yet{f'; did you mean {close}?' if close else '.'}")
    others = [one.spec for one in snapshot.compiled.values() if one.spec.key != spec.key]
    for cycle in cycles([*others, spec], snapshot.catalogue):
        if spec.key in cycle:
            chain = " → ".join((*cycle, cycle[0]))
            found.append(f"These rules may trigger one another: {chain}. A chain is cut after 10 links.")
    return found
