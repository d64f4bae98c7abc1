"""Hands: one folder an adaptor. They are found, not listed: a folder here, or a package with an entry point `oncue.adaptors`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

from oncue.core.adaptor import Adaptor


@cache
def load() -> dict[str, Adaptor]:
    """Every adaptor by name. Raises TypeError for one whose declaration contradicts itself."""
    found: dict[str, Adaptor] = {}
    for module in pkgutil.iter_modules(__path__):
        package = importlib.import_module(f"{__name__}.{module.name}")
        for adaptor in getattr(package, "adaptors", None) or (package.adaptor,):
            found[adaptor.name] = adaptor
    for point in entry_points(group="oncue.adaptors"):
        adaptor = point.load()
        found[adaptor.name] = adaptor
    for adaptor in found.values():
        faults = check_declaration(adaptor)
        if faults:
            raise TypeError(f"The adaptor {adaptor.name}: {' '.join(faults)}")
    return found


def check_declaration(adaptor: Adaptor) -> list[str]:
    """What contradicts itself in a declaration, a sentence each."""
    faults = []
    names = {kind.name for kind in adaptor.events}
    for status in adaptor.statuses:
        if status not in names:
            faults.append(f"The status {status} has no event.")
    for status in (*adaptor.final, *([adaptor.failed] if adaptor.statuses else [])):
        if status not in adaptor.statuses:
            faults.append(f"{status} is called final or failed, but is no status.")
    for name in filter(None, (adaptor.suppressed, adaptor.opted_in, adaptor.received)):
        if name not in names:
            faults.append(f"{name} has no event.")
    if len(set(adaptor.statuses.values())) != len(adaptor.statuses):
        faults.append("Two statuses have the same rank, so the order of arrival would decide.")
    if adaptor.status_inbound and adaptor.status_inbound not in {one.name for one in adaptor.inbound}:
        faults.append(f"There is no inbound {adaptor.status_inbound}.")
    for action in adaptor.actions:
        if action.send is None and not adaptor.builtin:
            faults.append(f"The action {action.name} cannot be sent.")
        fields = [field.name for field in action.fields]
        if len(set(fields)) != len(fields) or "action" in fields:
            faults.append(f"The fields of {action.name} clash.")
    return faults
