"""Hands: one folder an adaptor. They are found, not listed: a folder here, or a package with an entry point `oncue.adaptors`."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache
from importlib.metadata import entry_points

from oncue.core.adaptor import Adaptor


@cache
def load() -> dict[str, Adaptor]:
    """Every adaptor by name. Raises TypeError, with a sentence, for one whose declaration contradicts itself or another's."""
    found: dict[str, Adaptor] = {}
    for module in pkgutil.iter_modules(__path__):
        package = importlib.import_module(f"{__name__}.{module.name}")
        for adaptor in getattr(package, "adaptors", None) or (package.adaptor,):
            found[adaptor.name] = adaptor
    for point in entry_points(group="oncue.adaptors"):
        adaptor = point.load()
        if not isinstance(adaptor, Adaptor):
            raise TypeError(f"The entry point {point.name} = {point.value} must name an oncue.core.adaptor.Adaptor.")
        if adaptor.name in found:
            raise TypeError(
                f"There are two adaptors called {adaptor.name}; one is {point.value}. Rename it or uninstall it."
            )
        found[adaptor.name] = adaptor
    for adaptor in found.values():
        faults = check_declaration(adaptor)
        if faults:
            raise TypeError(f"The adaptor {adaptor.name}: {' '.join(faults)}")
    return found


_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_declaration(adaptor: Adaptor) -> list[str]:
    """What contradicts itself in a declaration, a sentence each."""
    faults = []
    for what, given in _named(adaptor).items():
        faults += [
            f"{what} is called {name!r}; use lower-case letters, digits and _."
            for name in given
            if not _NAME.fullmatch(name)
        ]
        faults += [
            f"{what} is called {name}, and so is another."
            for name in sorted({one for one in given if given.count(one) > 1})
        ]
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
        if "action" in {field.name for field in action.fields}:
            faults.append(
                f"A field of {action.name} cannot be called action, which means something else in a rules file."
            )
        if any(field.is_secret for field in action.fields):
            faults.append(f"A field of {action.name} is secret, but rules are exported in clear.")
        if action.send and not adaptor.statuses:
            faults.append(f"The action {action.name} has no status to come to.")
    return faults


def _named(adaptor: Adaptor) -> dict[str, list[str]]:
    return {
        "The adaptor": [adaptor.name],
        "A configuration field": [field.name for field in adaptor.config],
        "An action": [action.name for action in adaptor.actions],
        "An event": [kind.name for kind in adaptor.events],
        "An inbound": [one.name for one in adaptor.inbound],
        **{f"A field of {action.name}": [field.name for field in action.fields] for action in adaptor.actions},
    }
