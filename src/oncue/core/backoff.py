"""How long to wait before trying again."""

from __future__ import annotations

import random

FIRST_AFTER = 0.5
LONGEST_AFTER = 60.0


def after(attempt: int, asked: float | None = None) -> float:
    """Seconds to wait after the `attempt`-th try (1 is the first): doubling from half a second to a minute, ± 20 %.

    A time that the provider asked for is kept to, with up to a fifth on top so that waiting messages do not return at once.
    """
    if asked is not None:
        return asked * random.uniform(1.0, 1.2)
    doubled: float = FIRST_AFTER * (1 << min(attempt - 1, 10))
    return min(LONGEST_AFTER, doubled) * random.uniform(0.8, 1.2)
