"""How much a key may send: a bucket for each, that fills with time."""

from __future__ import annotations

import math

from oncue.core import clock
from oncue.core.items import Key

BURST_FOR = 2.0
"""Seconds' worth of items that may come at once."""


class Limits:
    """Token buckets, by key."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: Key, items: int) -> int:
        """0 if this key may send so many items now, else the seconds after which it may.

        A batch larger than the bucket passes when the bucket is full, and is paid off afterwards: otherwise it would never pass.
        """
        if not key.per_second:
            return 0
        now = clock.elapsed()
        size = max(1.0, key.per_second * BURST_FOR)
        left, at = self._buckets.get(key.id, (size, now))
        left = min(size, left + (now - at) * key.per_second)
        needed = min(float(items), size)
        if left < needed:
            self._buckets[key.id] = (left, now)
            return max(1, math.ceil((needed - left) / key.per_second))
        self._buckets[key.id] = (left - items, now)
        return 0
