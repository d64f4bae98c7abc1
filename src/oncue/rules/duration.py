"""Durations as people write them: `90s`, `30m`, `4h`, `2d`."""

from __future__ import annotations

import re
from functools import lru_cache

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LONGEST = 30 * 86_400


@lru_cache(maxsize=256)
def seconds(text: str) -> int:
    """The duration in seconds, from one second to 30 days. Raises ValueError with a sentence."""
    found = re.fullmatch(r"(\d{1,9})\s*([smhd])", text.strip())
    if not found or not 0 < int(found[1]) * _UNITS[found[2]] <= LONGEST:
        raise ValueError(f"must be a duration such as 90s, 30m, 4h or 2d, from 1s to 30d, not {text!r}.")
    return int(found[1]) * _UNITS[found[2]]
