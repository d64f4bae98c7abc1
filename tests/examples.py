"""How many examples a test is tried with: as many as it says, or a hundred times as many."""

from __future__ import annotations

import os


def examples(count: int) -> int:
    """`count`, unless somebody has time: `HYPOTHESIS_PROFILE=long pytest --timeout 0 …`."""
    return count * (100 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1)
