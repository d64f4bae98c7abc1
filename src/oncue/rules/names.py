"""The nearest name: what somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` most like `name`, if any is much like it."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return found[0] if found else None


def there_is_no(kind: str, name: str, names: Iterable[str]) -> str:
    """`There is no action 'x'; did you mean 'y'?`, or what there is."""
    names = sorted(names)
    close = nearest(name, names)
    if close:
        return f"There is no {kind} {name!r}; did you mean {close!r}?"
    shown = ", ".join(names[:20])
    return (
        f"There is no {kind} {name!r}; there are: {shown}{', …' if len(names) > 20 else ''}."
        if names
        else f"There is no {kind} {name!r}."
    )
