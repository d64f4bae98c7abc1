"""Time zones to pick from: names by place, as people look for them."""

from __future__ import annotations

import zoneinfo
from functools import lru_cache

_AREAS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """`UTC`, then `Africa/Abidjan` and so on."""
    return ("UTC", *sorted(name for name in zoneinfo.available_timezones() if name.split("/")[0] in _AREAS))
